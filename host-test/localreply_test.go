package hosttest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func reply(s *script) Action {
	s.c.SendLocalResponse(429, "slow down", []byte("later"), [][2]string{{"retry-after", "1"}}, -1)
	return Continue // whatever it returns, the stream stops
}

func TestLocalReplyAtEachPhase(t *testing.T) {
	cases := []struct {
		name   string
		set    func(s *script)
		status string
		body   string
		throughChain,
		broken bool
	}{
		{name: "request headers", set: func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action { return reply(s) }
		}, status: "429", body: "later", throughChain: true},
		{name: "request body", set: func(s *script) {
			s.requestBody = func(uint32, uint32, bool) Action { return reply(s) }
		}, status: "429", body: "later", throughChain: true},
		{name: "response headers", set: func(s *script) {
			s.responseHeaders = func(uint32, uint32, bool) Action { return reply(s) }
		}, status: "429", body: "later"},
		{name: "response body with headers held", set: func(s *script) {
			s.responseHeaders = func(uint32, uint32, bool) Action { return Pause }
			s.responseBody = func(uint32, uint32, bool) Action { return reply(s) }
		}, status: "429", body: "later"},
		{name: "response body with headers gone", set: func(s *script) {
			s.responseBody = func(uint32, uint32, bool) Action { return reply(s) }
		}, status: "200", broken: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := one(t, c.set)
			s := h.NewStream()
			s.RequestHeaders(post, false)
			s.RequestBody([]byte("q"), true)
			if a := s.Attempt(); a != nil {
				a.ResponseHeaders(nil, false)
				a.ResponseBody([]byte("r"), true)
			}
			m := s.Response()
			require.True(t, s.Ended())
			require.Equal(t, c.status, m.Status())
			require.Equal(t, c.broken, m.Broken != "")
			require.Equal(t, c.body, m.Body())
			if c.status == "429" {
				require.Equal(t, "1", m.Headers.Get("retry-after"))
				require.Equal(t, "5", m.Headers.Get("content-length"))
				require.Equal(t, "text/plain", m.Headers.Get("content-type"))
				require.Equal(t, "slow_down", s.AccessLog().Details)
			}
			responses := 0
			for _, n := range names(h, s) {
				if n == "down response_headers" {
					responses++
				}
			}
			if c.throughChain {
				require.Equal(t, 1, responses, "the reply passes the chain's response callbacks")
			}
		})
	}
}

func TestLocalReplyWithoutBodyHasNoLengthAndNoType(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.SendLocalResponse(204, "", nil, [][2]string{{"content-type", "x"}, {"content-length", "3"}}, -1)
			return Pause
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	h204 := s.Response().Headers
	require.Equal(t, "204", h204.Get(":status"))
	require.False(t, h204.Has("content-type") || h204.Has("content-length"))
	require.True(t, s.Response().Complete)
}

func TestLocalReplyKeepsItsContentType(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.SendLocalResponse(400, "", []byte("{}"), [][2]string{{"Content-Type", "application/json"}}, -1)
			return Pause
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "application/json", s.Response().Headers.Get("content-type"))
}

func TestUpstreamLocalReplyIsNotRetried(t *testing.T) {
	h := start(t, Config{
		Upstream: []Filter{filter(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action { return reply(s) }
		})},
		Downstream: []Filter{{Name: "down", Module: native(func(s *script) {
			s.responseHeaders = func(uint32, uint32, bool) Action {
				s.c.AddHeader(ResponseHeaders, "x-down", "1")
				return Continue
			}
		})}},
		Route: Route{Retry: &RetryPolicy{On: []string{"5xx", "retriable-headers"}, RetriableHeaders: []string{"retry-after"}, NumRetries: 3}},
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Len(t, s.Attempts(), 1)
	require.Equal(t, "429", s.Response().Status())
	require.Equal(t, "1", s.Response().Headers.Get("x-down"))
}

func TestHostRepliesPassTheResponseCallbacks(t *testing.T) {
	h := one(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action {
			s.c.RemoveHeader(ResponseHeaders, "content-length")
			return Continue
		}
		s.responseBody = func(_, n uint32, _ bool) Action {
			s.c.SetBuffer(ResponseBody, 0, n, []byte("translated"))
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	s.Attempt().Reset(ConnectFailure)
	require.Equal(t, "503", s.Response().Status())
	require.Equal(t, "translated", s.Response().Body())
}

func TestEnvoysOwnBodies(t *testing.T) {
	cases := []struct {
		name, status, body, flags string
		run                       func(h *Host, s *Stream)
	}{
		{"reset", "503", "upstream connect error or disconnect/reset before headers. reset reason: connection termination", "UC",
			func(_ *Host, s *Stream) { s.Attempt().Reset(ConnectionClosed) }},
		{"route timeout", "504", "upstream request timeout", "UT", func(h *Host, s *Stream) { h.Advance(defaultRouteTimeout) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := one(t, func(*script) {})
			s := h.NewStream()
			s.RequestHeaders(nil, true)
			c.run(h, s)
			require.Equal(t, c.status, s.Response().Status())
			require.Equal(t, c.body, s.Response().Body())
			require.Equal(t, c.flags, s.AccessLog().Flags)
		})
	}
}

func TestCloseStreamResets(t *testing.T) {
	for _, stream := range []StreamType{RequestStream, ResponseStream} {
		h := one(t, func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				require.Equal(t, StatusOK, s.c.CloseStream(stream))
				require.Equal(t, StatusBadArgument, s.c.CloseStream(9))
				return Continue
			}
		})
		s := h.NewStream()
		s.RequestHeaders(nil, true)
		require.True(t, s.Ended())
		require.Equal(t, "wasm_close_stream", s.Response().Broken)
	}
}

func TestRemovedPseudoHeadersAreRefused(t *testing.T) {
	without := func(name string) Filter {
		return filter(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				s.c.RemoveHeader(RequestHeaders, name)
				return Continue
			}
		})
	}
	for _, name := range []string{":path", "x-forwarded-proto"} {
		h := start(t, Config{Downstream: []Filter{without(name)}})
		s := h.NewStream()
		s.RequestHeaders(nil, true)
		require.Equal(t, "404", s.Response().Status(), "no route matches without")
	}
	h := start(t, Config{Upstream: []Filter{without(":path")}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "503", s.Response().Status())
	require.Equal(t, "missing required header: :path", s.Response().Body())

	h = one(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action {
			s.c.RemoveHeader(ResponseHeaders, ":status")
			return Continue
		}
	})
	s = h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "")
	require.Equal(t, "502", s.Response().Status())
}

func TestUpstreamResetWhileTheAnswerIsHeld(t *testing.T) {
	h := one(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.responseBody = func(uint32, uint32, bool) Action { return Pause }
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	s.Attempt().ResponseHeaders(nil, false)
	s.Attempt().Reset(RemoteReset)
	require.Equal(t, "503", s.Response().Status(), "nothing had reached the client")
	require.Equal(t, "upstream_reset_after_response_started{remote_reset}", s.AccessLog().Details)
}

func TestTheFirstOfSeveralLocalRepliesCounts(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.SendLocalResponse(403, "", []byte("first"), nil, -1)
			s.c.SendLocalResponse(404, "", []byte("second"), nil, -1)
			return Pause
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "first", s.Response().Body())
}

func TestLocalReplyGivesUpTheAttemptFirst(t *testing.T) {
	h := both(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders(post, true)
	h.Advance(defaultRouteTimeout)
	require.Equal(t, []string{
		"down context_create", "down request_headers", "up context_create", "up request_headers",
		"up done", "up delete", "down response_headers", "down response_body", "down log", "down done", "down delete",
	}, names(h, s))
}

func TestContinueInsideAContinuingCallbackIsMisuse(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.ContinueStream(RequestStream)
			return Continue
		}
	})
	h.NewStream().RequestHeaders(nil, true)
	require.Len(t, h.Misuse(), 1)
}
