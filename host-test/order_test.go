package hosttest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// both places one silent script downstream and upstream in one VM.
func both(t testing.TB, set func(s *script)) *Host {
	m := native(set)
	return start(t, Config{
		Downstream: []Filter{{Name: "down", VMID: "v", Module: m, AllowHeadersStop: true}},
		Upstream:   []Filter{{Name: "up", VMID: "v", Module: m, AllowHeadersStop: true}},
	})
}

func TestOrderOnCompletion(t *testing.T) {
	h := both(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("q"), true)
	s.Attempt().ResponseHeaders(nil, false)
	s.Attempt().ResponseBody([]byte("r"), true)
	require.Equal(t, []string{
		"down context_create", "down request_headers",
		"up context_create", "up request_headers",
		"down request_body", "up request_body",
		"up response_headers", "down response_headers",
		"up response_body", "up done", "up delete",
		"down response_body", "down log", "down done", "down delete",
	}, names(h, s))
}

func TestOrderOnClientAbort(t *testing.T) {
	h := both(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	a := s.Attempt()
	s.Abort()
	require.Equal(t, []string{
		"down context_create", "down request_headers", "up context_create", "up request_headers",
		"down log", "down done", "down delete", "up done", "up delete",
	}, names(h, s))
	require.Equal(t, "DC", s.AccessLog().Flags)
	require.True(t, a.Finished())
	require.Equal(t, "stream ended", a.Cancelled())
}

func TestOrderOnUpstreamReset(t *testing.T) {
	h := both(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	s.Attempt().ResponseHeaders(nil, false)
	s.Attempt().Reset(RemoteReset)
	require.Equal(t, []string{
		"down context_create", "down request_headers", "up context_create", "up request_headers",
		"up response_headers", "down response_headers",
		"up done", "up delete", "down log", "down done", "down delete",
	}, names(h, s))
	require.NotEmpty(t, s.Response().Broken)
	require.False(t, s.Response().Complete)
}

func TestOrderOnLocalReply(t *testing.T) {
	h := both(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.SendLocalResponse(403, "no", []byte("denied"), nil, -1)
			return Pause
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, []string{
		"down context_create", "down request_headers", "down response_headers", "down response_body",
		"down log", "down done", "down delete",
	}, names(h, s))
	require.Equal(t, "403", s.Response().Status())
}

func TestChainOrder(t *testing.T) {
	var seen []string
	step := func(name string) Filter {
		return Filter{Name: name, VMID: name, Module: native(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action { seen = append(seen, "q"+name); return Continue }
			s.responseHeaders = func(uint32, uint32, bool) Action { seen = append(seen, "r"+name); return Continue }
			s.log = func(uint32) { seen = append(seen, "l"+name) }
			s.delete = func(uint32) { seen = append(seen, "d"+name) }
		})}
	}
	h := start(t, Config{Downstream: []Filter{step("1"), step("2")}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "")
	require.Equal(t, []string{"q1", "q2", "r2", "r1", "l1", "l2", "d1", "d2"}, seen)
}

func TestPropertySetInOnLogReachesTheAccessLog(t *testing.T) {
	for _, abort := range []bool{false, true} {
		h := one(t, func(s *script) {
			s.log = func(uint32) {
				v, st := s.c.Header(RequestHeaders, ":path")
				require.Equal(t, StatusOK, st)
				_, st = s.c.Header(RequestHeaders, "nope")
				require.Equal(t, StatusNotFound, st)
				s.c.SetProperty("postern.audit", []byte(v))
			}
		})
		s := h.NewStream()
		s.RequestHeaders(post, true)
		if abort {
			s.Abort()
		} else {
			answer(t, s, "200", "")
		}
		require.Equal(t, "/x", s.AccessLog().FilterState["wasm.postern.audit"])
	}
}

func TestLogBeforeHeadersReachedTheFilter(t *testing.T) {
	h := start(t, Config{Downstream: []Filter{
		filter(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				s.c.SendLocalResponse(401, "", nil, nil, -1)
				return Pause
			}
		}),
		{Name: "second", Module: native(func(*script) {})},
	}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	var second []string
	for _, e := range h.TraceOf(s) {
		if e.Plugin == "second" {
			second = append(second, e.Callback.String())
		}
	}
	require.Equal(t, []string{"on_context_create", "on_log", "on_done", "on_delete"}, second)
}

func TestContextsAreFreedHoweverAStreamEnds(t *testing.T) {
	h := both(t, func(*script) {})
	ends := []func(s *Stream){
		func(s *Stream) { answer(t, s, "200", "x") },
		func(s *Stream) { s.Abort() },
		func(s *Stream) { s.Attempt().Reset(ConnectFailure) },
		func(s *Stream) { h.Advance(defaultRouteTimeout) },
	}
	for _, end := range ends {
		s := h.NewStream()
		s.RequestHeaders(nil, true)
		end(s)
		require.True(t, s.Ended())
		require.Equal(t, 2, h.VMs()[0].Contexts(), "the two roots")
	}
}

func TestNothingMovesAfterTheEnd(t *testing.T) {
	h := both(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	a := s.Attempt()
	s.Abort()
	before := len(h.TraceOf(s))
	s.RequestBody([]byte("x"), true)
	s.RequestTrailers(nil)
	s.RequestHeaders(nil, true)
	s.Abort()
	a.ResponseHeaders(nil, false)
	a.ResponseBody([]byte("x"), true)
	a.Reset(RemoteReset)
	require.Len(t, h.TraceOf(s), before)
}

func TestRawCallbacksAfterDone(t *testing.T) {
	var late []string
	h := one(t, func(s *script) {
		s.responseBody = func(_, n uint32, _ bool) Action {
			_, st := s.c.Buffer(ResponseBody, 0, n)
			late = append(late, st.String())
			require.Equal(t, StatusBadArgument, s.c.AddHeader(ResponseHeaders, "a", "b"))
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	s.Abort()
	s.Raw(0, CallbackResponseBody, Args{99, 1})
	require.Equal(t, []string{"ok"}, late)
}
