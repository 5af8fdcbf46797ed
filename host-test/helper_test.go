package hosttest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// script is a native guest made of functions; nil ones behave as BaseGuest.
type script struct {
	BaseGuest
	c Calls

	contextCreate    func(ctx, parent uint32)
	vmStart          func(root, n uint32) bool
	configure        func(root, n uint32) bool
	tick             func(root uint32)
	requestHeaders   func(ctx, n uint32, eos bool) Action
	requestBody      func(ctx, n uint32, eos bool) Action
	requestTrailers  func(ctx, n uint32) Action
	responseHeaders  func(ctx, n uint32, eos bool) Action
	responseBody     func(ctx, n uint32, eos bool) Action
	responseTrailers func(ctx, n uint32) Action
	callResponse     func(root, token, headers, body, trailers uint32)
	queueReady       func(root, token uint32)
	done             func(ctx uint32) bool
	log              func(ctx uint32)
	delete           func(ctx uint32)
}

func (s *script) OnContextCreate(ctx, parent uint32) {
	if s.contextCreate != nil {
		s.contextCreate(ctx, parent)
	}
}

func (s *script) OnVMStart(root, n uint32) bool {
	return s.vmStart == nil || s.vmStart(root, n)
}

func (s *script) OnConfigure(root, n uint32) bool {
	return s.configure == nil || s.configure(root, n)
}

func (s *script) OnTick(root uint32) {
	if s.tick != nil {
		s.tick(root)
	}
}

func (s *script) OnRequestHeaders(ctx, n uint32, eos bool) Action {
	return three(s.requestHeaders, ctx, n, eos)
}

func (s *script) OnRequestBody(ctx, n uint32, eos bool) Action {
	return three(s.requestBody, ctx, n, eos)
}

func (s *script) OnRequestTrailers(ctx, n uint32) Action { return two(s.requestTrailers, ctx, n) }

func (s *script) OnResponseHeaders(ctx, n uint32, eos bool) Action {
	return three(s.responseHeaders, ctx, n, eos)
}

func (s *script) OnResponseBody(ctx, n uint32, eos bool) Action {
	return three(s.responseBody, ctx, n, eos)
}

func (s *script) OnResponseTrailers(ctx, n uint32) Action { return two(s.responseTrailers, ctx, n) }

func (s *script) OnHTTPCallResponse(root, token, headers, body, trailers uint32) {
	if s.callResponse != nil {
		s.callResponse(root, token, headers, body, trailers)
	}
}

func (s *script) OnQueueReady(root, token uint32) {
	if s.queueReady != nil {
		s.queueReady(root, token)
	}
}

func (s *script) OnDone(ctx uint32) bool { return s.done == nil || s.done(ctx) }

func (s *script) OnLog(ctx uint32) {
	if s.log != nil {
		s.log(ctx)
	}
}

func (s *script) OnDelete(ctx uint32) {
	if s.delete != nil {
		s.delete(ctx)
	}
}

func three(f func(ctx, n uint32, eos bool) Action, ctx, n uint32, eos bool) Action {
	if f == nil {
		return Continue
	}
	return f(ctx, n, eos)
}

func two(f func(ctx, n uint32) Action, ctx, n uint32) Action {
	if f == nil {
		return Continue
	}
	return f(ctx, n)
}

// native makes a module of a script; set fills in each instance's functions.
func native(set func(s *script)) Module {
	return NativeGuest(func(c Calls) Guest {
		s := &script{c: c}
		set(s)
		return s
	})
}

// filter is a filter of one native script that may wait for the body at headers.
func filter(set func(s *script)) Filter {
	return Filter{Name: "f", Module: native(set), AllowHeadersStop: true}
}

func start(t testing.TB, cfg Config) *Host {
	t.Helper()
	h, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

// one is a host with one downstream filter.
func one(t testing.TB, set func(s *script)) *Host {
	t.Helper()
	return start(t, Config{Downstream: []Filter{filter(set)}})
}

var post = [][2]string{{":method", "POST"}, {":path", "/x"}}

// names are the callbacks of a stream, in order, as "down request_headers".
func names(h *Host, s *Stream) []string {
	var out []string
	for _, e := range h.TraceOf(s) {
		out = append(out, map[Stage]string{Downstream: "down ", Upstream: "up "}[e.Stage]+strings.TrimPrefix(e.Callback.String(), "on_"))
	}
	return out
}

// answer completes the running attempt with a status and a body.
func answer(t testing.TB, s *Stream, status, body string) {
	t.Helper()
	a := s.Attempt()
	require.NotNil(t, a, "no attempt is running")
	a.ResponseHeaders([][2]string{{":status", status}}, body == "")
	if body != "" {
		a.ResponseBody([]byte(body), true)
	}
}

func chunks(m Message) []string {
	var out []string
	for _, c := range m.Chunks {
		out = append(out, string(c))
	}
	return out
}
