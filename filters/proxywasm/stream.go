package proxywasm

import (
	"math"

	"github.com/posterngw/postern/filters/host"
)

type (
	mapType    uint32
	bufferType uint32
)

// The ABI's numbers for what the calls below speak about.
const (
	requestHeaders  mapType = 0
	responseHeaders mapType = 2
	calloutHeaders  mapType = 6

	calloutBody bufferType = 4

	noGRPCStatus = -1
)

// stream is one HTTP stream of one plugin.
//
// The SDK's wrappers of the host calls are not used here. They allocate two
// words per result and three times per header of a map, panic on empty values,
// and a local reply has no detail.
type stream struct {
	cb    host.Callbacks
	next  *stream // in its bucket of the table
	err   error   // the first host call that failed, until Err was asked
	id    uint32
	deaf  bool // nothing further goes to the stage, but Done
	ended bool // Done has run
	gone  bool // the host has deleted the context
}

var _ host.Stream = (*stream)(nil)

// serve runs one callback of the stream.
func (s *stream) serve(at callback, size, end uint32) uint32 {
	if at >= atLog {
		s.finish(at)
		return proceed
	}
	if s.deaf {
		return proceed
	}
	action := host.Continue
	switch at {
	case atRequestHeaders:
		action = s.cb.RequestHeaders(end != 0)
	case atRequestBody:
		action = s.cb.RequestBody(sizeOf(size), end != 0)
	case atRequestTrailers:
		action = s.cb.RequestTrailers()
	case atResponseHeaders:
		action = s.cb.ResponseHeaders(end != 0)
	case atResponseBody:
		action = s.cb.ResponseBody(sizeOf(size), end != 0)
	case atResponseTrailers:
		action = s.cb.ResponseTrailers()
	}
	return answerOf(action)
}

// finish serves the end of the stream: proxy_on_log where a host knows it
// (Envoy; filter state that is set there still reaches the access log), then
// proxy_on_done, then proxy_on_delete. Done runs in the first that comes.
func (s *stream) finish(at callback) {
	if at == atDelete {
		streams.remove(s)
	}
	if !s.ended {
		s.ended, s.deaf = true, true
		s.cb.Done()
	}
	s.gone = at == atDelete
}

// recovered tells the stage that it panicked. A stage that panics over that as
// well gets no third chance: the stream is refused.
func (s *stream) recovered(cause string) (answer uint32) {
	defer func() {
		if again := recover(); again != nil {
			report(running.at, again)
			answer = s.giveUp()
		}
		s.gone = running.at == atDelete
	}()
	s.Activate() // the stage may have been speaking about another stream
	return answerOf(s.cb.Recovered(cause))
}

// giveUp refuses the stream, and nothing but this stream.
func (s *stream) giveUp() uint32 {
	s.deaf = true
	if s.Activate(); !s.ready() && !observing {
		return hold
	}
	return refuse()
}

// answerOf is what the ABI answers for an action; an unknown one holds.
func answerOf(a host.Action) uint32 {
	if a == host.Continue {
		return proceed
	}
	return hold
}

func headersOf(s host.Side) mapType {
	if s == host.Request {
		return requestHeaders
	}
	return responseHeaders
}

func bufferOf(s host.Side) bufferType { return bufferType(s) }

// ready reports whether host calls would speak about this stream.
func (s *stream) ready() bool {
	if running.effective == s.id && !s.gone {
		return true
	}
	if s.gone {
		s.fail(ErrGone)
	} else {
		s.fail(ErrInactive)
	}
	return false
}

func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// check remembers a refused call.
func (s *stream) check(call string, st Status) bool {
	if st == OK {
		return true
	}
	s.fail(&HostError{Call: call, Status: st})
	return false
}

// taken gives what a call delivered; an absent value is no error.
func (s *stream) taken(call string, st Status) ([]byte, bool) {
	if st == NotFound {
		return nil, false
	}
	if !s.check(call, st) {
		return nil, false
	}
	b, ok := inbox.take()
	if !ok {
		s.fail(ErrResult)
	}
	return b, ok
}

// Headers makes two allocations for the whole map.
func (s *stream) Headers(side host.Side) [][2]string {
	if !s.ready() {
		return nil
	}
	inbox.expect()
	b, ok := s.taken("get_header_map_pairs", proxyGetHeaderMapPairs(headersOf(side), &inbox.addr, &inbox.size))
	if !ok {
		return nil
	}
	pairs, ok := decodePairs(b)
	if !ok {
		s.fail(ErrResult)
	}
	return pairs
}

// Header gives the first of several values, as Envoy does.
func (s *stream) Header(side host.Side, name string) (string, bool) {
	if !s.ready() {
		return "", false
	}
	inbox.expect()
	b, ok := s.taken("get_header_map_value", proxyGetHeaderMapValue(headersOf(side), name, &inbox.addr, &inbox.size))
	return text(b), ok
}

// SetHeader relies on the host's replace to leave one value, however many there
// were: Envoy 1.40 was seen to (the SDK's comment says otherwise, of an older
// Envoy), and wasm-nginx-module sets with override.
func (s *stream) SetHeader(side host.Side, name, value string) {
	if s.ready() {
		s.check("replace_header_map_value", proxyReplaceHeaderMapValue(headersOf(side), name, value))
	}
}

func (s *stream) RemoveHeader(side host.Side, name string) {
	if !s.ready() {
		return
	}
	if st := proxyRemoveHeaderMapValue(headersOf(side), name); st != NotFound {
		s.check("remove_header_map_value", st)
	}
}

// Body gives bytes that the next callback of any stream overwrites.
func (s *stream) Body(side host.Side, offset, size int) []byte {
	if offset < 0 || size <= 0 || offset > math.MaxInt32 || size > maxResult || !s.ready() {
		return nil
	}
	inbox.expect()
	inbox.transient = true
	st := proxyGetBufferBytes(bufferOf(side), uint32(offset), uint32(size), &inbox.addr, &inbox.size)
	inbox.transient = false
	b, _ := s.taken("get_buffer_bytes", st)
	return b
}

func (s *stream) SetBody(side host.Side, b []byte) {
	if s.ready() {
		s.check("set_buffer_bytes", proxySetBufferBytes(bufferOf(side), 0, math.MaxInt32, text(b)))
	}
}

func (s *stream) Property(path ...string) (string, bool) {
	if !s.ready() {
		return "", false
	}
	scratch = scratch[:0]
	for i, p := range path {
		if i > 0 {
			scratch = append(scratch, 0)
		}
		scratch = append(scratch, p...)
	}
	inbox.expect()
	b, ok := s.taken("get_property", proxyGetProperty(text(scratch), &inbox.addr, &inbox.size))
	return text(b), ok
}

func (s *stream) SetProperty(name, value string) {
	if s.ready() {
		s.check("set_property", proxySetProperty(name, value))
	}
}

func (s *stream) ClearRouteCache() {
	if s.ready() {
		inbox.expect()
		s.check("call_foreign_function",
			proxyCallForeignFunction("clear_route_cache", "", &inbox.addr, &inbox.size))
	}
}

func (s *stream) Reply(status int, headers [][2]string, body []byte, detail string) {
	if s.ready() {
		scratch = appendPairs(scratch[:0], headers)
		s.check("send_local_response",
			proxySendLocalResponse(uint32(status), detail, text(body), text(scratch), noGRPCStatus))
	}
}

func (s *stream) Resume(side host.Side) {
	if s.ready() {
		s.check("continue_stream", proxyContinueStream(uint32(side)))
	}
}

func (s *stream) Activate() {
	switch {
	case s.gone:
		s.fail(ErrGone)
	case running.effective == s.id:
	case s.check("set_effective_context", proxySetEffectiveContext(s.id)):
		running.effective = s.id
	}
}

func (s *stream) Err() error {
	err := s.err
	s.err = nil
	return err
}
