package pipeline

import (
	"slices"
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// relay carries one answer from a target to the client.
type relay interface {
	// chunk takes a body callback that is not the last; size counts what the
	// host shows, held bytes included.
	chunk(p *providerStage, size int) Action
	// end takes the last one.
	end(p *providerStage, size int) Action
	// held is what the host still shows where an answer ends without a last
	// chunk; size is what it showed last.
	held(size int) int
	// streams reports whether the answer is held to its first content only.
	streams() bool
}

// newRelay chooses by status and content type.
func (p *providerStage) newRelay(h *answerHead) relay {
	switch {
	case p.r.call.Operation == llm.Passthrough:
		return p.newPassing(h)
	case h.status < 200 || h.status > 299:
		return &errorRelay{h: *h}
	case p.r.facts.Stream && p.attempt().api.Provider.Streams(h.kind):
		if h.plain() {
			return p.newStreamRelay(h)
		}
		return &packedRelay{h: *h}
	}
	return &wholeRelay{h: *h}
}

// fail ends an attempt that came to nothing: the host goes to the next target,
// or the client gets the error in its dialect.
func (p *providerStage) fail(e *llm.Error) Action {
	if p.moveOn(e, p.m.vm.Now()) {
		return p.way.again(p)
	}
	return p.tell(p.r.exhausted(e))
}

// moveOn ends the attempt; true when the request must go to the plan's next
// target, which may do better.
func (p *providerStage) moveOn(e *llm.Error, now time.Time) bool {
	p.over = true
	p.held.forget(p)
	p.r.discard()
	a := p.attempt()
	a.err = e
	p.source().Refused(a.slot, e, now)
	p.r.endAttempt(now, e.Code)
	return p.r.canFailOver(now) && p.next(e.Class, now)
}

// next makes the target that comes after an error of class c the plan's next
// one. Those that are passed over leave the plan, in the host's eyes too.
func (p *providerStage) next(c llm.Class, now time.Time) bool {
	plan, passes := &p.r.plan, p.r.passes
	at, ok := p.r.model.After(plan.Targets, p.a, c)
	if !ok || at == p.a+1 {
		return ok
	}
	for i := p.a + 1; i < at; i++ {
		plan.Exclude(plan.Targets[i], route.SmallerWindow)
		p.r.snap.health.Release(&passes[i], now)
	}
	plan.Targets = slices.Delete(plan.Targets, p.a+1, at)
	p.r.passes = slices.Delete(passes, p.a+1, at)
	for i := p.a + 1; i < len(plan.Targets); i++ {
		p.s.SetProperty(targetNames[i], plan.Targets[i].Provider.Cluster)
	}
	return true
}

// tell answers the client with an error in its dialect.
func (p *providerStage) tell(e *llm.Error) Action {
	if p.attempt().bare {
		return p.way.bare(p, e)
	}
	p.r.err = e
	body := p.r.api.Client.AppendError(nil, e, p.r.id)
	p.s.SetHeader(Response, ":status", strconv.Itoa(e.Status))
	p.s.RemoveHeader(Response, "content-encoding")
	for _, h := range p.r.answerHeaders(e.After) {
		p.s.SetHeader(Response, h[0], h[1])
	}
	p.s.SetHeader(Response, "content-length", strconv.Itoa(len(body)))
	p.show(body)
	p.r.told.Write(body)
	p.commit()
	p.r.status = e.Status
	return p.let()
}

// errorRelay reads an error answer whole, up to a bound, and classifies it.
type errorRelay struct{ h answerHead }

// maxErrorBody is how much of an error answer is read.
const maxErrorBody = 64 << 10

func (x *errorRelay) streams() bool     { return false }
func (x *errorRelay) held(size int) int { return size }

func (x *errorRelay) chunk(p *providerStage, size int) Action {
	if size < maxErrorBody {
		return Pause
	}
	return p.finish(size)
}

func (x *errorRelay) end(p *providerStage, size int) Action {
	body, e := p.decoded(&x.h, min(size, maxErrorBody), maxErrorBody)
	if e != nil {
		body = nil // the status speaks for itself
	}
	return p.fail(p.attempt().api.Provider.Classify(x.h.status, x.h.pairs.get, body))
}

// unreachedRelay passes over the host's words for a target that it did not reach.
type unreachedRelay struct{ e *llm.Error }

func (unreachedRelay) streams() bool                    { return false }
func (unreachedRelay) held(size int) int                { return size }
func (unreachedRelay) chunk(*providerStage, int) Action { return Pause }

func (x unreachedRelay) end(p *providerStage, _ int) Action {
	if p.moveOn(x.e, p.m.vm.Now()) {
		return p.way.again(p)
	}
	return p.r.front.instead(p.r.exhausted(x.e))
}

// wholeRelay reads a whole answer: usage for the account, the client's dialect
// for the client.
type wholeRelay struct{ h answerHead }

func (x *wholeRelay) streams() bool     { return false }
func (x *wholeRelay) held(size int) int { return size }

func (x *wholeRelay) chunk(p *providerStage, size int) Action {
	if size <= p.r.snap.limits.Answer {
		return Pause
	}
	if p.r.call.Operation == llm.Passthrough { // nothing in it must change
		return p.pass()
	}
	return p.finish(size)
}

func (x *wholeRelay) end(p *providerStage, size int) Action {
	body, e := p.whole(&x.h, size)
	if e != nil {
		return p.fail(e)
	}
	out, e := p.translate(body, x.h.pairs.get)
	if e != nil {
		return p.fail(e)
	}
	if p.r.facts.Stream {
		return p.fail(malformed("not_a_stream", "the provider's answer is not the stream that was asked for"))
	}
	x.put(p, body, out)
	now := p.m.vm.Now()
	p.r.content(now)
	p.succeed(now)
	return p.let()
}

// put makes out the answer; nil keeps the provider's, but for its coding.
func (x *wholeRelay) put(p *providerStage, body, out []byte) {
	changed := out != nil
	if !changed {
		out = body
	}
	if changed || x.h.coding != "" {
		if x.h.coding != "" {
			p.s.RemoveHeader(Response, "content-encoding")
		}
		p.s.SetHeader(Response, "content-length", strconv.Itoa(len(out)))
		p.show(out)
	}
	p.r.told.Write(out)
	if !p.r.usage.Known && p.r.call.Operation.Writes() {
		p.r.whole = estimate.Escaped(out)
	}
}

// whole is a whole answer, within its bound as it comes and as it is meant.
func (p *providerStage) whole(h *answerHead, size int) ([]byte, *llm.Error) {
	limit := p.r.snap.limits.Answer
	if size > limit {
		return nil, tooLarge()
	}
	return p.decoded(h, size, limit)
}

// decoded is an answer's body without its content coding, of at most limit bytes.
func (p *providerStage) decoded(h *answerHead, size, limit int) ([]byte, *llm.Error) {
	body := p.s.Body(Response, 0, size)
	switch {
	case h.plain():
		return body, nil
	case h.coding != "gzip":
		return nil, malformed("bad_encoding", "the provider's answer has an encoding that was not asked for")
	}
	plain, e := gunzip(body, limit)
	if e != nil {
		return nil, malformed("bad_encoding", "the provider's answer cannot be decompressed")
	}
	return plain, nil
}

// translate reads a whole answer; nil bytes keep it as it is. What it does not
// count its headers h may.
func (p *providerStage) translate(body []byte, h dialect.Header) ([]byte, *llm.Error) {
	r, t := p.r, p.target()
	if p.attempt().same {
		edits := &p.m.edits
		edits.Reset()
		usage, finish, e := r.api.Same.Answer(edits, &r.facts, body, r.patch(t))
		if e != nil {
			return nil, e
		}
		r.usage, r.finish = p.counted(usage, h), finish
		return p.marked(body, edits), nil
	}
	a, e := p.attempt().api.Provider.Decode(&r.facts, &t.Codec, body)
	if e != nil {
		return nil, e
	}
	a.Usage = p.counted(a.Usage, h)
	if r.usage = a.Usage; len(a.Choices) > 0 {
		r.finish = a.Choices[0].Finish
	}
	return p.m.wrote(r.api.Client.AppendAnswer(p.m.out[:0], &r.facts, r.facts.Model, a, &r.loss)), nil
}

// counted is the usage of an answer, of its headers h where its body has none.
func (p *providerStage) counted(u llm.Usage, h dialect.Header) llm.Usage {
	if c, ok := p.attempt().api.Provider.(dialect.Counter); ok && !u.Known {
		return c.Counted(h)
	}
	return u
}

// marked makes the edits of an answer, and marks its ids; nil bytes keep it as it is.
func (p *providerStage) marked(body []byte, edits *jsonx.Edits) (out []byte) {
	if !edits.Empty() {
		out = p.m.apply(body)
		body = out
	}
	if m := p.marker(); m != nil {
		if with, ok := m.Append(nil, body); ok {
			return with
		}
	}
	return out
}

// succeed ends an attempt whose answer is whole.
func (p *providerStage) succeed(now time.Time) {
	a := p.attempt()
	if !a.over {
		a.over, a.took = true, now.Sub(a.began)
		p.r.report(a, now)
	}
	p.commit()
}

func tooLarge() *llm.Error {
	return malformed("answer_too_large", "the provider's answer is larger than the gateway takes")
}

func malformed(code, message string) *llm.Error {
	return &llm.Error{Class: llm.MalformedAnswer, Source: llm.FromProvider, Status: 502, Code: code, Message: message}
}
