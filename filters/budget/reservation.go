package budget

import (
	"time"

	"github.com/posterngw/postern/filters/audit"
)

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

// Use is what a request really used.
type Use struct {
	Tokens int64 // input and output together
	Money  int64
}

// Movement is what a request did to one budget, for the audit record.
type Movement = audit.Movement

// reserved is what is set aside in a budget; false when the request does not fall
// under it so far. A budget has several entries where a later target needs more.
func (r *Reservation) reserved(ru *rule) (n int64, ok bool) {
	for i := range r.entries {
		if r.entries[i].rule == ru {
			n, ok = n+r.entries[i].reserved, true
		}
	}
	return n, ok
}

// drop takes back the entries from the n-th on.
func (r *Reservation) drop(n int) {
	for i := n; i < len(r.entries); i++ {
		r.entries[i].settle(0)
	}
	r.entries = r.entries[:n]
}

// Settle ends the reservation with what was used. target is the one that served, or
// the last one tried; budgets that do not count it are freed. More than reserved is
// counted too: the movement says Over.
func (r *Reservation) Settle(target string, u Use, now time.Time) {
	r.end(now, func(e *entry) int64 {
		switch {
		case !e.rule.serves(target):
			return 0
		case e.rule.meter.Unit == Tokens:
			return min(max(0, u.Tokens), most)
		case e.rule.meter.Unit == Money:
			return min(max(0, u.Money), most)
		}
		return e.reserved
	})
}

// Cancel ends the reservation of a request that no provider ever saw. What is
// reserved is free again, requests too, but for those that a token bucket's
// store has counted already.
func (r *Reservation) Cancel(now time.Time) {
	r.end(now, func(*entry) int64 { return 0 })
}

func (r *Reservation) end(now time.Time, actual func(*entry) int64) {
	if r == nil || r.done {
		return
	}
	r.done = true
	for i := range r.entries {
		e := &r.entries[i]
		e.settle(r.share(i, actual(e)))
		if s := e.subject; s != nil && r.b.draining {
			r.b.visit(s, now.UnixMilli())
		}
	}
}

// share is the i-th entry's part of what was used of its budget: what the earlier
// ones left, and no more than it has reserved where there is a later one.
func (r *Reservation) share(i int, used int64) int64 {
	ru := r.entries[i].rule
	for j := range r.entries[:i] {
		if r.entries[j].rule == ru {
			used -= r.entries[j].settled
		}
	}
	for j := i + 1; j < len(r.entries); j++ {
		if r.entries[j].rule == ru {
			return min(used, r.entries[i].reserved)
		}
	}
	return used
}

// settle ends one entry.
func (e *entry) settle(n int64) {
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

// Metered reports whether any budget counts the request, and whether every one that
// should does.
func (r *Reservation) Metered() (any, all bool) {
	all = true
	for i := range r.entries {
		any, all = true, all && !r.entries[i].unmetered
	}
	return any, all
}

// Movements appends what the reservation did, for the audit record.
func (r *Reservation) Movements(dst []Movement) []Movement {
	if r == nil {
		return dst
	}
	first := len(dst)
	for i := range r.entries {
		e := &r.entries[i]
		if joined(dst[first:], e) {
			continue
		}
		m := Movement{Budget: e.rule.meter.Budget, Unit: string(e.rule.meter.Unit), Reserved: e.reserved,
			Settled: e.settled, Over: e.over, Unmetered: e.unmetered}
		if e.subject != nil {
			m.Remaining = e.subject.left + e.subject.free
		}
		dst = append(dst, m)
	}
	return dst
}

// joined adds an entry to the movement that its budget has already.
func joined(ms []Movement, e *entry) bool {
	for i := range ms {
		if m := &ms[i]; m.Budget == e.rule.meter.Budget {
			m.Reserved, m.Settled = m.Reserved+e.reserved, m.Settled+e.settled
			m.Over, m.Unmetered = m.Over || e.over, m.Unmetered || e.unmetered
			return true
		}
	}
	return false
}
