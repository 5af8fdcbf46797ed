package pipeline

import (
	"time"

	"github.com/posterngw/postern/filters/route"
)

// hold is the wait for a stream's first content: bounded in time and bytes,
// after which the stream is let go whatever has come.
type hold struct {
	until time.Time // zero: nothing is held
	out   []byte    // what the client will get of what has come
}

func (h *hold) begin(p *providerStage) {
	h.until = p.m.vm.Now().Add(p.r.snap.limits.HoldTime)
	p.m.holding[p] = struct{}{}
}

func (h *hold) forget(p *providerStage) {
	if h.until.IsZero() {
		return
	}
	h.until, h.out = time.Time{}, nil
	delete(p.m.holding, p)
}

// expire lets a stream go that was held long enough. What the host holds is
// already in the client's dialect, so nothing but a resume is needed.
func (p *providerStage) expire(now time.Time) {
	if now.Before(p.held.until) {
		return
	}
	p.s.Activate()
	p.r.stream.open(p)
	p.s.Resume(Response)
}

// lossHeader tells a client what the translation of its request left out.
const lossHeader = "x-postern-loss"

// confess says what was lost, unless the model says that nobody needs to know.
func (p *providerStage) confess() {
	if len(p.r.loss.Entries) > 0 && p.r.model.OnLoss != route.AllowLoss {
		p.s.SetHeader(Response, lossHeader, string(p.r.loss.Append(nil)))
	}
}

func (p *providerStage) tag(name, value string) { p.s.SetHeader(Response, name, value) }

// commit is the point after which no other target can answer.
func (p *providerStage) commit() {
	p.held.forget(p)
	if p.r.answered {
		return
	}
	p.r.answered = true
	p.r.release()
	p.r.status = p.attempt().status
	p.confess()
	p.r.origin(p.tag)
	p.r.advance(answering)
}
