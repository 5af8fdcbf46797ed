package pipeline

import (
	"strconv"

	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/llm"
)

// watched is the answer to a request that passed: read for the account, on its way
// to the client already.
type watched struct {
	p      *providerStage
	head   answerHead
	stream *streamRelay
	body   []byte // of an answer that is no stream, up to a bound
	more   bool   // there was more of it
}

// begin takes the headers. They are the client's, with what tells where they are
// from.
func (x *watched) begin() {
	p, r := x.p, x.p.r
	x.head.read(p.s.Headers(Response))
	x.head.clean(p.s)
	p.attempt().status = x.head.status
	if (r.facts.Stream || r.call.Operation == llm.Passthrough) && x.head.status == 200 && x.head.plain() && p.attempt().api.Provider.Streams(x.head.kind) {
		x.stream = p.newStreamRelay(&x.head)
		p.relay = x.stream
	}
	p.commit()
	_ = p.s.Err() // what was refused does not hold the answer back
}

// take sees what goes by.
func (x *watched) take(size int, end bool) {
	r := x.p.r
	b := x.p.s.Body(Response, 0, size)
	r.bytesOut += len(b)
	r.told.Write(b)
	switch {
	case x.stream != nil:
		x.stream.pass(b, end)
		if end {
			x.finish(x.stream.failure)
		}
		return
	case len(x.body)+len(b) <= r.snap.limits.Answer && !x.more:
		x.body = append(x.body, b...)
	default:
		x.more = true
	}
	if end {
		x.finish(x.whole())
	}
}

// whole reads an answer that is no stream.
func (x *watched) whole() *llm.Error {
	p, r := x.p, x.p.r
	body := x.body
	x.body = nil
	if x.head.status < 200 || x.head.status > 299 {
		return p.attempt().api.Provider.Classify(x.head.status, x.header, body)
	}
	r.content(p.m.vm.Now())
	if x.more || !x.head.plain() {
		return nil
	}
	p.m.edits.Reset()
	usage, finish, e := r.api.Same.Answer(&p.m.edits, &r.facts, body, r.patch(p.target()))
	if r.call.Operation == llm.Passthrough {
		e = nil // files and batches are what they are
	}
	r.usage, r.finish = p.counted(usage, x.header), finish
	if !r.usage.Known && r.call.Operation.Writes() {
		r.whole = estimate.Escaped(body)
	}
	return e
}

// header reads one that is not looked at in any case.
func (x *watched) header(name string) string {
	v, _ := x.p.s.Header(Response, name)
	return v
}

// finish ends the attempt as it was.
func (x *watched) finish(e *llm.Error) {
	p := x.p
	now := p.m.vm.Now()
	if p.over = true; x.stream != nil {
		x.stream.over = e == nil
	}
	if e == nil {
		p.succeed(now)
		return
	}
	p.r.err, p.attempt().err = e, e
	p.source().Refused(p.attempt().slot, e, now)
	p.r.endAttempt(now, e.Code)
	p.m.vm.Log(Info, "postern: the answer with status "+strconv.Itoa(x.head.status)+" passed as it was")
}
