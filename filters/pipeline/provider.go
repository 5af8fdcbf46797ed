package pipeline

import (
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// providerStage is one attempt: it addresses the request to its target, and
// reads the target's answer before the host commits to it.
type providerStage struct {
	s   Stream
	m   *Module
	way way
	r   *request
	a   int // index of this attempt

	size  int // body bytes that the host showed last, held ones included
	relay relay
	held  hold
	over  bool // what the client gets of this answer is complete
	wrote bool // another body in place of the provider's
}

func (p *providerStage) attempt() *attempt     { return &p.r.attempts[p.a] }
func (p *providerStage) target() *route.Target { return p.attempt().target }

// RequestHeaders addresses the attempt. The request state is found by the key
// that the client stage left in filter state; nothing is guessed without it.
func (p *providerStage) RequestHeaders(end bool) Action {
	key, _ := p.s.Property(keyProperty)
	r := p.m.live[key]
	if r == nil || r.phase != sent {
		return p.lost()
	}
	if len(r.attempts) >= len(r.plan.Targets) {
		r.err = internalError("the host tries more targets than the plan has")
		return p.lost()
	}
	return p.start(r, end)
}

// start makes this the request's next attempt, and addresses it.
func (p *providerStage) start(r *request, end bool) Action {
	p.r = r
	p.begin()
	if r.late(p.attempt().began) {
		return p.refuse(overdue("deadline_exceeded"))
	}
	if e := p.address(end); e != nil {
		return p.refuse(e)
	}
	if err := p.s.Err(); err != nil {
		return p.refuse(hostError(err))
	}
	if r.encoded && p.a == 0 || end {
		return Continue
	}
	return Pause
}

// lost answers an attempt that has no place in a request here.
func (p *providerStage) lost() Action {
	p.s.Reply(500, plainHeaders(), nil, "postern_state_missing")
	return Pause
}

// refuse ends the attempt, and with it the failover.
func (p *providerStage) refuse(e *llm.Error) Action {
	p.over, p.r.err = true, e
	p.attempt().err = e
	p.held.forget(p)
	return p.way.refuse(p, e)
}

func (p *providerStage) begin() {
	now := p.m.vm.Now()
	p.r.endAttempt(now, "no_answer")
	p.a = len(p.r.attempts)
	t := p.r.plan.Targets[p.a]
	api, same := p.r.serves(t)
	p.r.attempts = append(p.r.attempts, attempt{stage: p, target: t, api: api, same: same, began: now})
	p.r.snap.repeats.Attempt()
	p.r.snap.health.Begin(&p.r.passes[p.a])
	if p.a > 0 {
		p.r.snap.retries.Spend(p.r.model.Index, now)
	}
}

// address sets path, host and credential, and takes back what an earlier
// attempt set: request headers persist from attempt to attempt.
func (p *providerStage) address(end bool) *llm.Error {
	t, r := p.target(), p.r
	if p.a > 0 {
		for _, name := range r.attempts[p.a-1].headers {
			p.s.RemoveHeader(Request, name)
		}
	}
	codec := p.attempt().api.Provider
	path := codec.Path(&r.facts, &t.Codec)
	p.s.SetHeader(Request, ":path", path)
	p.s.SetHeader(Request, ":authority", t.Provider.Host)
	for _, h := range codec.Headers(&t.Codec) {
		p.set(h[0], h[1])
	}
	return p.authenticate(path, end)
}

// set sets a header that the next attempt must take back.
func (p *providerStage) set(name, value string) {
	p.s.SetHeader(Request, name, value)
	if len(p.r.plan.Targets) > 1 && name[0] != ':' { // those are always set
		p.attempt().headers = append(p.attempt().headers, name)
	}
}

// RequestBody encodes for this target, unless the client stage has.
func (p *providerStage) RequestBody(size int, end bool) Action {
	if a, none := p.nothingToEncode(); none {
		return a
	}
	p.size = size
	if !end {
		return Pause
	}
	return p.encode()
}

// RequestTrailers ends a body as well.
func (p *providerStage) RequestTrailers() Action {
	if a, none := p.nothingToEncode(); none {
		return a
	}
	return p.encode()
}

// nothingToEncode reports whether the request's body is not this stage's to
// write, and what to do with it then.
func (p *providerStage) nothingToEncode() (Action, bool) {
	switch {
	case p.r == nil || p.over: // it was answered
		return Pause, true
	case p.r.encoded && p.a == 0:
		return Continue, true
	}
	return Continue, false
}

func (p *providerStage) encode() Action {
	client := p.r.api.Client
	doc := &p.m.doc
	defer p.m.forget()
	if p.r.call.Raw {
		doc.Hold(p.s.Body(Request, 0, p.size))
		return p.write(doc)
	}
	bad := doc.Scan(p.s.Body(Request, 0, p.size), client.Inspected(), jsonx.Limits{Depth: p.r.snap.limits.Depth})
	if bad != nil {
		return p.refuse(internalError("the host changed the request's body: " + bad.Error()))
	}
	return p.write(doc)
}

// write puts the body for this target in place of the one that came.
func (p *providerStage) write(doc *jsonx.Document) Action {
	body, e := p.r.encode(p.target(), doc)
	if e != nil {
		return p.refuse(e)
	}
	if body != nil {
		p.s.SetBody(Request, body)
	} else {
		body = doc.Body()
	}
	// Always: an earlier attempt may have left its own length.
	p.s.SetHeader(Request, "content-length", strconv.Itoa(len(body)))
	if e := p.resign(body); e != nil {
		return p.refuse(e)
	}
	if err := p.s.Err(); err != nil {
		return p.refuse(hostError(err))
	}
	return Continue
}

// answered takes an answer's headers; e is the error that the host made up for a
// target that it did not reach, nil where a provider answers.
func (p *providerStage) answered(end bool, e *llm.Error) Action {
	if e == nil {
		return p.ResponseHeaders(end)
	}
	p.r.discard()
	p.relay = unreachedRelay{e}
	if end {
		p.attempt().bare = true
		return p.finish(0)
	}
	return Pause
}

// ResponseHeaders decides how the answer is read: an error, a whole answer or a
// stream. All are held: whole ones to their end, streams to their first content.
func (p *providerStage) ResponseHeaders(end bool) Action {
	if p.r == nil || p.over || p.r.phase != sent {
		return Continue
	}
	var h answerHead
	h.read(p.s.Headers(Response))
	h.clean(p.s)
	p.attempt().status = h.status
	p.r.discard()
	p.relay = p.newRelay(&h)
	if p.relay.streams() {
		p.held.begin(p)
	}
	if end {
		p.attempt().bare = true
		if p.r.call.Operation == llm.Passthrough && h.status < 400 {
			p.relay = passing{}
		}
		return p.finish(0)
	}
	if _, ok := p.relay.(passing); ok {
		return p.pass()
	}
	return Pause
}

// ResponseBody takes what is new of the answer.
func (p *providerStage) ResponseBody(size int, end bool) Action {
	switch {
	case p.relay == nil:
		return Continue
	case p.over:
		return p.drop(size)
	}
	p.size = size
	if p.target().Idle > 0 {
		p.r.lastAt = p.m.vm.Now()
	}
	if end {
		return p.finish(size)
	}
	return p.relay.chunk(p, size)
}

// drop keeps what a provider sends after the answer was complete from the client.
func (p *providerStage) drop(size int) Action {
	if size > 0 {
		p.s.SetBody(Response, nil)
	}
	return Continue
}

// ResponseTrailers ends an answer too. It shows no new bytes, but what was held.
func (p *providerStage) ResponseTrailers() Action {
	if p.relay == nil || p.over {
		return Continue
	}
	p.attempt().bare = p.size == 0
	return p.finish(p.relay.held(p.size))
}

func (p *providerStage) finish(size int) Action {
	p.over = true
	a := p.relay.end(p, size)
	p.held.forget(p)
	return a
}

// let lets an answer go if the host took every change to it: nothing may leave
// as the provider sent it because a change was refused.
func (p *providerStage) let() Action {
	if err := p.s.Err(); err != nil {
		p.m.refused(Response, err)
		return p.refuse(hostError(err))
	}
	if p.wrote && p.m.host.found[answerBody] != works {
		p.rewrote()
	}
	return Continue
}

// show puts b in place of what the host shows of the answer.
func (p *providerStage) show(b []byte) {
	p.s.SetBody(Response, b)
	p.wrote = true
}

// rewrote notes that the host takes another body for an answer, if it was asked.
func (p *providerStage) rewrote() {
	if _, ours := p.s.(*called); !ours {
		p.m.learn(answerBody, true)
	}
}

// Done ends the attempt; without an answer it failed.
func (p *providerStage) Done() {
	p.held.forget(p)
	if p.r == nil || p.r.phase == ended || p.attempt().over {
		return
	}
	p.attempt().reset = true
	p.r.endAttempt(p.m.vm.Now(), "upstream_reset")
}

// Recovered answers an attempt whose callback panicked. A stream that the client
// sees ends with an error event.
func (p *providerStage) Recovered(cause string) Action {
	p.m.panicked(cause)
	if p.r == nil {
		return p.lost()
	}
	e := internalError(cause)
	if !p.r.answered {
		return p.refuse(e)
	}
	if !p.over && p.r.stream != nil {
		p.r.err = e
		p.s.SetBody(Response, p.r.api.Client.AppendStreamError(nil, e, p.r.id))
	}
	p.over = true
	return Continue
}

// endAttempt closes the running attempt, if it is still open: code says how the
// provider failed if nothing else has said so.
func (r *request) endAttempt(now time.Time, code string) {
	a := r.current()
	if a == nil || a.over {
		return
	}
	a.over, a.took = true, now.Sub(a.began)
	if a.err == nil && !r.finished() {
		a.err = r.unanswered(a, code)
	}
	r.report(a, now)
}

// unanswered is the error of an attempt that has come to no end of its own.
func (r *request) unanswered(a *attempt, code string) *llm.Error {
	e := &llm.Error{Class: llm.ProviderError, Source: llm.FromProvider, Status: 502, Code: code, Message: "the provider did not answer"}
	// The host's timer began a little earlier, by a clock of its own.
	if limit := r.perTry(); limit > 0 && a.took >= limit-limit/20 {
		e.Class, e.Code = llm.TimeoutError, attemptTimeout
	}
	return e
}

// answerHead is what one reading of a provider's headers told.
type answerHead struct {
	pairs  headers
	status int
	kind   string // content-type, without parameters
	coding string // content-encoding
	length bool   // a content-length was given
	strip  []string
}

func (h *answerHead) read(pairs [][2]string) {
	h.pairs = pairs
	for i := range pairs {
		switch name, value := pairs[i][0], pairs[i][1]; name {
		case ":status":
			h.status, _ = strconv.Atoi(value)
		case "content-type":
			h.kind, _, _ = strings.Cut(value, ";")
			h.kind = strings.ToLower(strings.TrimSpace(h.kind))
		case "content-encoding":
			h.coding = strings.ToLower(value)
		case "content-length":
			h.length = true
		case "set-cookie", "openai-organization", "openai-project", "anthropic-organization-id":
			h.strip = append(h.strip, name) // the last three name the gateway's account
		default:
			if isReserved(name) {
				h.strip = append(h.strip, name)
			}
		}
	}
}

// plain reports whether the body has no content coding.
func (h *answerHead) plain() bool { return h.coding == "" || h.coding == "identity" }

func (h *answerHead) clean(s Stream) {
	for _, name := range h.strip {
		s.RemoveHeader(Response, name)
	}
}
