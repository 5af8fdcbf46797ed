package budget

import (
	"time"

	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
)

// Request is what a reservation is for.
type Request struct {
	Principal *identity.Principal
	Model     string // the alias that the application asked for
	Target    string // where it is to be sent
	Requests  int64  // 0 is 1
	Tokens    int64  // upper bound of input and output tokens together
	Money     int64  // upper bound of what it costs
	Now       time.Time
	// Ready runs once after Reserve or Extend answered Wait, when asking again
	// makes sense. Local never makes anybody wait.
	Ready func()
}

// Wait is what Reserve and Extend answer when the store has to ask elsewhere:
// nothing is reserved, and the request asks again after Ready. It is an error,
// so that who does not know it refuses.
var Wait = &llm.Error{Class: llm.Overloaded, Source: llm.FromPostern, Status: 503,
	Code: "budget_unavailable", Message: "the budget's store has not answered yet", After: time.Second}

// Budgets are all budgets of one configuration as one VM sees them.
type Budgets struct {
	rules    []rule
	store    Store
	subjects map[string]*subject
	ring     []*subject
	hand     int
	limit    int
	swept    int64 // the last tick, Unix ms
	draining bool
	key      []byte
	ask      Ask
}

// maxLive bounds the subjects that one VM knows at a time, of all budgets.
const maxLive = 4096

// New returns the budgets of a configuration. All VMs of a host give a store of
// the same shared data.
func New(c *Config, s Store) *Budgets {
	b := &Budgets{store: s, subjects: map[string]*subject{}, limit: maxLive}
	b.rules = make([]rule, len(c.Budgets))
	for i := range c.Budgets {
		b.rules[i] = newRule(i, c.Budgets[i].Name, &c.Budgets[i].Value)
	}
	return b
}

// Reserve sets the request's upper bound aside in every budget that it falls
// under, all or nothing.
//
// It refuses with code budget_exceeded, status 429 and class rate_limited
// (windows up to a minute, token buckets) or quota_exhausted (longer windows);
// Policy is the budget's name and After the time until the window ends or the
// bucket has refilled, 0 if the request can never fit. A store that does not
// work refuses with code budget_unavailable and status 503, unless the budget
// is soft or open. The answer Wait is neither.
func (b *Budgets) Reserve(q *Request) (*Reservation, *llm.Error) {
	r := &Reservation{b: b}
	r.entries = r.few[:0]
	if err := b.Extend(r, q); err != nil {
		return nil, err
	}
	return r, nil
}

// Extend reserves, in addition, what a further target of the same request
// needs: a budget that counts only some targets is charged for each target that
// the plan names, and Settle frees those that were not used; of a budget that counts
// several the dearest target's need is set aside. On an error r is as
// it was, and the target does not belong in the plan.
func (b *Budgets) Extend(r *Reservation, q *Request) *llm.Error {
	before, now := len(r.entries), q.Now.UnixMilli()
	for i := range b.rules {
		ru := &b.rules[i]
		if !ru.counts(q) {
			continue
		}
		need := ru.need(q)
		if had, ok := r.reserved(ru); ok {
			if need -= had; need <= 0 {
				continue
			}
		}
		if err := b.reserve(r, ru, q, need, now); err != nil {
			r.drop(before)
			return err
		}
	}
	return nil
}

func (b *Budgets) reserve(r *Reservation, ru *rule, q *Request, need, now int64) *llm.Error {
	ru.roll(now)
	s := b.subject(ru, q, now)
	if s == nil {
		return r.add(entry{rule: ru, reserved: need}, Unavailable, 0, now)
	}
	s.used = true
	e := entry{rule: ru, subject: s, reserved: need}
	answer, after := Granted, int64(0)
	if !s.pay(need, now) {
		answer, after = b.lease(s, need, q.Ready, now)
	}
	e.window, e.covered = s.window, answer == Granted
	return r.add(e, answer, after, now)
}

// add admits an entry, or refuses it.
func (r *Reservation) add(e entry, answer Answer, after, now int64) *llm.Error {
	ru := e.rule
	switch {
	case answer == Granted:
	case answer == Exhausted && ru.hard:
		return ru.refusal(e.subject, e.reserved, after, now)
	case answer == Pending && ru.hard:
		return Wait
	case answer == Unavailable && ru.hard && !ru.open:
		return ru.unavailable()
	}
	e.over, e.unmetered = answer == Exhausted, answer > Exhausted
	if e.subject != nil {
		e.subject.pending++
	}
	r.entries = append(r.entries, e)
	return nil
}

// lease asks the store for a need. What is free of the lease goes back in the
// same step, so that it counts towards the need.
func (b *Budgets) lease(s *subject, need int64, ready func(), now int64) (Answer, int64) {
	if !s.rule.hard && now < s.dry {
		return Exhausted, 0
	}
	s.most = max(need, s.most/2)
	g, answer := b.exchange(s, 0, need, ready, now)
	switch answer {
	case Granted:
		s.hold(need)
	case Exhausted:
		s.dry = now + TickEvery.Milliseconds()
	}
	return answer, g.After
}

// exchange brings a subject and the store together: keep is how much of the
// free part of its lease it wants to have on.
func (b *Budgets) exchange(s *subject, keep, need int64, ready func(), now int64) (Grant, Answer) {
	free := s.free
	s.free = keep
	b.ask = Ask{Meter: &s.rule.meter, Subject: s.digest(), Window: s.window, Now: now,
		Lease: s.lease, Spent: s.spent, Keep: s.held + keep, Need: need, Ready: ready}
	g, answer := b.store.Exchange(&b.ask)
	switch answer {
	case Granted, Exhausted:
		s.took(&b.ask, &g)
	case Unavailable:
		s.free = free
	}
	return g, answer
}
