package hosttest

import "time"

// ResetReason says how an attempt broke, in Envoy's words.
type ResetReason string

// The reset reasons that matter to retries.
const (
	ConnectFailure     ResetReason = "remote connection failure"
	LocalConnectFail   ResetReason = "local connection failure"
	ConnectTimeout     ResetReason = "connection timeout"
	ConnectionClosed   ResetReason = "connection termination"
	RemoteReset        ResetReason = "remote reset"
	RefusedStream      ResetReason = "remote refused stream reset"
	LocalReset         ResetReason = "local reset"
	ProtocolError      ResetReason = "protocol error"
	UpstreamOverloaded ResetReason = "overflow"
)

// details is the reason as the access log has it; a refused connection carries the transport's words.
func (r ResetReason) details() string {
	if r == ConnectFailure {
		return underscored(string(r)) + "|delayed_connect_error:_Connection_refused"
	}
	return underscored(string(r))
}

// resetFlag is the response flag of the access log.
func resetFlag(r ResetReason) string {
	switch r {
	case ConnectFailure, LocalConnectFail, ConnectTimeout:
		return "UF"
	case ConnectionClosed:
		return "UC"
	case LocalReset:
		return "LR"
	case UpstreamOverloaded:
		return "UO"
	case ProtocolError:
		return "UPE"
	}
	return "UR"
}

// upstreamDriver carries attempts to a provider. Its methods run under the worker's lock and must
// not block.
type upstreamDriver interface {
	headers(a *Attempt, h *Headers, eos bool)
	data(a *Attempt, b []byte, eos bool)
	trailers(a *Attempt, t *Headers)
	cancel(a *Attempt, reason string)
}

// Attempt is one try of one cluster.
type Attempt struct {
	// Number counts from 1. Cluster is what the route chose.
	Number  int
	Cluster string

	router    *router
	stream    *Stream
	chain     *chain
	begun     time.Time
	perTry    Timer
	rec       *recorder
	carrier   any  // the driver's own state
	sent      bool // the request's headers have left the filters
	finished  bool
	cancelled string // why
}

func (a *Attempt) run(headersOnly bool) {
	s := a.stream
	a.begun = s.host.clock.Now()
	if s.rec != nil {
		a.rec = &recorder{}
	}
	a.chain = newChain(s, a, s.worker.handles(Upstream), attemptSink{a}, responseSink{a})
	limit := a.router.bufferLimit()
	a.chain.dec.limit, a.chain.enc.limit = limit, limit
	a.chain.dec.overflow = func() { a.chain.localReply(replyPayloadTooLarge()) }
	a.chain.enc.overflow = func() { a.chain.localReply(replyResponseTooLarge()) }
	a.chain.dec.feedHeaders(a.router.headers, headersOnly)
}

func (a *Attempt) armPerTry() {
	if a.finished || a.router.perTry <= 0 || a.perTry != nil {
		return
	}
	a.perTry = a.stream.worker.after(a.router.perTry, func() { a.router.onPerTryTimeout(a) })
}

// finish ends the attempt's contexts; nothing of it reaches the client any more.
func (a *Attempt) finish() {
	if a.finished {
		return
	}
	a.finished = true
	if a.perTry != nil {
		a.perTry.Stop()
	}
	if a.chain != nil {
		a.chain.destroy()
	}
}

// cancel tells the provider that nobody listens any more.
func (a *Attempt) cancel(reason string) {
	if a.cancelled != "" {
		return
	}
	a.cancelled = reason
	a.stream.driver.cancel(a, reason)
}

// ResponseHeaders begins the provider's answer; a missing :status is 200.
func (a *Attempt) ResponseHeaders(headers [][2]string, endOfStream bool) {
	a.locked(func() {
		h := newHeaders(headers, responseInline)
		if !h.Has(":status") {
			h.Add(":status", "200")
		}
		a.stream.detail("via_upstream")
		a.chain.enc.feedHeaders(h, endOfStream)
	})
}

// ResponseBody feeds a part of the answer's body; the slice is kept.
func (a *Attempt) ResponseBody(chunk []byte, endOfStream bool) {
	a.locked(func() { a.chain.enc.feedData(&buffer{b: chunk}, endOfStream) })
}

// ResponseTrailers ends the answer with trailers.
func (a *Attempt) ResponseTrailers(trailers [][2]string) {
	a.locked(func() { a.chain.enc.feedTrailers(NewHeaders(trailers)) })
}

// Reset breaks the attempt.
func (a *Attempt) Reset(reason ResetReason) {
	a.locked(func() {
		if reason == ConnectFailure && a.rec != nil {
			a.rec.m = Message{} // Envoy holds the request until it is connected
		}
		a.chain.abort()
		a.router.onReset(a, reason)
	})
}

func (a *Attempt) locked(f func()) {
	a.stream.worker.lock()
	defer a.stream.worker.unlock()
	if !a.finished {
		f()
	}
}

// attemptSink is the end of an attempt's request path: the provider.
type attemptSink struct{ a *Attempt }

func (s attemptSink) sinkHeaders(h *Headers, eos bool) {
	if egress := s.a.stream.host.profile.rules.egress; egress != nil {
		egress(s.a, h)
	} else if missing := required(h, ":method", ":path"); missing != "" {
		s.a.chain.localReply(localReply{status: 503, body: []byte(missing), details: "filter_removed_required_request_headers{" + underscored(missing) + "}", flag: "DPE"})
		return
	}
	s.a.sent = true
	if s.a.rec != nil {
		s.a.rec.headers(h, eos)
	}
	s.a.stream.driver.headers(s.a, h, eos)
}

func (s attemptSink) sinkData(d *buffer, eos bool) {
	b := d.take()
	if s.a.finished || !s.a.sent || len(b) == 0 && !eos {
		return
	}
	if s.a.rec != nil {
		s.a.rec.data(b, eos)
	}
	s.a.stream.driver.data(s.a, b, eos)
}

func (s attemptSink) sinkTrailers(t *Headers) {
	if s.a.rec != nil {
		s.a.rec.trailers(t)
	}
	s.a.stream.driver.trailers(s.a, t)
}

// responseSink is the end of an attempt's response path: the router.
type responseSink struct{ a *Attempt }

func (s responseSink) sinkHeaders(h *Headers, eos bool) { s.a.router.onHeaders(s.a, h, eos) }
func (s responseSink) sinkData(d *buffer, eos bool)     { s.a.router.onData(s.a, d, eos) }
func (s responseSink) sinkTrailers(t *Headers)          { s.a.router.onTrailers(s.a, t) }
