package pipeline

import (
	"slices"
	"time"

	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
)

// pass asks for the right to try each target of the plan. One that recovers and has
// had its share goes to the plan's end, behind it those that others are probing,
// and last those that failures have shut out: they are for requests whose other
// targets have failed. With nothing but those left, one that is shut out may be
// tried before its time; if none may, the request is refused until the first may.
func (r *request) pass() *llm.Error {
	var verdicts [route.MaxPlan]health.Verdict
	kept := r.plan.Targets[:0]
	r.passes = r.passRoom[:0]
	for _, t := range r.plan.Targets {
		first := len(kept) == 0 || verdicts[0] != health.Admitted
		p, v := r.snap.health.Admit(t.Index, first, r.m.random(), r.began)
		if v == health.Refused {
			r.plan.Exclude(t, route.Unhealthy)
			continue
		}
		kept, r.passes = append(kept, t), append(r.passes, p)
		i := len(kept) - 1
		for ; i > 0 && verdicts[i-1] < v; i-- {
			kept[i], r.passes[i], verdicts[i] = kept[i-1], r.passes[i-1], verdicts[i-1]
		}
		kept[i], r.passes[i], verdicts[i] = t, p, v
	}
	if r.plan.Targets = kept; verdicts[0] > health.Spare || r.early() {
		return nil
	}
	r.passes = nil // spares take nothing that was to be given back
	for _, t := range kept {
		r.plan.Exclude(t, route.Unhealthy)
	}
	r.plan.Targets = nil
	return r.shutOut()
}

// early begins a plan of nothing but spares with a target that may be tried before
// its time.
func (r *request) early() bool {
	for i, t := range r.plan.Targets {
		if p, ok := r.snap.health.Early(t.Index, r.began); ok {
			r.lead(t, p, i)
			return true
		}
	}
	for i, x := range r.plan.Excluded {
		if x.Reason != route.Unhealthy {
			continue
		}
		if p, ok := r.snap.health.Early(x.Target.Index, r.began); ok {
			r.plan.Excluded = slices.Delete(r.plan.Excluded, i, i+1)
			r.lead(x.Target, p, len(r.plan.Targets))
			return true
		}
	}
	return false
}

// lead moves a target from place i of the plan to its beginning; from behind its end
// it is a new one.
func (r *request) lead(t *route.Target, p health.Pass, i int) {
	if i == len(r.plan.Targets) {
		r.plan.Targets, r.passes = append(r.plan.Targets, nil), append(r.passes, health.Pass{})
	}
	copy(r.plan.Targets[1:i+1], r.plan.Targets[:i])
	copy(r.passes[1:i+1], r.passes[:i])
	r.plan.Targets[0], r.passes[0] = t, p
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
