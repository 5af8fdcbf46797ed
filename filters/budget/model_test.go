package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/shared"
)

// model drives several VMs on one store through random lives: requests that
// overlap, crashes, lost races, outages shorter than a lease, windows that end
// under a request. After each step it compares the store's books with its own.
type model struct {
	machine
	limit   int64
	window  Window
	live    []*taken
	settled map[spot]int64 // what requests really used, per window
	lost    map[spot]int64 // what crashed VMs had not reported
	outage  time.Duration  // how long the store has been down
}

// spot is one subject in one window.
type spot struct {
	subject Subject
	window  int64
}

// taken is a reservation and what is known of it.
type taken struct {
	vm     *Budgets
	r      *Reservation
	tokens int64
}

func newModel(t *rapid.T) *model {
	window := rapid.SampledFrom([]string{"minute", "hour", "month"}).Draw(t, "window")
	limit := rapid.SampledFrom([]string{"1", "7", "100", "1000"}).Draw(t, "limit")
	chunk := rapid.SampledFrom([]string{"0", "1", "20", "5000"}).Draw(t, "chunk")
	unit := rapid.SampledFrom([]Unit{Tokens, Money}).Draw(t, "unit")
	text := `{"b": {"unit": "` + string(unit) + `", "limit": ` + limit + `, "window": "` + window + `", "per": ["team"],
		"lease_ttl": "20s", "chunk": ` + chunk + `}}`
	m := &model{machine: *newMachine(t, text, rapid.IntRange(1, 4).Draw(t, "vms")),
		settled: map[spot]int64{}, lost: map[spot]int64{}}
	m.limit, m.window = m.c.Budgets[0].Value.Limit, m.c.Budgets[0].Value.Window
	for _, b := range m.vms {
		b.limit = 2
	}
	return m
}

func (m *model) start() int64 {
	start, _ := m.window.span(m.now.UnixMilli())
	return start
}

func (m *model) vmAt(t *rapid.T) int { return rapid.IntRange(0, len(m.vms)-1).Draw(t, "vm") }

func (m *model) Reserve(t *rapid.T) {
	vm := m.vmAt(t)
	team := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "team")
	tokens := rapid.Int64Range(0, m.limit+m.limit/8).Draw(t, "tokens")
	r, err := m.try(vm, &identity.Principal{Team: team}, tokens)
	if err != nil {
		return
	}
	x := &taken{m.vms[vm], r, tokens}
	m.live = append(m.live, x)
	for range rapid.IntRange(0, 2).Draw(t, "more targets") { // each may need more
		n := rapid.Int64Range(0, m.limit).Draw(t, "needs")
		if m.vms[vm].Extend(r, &Request{Principal: &identity.Principal{Team: team}, Model: "fast", Target: "t2", Tokens: n, Money: n, Now: m.now}) == nil {
			x.tokens = max(x.tokens, n)
		}
	}
}

func (m *model) one(t *rapid.T) *taken {
	if len(m.live) == 0 {
		t.Skip("nothing is reserved")
	}
	i := rapid.IntRange(0, len(m.live)-1).Draw(t, "reservation")
	x := m.live[i]
	m.live = append(m.live[:i], m.live[i+1:]...)
	return x
}

func (m *model) Settle(t *rapid.T) {
	x := m.one(t)
	used := rapid.Int64Range(0, x.tokens).Draw(t, "used")
	e := &x.r.entries[0]
	x.r.Settle("t1", Use{Tokens: used, Money: used}, m.now)
	require.Equal(t, used, x.r.Movements(nil)[0].Settled)
	m.settled[spot{e.subject.digest(), e.window}] += used
	x.r.Settle("t1", Use{Tokens: 1000, Money: 1000}, m.now)
	x.r.Cancel(m.now)
}

func (m *model) Cancel(t *rapid.T) { m.one(t).r.Cancel(m.now) }

func (m *model) Pass(t *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 30_000).Draw(t, "ms")) * time.Millisecond
	if m.shared.Down {
		m.outage += d
	}
	if m.outage > 8*time.Second {
		m.shared.Down, m.outage = false, 0
	}
	m.pass(d)
}

func (m *model) LoseRaces(t *rapid.T) {
	m.shared.Lose = rapid.IntRange(1, 2*shared.MaxTries).Draw(t, "races")
}

func (m *model) Outage(*rapid.T) {
	if m.outage == 0 {
		m.shared.Down = true
	}
}

func (m *model) Repair(*rapid.T) { m.shared.Down = false }

func (m *model) Crash(t *rapid.T) {
	i := m.vmAt(t)
	dead := m.vms[i]
	for _, s := range dead.ring {
		m.lost[spot{s.digest(), s.window}] += s.spent
	}
	kept := m.live[:0]
	for _, x := range m.live {
		if x.vm != dead {
			kept = append(kept, x)
		}
	}
	m.live = kept
	m.vms[i] = m.vm()
	m.vms[i].limit = 2
}

// check is run after every step.
func (m *model) check(t *rapid.T) {
	now, start := m.now.UnixMilli(), m.start()
	books := map[Subject]int64{} // counted by the store, and to be reported
	for subject, c := range counters(t, m.shared) {
		if c.window != start {
			continue
		}
		require.LessOrEqual(t, c.used+liveLeases(&c, now), m.limit, "settled + live leases ≤ limit")
		books[subject] = c.used
	}
	for _, b := range m.vms {
		for _, s := range b.ring {
			m.covered(t, s, now)
			if s.window == start {
				books[s.digest()] += s.spent
			}
		}
	}
	for at, used := range m.settled {
		if at.window == start {
			require.Equal(t, used, books[at.subject]+m.lost[at], "every settled token is in the books once")
		}
	}
}

func liveLeases(c *counter, now int64) int64 {
	var n int64
	for _, l := range c.leases {
		if l.expires > now {
			n += l.amount
		}
	}
	return n
}

// covered checks that what a VM believes to have is leased to it.
func (m *model) covered(t *rapid.T, s *subject, now int64) {
	require.GreaterOrEqual(t, min(s.free, s.held, s.spent, s.lack), int64(0), "nothing is negative")
	if s.lease == 0 || s.window != m.start() || s.expires <= now {
		return
	}
	c := counters(t, m.shared)[s.digest()]
	n := c.take(s.lease)
	require.GreaterOrEqual(t, n, s.free+s.held-s.lack+s.spent)
	require.Zero(t, s.lack)
}

// end lets every VM crash and looks for ghosts.
func (m *model) end(t *rapid.T) {
	m.shared.Lose, m.shared.Down = 0, false
	m.vms = []*Budgets{m.vm()}
	m.pass(20 * time.Second)
	for _, team := range []string{"a", "b", "c"} {
		p := &identity.Principal{Team: team}
		left := m.limit
		for _, c := range counters(t, m.shared) {
			s := m.vms[0].subject(&m.vms[0].rules[0], &Request{Principal: p}, 0)
			if c.subject == s.digest() && c.window == m.start() {
				left -= c.used
			}
		}
		m.reserve(0, p, left)
		m.refused(0, p, 1)
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"reserve": m.Reserve, "reserve again": m.Reserve, "reserve once more": m.Reserve,
			"settle": m.Settle, "settle again": m.Settle, "cancel": m.Cancel, "pass": m.Pass,
			"lose": m.LoseRaces, "outage": m.Outage, "repair": m.Repair, "crash": m.Crash,
			"": m.check,
		})
		m.end(t)
	})
}

// TestBucketModel checks the definition of a token bucket: at most burst + rate
// × T requests in any time T, whatever VMs, crashes and lost races do.
func TestBucketModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		burst := rapid.Int64Range(1, 40).Draw(t, "burst")
		b := Budget{Unit: Requests, Limit: rapid.SampledFrom([]int64{1, 30, 200, 6000}).Draw(t, "limit"), Window: Minute, Burst: burst,
			LeaseTTL: 5 * time.Second, Chunk: rapid.Int64Range(0, 20).Draw(t, "chunk"), MaxSubjects: 1}
		m := newMachine(t, `{}`, 0)
		m.c.Budgets = append(m.c.Budgets, namedBudget("b", b))
		for range rapid.IntRange(1, 4).Draw(t, "vms") {
			m.vms = append(m.vms, m.vm())
		}
		var admitted []int64
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				vm := rapid.IntRange(0, len(m.vms)-1).Draw(t, "vm")
				for range rapid.IntRange(1, 50).Draw(t, "requests") {
					if r, err := m.try(vm, alice, 0); err == nil && rapid.IntRange(0, 9).Draw(t, "cancel") == 0 {
						r.Cancel(m.now)
					} else if err == nil {
						admitted = append(admitted, m.now.UnixMilli())
					}
				}
			},
			"pass": func(t *rapid.T) {
				m.pass(time.Duration(rapid.SampledFrom([]int{1, 30, 400, 900, 3000}).Draw(t, "ms")) * time.Millisecond)
			},
			"crash": func(t *rapid.T) { m.vms[rapid.IntRange(0, len(m.vms)-1).Draw(t, "vm")] = m.vm() },
			"lose":  func(t *rapid.T) { m.shared.Lose = rapid.IntRange(1, shared.MaxTries).Draw(t, "races") },
		})
		checkRate(t, &b, admitted)
		m.shared.Lose = 0
		m.pass(time.Duration(burst)*time.Minute + 10*time.Second)
		for range burst {
			m.reserve(0, alice, 0)
		}
		m.refused(0, alice, 0)
	})
}

func checkRate(t *rapid.T, b *Budget, admitted []int64) {
	for i := range admitted {
		for j := i; j < len(admitted); j++ {
			most := b.Burst*60_000 + b.Limit*(admitted[j]-admitted[i])
			require.LessOrEqual(t, int64(j-i+1)*60_000, most)
		}
	}
}
