package budget

import "time"

// TickEvery is how often Tick is meant to run.
const TickEvery = time.Second

// leastVisits is how many subjects a tick visits at least.
const leastVisits = 64

// Tick reports to the store what was spent, renews leases that are in use and
// returns what is not needed. It visits as many subjects as it takes to see each
// of them three times per lease_ttl. It reports whether this VM still knows any
// subject; when Close was called and it answers false, the Budgets can go.
func (b *Budgets) Tick(now time.Time) bool {
	ms := now.UnixMilli()
	if since := ms - b.swept; since >= 0 && since < TickEvery.Milliseconds()/2 && !b.draining {
		return len(b.ring) > 0
	}
	b.swept = ms
	for range min(b.visits(), len(b.ring)) {
		if b.hand >= len(b.ring) {
			b.hand = 0
		}
		if b.visit(b.ring[b.hand], ms) {
			b.remove(b.hand)
		} else {
			b.hand++
		}
	}
	return len(b.ring) > 0
}

// Close begins the end of a configuration: what is free is returned, what is
// settled from now on is reported at once. Tick goes on renewing what is held.
func (b *Budgets) Close(now time.Time) {
	b.draining = true
	for i := len(b.ring) - 1; i >= 0; i-- {
		if b.visit(b.ring[i], now.UnixMilli()) {
			b.remove(i)
		}
	}
}

func (b *Budgets) visits() int {
	ttl := time.Hour
	for i := range b.rules {
		ttl = min(ttl, b.rules[i].meter.TTL)
	}
	ticks := max(1, int(ttl/(3*TickEvery)))
	return max(leastVisits, (len(b.ring)+ticks-1)/ticks)
}

// visit brings one subject and the store up to date, and reports whether the
// subject can be forgotten.
func (b *Budgets) visit(s *subject, now int64) bool {
	idle := !s.used || b.draining
	s.used = false
	s.rule.roll(now)
	s.roll()
	keep := int64(0)
	if !idle {
		keep = min(s.free, max(s.rule.meter.Chunk, 2*s.most))
	}
	if s.stale(keep, now) {
		b.exchange(s, keep, 0, nil, now)
	}
	return idle && s.pending == 0 && s.free == 0 && s.spent == 0 && s.lease == 0
}

// stale reports whether a subject has something to tell the store.
func (s *subject) stale(keep, now int64) bool {
	renew := s.lease != 0 && s.expires-now < s.rule.meter.TTL.Milliseconds()/2
	return renew || s.spent > 0 || keep < s.free || s.lease != 0 && keep+s.held == 0
}

func (b *Budgets) remove(i int) {
	last := len(b.ring) - 1
	delete(b.subjects, b.ring[i].key)
	b.ring[i], b.ring[last] = b.ring[last], nil
	b.ring = b.ring[:last]
}

// maxLook bounds how many subjects are looked at to make room for one.
const maxLook = 32

// evict makes room for a subject: the first that no request holds, preferably
// one that has not been used of late. What it had goes back to the store; if the
// store does not work, nothing that is yet to be counted is forgotten.
func (b *Budgets) evict(now int64) bool {
	i := b.victim()
	if i < 0 {
		return false
	}
	s := b.ring[i]
	s.used = false
	if !b.visit(s, now) && s.spent > 0 {
		return false
	}
	b.remove(i)
	return true
}

func (b *Budgets) victim() int {
	best := -1
	for range maxLook {
		if b.hand++; b.hand >= len(b.ring) {
			b.hand = 0
		}
		switch s := b.ring[b.hand]; {
		case s.pending > 0:
		case !s.used:
			return b.hand
		case best < 0:
			best = b.hand
		}
	}
	return best
}
