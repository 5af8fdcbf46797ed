package hosttest

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Callout is one proxy_http_call. At step level the test answers it; with Config.Clusters the named
// RoundTripper does.
type Callout struct {
	// Upstream, Headers, Body, Trailers and Timeout are what the module asked for.
	Upstream string
	Headers  *Headers
	Body     []byte
	Trailers [][2]string
	Timeout  time.Duration
	Token    uint32

	begun   time.Time
	root    *vmContext
	timer   Timer
	done    bool
	cancel  context.CancelFunc
	waiting *httpFilter // the filter whose request waits, on hosts that resume by themselves
}

// mayCall is what a host checks before it sends: Envoy wants a known cluster and the pseudo headers.
func (c *vmContext) mayCall(upstream string, h *Headers, timeoutMS uint32) Status {
	if int32(timeoutMS) < 0 {
		return StatusBadArgument
	}
	if hook := c.plugin.rules.httpCall; hook != nil {
		return hook(c, upstream)
	}
	if !c.vm.host.knowsCluster(upstream) || !h.Has(":path") || !h.Has(":method") || !h.Has(":authority") {
		return StatusBadArgument
	}
	return StatusOK
}

// calloutAnswer is what a root context can read in on_http_call_response.
type calloutAnswer struct {
	headers, trailers *Headers
	body              []byte
	status            uint32
	message           string
}

func (a *calloutAnswer) header(m MapType) *Headers {
	if a == nil {
		return nil
	}
	if m == HTTPCallResponseHeaders {
		return a.headers
	}
	return a.trailers
}

// HTTPCall starts a callout on behalf of the root context: it outlives the stream that asked
// (cpp-host: exports.cc, http_call).
func (c *calls) HTTPCall(upstream string, headers [][2]string, body []byte, trailers [][2]string, timeoutMS uint32) (uint32, Status) {
	if s, no := c.refused("http_call"); no {
		return 0, s
	}
	ctx := c.context()
	h := newHeaders(headers, requestInline)
	if s := ctx.mayCall(upstream, h, timeoutMS); s != StatusOK {
		return 0, s
	}
	if len(body) > 0 {
		h.put("content-length", strconv.Itoa(len(body)))
	}
	if sent := ctx.plugin.rules.callSent; sent != nil {
		sent(h, timeoutMS)
	}
	call := &Callout{begun: c.vm.host.clock.Now(),
		Upstream: strings.Clone(upstream), Headers: h, Body: append([]byte(nil), body...),
		Trailers: append([][2]string(nil), trailers...), Timeout: time.Duration(timeoutMS) * time.Millisecond,
		Token: c.vm.nextCall, root: ctx.root,
	}
	c.vm.nextCall++
	ctx.root.pending[call.Token] = call
	if ctx.plugin.rules.afterCall != nil {
		call.waiting = ctx.filter
		ctx.filter.chain.stream.callout = call
	}
	if call.Timeout > 0 {
		call.timer = c.vm.worker.after(call.Timeout, call.timedOut)
	}
	c.vm.host.sendCallout(call)
	return call.Token, StatusOK
}

// Respond delivers an answer; a missing :status is 200. It says whether the callout was still
// waited for.
func (c *Callout) Respond(headers [][2]string, body []byte, trailers [][2]string) bool {
	h := newHeaders(headers, responseInline)
	if !h.Has(":status") {
		h.Add(":status", "200")
	}
	if took := c.root.plugin.rules.callTook; took != nil {
		took(c, h)
	}
	a := &calloutAnswer{headers: h, body: body}
	if len(trailers) > 0 {
		a.trailers = NewHeaders(trailers)
	}
	return c.locked(a)
}

// Fail is a callout whose upstream breaks off before it answers, by default with a reset. Envoy
// makes an answer of that: 503 with its usual body. On APISIX the callback comes with nothing.
func (c *Callout) Fail() bool { return c.FailWith(RemoteReset) }

// FailWith is Fail for another reason.
func (c *Callout) FailWith(reason ResetReason) bool {
	return c.locked(c.hosts(replyUpstreamReset(reason, false, false)))
}

// Break is a callout whose upstream breaks off within its answer: the callback comes with no headers
// and no body, and get_status says "reset".
func (c *Callout) Break() bool {
	return c.locked(&calloutAnswer{status: uint32(StatusBrokenConnection), message: "reset"})
}

func (c *Callout) locked(a *calloutAnswer) bool {
	w := c.root.vm.worker
	w.lock()
	defer w.unlock()
	return c.deliver(a)
}

func (c *Callout) deliver(a *calloutAnswer) bool {
	if c.done {
		return false
	}
	c.done = true
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.cancel != nil {
		c.cancel()
	}
	root := c.root
	delete(root.pending, c.Token)
	root.vm.host.calloutDone(c)
	if root.failed() {
		return false
	}
	root.answer = a
	if f := c.waiting; f != nil {
		f.chain.stream.callout = nil
		root.filter = f // calls in the callback act on the request
		defer func() { root.filter = nil }()
	}
	root.invoke(CallbackHTTPCallResponse, Args{c.Token, uint32(a.headers.Len()), uint32(len(a.body)), uint32(a.trailers.Len())})
	// Envoy forgets the answer before it does what the callback deferred.
	root.answer = nil
	if f := c.waiting; f != nil && root.vm.trapped {
		root.vm.trapped = false
		f.trapped(CallbackHTTPCallResponse)
	}
	root.vm.leave()
	if c.waiting != nil {
		root.plugin.rules.afterCall(c.waiting)
	}
	return true
}

// timedOut is Envoy's answer to a callout that took too long.
func (c *Callout) timedOut() { c.deliver(c.hosts(replyTimeout(""))) }

// hosts is what the callback gets of the host's own answer.
func (c *Callout) hosts(r localReply) *calloutAnswer {
	if c.waiting != nil {
		return &calloutAnswer{}
	}
	return &calloutAnswer{headers: r.message(), body: r.body}
}

// Callouts are those that nobody has answered yet, oldest first.
func (h *Host) Callouts() []*Callout {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*Callout(nil), h.callouts...)
}

func (h *Host) sendCallout(c *Callout) {
	if t := h.cfg.Clusters[c.Upstream]; t != nil {
		ctx, cancel := context.WithCancel(context.Background())
		c.cancel = cancel
		go c.roundTrip(ctx, t)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.callouts = append(h.callouts, c)
}

func (h *Host) calloutDone(c *Callout) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, x := range h.callouts {
		if x == c {
			h.callouts = append(h.callouts[:i], h.callouts[i+1:]...)
			return
		}
	}
}

func (c *calls) CallStatus() (uint32, string, Status) {
	if s, no := c.refused("get_status"); no {
		return 0, "", s
	}
	a := c.context().root.answer
	if a == nil {
		return 0, "", StatusOK
	}
	return a.status, a.message, StatusOK
}

func (c *calls) CallForeignFunction(name string, argument []byte) ([]byte, Status) {
	if s, no := c.refused("call_foreign_function"); no {
		return nil, s
	}
	if f := c.vm.host.cfg.ForeignFunctions[name]; f != nil {
		return f(argument)
	}
	if name != "clear_route_cache" {
		return nil, StatusNotFound
	}
	if f := c.context().filter; f != nil && f.chain.attempt == nil {
		f.chain.stream.router.clearRoute()
	}
	return nil, StatusOK
}
