package pipeline

import (
	"time"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/llm"
)

// record fills the module's one audit record in for this request. It is valid
// until the next request's.
func (r *request) record(now time.Time) *audit.Record {
	rec := &r.m.rec
	rec.Reset()
	rec.Time, rec.RequestID, rec.StreamID = r.began, r.id, r.number
	rec.End, rec.Status = r.end, r.status
	rec.Fail(r.err)
	rec.Principal, rec.Dialect, rec.API = r.principal, r.dialect.Name, r.api.Name
	rec.Operation, rec.Stream = r.call.Operation, r.facts.Stream
	rec.Usage = r.usage
	if r.call.Operation.Writes() {
		rec.Finish = r.finish
	}
	rec.Budgets = r.reservation.Movements(rec.Budgets)
	rec.BytesIn, rec.BytesOut = int64(r.bytesIn), int64(r.bytesOut)
	rec.RequestDigest, rec.AnswerDigest = r.asked.Sum(), r.told.Sum()
	if r.traced {
		rec.TraceID, rec.SpanID = r.span.TraceID(), r.span.SpanID()
	}
	rec.Config, rec.Mode = r.snap.Version, string(r.front.way.mode())
	rec.Degraded = append(rec.Degraded, r.degraded...)
	rec.Total = now.Sub(r.began)
	if !r.firstAt.IsZero() {
		rec.FirstToken = r.firstAt.Sub(r.began)
	}
	if r.stream != nil {
		rec.Overflowed = r.stream.overflowed()
	}
	r.recordDecision(rec)
	r.recordAttempts(rec)
	return rec
}

func (r *request) recordDecision(rec *audit.Record) {
	if r.model == nil {
		rec.Asked = limits.Cut(r.facts.Model, 256)
		return
	}
	rec.Model = r.model.Name
	if r.facts.Model != "" && r.facts.Model != r.model.Name {
		rec.Asked = limits.Cut(r.facts.Model, 256)
	}
	rec.Decision.Made, rec.Decision.Allowed = true, r.decision.Allowed
	rec.Decision.Policies = append(rec.Decision.Policies, r.decision.Policies...)
	rec.Decision.Reason = r.decision.Reason
	r.recordRoute(&rec.Route)
	for _, x := range r.plan.Excluded {
		rec.Excluded = append(rec.Excluded, audit.Excluded{Target: x.Target.Name, Reason: x.Reason})
	}
}

// recordRoute tells how the plan came about.
func (r *request) recordRoute(to *audit.Route) {
	p := &r.plan
	to.Task, to.Canary, to.Obeyed, to.Ignored, to.Repeat = p.Task, p.Canary, r.obeyed, r.ignored, r.repeat
	if len(p.Targets) > 0 {
		to.Input, to.Output = p.Targets[0].Estimate(&r.facts)
		to.Cost, _ = r.Cost(p.Targets[0], to.Input, to.Output)
	}
	if len(p.Scores) == 0 {
		return
	}
	for _, s := range r.model.Order {
		to.Order = append(to.Order, s.String())
	}
	for _, t := range p.Targets {
		of := p.Of(t)
		to.Plan = append(to.Plan, audit.Planned{Target: t.Name, Scores: of.Score[:len(to.Order)], Shut: of.Shut})
	}
}

func (r *request) recordAttempts(rec *audit.Record) {
	for i := range r.attempts {
		a := &r.attempts[i]
		one := audit.Attempt{Target: a.target.Name, Status: a.status, Took: a.took}
		if a.err != nil {
			one.Class = a.err.Class
		}
		rec.Attempts = append(rec.Attempts, one)
	}
	t := r.target()
	if t == nil {
		return
	}
	for i := range r.loss.Entries {
		x := &r.loss.Entries[i]
		rec.Losses = append(rec.Losses, audit.Loss{Field: x.Field, Fate: x.Fate.String(), Why: x.Why})
	}
	rec.Target, rec.Provider, rec.System = t.Name, t.Provider.Name, t.Provider.Dialect.Name
	rec.UpstreamModel, rec.Boundary = t.Codec.Model, t.Provider.Boundary
	rec.Currency = r.snap.prices.Currency
	rec.Cost, rec.CostUnknown = r.cost(t)
}

// ending tells how the stream came to its end.
func (c *clientStage) ending() audit.End {
	r := c.r
	switch {
	case r.panicked:
		return audit.Trap
	case r.phase == replied && r.err != nil && r.err.Class == llm.TimeoutError:
		return audit.Timeout
	case r.phase == replied:
		return audit.LocalReply
	case c.answerEnded && r.answered, r.finished():
		return audit.Complete
	case r.interrupted():
		return audit.UpstreamReset
	}
	return audit.ClientAbort
}
