package pipeline

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// readerStage is the first filter of a pair: the client stage, whose request
// headers another one holds.
type readerStage struct {
	s        Stream
	m        *Module
	c        *clientStage
	pr       *pair
	held     bool // the host holds some of the body
	released bool // the request's headers were let go
}

func (m *Module) newReader(s Stream, snap *Snapshot) *readerStage {
	pr := &pair{m: m, reader: s, requestHeads: s, answerHeads: s}
	c := &clientStage{s: &pairStream{pr: pr}, m: m, snap: snap, way: pr}
	pr.front = c
	return &readerStage{s: s, m: m, c: c, pr: pr}
}

// RequestHeaders lets headers go on to the holder where a body follows. That
// there is a holder in this VM is found here, before anything has left.
func (x *readerStage) RequestHeaders(end bool) Action {
	x.c.alone = x.m.holders == 0
	a := x.c.RequestHeaders(end)
	switch x.c.r.phase {
	case reading:
		a = Continue
		fallthrough
	case gathering, sent:
		x.s.SetProperty(keyProperty, x.c.r.key)
	}
	return a
}

// RequestBody holds the body to its end, then lets the headers go, and then the
// body.
func (x *readerStage) RequestBody(size int, end bool) Action {
	if e := x.partner(); e != nil {
		return x.c.fail(e).action()
	}
	return x.send(x.c.RequestBody(size, end), end)
}

// RequestTrailers ends a body as well.
func (x *readerStage) RequestTrailers() Action {
	if e := x.partner(); e != nil {
		return x.c.fail(e).action()
	}
	return x.send(x.c.RequestTrailers(), false)
}

// partner is an error when headers went on that nobody holds.
func (x *readerStage) partner() *llm.Error {
	if x.c.r == nil || x.c.r.phase != reading || x.pr.holder != nil {
		return nil
	}
	return x.m.missing("the request passed no holder behind the reader")
}

// send lets the headers go before the body. end says that the body's end is in
// the running callback.
func (x *readerStage) send(a Action, end bool) Action {
	if a == Continue && x.c.r != nil && x.c.r.phase == sent && x.pr.requestHeads != x.s && !x.released {
		x.released = true
		return x.pr.release(Request, end && !x.held)
	}
	x.held = a == Pause
	x.s.Activate()
	return a
}

// ResponseHeaders holds the headers while the holder reads what belongs to them.
func (x *readerStage) ResponseHeaders(end bool) Action {
	x.pr.answerHeads = x.s
	if x.pr.holding {
		x.c.answerEnded = end
		return Pause
	}
	return x.c.ResponseHeaders(end)
}

func (x *readerStage) ResponseBody(size int, end bool) Action { return x.c.ResponseBody(size, end) }

func (x *readerStage) ResponseTrailers() Action { return x.c.ResponseTrailers() }

// Done tells a provider that broke off from a client that did: both end the
// stream, and the reader hears of it first.
func (x *readerStage) Done() {
	x.pr.done = true
	if p := x.pr.first; p != nil && x.c.r.phase != ended && !p.attempt().over && x.pr.broken() {
		p.Done()
		x.c.overruled()
	}
	x.c.Done()
}

func (x *readerStage) Recovered(cause string) Action { return x.c.Recovered(cause) }

// holderStage is the second filter of a pair: it holds the request's headers, and
// is the provider stage of the attempt that the host makes.
type holderStage struct {
	s    Stream
	m    *Module
	pr   *pair
	held bool // the host holds some of the answer's body
}

// RequestHeaders hands this context to the reader. A request that no reader of
// this VM has seen is answered: it would pass every policy.
func (h *holderStage) RequestHeaders(bool) Action {
	key, _ := h.s.Property(keyProperty)
	r := h.m.live[key]
	if r == nil || r.front == nil {
		return h.alone()
	}
	pr, ok := r.front.way.(*pair)
	if !ok {
		return h.alone()
	}
	h.pr, pr.holder = pr, h.s
	if r.phase != reading { // there is no body, and all is decided
		return Continue
	}
	pr.requestHeads = h.s
	return Pause
}

// alone answers a request without a reader.
func (h *holderStage) alone() Action {
	e := h.m.missing("the request passed no reader of this VM before the holder")
	var line head
	line.read(h.s.Headers(Request))
	_, api, _ := dialect.Recognise(h.m.dialects, line.line())
	if api == nil {
		_, api = h.m.fallback()
	}
	h.s.Reply(e.Status, plainHeaders(), api.Client.AppendError(nil, e, line.id), "postern_"+e.Code)
	return Pause
}

// RequestBody and RequestTrailers follow headers that were let go.
func (h *holderStage) RequestBody(int, bool) Action { return Continue }

func (h *holderStage) RequestTrailers() Action { return Continue }

// ResponseHeaders reads an answer's headers while they are this context's, and
// has the reader hold them if more must be seen first.
func (h *holderStage) ResponseHeaders(end bool) Action {
	p := h.provider()
	if p == nil {
		return Continue
	}
	h.pr.answerHeads = h.s
	a := p.answered(end, h.pr.unreached(p))
	h.pr.answerHeads = h.pr.reader
	h.s.Activate()
	if p.r.phase == replied {
		return Pause
	}
	h.pr.holding = a == Pause
	return Continue
}

// provider is the stage that reads this answer; nil when it is not a target's.
func (h *holderStage) provider() *providerStage {
	if h.pr == nil || h.pr.first == nil || h.pr.first.r == nil {
		return nil
	}
	return h.pr.first
}

// ResponseBody takes what is new of the answer.
func (h *holderStage) ResponseBody(size int, end bool) Action {
	p := h.provider()
	switch {
	case p == nil:
		return Continue
	case h.pr.elsewhere:
		return h.withhold(p, size)
	}
	return h.send(p.ResponseBody(size, end), end)
}

// send lets the answer's headers go before its body.
func (h *holderStage) send(a Action, end bool) Action {
	if a == Continue && h.pr.holding {
		return h.pr.release(Response, end && !h.held)
	}
	h.held = a == Pause
	h.s.Activate()
	return a
}

// withhold keeps what is left of an answer from a client that gets another one.
func (h *holderStage) withhold(p *providerStage, size int) Action {
	p.drop(size)
	h.s.Activate()
	return Pause
}

func (h *holderStage) ResponseTrailers() Action {
	p := h.provider()
	switch {
	case p == nil:
		return Continue
	case h.pr.elsewhere:
		return Pause
	}
	return h.send(p.ResponseTrailers(), false)
}

// Done comes after the reader's, which has accounted for all.
func (h *holderStage) Done() {
	if p := h.provider(); p != nil {
		p.Done()
	}
}

func (h *holderStage) Recovered(cause string) Action {
	p := h.provider()
	if p == nil {
		h.m.panicked(cause)
		return h.alone()
	}
	return h.send(p.Recovered(cause), true)
}

// unreached is the host's own answer in place of a provider's; nil for all others.
// Answers that are no errors are the provider's without asking.
func (pr *pair) unreached(p *providerStage) *llm.Error {
	status, _ := pr.holder.Header(Response, ":status")
	if status < "4" || p.over || p.r.phase != sent {
		return nil
	}
	if by, ok := pr.holder.Property("response", "code_details"); !ok || by == "via_upstream" {
		return nil
	}
	return hostReply(status)
}

// broken reports whether it was the provider that ended the stream.
func (pr *pair) broken() bool {
	how, _ := pr.reader.Property("response", "code_details")
	return len(how) < 10 || how[:10] != "downstream"
}
