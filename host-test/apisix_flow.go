package hosttest

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// This file is what becomes of a request on APISIX: what its Lua side (resty/proxy-wasm.lua) makes
// of what a callback returned, local replies, and callouts.

// apisixJudge turns what a request callback did into what happens next. A callout comes before all
// else; a pause with nothing pending makes the Lua side send a callout that does not exist, and the
// worker dies.
func apisixJudge(f *httpFilter, cb Callback, result Action) Action {
	s := f.chain.stream
	f.collectWants(s)
	if cb == CallbackResponseHeaders || cb == CallbackResponseBody {
		return Continue // the result is not looked at
	}
	switch {
	case s.callout != nil:
		return StopAllAndBuffer
	case f.ctx.vm.stopped:
		return StopAllAndBuffer // the local reply is on its way
	case result != Continue:
		f.ctx.vm.crash(errors.New("apisix: paused with nothing pending: the worker crashes"))
		return StopAllAndBuffer
	}
	return Continue
}

// collectWants reads and resets the request for bodies, as the Lua side does after each plugin.
func (f *httpFilter) collectWants(s *Stream) {
	for name, want := range map[string]*bool{apisixWantRequestBody: &f.wantRequestBody, apisixWantResponseBody: &f.wantResponseBody} {
		if s.state.values[name] != "" {
			*want = true
			delete(s.state.values, name)
		}
	}
}

// apisixAfterCall: when its callout has been answered, a request goes on, unless the callback made
// another one or a local reply. nginx does not look at the client while it waits: one that left is
// missed only now.
func apisixAfterCall(f *httpFilter) {
	s := f.chain.stream
	if f.destroyed || f.ctx.failed() || s.callout != nil || s.responseHeaders != nil {
		return
	}
	f.demandResume()
	if s.left {
		s.leave()
	}
}

// apisixLocalReply: of several replies in one callback the last counts, with the headers of all. A
// callout comes before it: of the reply only the headers are left then, as in response phases.
func apisixLocalReply(f *httpFilter, r localReply) bool {
	s := f.chain.stream
	switch {
	case s.responseHeaders != nil && !s.responseSent:
		for _, p := range r.headers {
			s.responseHeaders.Add(p[0], p[1])
		}
	case s.responseHeaders != nil:
	case s.reply != nil:
		r.headers = append(s.reply.headers, r.headers...)
		*s.reply = r
	default:
		s.reply = &r
		f.ctx.vm.stopped = true
		f.ctx.vm.defer_(func() { s.flushReply(f) })
	}
	return true
}

func (s *Stream) flushReply(f *httpFilter) {
	r := *s.reply
	s.reply = nil
	switch {
	case f.destroyed:
	case s.callout != nil:
		s.replyHeaders = append(s.replyHeaders, r.headers...)
	default:
		f.chain.localReply(r)
	}
}

// apisixFinish adds the headers of a reply that was not sent.
func apisixFinish(s *Stream, h *Headers) {
	for _, p := range s.replyHeaders {
		h.Add(p[0], p[1])
	}
}

// apisixOwnReply: nginx answers for upstreams that cannot be reached, and where a module's reply has
// no body, by a page of its own.
func apisixOwnReply(r localReply) localReply {
	if r.module && (len(r.body) > 0 || r.status < 300) {
		return r
	}
	if strings.HasPrefix(r.details, "upstream_reset") || r.details == "no_healthy_upstream" {
		r.status = 502
	}
	title := strconv.Itoa(r.status) + " " + http.StatusText(r.status)
	r.body = fmt.Appendf(nil, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%[1]s</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n", title)
	r.headers, r.page = append(r.headers, [2]string{"content-type", "text/html"}), true
	return r
}

// apisixHTTPCall: request phases only, one in flight per request, to an address whose port is one.
func apisixHTTPCall(c *vmContext, upstream string) Status {
	if c.filter == nil || c.filter.destroyed || c.filter.chain.stream.responseHeaders != nil {
		return StatusBadArgument
	}
	if _, port, err := net.SplitHostPort(upstream); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return StatusBadArgument
		}
	}
	if c.filter.chain.stream.callout != nil {
		return StatusInternalFailure
	}
	return StatusOK
}

// trapped is a callback that trapped on a host which goes on: a request is answered by 503 unless
// its callout is under way, an answer passes.
func (f *httpFilter) trapped(cb Callback) Action {
	s := f.chain.stream
	f.collectWants(s)
	switch {
	case cb == CallbackResponseHeaders || cb == CallbackResponseBody:
		return Continue
	case s.callout == nil:
		f.chain.localReply(localReply{status: 503, details: "wasm_fail_stream"})
	}
	return StopAllAndBuffer
}

// apisixReadBuffer: absence is "not found", windows outside of the data are "bad argument", and
// start plus a huge size overflows 31 bits: so much memory is asked for that its address is no
// longer one for the host.
func apisixReadBuffer(b BufferType, data []byte, start, size uint32) ([]byte, Status) {
	switch b {
	case PluginConfiguration, RequestBody, ResponseBody, HTTPCallResponseBody:
	default:
		return nil, StatusUnimplemented
	}
	if len(data) == 0 {
		return nil, StatusNotFound
	}
	if b == PluginConfiguration {
		return data, StatusOK
	}
	if int32(start) < 0 || int32(size) <= 0 || int(start) >= len(data) {
		return nil, StatusBadArgument
	}
	if uint64(start)+uint64(size) > math.MaxInt32 {
		return nil, StatusInvalidMemoryAccess
	}
	return window(data, start, size), StatusOK
}
