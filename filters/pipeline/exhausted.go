package pipeline

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
)

// exhausted is the error of a request none of whose targets served, each for a
// reason of its own: what they have in common, or what was seen. e is that of
// the last attempt.
func (r *request) exhausted(e *llm.Error) *llm.Error {
	for i := range r.attempts {
		if one := r.attempts[i].err; one == nil || !r.model.Failover.Elsewhere(one.Class) {
			return e
		}
	}
	causes := r.causes()
	if len(causes) < 2 {
		return e
	}
	all := *e
	all.Targets, all.After = causes, soonest(causes)
	seen, mixed := "", false
	for i := range causes {
		mixed = mixed || causes[i].Class != causes[0].Class
		if i > 0 {
			seen += ", "
		}
		seen += causes[i].Class.String()
	}
	if mixed {
		all.Class, all.Status, all.Code = llm.Overloaded, 503, "all_targets_failed"
		all.Message = "all " + strconv.Itoa(len(causes)) + " targets that could serve the request failed: " + seen
	}
	return &all
}

// shutOut refuses a request all of whose targets are shut out, until the first of
// them may be tried.
func (r *request) shutOut() *llm.Error {
	causes := r.causes()
	e := health.Refusal(soonest(causes))
	e.Targets = causes
	return e
}

// causes are what is wrong with each target that the request could have had: those
// that were tried, and those that are shut out.
func (r *request) causes() (list []llm.TargetError) {
	for i := range r.attempts {
		a := &r.attempts[i]
		if a.err == nil {
			continue
		}
		one := r.cause(a.target, a.err.Class, a.err.Code)
		if a.err.After > 0 {
			one.After = a.err.After
		}
		list = append(list, one)
	}
	for _, x := range r.plan.Excluded {
		if x.Reason == route.Unhealthy {
			one := r.cause(x.Target, r.snap.health.Look(x.Target.Index, r.began).Cause, llm.ShutOut)
			one.After = max(one.After, time.Second)
			list = append(list, one)
		}
	}
	return list
}

// cause is what is wrong with a target, which may be shut out by now.
func (r *request) cause(t *route.Target, class llm.Class, code string) llm.TargetError {
	one := llm.TargetError{Class: class, Code: code}
	if r.snap.origin {
		one.Target = t.Name
	}
	now := r.m.vm.Now()
	if how := r.snap.health.Look(t.Index, now); how.State == health.Open {
		one.After = how.Until.Sub(now)
	}
	return one
}

// soonest is the shortest time after which one of the targets may be tried; 0 when
// none is known.
func soonest(causes []llm.TargetError) (least time.Duration) {
	for i := range causes {
		if after := causes[i].After; after > 0 && (least == 0 || after < least) {
			least = after
		}
	}
	return least
}
