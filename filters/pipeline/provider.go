package pipeline

import (
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/credential"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// providerStage is one attempt: it addresses the request to its target, and
// reads the target's answer before the host commits to it.
type providerStage struct {
	s Stream
	m *Module
	r *request
	a int // index of this attempt

	size  int // body bytes that the host showed last, held ones included
	relay relay
	held  hold
	over  bool // the answer's end was handled
	bare  bool // the answer has no body, and none can be given to it
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
	if p.r = r; len(r.attempts) >= len(r.plan.Targets) {
		return p.lost()
	}
	p.begin()
	p.address()
	if err := p.s.Err(); err != nil {
		return p.refuse(hostError(err))
	}
	if r.encoded && p.a == 0 || end {
		return Continue
	}
	return Pause
}

// lost answers an attempt whose request is unknown here.
func (p *providerStage) lost() Action {
	if p.r == nil {
		p.s.Reply(500, answerHeaders(0), nil, "postern_state_missing")
		return Pause
	}
	return p.refuse(internalError("the host tries more targets than the plan has"))
}

func (p *providerStage) refuse(e *llm.Error) Action {
	p.r.err = e
	p.s.Reply(e.Status, answerHeaders(0), nil, "postern_"+e.Code)
	return Pause
}

func (p *providerStage) begin() {
	now := p.m.vm.Now()
	p.r.endAttempt(now, llm.ProviderError, "no_answer")
	p.a = len(p.r.attempts)
	p.r.attempts = append(p.r.attempts, attempt{target: p.r.plan.Targets[p.a], began: now})
}

// address sets path, host and credential, and takes back what an earlier
// attempt set: request headers persist from attempt to attempt.
func (p *providerStage) address() {
	t, r := p.target(), p.r
	if p.a > 0 {
		for _, name := range r.attempts[p.a-1].headers {
			p.s.RemoveHeader(Request, name)
		}
	}
	codec := t.Provider.Dialect.Provider
	p.s.SetHeader(Request, ":path", codec.Path(&r.facts, &t.Codec))
	p.s.SetHeader(Request, ":authority", t.Provider.Host)
	for _, h := range codec.Headers(&t.Codec) {
		p.set(h[0], h[1])
	}
	p.authenticate()
	if t.Timeout != r.plan.Targets[0].Timeout || p.a > 0 {
		p.s.SetHeader(Request, "x-envoy-upstream-rq-per-try-timeout-ms", strconv.FormatInt(t.Timeout.Milliseconds(), 10))
	}
}

// authenticate adds the provider's credential.
func (p *providerStage) authenticate() {
	t := p.target()
	codec := t.Provider.Dialect.Provider
	var few [2][2]string
	headers, e := p.r.snap.credentials[t.Provider].Headers(few[:0], &credential.Attempt{
		Method: "POST", Host: t.Provider.Host, Now: p.attempt().began,
		Key: func(key string) (string, string) { return codec.Credential(&t.Codec, key) },
	})
	if e != nil {
		p.r.err = e
		return
	}
	for _, h := range headers {
		p.set(h[0], h[1])
	}
}

// set sets a header that the next attempt must take back.
func (p *providerStage) set(name, value string) {
	p.s.SetHeader(Request, name, value)
	if len(p.r.plan.Targets) > 1 {
		p.attempt().headers = append(p.attempt().headers, name)
	}
}

// RequestBody encodes for this target, unless the client stage has.
func (p *providerStage) RequestBody(size int, end bool) Action {
	if p.r == nil || p.r.encoded && p.a == 0 {
		return Continue
	}
	p.size = size
	if !end {
		return Pause
	}
	return p.encode()
}

// RequestTrailers ends a body as well.
func (p *providerStage) RequestTrailers() Action {
	if p.r == nil || p.r.encoded && p.a == 0 {
		return Continue
	}
	return p.encode()
}

func (p *providerStage) encode() Action {
	client := p.r.dialect.Client
	doc, bad := jsonx.Scan(p.s.Body(Request, 0, p.size), client.Inspected(), jsonx.Limits{Depth: p.r.snap.limits.Depth})
	if bad != nil {
		return p.refuse(internalError("the host changed the request's body: " + bad.Error()))
	}
	body, e := p.r.encode(p.target(), &doc)
	if e != nil {
		return p.refuse(e)
	}
	if body != nil {
		p.s.SetBody(Request, body)
		p.s.SetHeader(Request, "content-length", strconv.Itoa(len(body)))
	}
	if err := p.s.Err(); err != nil {
		return p.refuse(hostError(err))
	}
	return Continue
}

// ResponseHeaders decides how the answer is read: an error, a whole answer or a
// stream. All are held: whole ones to their end, streams to their first content.
func (p *providerStage) ResponseHeaders(end bool) Action {
	if p.r == nil || p.r.phase != sent {
		return Continue
	}
	var h answerHead
	h.read(p.s.Headers(Response))
	h.clean(p.s)
	p.attempt().status = h.status
	p.relay = p.r.newRelay(p.target(), &h)
	if p.relay.streams() {
		p.held.begin(p)
	}
	if p.bare = end; end {
		return p.finish(0)
	}
	return Pause
}

// ResponseBody takes what is new of the answer.
func (p *providerStage) ResponseBody(size int, end bool) Action {
	if p.relay == nil || p.over {
		return Continue
	}
	p.size = size
	if end {
		return p.finish(size)
	}
	return p.relay.chunk(p, size)
}

// ResponseTrailers ends an answer too.
func (p *providerStage) ResponseTrailers() Action {
	if p.relay == nil || p.over {
		return Continue
	}
	return p.finish(p.size)
}

func (p *providerStage) finish(size int) Action {
	p.over = true
	a := p.relay.end(p, size)
	p.held.forget(p)
	return a
}

// Done ends the attempt; without an answer it failed.
func (p *providerStage) Done() {
	p.held.forget(p)
	if p.r == nil || p.r.phase == ended || p.attempt().over {
		return
	}
	p.r.endAttempt(p.m.vm.Now(), llm.ProviderError, "upstream_reset")
}

// Recovered answers an attempt whose callback panicked.
func (p *providerStage) Recovered(cause string) Action {
	p.m.panicked(cause)
	p.over = true
	if p.r == nil || p.r.answered {
		return Continue
	}
	return p.refuse(internalError(cause))
}

// endAttempt closes the running attempt, if it is still open, with an error.
func (r *request) endAttempt(now time.Time, class llm.Class, code string) {
	a := r.current()
	if a == nil || a.over {
		return
	}
	a.over, a.took = true, now.Sub(a.began)
	if a.err == nil {
		a.err = &llm.Error{Class: class, Source: llm.FromProvider, Status: 502, Code: code, Message: "the provider did not answer"}
	}
}

// answerHead is what one reading of a provider's headers told.
type answerHead struct {
	pairs  [][2]string
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
		case "set-cookie":
			h.strip = append(h.strip, name)
		default:
			if strings.HasPrefix(name, ownPrefix) {
				h.strip = append(h.strip, name)
			}
		}
	}
}

// get looks a header up; empty when it is absent.
func (h *answerHead) get(name string) string {
	for i := range h.pairs {
		if h.pairs[i][0] == name {
			return h.pairs[i][1]
		}
	}
	return ""
}

func (h *answerHead) clean(s Stream) {
	for _, name := range h.strip {
		s.RemoveHeader(Response, name)
	}
}
