package pipeline

import (
	"time"

	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
)

// pass asks for the right to try each target of the plan. A target that is shut
// out leaves it, and one that recovers and has had its share goes to its end.
// With none left the request is refused until the first may be tried.
func (r *request) pass() *llm.Error {
	kept, last := r.plan.Targets[:0], 0
	r.passes = r.passRoom[:0]
	for _, t := range r.plan.Targets {
		p, v := r.snap.health.Admit(t.Index, r.m.random(), r.began)
		if v == health.Refused {
			r.plan.Exclude(t, route.Unhealthy)
			continue
		}
		kept, r.passes = append(kept, t), append(r.passes, p)
		if v == health.Last {
			last++
			continue
		}
		for i := len(kept) - 1; i >= len(kept)-last; i-- {
			kept[i], kept[i-1] = kept[i-1], kept[i]
			r.passes[i], r.passes[i-1] = r.passes[i-1], r.passes[i]
		}
	}
	if r.plan.Targets = kept; len(kept) == 0 {
		return health.Refusal(r.soonest())
	}
	return nil
}

// soonest is how long it takes until a target that is shut out may be tried.
func (r *request) soonest() time.Duration {
	var least time.Duration
	for _, x := range r.plan.Excluded {
		if x.Reason != route.Unhealthy {
			continue
		}
		wait := max(r.snap.health.Look(x.Target.Index, r.began).Until.Sub(r.began), time.Second)
		if least == 0 || wait < least {
			least = wait
		}
	}
	return least
}

// report tells the health of an attempt's target how it ended. An error that
// was Postern's own, or the host's, says nothing of the target.
func (r *request) report(a *attempt, now time.Time) {
	pass := &r.passes[len(r.attempts)-1]
	o := health.Outcome{Took: a.took, Abandoned: a.left}
	if a.err != nil {
		if o.Class, o.After = a.err.Class, a.err.After; a.err.Source != llm.FromProvider {
			o = health.Outcome{Abandoned: true}
		}
	} else {
		o.PerToken = r.perToken(a)
	}
	r.snap.health.End(pass, &o, now)
}

// perToken is the time between two output tokens of an answer; 0 when unknown.
func (r *request) perToken(a *attempt) time.Duration {
	n := r.usage.OutputTotal()
	if n < 2 || !r.usage.Known {
		return 0
	}
	took := a.took
	if r.stream != nil && !r.firstAt.IsZero() {
		took -= r.firstAt.Sub(a.began)
	}
	return max(0, took) / time.Duration(n)
}
