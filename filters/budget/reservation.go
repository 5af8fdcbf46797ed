package budget

import "time"

// Reservation is what a request has set aside. It is settled once; what comes
// later does nothing.
type Reservation struct {
	b       *Budgets
	entries []entry
	few     [4]entry
	done    bool
}

// entry is a reservation in one budget.
type entry struct {
	rule      *rule
	subject   *subject // nil if the VM had no room for it
	window    int64
	reserved  int64
	settled   int64
	covered   bool // by a lease
	over      bool // beyond a soft budget's limit
	unmetered bool // admitted while the store did not work
}

// Movement is what a request did to one budget, for the audit record. Amounts
// are in the budget's unit.
type Movement struct {
	Budget    string
	Unit      Unit
	Reserved  int64
	Settled   int64 // 0 before the reservation is settled
	Remaining int64 // as far as this VM knows; others may use it meanwhile
	Over      bool  // used more than the limit (soft) or more than was reserved
	Unmetered bool  // admitted although the store did not answer
}

func (r *Reservation) has(ru *rule) bool {
	for i := range r.entries {
		if r.entries[i].rule == ru {
			return true
		}
	}
	return false
}

// drop takes back the entries from the n-th on.
func (r *Reservation) drop(n int) {
	for i := n; i < len(r.entries); i++ {
		r.entries[i].settle(0, 0)
	}
	r.entries = r.entries[:n]
}

// Settle ends the reservation with the tokens that were used, input and output
// together. target is the one that served, or the last one tried; budgets that
// do not count it are freed. More tokens than reserved are counted too: the
// movement says Over.
func (r *Reservation) Settle(target string, tokens int64, now time.Time) {
	tokens = min(max(0, tokens), most)
	r.end(now, func(e *entry) (requests, used int64) {
		if !e.rule.serves(target) {
			return 0, 0
		}
		return e.reserved, tokens
	})
}

// Cancel ends the reservation of a request that no provider ever saw. What is
// reserved is free again, requests too, but for those that a token bucket's
// store has counted already.
func (r *Reservation) Cancel(now time.Time) {
	r.end(now, func(*entry) (requests, used int64) { return 0, 0 })
}

func (r *Reservation) end(now time.Time, actual func(*entry) (requests, used int64)) {
	if r == nil || r.done {
		return
	}
	r.done = true
	for i := range r.entries {
		e := &r.entries[i]
		e.settle(actual(e))
		if s := e.subject; s != nil && r.b.draining {
			r.b.visit(s, now.UnixMilli())
		}
	}
}

// settle ends one entry.
func (e *entry) settle(requests, tokens int64) {
	n := requests
	if e.rule.meter.Unit == Tokens {
		n = tokens
	}
	e.settled = n
	e.over = e.over || n > e.reserved
	s := e.subject
	if s == nil {
		return
	}
	s.pending--
	switch {
	case !e.rule.meter.bucket():
		s.settle(e, n)
	case n == 0:
		s.undo(e)
	}
}

// Movements appends what the reservation did, for the audit record.
func (r *Reservation) Movements(dst []Movement) []Movement {
	if r == nil {
		return dst
	}
	for i := range r.entries {
		e := &r.entries[i]
		m := Movement{Budget: e.rule.meter.Budget, Unit: e.rule.meter.Unit, Reserved: e.reserved,
			Settled: e.settled, Over: e.over, Unmetered: e.unmetered}
		if e.subject != nil {
			m.Remaining = e.subject.left + e.subject.free
		}
		dst = append(dst, m)
	}
	return dst
}
