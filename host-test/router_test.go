package hosttest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// failover is a host as Postern's bootstrap sets it up: the client stage publishes a plan, the
// matcher reads it by the attempt header, the provider stage marks what must be retried.
func failover(t *testing.T, plan []string, maxRetries int, up func(s *script), retry *RetryPolicy) *Host {
	if retry == nil {
		retry = &RetryPolicy{On: []string{"retriable-headers", "connect-failure", "refused-stream", "reset"}, RetriableHeaders: []string{"x-postern-retry"}, NumRetries: 10, Backoff: time.Millisecond}
	}
	return start(t, Config{
		Downstream: []Filter{{Name: "down", VMID: "v", AllowHeadersStop: true, Module: native(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action { return Pause }
			s.requestBody = func(_, _ uint32, eos bool) Action {
				if !eos {
					return Pause
				}
				for i, c := range plan {
					s.c.SetProperty("postern.t"+strconv.Itoa(i+1), []byte(c))
				}
				s.c.RemoveHeader(RequestHeaders, "x-envoy-attempt-count")
				s.c.ReplaceHeader(RequestHeaders, "x-envoy-max-retries", strconv.Itoa(maxRetries))
				s.c.CallForeignFunction("clear_route_cache", nil)
				return Continue
			}
		})}},
		Upstream: []Filter{{Name: "up", VMID: "v", Module: native(up), AllowHeadersStop: true}},
		Route: Route{
			RefreshClusterOnRetry: true, IncludeAttemptCount: true, Retry: retry,
			Cluster: func(state *FilterState, h *Headers, _ int) string {
				// As the matcher: absent → first target, 1 → second; a missing one is the first.
				n, _ := strconv.Atoi(h.Get("x-envoy-attempt-count"))
				if c, ok := state.Get("wasm.postern.t" + strconv.Itoa(n+1)); ok {
					return c
				}
				c, _ := state.Get("wasm.postern.t1")
				return c
			},
		},
	})
}

func marking(s *script) {
	s.responseHeaders = func(uint32, uint32, bool) Action {
		if v, _ := s.c.Header(ResponseHeaders, ":status"); v >= "500" {
			s.c.AddHeader(ResponseHeaders, "x-postern-retry", "1")
		}
		return Continue
	}
}

func send(h *Host, body string) *Stream {
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte(body), false)
	s.RequestBody(nil, true)
	return s
}

func TestRetryToAnotherCluster(t *testing.T) {
	h := failover(t, []string{"a", "b"}, 1, marking, nil)
	s := send(h, "body")
	require.Equal(t, "a", s.Attempt().Cluster)
	require.Equal(t, "1", s.Attempt().Request().Headers.Get("x-envoy-attempt-count"))
	answer(t, s, "500", "broken")
	require.Nil(t, s.Attempt())
	require.Nil(t, s.Response().Headers)
	h.Advance(time.Millisecond)
	require.Equal(t, "b", s.Attempt().Cluster)
	require.Equal(t, "2", s.Attempt().Request().Headers.Get("x-envoy-attempt-count"))
	require.Equal(t, "body", s.Attempt().Request().Body())
	answer(t, s, "200", "fine")
	require.Equal(t, "fine", s.Response().Body())
	require.Equal(t, 2, s.AccessLog().Attempts)
	require.Equal(t, "b", s.AccessLog().Cluster)
}

func TestMaxRetriesOfAFilterIsObeyedAndRemoved(t *testing.T) {
	for _, n := range []int{0, 1, 2} {
		h := failover(t, []string{"a", "b", "c"}, n, marking, nil)
		s := send(h, "")
		for s.Attempt() != nil {
			require.False(t, s.Attempt().Request().Headers.Has("x-envoy-max-retries"))
			answer(t, s, "500", "x")
			h.Advance(time.Millisecond)
		}
		require.Len(t, s.Attempts(), n+1)
		require.Equal(t, "500", s.Response().Status())
	}
}

func TestClientsCannotSteerTheRouter(t *testing.T) {
	cfg := Config{Route: Route{Retry: &RetryPolicy{On: []string{"5xx"}, Backoff: time.Millisecond}}}
	run := func(h *Host) *Stream {
		s := h.NewStream()
		s.RequestHeaders([][2]string{{"x-envoy-max-retries", "4"}}, true)
		for s.Attempt() != nil {
			answer(t, s, "500", "")
			h.Advance(time.Millisecond)
		}
		return s
	}
	require.Len(t, run(start(t, cfg)).Attempts(), 2)
	cfg.InternalClients = true
	require.Len(t, run(start(t, cfg)).Attempts(), 5, "internal clients are obeyed")
}

func TestClientsCanSendTheAttemptHeader(t *testing.T) {
	var seen string
	h := start(t, Config{Route: Route{Cluster: func(_ *FilterState, h *Headers, _ int) string {
		seen = h.Get("x-envoy-attempt-count")
		return "c"
	}}})
	h.NewStream().RequestHeaders([][2]string{{"x-envoy-attempt-count", "1"}}, true)
	require.Equal(t, "1", seen)
}

func TestMissingTargetFallsThroughToTheFirst(t *testing.T) {
	h := failover(t, []string{"a"}, 1, marking, nil)
	s := send(h, "")
	answer(t, s, "500", "")
	h.Advance(time.Millisecond)
	require.Equal(t, "a", s.Attempt().Cluster)
}

func TestHeaderChangesPersistIntoTheNextAttempt(t *testing.T) {
	h := failover(t, []string{"a", "b"}, 1, func(s *script) {
		marking(s)
		s.requestHeaders = func(uint32, uint32, bool) Action {
			path, _ := s.c.Header(RequestHeaders, ":path")
			s.c.ReplaceHeader(RequestHeaders, ":path", path+"/translated")
			s.c.RemoveHeader(RequestHeaders, "x-forwarded-proto")
			return Continue
		}
	}, nil)
	s := send(h, "")
	answer(t, s, "500", "")
	h.Advance(time.Millisecond)
	require.Equal(t, "/x/translated/translated", s.Attempt().Request().Headers.Get(":path"))
	require.False(t, s.Attempt().Request().Headers.Has("x-forwarded-proto"))
}

func TestEachAttemptHasAFreshContextAndTheOriginalBody(t *testing.T) {
	seen := map[uint32]string{}
	h := failover(t, []string{"a", "b"}, 1, func(s *script) {
		marking(s)
		s.requestHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.requestBody = func(ctx, n uint32, eos bool) Action {
			if !eos {
				return Pause
			}
			b, _ := s.c.Buffer(RequestBody, 0, n)
			seen[ctx] = string(b)
			s.c.SetBuffer(RequestBody, 0, n, []byte("rewritten for "+strconv.Itoa(int(ctx))))
			return Continue
		}
	}, nil)
	s := send(h, "original")
	answer(t, s, "500", "")
	h.Advance(time.Millisecond)
	require.Len(t, seen, 2)
	for ctx, body := range seen {
		require.Equal(t, "original", body, ctx)
	}
}

func TestRequestHeadersInTheResponsePhaseOfAnAttempt(t *testing.T) {
	var read, write Status
	h := both(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action {
			_, read = s.c.Header(RequestHeaders, ":path")
			write = s.c.AddHeader(RequestHeaders, "a", "b")
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	s.Attempt().ResponseHeaders(nil, false)
	require.Equal(t, StatusBadArgument, read)
	require.Equal(t, StatusBadArgument, write)
}

func TestA200ThatFailsInItsFirstEventFailsOver(t *testing.T) {
	h := failover(t, []string{"a", "b"}, 1, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.responseBody = func(_, n uint32, _ bool) Action {
			if b, _ := s.c.Buffer(ResponseBody, 0, n); string(b) == "error" {
				s.c.ReplaceHeader(ResponseHeaders, ":status", "500")
				s.c.AddHeader(ResponseHeaders, "x-postern-retry", "1")
			}
			return Continue
		}
	}, nil)
	s := send(h, "")
	s.Attempt().ResponseHeaders(nil, false)
	s.Attempt().ResponseBody([]byte("error"), false)
	h.Advance(time.Millisecond)
	require.Equal(t, "b", s.Attempt().Cluster)
	s.Attempt().ResponseHeaders(nil, false)
	s.Attempt().ResponseBody([]byte("hello"), true)
	require.Equal(t, "hello", s.Response().Body())
}

func TestWhatIsRetriedWhen(t *testing.T) {
	hang := func(h *Host, s *Stream) { h.Advance(5 * time.Second) }
	with := func(r ResetReason) func(*Host, *Stream) {
		return func(_ *Host, s *Stream) { s.Attempt().Reset(r) }
	}
	status := func(code string) func(*Host, *Stream) {
		return func(_ *Host, s *Stream) { answer(t, s, code, "") }
	}
	cases := []struct {
		name, on string
		fail     func(h *Host, s *Stream)
		retried  bool
		status   string
	}{
		{"refused connection, retriable-headers alone", "retriable-headers", with(ConnectFailure), false, "503"},
		{"refused connection", "connect-failure", with(ConnectFailure), true, ""},
		{"refused connection, before the request", "reset-before-request", with(ConnectFailure), true, ""},
		{"close after the request, before-request", "reset-before-request", with(ConnectionClosed), false, "503"},
		{"hang, before-request", "reset-before-request", hang, false, "504"},
		{"close after the request, reset", "reset", with(ConnectionClosed), true, ""},
		{"hang, reset", "reset", hang, true, ""},
		{"refused stream", "refused-stream", with(RefusedStream), true, ""},
		{"reset is not a refused stream", "refused-stream", with(RemoteReset), false, "503"},
		{"overflow is never retried", "5xx", with(UpstreamOverloaded), false, "503"},
		{"reset counts as 5xx", "5xx", with(RemoteReset), true, ""},
		{"500", "5xx", status("500"), true, ""},
		{"500 is no gateway error", "gateway-error", status("500"), false, "500"},
		{"502", "gateway-error", status("502"), true, ""},
		{"409", "retriable-4xx", status("409"), true, ""},
		{"429 listed", "retriable-status-codes", status("429"), true, ""},
		{"200", "5xx", status("200"), false, "200"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := start(t, Config{Route: Route{Retry: &RetryPolicy{On: []string{c.on}, PerTryTimeout: 5 * time.Second, RetriableStatuses: []int{429}}}})
			s := h.NewStream()
			s.RequestHeaders(nil, true)
			c.fail(h, s)
			h.Advance(20 * time.Millisecond)
			require.Equal(t, c.retried, len(s.Attempts()) == 2)
			require.Equal(t, c.status, s.Response().Status())
		})
	}
}

func TestPerTryTimeoutOfAFilter(t *testing.T) {
	h := start(t, Config{
		Downstream: []Filter{filter(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				s.c.ReplaceHeader(RequestHeaders, "x-envoy-upstream-rq-per-try-timeout-ms", "100")
				return Continue
			}
		})},
		Route: Route{Retry: &RetryPolicy{On: []string{"reset"}}},
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	first := s.Attempt()
	require.Equal(t, "100", first.Request().Headers.Get("x-envoy-expected-rq-timeout-ms"))
	require.False(t, first.Request().Headers.Has("x-envoy-upstream-rq-per-try-timeout-ms"))
	h.Advance(time.Hour)
	require.Equal(t, first, s.Attempt(), "the time counts from the end of the request")
	s.RequestBody(nil, true)
	h.Advance(99 * time.Millisecond)
	require.Equal(t, first, s.Attempt())
	h.Advance(13 * time.Millisecond)
	require.NotEqual(t, first, s.Attempt())
	require.Equal(t, "per try timeout", first.Cancelled())
}

func TestPerTryTimeoutWhileAStageHoldsTheHeaders(t *testing.T) {
	h := failover(t, []string{"a", "b"}, 1, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.responseBody = func(uint32, uint32, bool) Action { return Pause }
	}, &RetryPolicy{On: []string{"reset"}, PerTryTimeout: time.Second, Backoff: time.Millisecond})
	s := send(h, "")
	s.Attempt().ResponseHeaders(nil, false)
	s.Attempt().ResponseBody([]byte("ping"), false)
	h.Advance(1001 * time.Millisecond)
	require.Equal(t, "b", s.Attempt().Cluster)
}

func TestPerTryTimeoutEndsWithTheFirstByteDownstream(t *testing.T) {
	h := start(t, Config{Route: Route{Retry: &RetryPolicy{On: []string{"reset"}, PerTryTimeout: time.Second}}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	s.Attempt().ResponseHeaders(nil, false)
	h.Advance(2 * time.Second)
	require.False(t, s.Ended())
	h.Advance(defaultRouteTimeout)
	require.Equal(t, "response_timeout", s.AccessLog().Details)
	require.NotEmpty(t, s.Response().Broken)
}

func TestRouteTimeout(t *testing.T) {
	h := start(t, Config{Route: Route{Timeout: -1}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	h.Advance(time.Hour)
	require.False(t, s.Ended())
	require.False(t, s.Attempt().Request().Headers.Has("x-envoy-expected-rq-timeout-ms"))
}

func TestRetryNeedsTheWholeBody(t *testing.T) {
	retry := &RetryPolicy{On: []string{"5xx"}, Backoff: time.Millisecond}
	t.Run("over the limit retries are given up", func(t *testing.T) {
		h := start(t, Config{Route: Route{Retry: retry, BufferLimit: 4}})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("abcde"), true)
		answer(t, s, "500", "")
		require.Equal(t, "500", s.Response().Status())
	})
	t.Run("over the limit while waiting for the next attempt", func(t *testing.T) {
		h := start(t, Config{Route: Route{Retry: retry, BufferLimit: 4}})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("ab"), false)
		answer(t, s, "500", "")
		s.RequestBody([]byte("cde"), false)
		require.Equal(t, "507", s.Response().Status())
	})
	t.Run("a body still under way goes on into the next attempt", func(t *testing.T) {
		h := start(t, Config{Route: Route{Retry: retry}})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("ab"), false)
		answer(t, s, "500", "")
		s.RequestBody([]byte("cd"), false)
		h.Advance(time.Millisecond)
		s.RequestBody([]byte("ef"), true)
		require.Equal(t, []string{"abcd", "ef"}, chunks(s.Attempt().Request()))
		require.True(t, s.Attempt().Request().Complete)
	})
}

func TestRoutesAndClusters(t *testing.T) {
	h := start(t, Config{Routes: func(h *Headers) *Route {
		if h.Get(":path") == "/known" {
			return &Route{Name: "r", Cluster: func(*FilterState, *Headers, int) string { return "" }}
		}
		return nil
	}})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":path", "/other"}}, true)
	require.Equal(t, "404", s.Response().Status())
	s = h.NewStream()
	s.RequestHeaders([][2]string{{":path", "/known"}}, true)
	require.Equal(t, "503", s.Response().Status(), "no such cluster")
}

func TestTheRouteIsMatchedAgain(t *testing.T) {
	cases := map[string]func(c Calls){
		"by changing a header":        func(c Calls) { c.ReplaceHeader(RequestHeaders, ":path", "/lost") },
		"by clearing the route cache": func(c Calls) { c.CallForeignFunction("clear_route_cache", nil) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			matched := 0
			place := filter(func(s *script) {
				s.requestHeaders = func(uint32, uint32, bool) Action { change(s.c); return Continue }
			})
			routes := func(h *Headers) *Route {
				matched++
				if h.Get(":path") == "/lost" {
					return nil
				}
				return &Route{}
			}
			h := start(t, Config{Downstream: []Filter{place}, Routes: routes})
			s := h.NewStream()
			s.RequestHeaders(nil, true)
			require.Equal(t, name == "by changing a header", s.Response().Status() == "404")
			require.Equal(t, 2, matched)

			matched = 0
			h = start(t, Config{Upstream: []Filter{place}, Routes: routes})
			h.NewStream().RequestHeaders(nil, true)
			require.Equal(t, 1, matched, "upstream filters cannot")
		})
	}
}

func TestResponseBeforeTheRequestIsComplete(t *testing.T) {
	h := both(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	a := s.Attempt()
	a.ResponseHeaders([][2]string{{":status", "401"}}, true)
	require.True(t, s.Ended())
	require.Equal(t, "401", s.Response().Status())
	require.Equal(t, "response complete", a.Cancelled())
}
