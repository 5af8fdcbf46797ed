package hosttest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProfilesByName(t *testing.T) {
	for _, name := range []string{"envoy", "envoy-upstream", "istio-wasmplugin", "apisix"} {
		p, err := ProfileByName(name)
		require.NoError(t, err)
		require.Equal(t, name, p.Name())
	}
	_, err := ProfileByName("nginx")
	require.ErrorContains(t, err, "nginx")
}

func TestWhatEachProfileRefusesToPlace(t *testing.T) {
	m := native(func(*script) {})
	cases := []struct {
		name    string
		profile Profile
		cfg     Config
		want    string
	}{
		{"envoy-upstream has no downstream filters", EnvoyUpstream(), Config{Downstream: []Filter{{Module: m}}}, "upstream filters only"},
		{"istio has no upstream filters", IstioWasmPlugin(), Config{Upstream: []Filter{{Module: m}}}, "no upstream filters"},
		{"istio has no stop iteration", IstioWasmPlugin(), Config{Downstream: []Filter{{Module: m, AllowHeadersStop: true}}}, "allow_on_headers_stop_iteration"},
		{"apisix has no upstream filters", APISIX(), Config{Upstream: []Filter{{Module: m, Config: []byte("x")}}}, "no upstream filters"},
		{"apisix has no stop iteration", APISIX(), Config{Downstream: []Filter{{Module: m, Config: []byte("x"), AllowHeadersStop: true}}}, "allow_on_headers_stop_iteration"},
		{"apisix wants a configuration", APISIX(), Config{Downstream: []Filter{{Module: m}}}, "empty plugin configuration"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Profile = c.profile
			_, err := New(c.cfg)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestEnvoyUpstreamRunsPerAttempt(t *testing.T) {
	h := start(t, Config{
		Profile:  EnvoyUpstream(),
		Upstream: []Filter{filter(func(*script) {})},
		Route:    Route{Retry: &RetryPolicy{On: []string{"5xx"}, Backoff: time.Millisecond}},
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "500", "")
	h.Advance(time.Millisecond)
	answer(t, s, "200", "")
	require.Equal(t, []string{
		"up context_create", "up request_headers", "up response_headers", "up done", "up delete",
		"up context_create", "up request_headers", "up response_headers", "up done", "up delete",
	}, names(h, s), "no on_log upstream")
}

func TestEnvoyUpstreamProperties(t *testing.T) {
	got := map[string]Status{}
	var count []byte
	h := start(t, Config{Profile: EnvoyUpstream(), Upstream: []Filter{filter(func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			for _, p := range []string{"upstream\x00address", "xds\x00cluster_name"} {
				_, got[p] = s.c.Property(p)
			}
			count, _ = s.c.Property("upstream\x00request_attempt_count")
			return Continue
		}
	})}})
	h.NewStream().RequestHeaders(nil, true)
	require.Equal(t, map[string]Status{"upstream\x00address": StatusOK, "xds\x00cluster_name": StatusOK}, got)
	require.Equal(t, number(1), count)
}

func istio(t *testing.T, set func(s *script)) *Host {
	return start(t, Config{Profile: IstioWasmPlugin(), Downstream: []Filter{{Module: native(set)}}})
}

func TestIstioPauseAtHeadersHangs(t *testing.T) {
	h := istio(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action { return Pause }
		s.requestBody = func(uint32, uint32, bool) Action { return Continue }
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("x"), true)
	h.Advance(time.Hour)
	require.Nil(t, s.Attempt())
	require.False(t, s.Ended())
	require.NotContains(t, names(h, s), "down request_body")
}

func TestIstioHeaderChangesAfterContinueAreBadArguments(t *testing.T) {
	var got Status
	h := istio(t, func(s *script) {
		s.requestBody = func(uint32, uint32, bool) Action {
			got = s.c.ReplaceHeader(RequestHeaders, ":path", "/y")
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("x"), true)
	require.Equal(t, StatusBadArgument, got)
}

func TestIstioReplacedBodyWithoutContentLengthRemovalSmuggles(t *testing.T) {
	for _, remove := range []bool{true, false} {
		h := istio(t, func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				if remove {
					s.c.RemoveHeader(RequestHeaders, "content-length")
				}
				return Continue
			}
			s.requestBody = func(_, n uint32, _ bool) Action {
				s.c.SetBuffer(RequestBody, 0, n, []byte("0123GET /smuggled"))
				return Continue
			}
		})
		s := h.NewStream()
		s.RequestHeaders([][2]string{{":method", "POST"}, {"content-length", "4"}}, false)
		s.RequestBody([]byte("abcd"), true)
		want := "GET /smuggled"
		if remove {
			want = ""
		}
		require.Equal(t, want, s.Attempt().Smuggled())
	}
}

// paired is DESIGN.md's paired mode: the reader, earlier in the chain, waits for the body and then
// lets the holder, later in the chain, change headers and go on.
func TestIstioPairedPlugins(t *testing.T) {
	reader := Filter{Name: "reader", VMID: "v", Config: []byte("reader")}
	holder := Filter{Name: "holder", VMID: "v", Config: []byte("holder")}
	m := native(func(s *script) {
		held := uint32(0)
		s.requestHeaders = func(ctx, _ uint32, _ bool) Action {
			if v, _ := s.c.Property("plugin_name"); string(v) == "holder" {
				held = ctx
				return Pause
			}
			return Continue
		}
		s.requestBody = func(ctx, n uint32, eos bool) Action {
			if v, _ := s.c.Property("plugin_name"); string(v) == "holder" {
				return Continue
			}
			if !eos {
				return Pause
			}
			s.c.SetBuffer(RequestBody, 0, n, []byte("translated"))
			require.Equal(t, StatusOK, s.c.SetEffectiveContext(held))
			require.Equal(t, StatusOK, s.c.ReplaceHeader(RequestHeaders, ":path", "/v1/messages"))
			require.Equal(t, StatusOK, s.c.ReplaceHeader(RequestHeaders, "content-length", "10"))
			s.c.CallForeignFunction("clear_route_cache", nil)
			s.c.ContinueStream(RequestStream)
			require.Equal(t, StatusOK, s.c.SetEffectiveContext(ctx))
			return Continue
		}
	})
	reader.Module, holder.Module = m, m
	h := start(t, Config{Profile: IstioWasmPlugin(), Downstream: []Filter{reader, holder}})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"content-length", "4"}}, false)
	s.RequestBody([]byte("ab"), false)
	s.RequestBody([]byte("cd"), false)
	require.Nil(t, s.Attempt())
	s.RequestBody(nil, true)
	got := s.Attempt().Request()
	require.Equal(t, "/v1/messages", got.Headers.Get(":path"))
	require.Equal(t, "translated", got.Body())
	require.True(t, got.Complete)
	require.Empty(t, s.Attempt().Smuggled())
}

func TestEnvoyBodyLongerThanItsLengthSmuggles(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestBody = func(_, n uint32, _ bool) Action {
			s.c.SetBuffer(RequestBody, n, 0, []byte("tail"))
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"content-length", "2"}}, false)
	s.RequestBody([]byte("ab"), true)
	require.Equal(t, "tail", s.Attempt().Smuggled())
}

func TestEnvoyChangesHeadersByItself(t *testing.T) {
	run := func(internal bool) (request, response *Headers) {
		h := start(t, Config{InternalClients: internal})
		s := h.NewStream()
		s.RequestHeaders([][2]string{{"connection", "close"}, {"x-envoy-retry-on", "5xx"}, {"x-envoy-other", "1"}, {"x-request-id", "mine"}}, true)
		a := s.Attempt()
		a.ResponseHeaders([][2]string{{"transfer-encoding", "chunked"}, {"x-u", "1"}}, true)
		return a.Request().Headers, s.Response().Headers
	}
	request, response := run(false)
	require.Equal(t, [][2]string{
		{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "postern.test"}, {"x-envoy-other", "1"},
		{"x-request-id", "mine"}, {"x-forwarded-proto", "http"}, {"x-envoy-expected-rq-timeout-ms", "15000"},
	}, request.Pairs())
	require.Equal(t, [][2]string{
		{":status", "200"}, {"x-u", "1"}, {"x-envoy-upstream-service-time", "0"},
		{"date", "Fri, 02 Jan 2026 03:04:05 GMT"}, {"server", "envoy"},
	}, response.Pairs())
	request, _ = run(true)
	require.Equal(t, "127.0.0.1", request.Get("x-forwarded-for"))
	require.Equal(t, "true", request.Get("x-envoy-internal"))
}

func TestEnvoyRejectsPathsThatAreNone(t *testing.T) {
	h := one(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":path", "*"}}, true)
	require.Equal(t, "404", s.Response().Status())
	require.Empty(t, h.TraceOf(s), "no filter sees it")
	require.Equal(t, "absolute_path_rejected", s.AccessLog().Details)
}

func TestEnvoyTakesHostForAuthority(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.ReplaceHeader(RequestHeaders, "Host", "other.test")
			v, _ := s.c.Header(RequestHeaders, "host")
			require.Equal(t, "other.test", v)
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "other.test", s.Attempt().Request().Headers.Get(":authority"))
}

func TestBufferLimitsByProtocol(t *testing.T) {
	for protocol, want := range map[string]string{"HTTP/1.1": "413", "HTTP/2": ""} {
		h := one(t, func(s *script) { s.requestBody = func(uint32, uint32, bool) Action { return Pause } })
		s := h.NewStream()
		s.SetProtocol(protocol)
		s.RequestHeaders(post, false)
		s.RequestBody(make([]byte, bufferLimitHTTP1+1), false)
		require.Equal(t, want, s.Response().Status())
	}
}

func TestPropertiesSetInOnDoneComeTooLateForTheAccessLog(t *testing.T) {
	h := one(t, func(s *script) {
		s.log = func(uint32) { s.c.SetProperty("in", []byte("log")) }
		s.done = func(uint32) bool { s.c.SetProperty("in", []byte("done")); return true }
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "")
	require.Equal(t, "log", s.AccessLog().FilterState["wasm.in"])
}

func TestIstioCalloutLeavesAStrayRequest(t *testing.T) {
	h := istio(t, func(s *script) {
		held := uint32(0)
		s.requestBody = func(ctx, _ uint32, _ bool) Action {
			held = ctx
			s.c.HTTPCall("provider", [][2]string{{":method", "POST"}, {":path", "/"}, {":authority", "p"}}, nil, nil, 1000)
			return Pause
		}
		s.callResponse = func(_, _, _, n, _ uint32) {
			b, _ := s.c.Buffer(HTTPCallResponseBody, 0, n)
			body := append([]byte(nil), b...)
			s.c.SetEffectiveContext(held)
			s.c.SendLocalResponse(200, "", body, nil, -1)
		}
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("prompt"), true)
	stray := s.Attempt()
	require.NotNil(t, stray.Request().Headers, "the routed provider gets the client's headers all the same")
	require.Empty(t, stray.Request().Body())
	h.Callouts()[0].Respond(nil, []byte("answer"), nil)
	require.Equal(t, "answer", s.Response().Body())
	require.Equal(t, "local reply", stray.Cancelled())
}

func TestIstioPairedPluginsNeedOneModule(t *testing.T) {
	// file:// gives each plugin a copy of the module and so a VM of its own: the reader does not find
	// its holder, and the request hangs.
	half := func(name string) Filter {
		return Filter{Name: name, VMID: "v", Module: native(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				if name == "holder" {
					return Pause
				}
				return Continue
			}
			s.requestBody = func(uint32, uint32, bool) Action {
				require.Equal(t, StatusBadArgument, s.c.SetEffectiveContext(99), "the holder's context is not here")
				return Continue
			}
		})}
	}
	h := start(t, Config{Profile: IstioWasmPlugin(), Downstream: []Filter{half("reader"), half("holder")}})
	require.Len(t, h.VMs(), 2)
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("x"), true)
	require.Nil(t, s.Attempt())
	require.False(t, s.Ended())
}
