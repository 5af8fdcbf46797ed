package hosttest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Stage says on which side of the router a filter runs.
type Stage uint8

// The stages.
const (
	Downstream Stage = iota // once per request
	Upstream                // once per attempt, with a context of its own
)

// String names the stage.
func (s Stage) String() string {
	if s == Upstream {
		return "upstream"
	}
	return "downstream"
}

// client is where a stream's answer goes. Its methods run under the worker's lock and must not
// block.
type client interface {
	headers(h *Headers, eos bool)
	data(b []byte, eos bool)
	trailers(t *Headers)
	reset(reason string)
}

// Stream is one request on its way through the proxy. Its methods are safe for concurrent use;
// each runs until nothing more happens.
type Stream struct {
	host   *Host
	worker *worker
	id     uint32
	start  time.Time
	client client
	rec    *recorder // nil when nothing is kept
	driver upstreamDriver

	chain  *chain
	router *router
	state  *FilterState

	requestHeaders   *Headers
	responseHeaders  *Headers
	responseTrailers *Headers
	responseSent     bool
	requestBytes     int
	responseBytes    int
	details          string
	detailed         bool     // details were set, be it to nothing
	code             int      // of the answer, once it is known; 0 before
	flags            []string // response flags, in the order in which they were set
	protocol         string
	peer             string
	relief           signal // something was let through: for senders that wait
	ended            bool   // log and delete have run
	resetReason      string
	properties       map[string]any

	// Where requests wait for callouts (APISIX).
	callout      *Callout
	left         bool        // the client is gone, and the host does not know yet
	reply        *localReply // to be sent when the callback has returned
	replyHeaders [][2]string // of a reply that a callout overtook
	uri          string      // that the module set
	page         bool        // the answer is a page of the host
}

// RequestHeaders begins the request. Missing :method, :scheme, :path and :authority are added as
// GET, http, / and "postern.test"; an empty one stays away.
func (s *Stream) RequestHeaders(headers [][2]string, endOfStream bool) {
	s.worker.lock()
	defer s.worker.unlock()
	if s.requestHeaders != nil || s.ended {
		return
	}
	h := newHeaders(nil, requestInline)
	for _, p := range headers {
		h.Add(requestName(p[0]), p[1])
	}
	for _, d := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "postern.test"}} {
		if !h.Has(d[0]) {
			h.Add(d[0], d[1])
		} else if h.Get(d[0]) == "" {
			h.Remove(d[0])
		}
	}
	s.begin(h, endOfStream)
}

func (s *Stream) begin(h *Headers, eos bool) {
	s.requestHeaders = h
	if ingress := s.host.profile.rules.ingress; ingress != nil {
		ingress(s, h)
	}
	if path := h.Get(":path"); s.host.profile.rules.routable != nil && !strings.HasPrefix(path, "/") {
		s.replyWithoutFilters(localReply{status: 404, details: "absolute_path_rejected"})
		return
	}
	s.router.chooseRoute()
	s.chain = newChain(s, nil, s.worker.handles(Downstream), s.router, clientSink{s})
	s.chain.dec.limit, s.chain.enc.limit = s.router.bufferLimit(), s.router.bufferLimit()
	s.chain.dec.overflow = func() { s.localReply(replyPayloadTooLarge()) }
	s.chain.enc.overflow = func() { s.localReply(replyResponseTooLarge()) }
	s.chain.dec.feedHeaders(h, eos)
}

// replyWithoutFilters refuses a request before there is a chain.
func (s *Stream) replyWithoutFilters(r localReply) {
	s.detail(r.details)
	s.code = r.status
	s.replyDirectly(r)
}

// SetProtocol says what the client speaks: HTTP/1.1 unless told, or HTTP/2, with which Envoy lets
// filters hold more. Call it before the request.
func (s *Stream) SetProtocol(name string) {
	s.worker.lock()
	defer s.worker.unlock()
	s.protocol = name
}

// RequestBody feeds a part of the request's body; the slice is kept.
func (s *Stream) RequestBody(chunk []byte, endOfStream bool) {
	s.worker.lock()
	defer s.worker.unlock()
	if s.ended || s.chain == nil {
		return
	}
	s.requestBytes += len(chunk)
	s.chain.dec.feedData(&buffer{b: chunk}, endOfStream)
}

// RequestTrailers ends the request with trailers.
func (s *Stream) RequestTrailers(trailers [][2]string) {
	s.worker.lock()
	defer s.worker.unlock()
	if s.ended || s.chain == nil {
		return
	}
	s.chain.dec.feedTrailers(NewHeaders(trailers))
}

// Abort is the client going away: Envoy's flag DC.
func (s *Stream) Abort() {
	s.worker.lock()
	defer s.worker.unlock()
	if s.callout != nil {
		s.left = true
		return
	}
	s.leave()
}

func (s *Stream) leave() {
	if s.ended {
		return
	}
	s.flag("DC")
	s.detail("downstream_remote_disconnect")
	s.finish()
}

// Ended says that the stream is over and its contexts are gone.
func (s *Stream) Ended() bool {
	s.worker.lock()
	defer s.worker.unlock()
	return s.ended
}

// localReply answers the client from here (DownstreamFilterManager::sendLocalReply): through the
// response filters when no response has begun, directly when its headers are still held, and by
// cutting the stream when they are gone.
func (s *Stream) localReply(r localReply) {
	if s.ended || s.chain == nil {
		return
	}
	if own := s.host.profile.rules.ownReply; own != nil {
		r = own(r)
	}
	dec, enc := s.chain.dec, s.chain.enc
	switch {
	case dec.calls > 0:
		dec.abort()
	case enc.calls > 0:
		enc.abort()
	}
	if dec.prepared != nil {
		return // the first of several replies in one callback counts
	}
	if !s.responseSent {
		s.code = r.status
	}
	s.detail(r.details)
	if r.flag != "" {
		s.flag(r.flag)
	}
	s.router.onLocalReply()
	switch {
	case s.responseHeaders == nil:
		if dec.calls > 0 {
			dec.prepared = func() { s.replyThroughChain(r) }
			return
		}
		dec.abort()
		s.replyThroughChain(r)
	case !s.responseSent:
		enc.abort()
		s.replyDirectly(r)
	default:
		s.reset("local reply after the headers: " + r.details)
	}
}

func (s *Stream) replyThroughChain(r localReply) {
	h := r.message()
	if r.module && s.host.profile.rules.plainRouter {
		h.Remove("content-length") // it goes out as it is printed
	}
	s.responseHeaders, s.page = h, r.page
	s.chain.enc.feedHeaders(h, len(r.body) == 0)
	if len(r.body) > 0 {
		s.chain.enc.feedData(&buffer{b: r.body}, true)
	}
}

func (s *Stream) replyDirectly(r localReply) {
	h := r.message()
	s.responseHeaders = h
	sink := clientSink{s}
	sink.sinkHeaders(h, len(r.body) == 0)
	if len(r.body) > 0 {
		sink.sinkData(&buffer{b: r.body}, true)
	}
}

// reset cuts the stream: the client sees a broken answer.
func (s *Stream) reset(reason string) {
	if s.ended {
		return
	}
	s.resetReason = reason
	if !s.detailed {
		s.detail(reason)
	}
	if s.chain != nil && s.responseSent {
		s.chain.demandCut()
	}
	s.client.reset(reason)
	s.finish()
}

// finish runs the end of the stream once, however it ends: the access log of every filter, then
// done and delete of every filter, then the attempts (Envoy: the router is the last filter).
func (s *Stream) finish() {
	if s.ended {
		return
	}
	s.ended = true
	if s.chain != nil {
		s.chain.abort()
		view := &accessView{request: s.requestHeaders, response: s.responseHeaders, trailers: s.responseTrailers}
		for _, f := range s.chain.filters {
			if !f.plugin.rules.noLog {
				f.log(view)
			}
		}
	}
	s.report()
	if s.chain != nil {
		for _, f := range s.chain.filters {
			f.destroy()
		}
	}
	s.router.destroy()
	s.relief.changed()
	s.worker.streamEnded(s)
}

// report hands the access log to whoever reads it: once every on_log has run, before on_done.
func (s *Stream) report() {
	if s.rec != nil {
		s.rec.ended(s.accessLog())
	}
	if read := s.host.cfg.AccessLog; read != nil {
		read(s.accessLog())
	}
}

// clientSink is the end of the response path: the client.
type clientSink struct{ s *Stream }

func (c clientSink) sinkHeaders(h *Headers, eos bool) {
	s := c.s
	if s.ended {
		return
	}
	if s.responseSent {
		s.host.misused("response headers passed twice: continue_stream in a callback that also continues")
		return
	}
	if missing := requiredStatus(h); missing != "" {
		s.localReply(localReply{status: 502, body: []byte(missing), details: "filter_removed_required_response_headers{" + underscored(missing) + "}"})
		return
	}
	if finish := s.host.profile.rules.finishResponse; finish != nil {
		finish(s, h)
	}
	s.responseSent = true
	s.code, _ = strconv.Atoi(h.Get(":status"))
	s.client.headers(h, eos)
	if eos {
		s.finish()
	}
}

func (c clientSink) sinkData(d *buffer, eos bool) {
	s := c.s
	b := d.take()
	if s.ended {
		return
	}
	s.responseBytes += len(b)
	if len(b) > 0 || eos {
		s.client.data(b, eos)
	}
	if eos {
		s.finish()
	}
}

func (c clientSink) sinkTrailers(t *Headers) {
	s := c.s
	if s.ended {
		return
	}
	s.responseTrailers = t
	s.client.trailers(t)
	s.finish()
}

func (s *Stream) detail(text string) { s.details, s.detailed = text, true }

func (s *Stream) flag(name string) {
	if !slices.Contains(s.flags, name) {
		s.flags = append(s.flags, name)
	}
}

// congested says that a sender should wait: one direction holds more than its limit while it pushes
// back, or the client reads too slowly.
func (s *Stream) congested(decode bool) bool {
	if s.ended {
		return false
	}
	chains := []*chain{s.chain}
	if a := s.router.current; a != nil {
		chains = append(chains, a.chain)
	}
	for _, c := range chains {
		p := c.enc
		if decode {
			p = c.dec
		}
		if p.streaming && p.limit > 0 && p.buffered.len() > p.limit && !p.aborted {
			return true
		}
	}
	return false
}
