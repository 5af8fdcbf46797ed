package budget

import "math/bits"

const (
	// micro is the precision of a token bucket's level.
	micro = 1_000_000
	// most bounds every amount, so that no sum of two overflows.
	most = 1 << 50
	// maxLeases bounds the live leases of one counter: the VMs of a host. What
	// one more asks for is refused.
	maxLeases = 255
	// maxTTL is the longest life of a lease; one that is to live longer comes
	// from a clock that was wrong.
	maxTTL = 3_600_000
)

// counter is what the local store knows of one subject of one budget.
type counter struct {
	subject Subject
	tag     byte
	// window is the start of the window that used belongs to, Unix ms; of a
	// token bucket, when the level was last right.
	window int64
	// used is what is settled in the window; of a token bucket, its level in
	// millionths.
	used   int64
	leases []lease
}

// lease is a part of a counter that a VM spends by itself.
type lease struct {
	id      uint64
	amount  int64
	expires int64 // Unix ms
}

// reset begins a counter.
func (c *counter) reset(a *Ask) {
	c.tag, c.window, c.used, c.leases = a.Meter.tag(), a.Window, 0, c.leases[:0]
	if a.Meter.bucket() {
		c.window, c.used = a.Now, a.Meter.Burst*micro
	}
}

// advance brings a counter to the present.
func (c *counter) advance(a *Ask) {
	if c.tag != a.Meter.tag() || !c.current(a) {
		c.reset(a)
		return
	}
	live := c.leases[:0]
	for _, l := range c.leases {
		if l.expires > a.Now && l.expires <= a.Now+maxTTL {
			live = append(live, l)
		}
	}
	c.leases = live
	if a.Meter.bucket() {
		c.refill(a)
	}
}

// current reports whether the counter's window goes on. A VM whose clock reads
// a window less than another's joins the later window; a window yet further
// ahead comes from a clock that was wrong.
func (c *counter) current(a *Ask) bool {
	if a.Meter.bucket() {
		return c.window-a.Now <= a.Meter.Window.fixed()
	}
	if c.window <= a.Window {
		return c.window == a.Window
	}
	_, end := a.Meter.Window.span(a.Window)
	return c.window == end
}

// held is what the live leases hold.
func (c *counter) held() int64 {
	var n int64
	for _, l := range c.leases {
		n += l.amount
	}
	return n
}

// refill raises a bucket's level; what is leased counts as still in it, so that
// level and leases together never exceed the burst.
func (c *counter) refill(a *Ask) {
	if elapsed := a.Now - c.window; elapsed > 0 {
		c.used, c.window = c.used+refilled(a.Meter, elapsed), a.Now
	}
	c.cap(a.Meter)
}

func (c *counter) cap(m *Meter) {
	c.used = max(0, min(c.used, (m.Burst-c.held())*micro))
}

// refilled is what comes in during a time, in millionths, at most a full bucket.
func refilled(m *Meter, ms int64) int64 {
	full := m.Burst * micro
	hi, lo := bits.Mul64(uint64(ms), uint64(m.Limit)*micro)
	per := uint64(m.Window.fixed())
	if hi >= per {
		return full
	}
	n, _ := bits.Div64(hi, lo, per)
	return int64(min(n, uint64(full)))
}

// take removes a lease and returns what it held.
func (c *counter) take(id uint64) int64 {
	for i, l := range c.leases {
		if l.id == id {
			c.leases = append(c.leases[:i], c.leases[i+1:]...)
			return l.amount
		}
	}
	return 0
}

// left is what nobody holds.
func (c *counter) left(m *Meter) int64 {
	if m.bucket() {
		return c.used / micro
	}
	return max(0, m.Limit-c.used-c.held())
}

// exchange is Store.Exchange on a counter; id is for the new lease. It reports
// whether the counter has to be written.
func (c *counter) exchange(a *Ask, id uint64) (g Grant, answer Answer, changed bool) {
	c.advance(a)
	had := c.take(a.Lease)
	g = Grant{Window: c.window, Counted: a.Spent}
	if a.Meter.bucket() {
		g.Window = 0
		c.giveBack(a, had, &g)
	} else {
		c.count(a, &g)
	}
	lot := c.grant(a, &g)
	if a.Need > 0 && lot == 0 {
		answer = Exhausted
	}
	c.lend(a, id, lot, &g)
	g.Left = c.left(a.Meter)
	return g, answer, had > 0 || g.Lease != 0 || lot > 0 || a.Spent > 0
}

// count books what was spent and covers what is to be kept.
func (c *counter) count(a *Ask, g *Grant) {
	if c.window != a.Window {
		return
	}
	c.used = min(c.used+a.Spent, most)
	if len(c.leases) < maxLeases {
		g.Kept = min(a.Keep, c.left(a.Meter))
	}
}

// giveBack puts what is not needed of a bucket's lease back; what was spent of
// it left the bucket when it was leased. A lease that expired is gone.
func (c *counter) giveBack(a *Ask, had int64, g *Grant) {
	rest := max(0, had-a.Spent)
	g.Kept = min(a.Keep, rest)
	c.used += (rest - g.Kept) * micro
	c.used = max(0, min(c.used, (a.Meter.Burst-c.held()-g.Kept)*micro))
}

// grant returns how much of what is left goes to the VM: 0, or the need and
// maybe more.
func (c *counter) grant(a *Ask, g *Grant) int64 {
	left := c.left(a.Meter)
	if !a.Meter.bucket() {
		left -= g.Kept
	}
	if a.Need <= 0 || a.Need > left || len(c.leases) >= maxLeases {
		g.After = c.after(a)
		return 0
	}
	return a.Meter.lot(a.Need, left)
}

// after is how long a bucket takes until a need fits.
func (c *counter) after(a *Ask) int64 {
	m := a.Meter
	if !m.bucket() || a.Need > m.Burst {
		return 0
	}
	missing := uint64(max(0, a.Need*micro-c.used))
	hi, lo := bits.Mul64(missing, uint64(m.Window.fixed()))
	ms, rest := bits.Div64(hi, lo, uint64(m.Limit)*micro)
	if rest > 0 {
		ms++
	}
	return int64(ms)
}

// lend writes the VM's lease. What a bucket lends has left it.
func (c *counter) lend(a *Ask, id uint64, lot int64, g *Grant) {
	if lot > 0 {
		g.Ahead = lot - a.Need
	}
	if a.Meter.bucket() {
		c.used -= lot * micro
	}
	if amount := g.Kept + lot; amount > 0 {
		g.Lease, g.Expires = id, a.Now+a.Meter.TTL.Milliseconds()
		c.leases = append(c.leases, lease{id, amount, g.Expires})
	}
}
