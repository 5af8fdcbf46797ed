package pipeline

import (
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// perTry is how long the host lets each attempt take until its headers. The host
// has one such time for all attempts of a request, and begins anew for each, so
// it is the first target's.
func (r *request) perTry() time.Duration {
	limit := r.limit(r.plan.Targets[0].Timeout, r.plan.Targets[0].FirstToken)
	if d := r.model.Deadline; d > 0 && (limit <= 0 || d < limit) {
		limit = d
	}
	return limit
}

// limit is the shorter of two bounds on the first content, of which the second
// is for streams.
func (r *request) limit(answer, stream time.Duration) time.Duration {
	if r.facts.Stream && stream > 0 && (answer <= 0 || stream < answer) {
		return stream
	}
	return answer
}

// late reports whether all attempts together have had their time.
func (r *request) late(now time.Time) bool {
	return r.model.Deadline > 0 && now.Sub(r.began) >= r.model.Deadline
}

// hurry ends what takes too long, as far as the host does not.
func (m *Module) hurry(now time.Time) {
	for _, r := range m.live {
		a := r.current()
		switch {
		case r.phase == sent && r.late(now):
			r.front.overdue(overdue("deadline_exceeded"), now)
		case r.phase == answering && r.stream != nil && r.stream.cut:
			r.stream.cut, a.reset = false, true
			r.front.breakOff(r.err)
		case a == nil || a.over:
		case r.phase == sent:
			a.stage.hurry(now)
		case r.phase == answering && a.target.Idle > 0 && now.Sub(r.lastAt) >= a.target.Idle:
			r.front.silent("stream_idle", now)
		case r.phase == answering && r.stream != nil && r.stream.outlived(now.Add(-lastWord)):
			r.front.silent(streamOverdue, now)
		}
	}
}

// lastWord is how long a stream that has had its time may still be silent: the
// next piece would be the place for an error that the client can read.
const lastWord = 2 * time.Second

// outlived reports whether a stream that the client sees has had its time: in all,
// or until a first content that it was let go without.
func (x *streamRelay) outlived(now time.Time) bool {
	t := x.p.target()
	limit := t.Total
	if first := x.p.r.limit(t.Timeout, t.FirstToken); !x.commits && first > 0 && (limit <= 0 || first < limit) {
		limit = first
	}
	return limit > 0 && now.Sub(x.p.attempt().began) >= limit
}

// spent is the error of a stream that goes on although it has had its time. A
// target without bounds costs no look at the clock.
func (x *streamRelay) spent() *llm.Error {
	if x.commits && x.p.target().Total <= 0 || !x.outlived(x.p.m.vm.Now()) {
		return nil
	}
	x.cut = true
	e := overdue(streamOverdue)
	e.Source = llm.FromProvider
	return e
}

// hurry ends an attempt that has had its time. One whose headers are held goes
// to the next target; one that has said nothing can only be moved on by the
// host, so it is ended here when there is nowhere to go.
func (p *providerStage) hurry(now time.Time) {
	t := p.target()
	limit := p.r.limit(t.Timeout, t.FirstToken)
	if p.over || limit <= 0 || p.way.patient(p) || now.Sub(p.attempt().began) < limit {
		return
	}
	e := overdue(attemptTimeout)
	e.Source = llm.FromProvider
	switch {
	case p.relay != nil && p.r.canFailOver(now):
		p.s.Activate()
		if p.moveOn(e, now) {
			if p.way.again(p) == Continue {
				p.s.Resume(Response)
			}
			return
		}
		p.r.front.overdue(e, now)
	case !p.r.canFailOver(now):
		p.r.front.overdue(e, now)
	}
}

// overdue answers a client that has seen nothing yet, whatever is under way.
func (c *clientStage) overdue(e *llm.Error, now time.Time) {
	if a := c.r.current(); a != nil && !a.over {
		a.stage.over = true
		a.stage.held.forget(a.stage)
		late := *e
		late.Source = llm.FromProvider
		a.err = &late
		c.r.endAttempt(now, e.Code)
	}
	told := *e
	if e.Source == llm.FromProvider {
		told.Code = upstreamTimeout
		told = *c.r.exhausted(&told)
	} else {
		told.Targets = c.r.causes()
	}
	c.s.Activate()
	c.fail(&told)
}

// silent cuts off an answer that the client has begun to see and that has
// stopped: a reply in the middle of an answer is its end.
func (c *clientStage) silent(code string, now time.Time) {
	a := c.r.current()
	e := overdue(code)
	e.Source = llm.FromProvider
	a.err, c.r.err, a.reset, a.stage.over = e, e, true, true
	c.r.endAttempt(now, e.Code)
	c.breakOff(e)
}

// breakOff ends an answer in its middle.
func (c *clientStage) breakOff(e *llm.Error) {
	c.s.Activate()
	c.s.Reply(e.Status, plainHeaders(), nil, "postern_"+e.Code)
}

// The codes of an attempt that had its time, and of what the client is told then:
// the same whether the host's clock or the module's was first.
const (
	attemptTimeout  = "attempt_timeout"
	upstreamTimeout = "upstream_timeout"
	streamOverdue   = "stream_overdue"
)

func overdue(code string) *llm.Error {
	return &llm.Error{Class: llm.TimeoutError, Source: llm.FromPostern, Status: 504, Code: code,
		Message: "the provider did not answer in time"}
}
