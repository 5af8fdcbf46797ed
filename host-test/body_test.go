package hosttest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPauseAtHeaders(t *testing.T) {
	body := 0
	pausing := func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.requestBody = func(_, _ uint32, eos bool) Action {
			body++
			if !eos {
				return Pause
			}
			s.c.ReplaceHeader(RequestHeaders, ":path", "/changed")
			return Continue
		}
	}
	t.Run("with the option the body comes and headers can be changed", func(t *testing.T) {
		body = 0
		h := one(t, pausing)
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("a"), false)
		require.Nil(t, s.Attempt())
		s.RequestBody([]byte("b"), true)
		require.Equal(t, 2, body)
		require.Equal(t, "/changed", s.Attempt().Request().Headers.Get(":path"))
		require.Equal(t, []string{"ab"}, chunks(s.Attempt().Request()))
	})
	t.Run("without it everything stops, body included", func(t *testing.T) {
		body = 0
		h := start(t, Config{Downstream: []Filter{{Module: native(pausing)}}})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("ab"), true)
		require.Zero(t, body)
		require.Nil(t, s.Attempt())
	})
}

func TestContinueStreamAfterStopOfEverythingBringsTheBody(t *testing.T) {
	h := start(t, Config{Downstream: []Filter{{Module: native(func(s *script) {
		var waiting uint32
		s.configure = func(uint32, uint32) bool { return s.c.SetTickPeriod(10) == StatusOK }
		s.requestHeaders = func(ctx, _ uint32, _ bool) Action { waiting = ctx; return Pause }
		s.tick = func(uint32) {
			if waiting != 0 {
				s.c.SetEffectiveContext(waiting)
				s.c.ContinueStream(RequestStream)
			}
		}
	})}}})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("ab"), true)
	require.NotContains(t, names(h, s), "down request_body")
	h.Tick()
	require.Equal(t, "ab", s.Attempt().Request().Body())
	require.Equal(t, []string{"down context_create", "down request_headers", "down request_body"}, names(h, s))
}

func TestBodyPauseAccumulatesThenGoesChunkByChunk(t *testing.T) {
	var sizes []uint32
	h := one(t, func(s *script) {
		s.requestBody = func(_, n uint32, _ bool) Action {
			sizes = append(sizes, n)
			if len(sizes) < 3 {
				return Pause
			}
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	require.NotNil(t, s.Attempt(), "headers go on")
	for _, c := range []string{"a", "bc", "def", "gh"} {
		s.RequestBody([]byte(c), false)
	}
	s.RequestBody(nil, true)
	require.Equal(t, []uint32{1, 3, 6, 2, 0}, sizes)
	require.Equal(t, []string{"abcdef", "gh"}, chunks(s.Attempt().Request()))
	require.True(t, s.Attempt().Request().Complete)
}

func TestResponseBodyPauseAccumulates(t *testing.T) {
	var sizes []uint32
	h := one(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.responseBody = func(_, n uint32, eos bool) Action {
			sizes = append(sizes, n)
			if n < 3 && !eos {
				return Pause
			}
			s.c.ReplaceHeader(ResponseHeaders, "x-seen", "3")
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	a := s.Attempt()
	a.ResponseHeaders(nil, false)
	a.ResponseBody([]byte("ab"), false)
	require.Nil(t, s.Response().Headers)
	a.ResponseBody([]byte("c"), false)
	a.ResponseBody([]byte("d"), true)
	require.Equal(t, []uint32{2, 3, 1}, sizes)
	require.Equal(t, "3", s.Response().Headers.Get("x-seen"))
	require.Equal(t, []string{"abc", "d"}, chunks(s.Response()))
}

func TestPauseNoBufferDropsTheChunk(t *testing.T) {
	h := one(t, func(s *script) {
		s.responseBody = func(_, n uint32, eos bool) Action {
			if eos {
				return Continue
			}
			return PauseNoBuffer
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	a := s.Attempt()
	a.ResponseHeaders(nil, false)
	a.ResponseBody([]byte("lost"), false)
	a.ResponseBody([]byte("kept"), true)
	require.Equal(t, "kept", s.Response().Body())
}

func TestBufferRanges(t *testing.T) {
	cases := []struct {
		name        string
		start, size uint32
		status      Status
		want        string
	}{
		{"replace all", 0, 4, StatusOK, "XY"},
		{"replace all by a larger size", 0, 100, StatusOK, "XY"},
		{"prepend", 0, 0, StatusOK, "XYabcd"},
		{"append at the end", 4, 0, StatusOK, "abcdXY"},
		{"append behind the end", 99, 7, StatusOK, "abcdXY"},
		{"replace a prefix", 0, 2, StatusOK, "XYcd"},
		{"the middle is refused", 1, 2, StatusBadArgument, "abcd"},
		{"insertion is refused", 2, 0, StatusBadArgument, "abcd"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got Status
			h := one(t, func(s *script) {
				s.requestBody = func(uint32, uint32, bool) Action {
					got = s.c.SetBuffer(RequestBody, c.start, c.size, []byte("XY"))
					return Continue
				}
			})
			s := h.NewStream()
			s.RequestHeaders(post, false)
			s.RequestBody([]byte("abcd"), true)
			require.Equal(t, c.status, got)
			require.Equal(t, c.want, s.Attempt().Request().Body())
		})
	}
}

func TestBufferWindows(t *testing.T) {
	cases := []struct {
		start, size uint32
		want        string
	}{
		{0, 4, "abcd"}, {1, 2, "bc"}, {2, 99, "cd"}, {4, 1, ""}, {9, 9, ""}, {0, 0, ""},
		{1, 0xffffffff, "bcd"}, {0xffffffff, 0xffffffff, ""},
	}
	for _, c := range cases {
		h := one(t, func(s *script) {
			s.requestBody = func(uint32, uint32, bool) Action {
				b, st := s.c.Buffer(RequestBody, c.start, c.size)
				require.Equal(t, StatusOK, st)
				require.Equal(t, c.want, string(b))
				return Continue
			}
		})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("abcd"), true)
	}
}

func TestBuffersOutOfPhase(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			b, st := s.c.Buffer(RequestBody, 0, 10)
			require.Equal(t, StatusOK, st, "an absent body reads as empty")
			require.Empty(t, b)
			require.Equal(t, StatusBadArgument, s.c.SetBuffer(RequestBody, 0, 0, []byte("x")))
			_, st = s.c.Buffer(HTTPCallResponseBody, 0, 10)
			require.Equal(t, StatusNotFound, st)
			_, st = s.c.Buffer(PluginConfiguration, 0, 10)
			require.Equal(t, StatusNotFound, st, "readable in on_configure only")
			_, st = s.c.Buffer(99, 0, 10)
			require.Equal(t, StatusBadArgument, st)
			require.Equal(t, StatusBadArgument, s.c.SetBuffer(VMConfiguration, 0, 0, nil))
			require.Equal(t, StatusNotFound, s.c.SetBuffer(PluginConfiguration, 0, 0, nil))
			return Continue
		}
	})
	h.NewStream().RequestHeaders(nil, true)
}

func TestReplacedChunksOfAStream(t *testing.T) {
	h := one(t, func(s *script) {
		s.responseBody = func(_, n uint32, eos bool) Action {
			b, _ := s.c.Buffer(ResponseBody, 0, n)
			s.c.SetBuffer(ResponseBody, 0, n, append([]byte("<"), append(b, '>')...))
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	a := s.Attempt()
	a.ResponseHeaders(nil, false)
	a.ResponseBody([]byte("a"), false)
	a.ResponseBody([]byte("b"), false)
	a.ResponseBody(nil, true)
	require.Equal(t, []string{"<a>", "<b>", "<>"}, chunks(s.Response()), "the last, empty chunk can be filled")
}

func TestTwoFiltersPassBodiesInOrder(t *testing.T) {
	tag := func(name string) Filter {
		return Filter{Name: name, VMID: name, Module: native(func(s *script) {
			mark := func(b BufferType, n uint32) Action {
				s.c.SetBuffer(b, n, 0, []byte(name))
				return Continue
			}
			s.requestBody = func(_, n uint32, _ bool) Action { return mark(RequestBody, n) }
			s.responseBody = func(_, n uint32, _ bool) Action { return mark(ResponseBody, n) }
		})}
	}
	h := start(t, Config{Downstream: []Filter{tag("1"), tag("2")}, Upstream: []Filter{tag("3"), tag("4")}})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("q"), true)
	require.Equal(t, "q1234", s.Attempt().Request().Body())
	answer(t, s, "200", "r")
	require.Equal(t, "r4321", s.Response().Body())
}

func TestTrailersBothWays(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestTrailers = func(_, n uint32) Action {
			require.EqualValues(t, 1, n)
			require.Equal(t, StatusOK, s.c.AddHeader(RequestTrailers, "x", "1"))
			return Continue
		}
		s.responseBody = func(_, _ uint32, eos bool) Action {
			require.False(t, eos, "trailers end the stream")
			return Continue
		}
		s.responseTrailers = func(uint32, uint32) Action { return Continue }
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("q"), false)
	s.RequestTrailers([][2]string{{"a", "b"}})
	a := s.Attempt()
	require.Equal(t, [][2]string{{"a", "b"}, {"x", "1"}}, a.Request().Trailers.Pairs())
	a.ResponseHeaders(nil, false)
	a.ResponseBody([]byte("r"), false)
	a.ResponseTrailers([][2]string{{"c", "d"}})
	require.Equal(t, "d", s.Response().Trailers.Get("c"))
	require.True(t, s.Ended())
}

func TestTrailersCanBeHeldWithTheBody(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.requestBody = func(uint32, uint32, bool) Action { return Pause }
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("q"), false)
	s.RequestTrailers([][2]string{{"a", "b"}})
	m := s.Attempt().Request()
	require.Equal(t, "q", m.Body())
	require.Equal(t, "b", m.Trailers.Get("a"))
}

func TestTrailersAddedInTheLastBodyCallback(t *testing.T) {
	h := one(t, func(s *script) {
		s.responseBody = func(_, _ uint32, eos bool) Action {
			if eos {
				require.Equal(t, StatusOK, s.c.AddHeader(ResponseTrailers, "x-sum", "1"))
			}
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "body")
	require.Equal(t, "body", s.Response().Body())
	require.Equal(t, "1", s.Response().Trailers.Get("x-sum"))
}

func TestBodyOverTheLimit(t *testing.T) {
	held := func(s *script) {
		s.requestBody = func(uint32, uint32, bool) Action { return Pause }
		s.responseHeaders = func(_, _ uint32, _ bool) Action { return Continue }
		s.responseBody = func(uint32, uint32, bool) Action { return Pause }
	}
	t.Run("request 413 through the response callbacks", func(t *testing.T) {
		h := start(t, Config{Downstream: []Filter{filter(held)}, BufferLimit: 4})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("abcd"), false)
		require.False(t, s.Ended())
		s.RequestBody([]byte("e"), false)
		require.Contains(t, names(h, s), "down response_headers")
		require.Equal(t, "413", s.Response().Status())
	})
	t.Run("a route can only raise the limit", func(t *testing.T) {
		for limit, want := range map[int]string{2: "413", 8: ""} {
			h := start(t, Config{Downstream: []Filter{filter(held)}, BufferLimit: 4, Route: Route{BufferLimit: limit}})
			s := h.NewStream()
			s.RequestHeaders(post, false)
			s.RequestBody([]byte("abcde"), false)
			require.Equal(t, want, s.Response().Status())
		}
	})
	t.Run("response 500, or cut once headers are gone", func(t *testing.T) {
		h := start(t, Config{Downstream: []Filter{filter(held)}, BufferLimit: 4})
		s := h.NewStream()
		s.RequestHeaders(nil, true)
		s.Attempt().ResponseHeaders(nil, false)
		s.Attempt().ResponseBody([]byte("abcde"), false)
		require.Equal(t, "local reply after the headers: response_payload_too_large", s.Response().Broken)
		require.True(t, s.Ended())
	})
}

func TestStopAndWatermarkBuffersWithoutLimit(t *testing.T) {
	h := start(t, Config{Downstream: []Filter{{Module: native(func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action { return Pause }
	})}}, BufferLimit: 4})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody(make([]byte, 100), false)
	require.False(t, s.Ended(), "the host pushes back instead of answering 413")
	s.worker.lock()
	defer s.worker.unlock()
	require.True(t, s.congested(true))
}
