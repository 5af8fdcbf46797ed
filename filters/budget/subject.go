package budget

import "github.com/posterngw/postern/filters/sha256"

// subject is what one VM knows of one subject of one budget. Its lease in the
// store covers free + held + spent, unless something was admitted without cover.
type subject struct {
	rule   *rule
	key    string // in Budgets.subjects
	sum    Subject
	summed bool
	used   bool // since the last visit

	window  int64
	lease   uint64
	expires int64 // Unix ms
	free    int64 // leased and not promised to anybody
	held    int64 // reserved and not settled
	lack    int64 // the part of held that the lease does not cover
	spent   int64 // settled and not yet counted by the store
	left    int64 // what nobody held at the last exchange
	most    int64 // about the greatest need of late
	dry     int64 // a soft budget that is used up does not ask before; Unix ms
	pending int   // reservations that are not settled
}

// subject finds or makes the subject of a request; nil when the VM has no room.
func (b *Budgets) subject(ru *rule, q *Request, now int64) *subject {
	b.key = append(b.key[:0], byte(ru.index))
	for _, name := range ru.per {
		v, _ := q.Principal.Attribute(name)
		b.key = append(b.key, byte(len(v)), byte(len(v)>>8))
		b.key = append(b.key, v...)
	}
	s := b.subjects[string(b.key)]
	if s == nil {
		if len(b.ring) >= b.limit && !b.evict(now) {
			return nil
		}
		s = &subject{rule: ru, key: string(b.key), window: ru.start}
		b.subjects[s.key] = s
		b.ring = append(b.ring, s)
	}
	s.roll()
	return s
}

// roll forgets what belongs to a window that is over. The store may be one
// window ahead, by a VM whose clock is.
func (s *subject) roll() {
	if r := s.rule; s.window != r.start && s.window != r.end {
		s.window, s.lease, s.free, s.dry = r.start, 0, 0, 0
		s.held, s.lack, s.spent = 0, 0, 0
	}
}

// digest is the subject's name in the store: the values, but not the budget's
// place in the configuration, which may change.
func (s *subject) digest() Subject {
	if !s.summed {
		sum := sha256.Sum256([]byte(s.key[1:]))
		copy(s.sum[:], sum[:])
		s.summed = true
	}
	return s.sum
}

// pay takes a need out of the lease; false when it does not suffice.
func (s *subject) pay(need, now int64) bool {
	if need > s.free || s.lease == 0 || now >= s.expires || s.expires > now+maxTTL {
		return need == 0
	}
	s.free -= need
	s.hold(need)
	return true
}

// hold notes a need that is granted. What a bucket grants is spent at once:
// requests are known before they are made, and a stream must not keep a lease.
func (s *subject) hold(need int64) {
	if s.rule.meter.bucket() {
		s.spent += need
	} else {
		s.held += need
	}
}

// took notes the outcome of an exchange.
func (s *subject) took(a *Ask, g *Grant) {
	if g.Window != s.window {
		s.window, s.held = g.Window, 0
	}
	s.lease, s.expires, s.left = g.Lease, g.Expires, g.Left
	s.spent = max(0, s.spent-g.Counted)
	lack := a.Keep - g.Kept
	s.lack = min(s.held, max(0, lack-s.free))
	s.free = max(0, s.free-lack) + g.Ahead
}

// settle ends a reservation with what was used. What it frees makes good what
// the lease lacks, first.
func (s *subject) settle(e *entry, actual int64) {
	if e.window != s.window {
		return
	}
	s.spent += actual
	if !e.covered {
		return
	}
	s.held -= e.reserved
	free := s.free - s.lack + e.reserved - actual
	s.free, s.lack = max(0, free), min(s.held, max(0, -free))
}

// undo gives a bucket's request back, if the store does not know it is spent.
func (s *subject) undo(e *entry) {
	if n := e.reserved; e.covered && s.lease != 0 && s.spent >= n {
		s.spent -= n
		s.free += n
	}
}
