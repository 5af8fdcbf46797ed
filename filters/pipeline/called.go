package pipeline

import (
	"slices"
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// called is one attempt by a callout, as its provider stage sees it: a stream
// whose messages are the callout's. The stage is the very one that the host's own
// attempts have; what it leaves of the answer is then the client's, as a reply.
//
// Answers of callouts come whole. One that was to be streamed is therefore whole,
// too, in the form of a stream.
type called struct {
	by      way
	r       *request
	p       *providerStage
	headers [2][][2]string
	bodies  [2][]byte
}

// bufferedStream is what a streamed answer that came whole is called.
const bufferedStream = "buffered_stream"

// maxCall bounds a callout that nothing else bounds: streams come whole, however
// soon they begin.
const maxCall = 10 * time.Minute

// call asks the request's next target by a callout.
func call(by way, r *request) {
	x := &called{by: by, r: r}
	x.p = &providerStage{s: x, m: r.m, way: by}
	x.compose()
	if x.p.start(r, false) == Pause && !x.p.over {
		x.p.RequestBody(len(r.kept), true)
	}
	if x.p.over {
		return // it was answered
	}
	t := x.p.target()
	err := by.send(x, Callout{Cluster: t.Provider.Cluster, Headers: x.headers[Request], Body: x.bodies[Request], Timeout: x.limit()})
	if err != nil {
		e := hostError(err)
		e.Status, e.Code, e.Message = 503, "upstream_unavailable", "no provider could be reached"
		x.p.fail(e)
		x.deliver()
	}
}

// compose begins with the client's own headers, as far as they may go on.
func (x *called) compose() {
	for _, h := range x.r.head.pairs {
		switch h[0] {
		case "content-length", "content-encoding", "content-type", "host", "connection", "transfer-encoding", "expect", "traceparent":
		default:
			if !slices.Contains(x.r.head.strip, h[0]) {
				x.headers[Request] = append(x.headers[Request], h)
			}
		}
	}
	kind := "application/json"
	if x.r.call.Raw || x.r.call.Bare {
		kind = x.r.head.kind
	}
	x.SetHeader(Request, "content-type", kind)
	if x.r.traced {
		x.SetHeader(Request, "traceparent", string(x.r.span.Append(nil)))
	}
	x.bodies[Request] = x.r.kept
}

// limit is how long the callout may take: unlike the host's own retries, each has
// its target's time.
func (x *called) limit() time.Duration {
	if limit := x.p.target().Timeout; limit > 0 && !x.r.facts.Stream {
		return limit
	}
	return maxCall
}

// answered takes the callout's answer; nil is none.
func (x *called) answered(a *CalloutAnswer) {
	if x.p.over || x.r.phase != sent {
		return // the client has its answer, or is gone
	}
	if x.r.facts.Stream && !slices.Contains(x.r.degraded, bufferedStream) {
		x.r.degrade(bufferedStream)
	}
	e := hostReply(x.silent())
	if a != nil {
		x.headers[Response], x.bodies[Response] = a.Headers, a.Body
		e = x.unreached(a)
	}
	empty := len(x.bodies[Response]) == 0
	if x.p.answered(empty, e); !empty {
		x.p.ResponseBody(len(a.Body), true)
	}
	x.deliver()
}

// timerSlack is how much too early a host's timers may be: nginx counts from when
// its loop woke up.
const timerSlack = 50 * time.Millisecond

// silent tells what kept a callout from being answered at all, which hosts may not
// say (APISIX): its time, or else that it reached nobody.
func (x *called) silent() string {
	if x.p.m.vm.Now().Sub(x.p.attempt().began) >= x.limit()-timerSlack {
		return "504"
	}
	return "503"
}

// unreached tells the host's own answer from a provider's: only these say how
// long the service took.
func (x *called) unreached(a *CalloutAnswer) *llm.Error {
	if a.Status != 503 && a.Status != 504 {
		return nil
	}
	if kind, _ := x.Header(Response, "content-type"); kind != "text/plain" {
		return nil
	}
	return hostReply(strconv.Itoa(a.Status))
}

// deliver gives the client what the attempt came to; nothing when the next target
// was asked, or the client has an answer already.
func (x *called) deliver() {
	front := x.r.front
	if x.r.phase != answering || x.r.current().stage != x.p {
		return
	}
	front.answerEnded = true
	front.r.bytesOut = len(x.bodies[Response])
	status, _ := x.Header(Response, ":status")
	code, _ := strconv.Atoi(status)
	front.s.Activate()
	front.s.Reply(code, x.endToEnd(), x.bodies[Response], "postern_called")
}

// endToEnd are the answer's headers that a reply may have.
func (x *called) endToEnd() [][2]string {
	var kept [][2]string
	for _, h := range x.headers[Response] {
		switch h[0] {
		case ":status", "content-length", "connection", "keep-alive", "transfer-encoding", "trailer", "date", "server":
		default:
			kept = append(kept, h)
		}
	}
	return kept
}

var _ Stream = (*called)(nil)

// Headers copies nothing: the stage does not keep them.
func (x *called) Headers(side Side) [][2]string { return slices.Clone(x.headers[side]) }

// Header gives the first of several values.
func (x *called) Header(side Side, name string) (string, bool) {
	for _, h := range x.headers[side] {
		if h[0] == name {
			return h[1], true
		}
	}
	return "", false
}

// SetHeader replaces every value of the header by one.
func (x *called) SetHeader(side Side, name, value string) {
	x.RemoveHeader(side, name)
	x.headers[side] = append(x.headers[side], [2]string{name, value})
}

// RemoveHeader removes every value of the header.
func (x *called) RemoveHeader(side Side, name string) {
	x.headers[side] = slices.DeleteFunc(x.headers[side], func(h [2]string) bool { return h[0] == name })
}

// Body is a part of a whole message.
func (x *called) Body(side Side, offset, size int) []byte {
	b := x.bodies[side]
	offset = min(offset, len(b))
	return b[offset:min(offset+size, len(b))]
}

// SetBody keeps the bytes: they are sent before the stage is asked again.
func (x *called) SetBody(side Side, b []byte) { x.bodies[side] = b }

// Detach does nothing: messages are whole.
func (x *called) Detach(Side) {}

// Property has nothing: what the host knows is about the request.
func (x *called) Property(...string) (string, bool) { return "", false }

// SetProperty, ClearRouteCache, Resume and Activate speak to a host that has no
// part in a callout.
func (x *called) SetProperty(string, string) {}

// ClearRouteCache does nothing, see SetProperty.
func (x *called) ClearRouteCache() {}

// Resume does nothing, see SetProperty.
func (x *called) Resume(Side) {}

// Activate does nothing, see SetProperty.
func (x *called) Activate() {}

// Reply is not used: the way refuses attempts.
func (x *called) Reply(int, [][2]string, []byte, string) {}

// Err is never: nothing here can be refused.
func (x *called) Err() error { return nil }
