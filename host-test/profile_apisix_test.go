package hosttest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func apisix(t *testing.T, set func(s *script)) *Host {
	return start(t, Config{
		Profile: APISIX(), Declared: []string{"llm_model"},
		Downstream: []Filter{{Name: "postern", Module: native(set), Config: []byte("{}")}},
	})
}

func TestAPISIXCallsThatDoNothing(t *testing.T) {
	got := map[string]Status{}
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			_, _, got["get_shared_data"] = s.c.SharedData("k")
			got["set_shared_data"] = s.c.SetSharedData("k", nil, 0)
			_, got["register_shared_queue"] = s.c.RegisterQueue("q")
			got["set_tick_period"] = s.c.SetTickPeriod(1)
			_, got["foreign"] = s.c.CallForeignFunction("clear_route_cache", nil)
			got["set_pairs"] = s.c.SetHeaderPairs(RequestHeaders, nil)
			got["set_buffer"] = s.c.SetBuffer(RequestBody, 0, 0, []byte("x"))
			_, got["now"] = s.c.Now()
			_, got["define_metric"] = s.c.DefineMetric(Counter, "n")
			got["increment_metric"] = s.c.IncrementMetric(1, 1)
			got["set_effective_context"] = s.c.SetEffectiveContext(999)
			return Continue
		}
	})
	h.NewStream().RequestHeaders(nil, true)
	for name, st := range got {
		want := StatusUnimplemented
		if name == "define_metric" || name == "increment_metric" || name == "set_effective_context" {
			want = StatusOK
		}
		require.Equal(t, want, st, name)
	}
	require.Empty(t, h.Metrics())
}

func TestAPISIXImportsThatKeepAModuleFromLoading(t *testing.T) {
	_, err := New(Config{Profile: APISIX(), Downstream: []Filter{{Module: wasmModuleForTest(t), Config: []byte("x")}}})
	require.ErrorContains(t, err, "import proxy_get_")
}

func TestAPISIXLifeOfAModule(t *testing.T) {
	var life []string
	h := apisix(t, func(s *script) {
		note := func(n string) { life = append(life, n) }
		s.contextCreate = func(_, parent uint32) { note(fmt.Sprint("create ", parent)) }
		s.vmStart = func(uint32, uint32) bool { note("vm_start"); return true }
		s.configure = func(_, n uint32) bool { note(fmt.Sprint("configure ", n)); return true }
		s.tick = func(uint32) { note("tick") }
		s.log = func(uint32) { note("log") }
		s.done = func(uint32) bool { note("done"); return true }
		s.delete = func(uint32) { note("delete") }
		s.requestTrailers = func(uint32, uint32) Action { note("trailers"); return Continue }
	})
	require.Empty(t, life, "nothing before the first request")
	for range 2 {
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestTrailers([][2]string{{"a", "b"}})
		h.Tick()
		answer(t, s, "200", "")
	}
	require.Equal(t, []string{"create 0", "configure 2", "create 1", "done", "delete", "create 1", "done", "delete"}, life)
}

func TestAPISIXRefusedConfigurationAnswers503(t *testing.T) {
	h := apisix(t, func(s *script) { s.configure = func(uint32, uint32) bool { return false } })
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "503", s.Response().Status())
}

func TestAPISIXHeaderArgumentsAreConstant(t *testing.T) {
	h := apisix(t, func(*script) {})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("x"), true)
	answer(t, s, "200", "r")
	for _, e := range h.TraceOf(s) {
		if e.Callback == CallbackRequestHeaders || e.Callback == CallbackResponseHeaders {
			require.Equal(t, Args{0, 1}, e.Args, e.Callback)
		}
	}
}

func TestAPISIXBodiesComeOnDemand(t *testing.T) {
	run := func(ask bool) (bodies []string) {
		h := apisix(t, func(s *script) {
			read := func(b BufferType) func(_, n uint32, eos bool) Action {
				return func(_, n uint32, eos bool) Action {
					p, st := s.c.Buffer(b, 0, max(n, 1))
					if n == 0 {
						require.Equal(t, StatusNotFound, st)
					}
					bodies = append(bodies, fmt.Sprintf("%d %q %v", b, p, eos))
					return Continue
				}
			}
			s.requestHeaders = func(uint32, uint32, bool) Action {
				if ask {
					require.Equal(t, StatusOK, s.c.SetProperty("wasm_process_req_body", []byte("1")))
				}
				return Continue
			}
			s.responseHeaders = func(uint32, uint32, bool) Action {
				if ask {
					require.Equal(t, StatusOK, s.c.SetProperty("wasm_process_resp_body", []byte("1")))
				}
				return Continue
			}
			s.requestBody, s.responseBody = read(RequestBody), read(ResponseBody)
		})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("ab"), false)
		require.Equal(t, ask, s.Attempt() == nil, "the body is waited for")
		s.RequestBody([]byte("cd"), true)
		require.Equal(t, "abcd", s.Attempt().Request().Body())
		a := s.Attempt()
		a.ResponseHeaders(nil, false)
		a.ResponseBody([]byte("x"), false)
		a.ResponseBody([]byte("yz"), true)
		require.Equal(t, "xyz", s.Response().Body())
		return bodies
	}
	require.Empty(t, run(false))
	require.Equal(t, []string{`0 "abcd" true`, `1 "x" false`, `1 "yz" false`, `1 "" true`}, run(true))
}

func TestAPISIXBodyDemandWithoutABody(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.SetProperty("wasm_process_req_body", []byte("1"))
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Contains(t, names(h, s), "down request_body")
	require.NotNil(t, s.Attempt())
}

func apisixCall(s *script) (uint32, Status) {
	return s.c.HTTPCall("127.0.0.1:80", [][2]string{{":path", "/"}}, nil, nil, 100)
}

func TestAPISIXPauseWithACalloutResumesByItself(t *testing.T) {
	var second Status
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			_, st := apisixCall(s)
			require.Equal(t, StatusOK, st)
			_, second = apisixCall(s)
			return Pause
		}
		s.callResponse = func(_, _, n, _, _ uint32) {
			require.EqualValues(t, 2, n)
			s.c.ReplaceHeader(RequestHeaders, "x-after", "1")
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, StatusInternalFailure, second, "one in flight")
	require.Nil(t, s.Attempt())
	h.Callouts()[0].Respond([][2]string{{"a", "b"}}, nil, nil)
	require.Equal(t, "1", s.Attempt().Request().Headers.Get("x-after"))
}

func TestAPISIXCalloutThenLocalReply(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action { apisixCall(s); return Pause }
		s.callResponse = func(_, _, _, n, _ uint32) {
			b, _ := s.c.Buffer(HTTPCallResponseBody, 0, n)
			s.c.SendLocalResponse(200, "", b, [][2]string{{"x-from", "callout"}}, -1)
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	h.Callouts()[0].Respond(nil, []byte("answer"), nil)
	require.Equal(t, "answer", s.Response().Body())
	require.Equal(t, "callout", s.Response().Headers.Get("x-from"))
	require.Empty(t, s.Attempts())
}

func TestAPISIXPauseWithNothingPendingCrashesTheWorker(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			if v, _ := s.c.Header(RequestHeaders, "x-pause"); v != "" {
				return Pause
			}
			return Continue
		}
	})
	other := h.NewStream()
	other.RequestHeaders(nil, true)
	s := h.NewStream()
	s.RequestHeaders([][2]string{{"x-pause", "1"}}, true)
	require.Equal(t, "worker crashed", s.Response().Broken)
	require.Nil(t, s.Response().Headers)
	require.Equal(t, "worker crashed", other.Response().Broken)
	require.Len(t, h.Misuse(), 1)
	s = h.NewStream()
	s.RequestHeaders(nil, true)
	require.NotNil(t, s.Attempt(), "nginx starts a new worker")
}

func TestAPISIXLocalReplyInResponsePhasesChangesHeadersOnly(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action {
			s.c.SendLocalResponse(500, "", []byte("mine"), [][2]string{{"x-mine", "1"}}, -1)
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "theirs")
	require.Equal(t, "200", s.Response().Status())
	require.Equal(t, "theirs", s.Response().Body())
	require.Equal(t, "1", s.Response().Headers.Get("x-mine"))
}

func TestAPISIXCalloutInAResponsePhase(t *testing.T) {
	var got Status
	h := apisix(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action { _, got = apisixCall(s); return Continue }
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "")
	require.Equal(t, StatusBadArgument, got)
}

func TestAPISIXProperties(t *testing.T) {
	got := map[string]string{}
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			require.Equal(t, StatusNotFound, s.c.SetProperty("undeclared", []byte("x")))
			require.Equal(t, StatusOK, s.c.SetProperty("llm_model", []byte("gpt")))
			require.Equal(t, StatusOK, s.c.SetProperty("upstream_uri", []byte("/v1/messages?a=b")))
			require.Equal(t, StatusOK, s.c.SetProperty("upstream_host", []byte("api.example")))
			for _, name := range []string{"llm_model", "uri", "args", "host", "http_x_a", "request_method", "plugin_root_id", "nope"} {
				v, st := s.c.Property(name)
				got[name] = string(v) + " " + st.String()
			}
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":path", "/p?q"}, {":authority", "h"}, {"x-a", "1"}}, true)
	require.Equal(t, map[string]string{
		"llm_model": "gpt ok", "uri": "/p ok", "args": "q ok", "host": "h ok", "http_x_a": "1 ok",
		"request_method": "GET ok", "plugin_root_id": "postern ok", "nope": " not found",
	}, got)
	r := s.Attempt().Request().Headers
	require.Equal(t, "/v1/messages?a=b", r.Get(":path"))
	require.Equal(t, "api.example", r.Get(":authority"))
	answer(t, s, "200", "")
	require.Equal(t, "gpt", s.AccessLog().FilterState["llm_model"], "reaches the access log")
}

func TestAPISIXChoosesTheUpstreamLast(t *testing.T) {
	h := start(t, Config{
		Profile: APISIX(), Declared: []string{"to"},
		Route: Route{Cluster: func(state *FilterState, _ *Headers, _ int) string { to, _ := state.Get("to"); return to }},
		Downstream: []Filter{{Name: "postern", Config: []byte("{}"), Module: native(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				require.Equal(t, StatusOK, s.c.SetProperty("to", []byte("one")))
				return Continue
			}
		})}},
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "one", s.Attempt().Cluster)
}

func TestAPISIXHeadersInEveryPhase(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action {
			v, st := s.c.Header(RequestHeaders, ":path")
			require.Equal(t, StatusOK, st)
			require.Equal(t, "/x", v)
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(post, true)
	answer(t, s, "200", "")
}

func TestAPISIXHeaderBugs(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			pairs, _ := s.c.HeaderPairs(RequestHeaders)
			require.NotEqual(t, byte(':'), pairs[0][0][0], "pseudo headers come last")
			require.Equal(t, StatusOK, s.c.ReplaceHeader(RequestHeaders, ":authority", "DELETE"))
			require.Equal(t, StatusOK, s.c.ReplaceHeader(RequestHeaders, ":path", "/a?b"))
			require.Equal(t, StatusBadArgument, s.c.RemoveHeader(RequestHeaders, ":path"))
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":authority", "h"}, {"x-a", "1"}}, true)
	r := s.Attempt().Request().Headers
	require.Equal(t, "DELETE", r.Get(":method"), "setting :authority overwrites the method")
	require.Equal(t, "h", r.Get(":authority"))
	require.Equal(t, "/a%3Fb", r.Get(":path"))
}

func TestAPISIXAuthorityOfARequestWithoutHostCrashes(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action { s.c.Header(RequestHeaders, ":authority"); return Continue }
	})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":authority", ""}}, true)
	require.Equal(t, "worker crashed", s.Response().Broken)
}

// TestAPISIXManyResponseHeadersAreLost: of more than 20 the first ones are empty.
func TestAPISIXManyResponseHeadersAreLost(t *testing.T) {
	var pairs [][2]string
	var single string
	h := apisix(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action {
			var st Status
			pairs, st = s.c.HeaderPairs(ResponseHeaders)
			require.Equal(t, StatusOK, st)
			single, _ = s.c.Header(ResponseHeaders, "h21")
			return Continue
		}
	})
	for _, n := range []int{10, 30} {
		s := h.NewStream()
		s.RequestHeaders(nil, true)
		var list [][2]string
		for i := range n {
			list = append(list, [2]string{fmt.Sprint("h", i), "v"})
		}
		s.Attempt().ResponseHeaders(list, true)
		require.Len(t, pairs, n+2, "and :status, and connection")
		require.Equal(t, n == 10, slices.Contains(pairs, [2]string{"h0", "v"}))
		require.Equal(t, n == 30, slices.Contains(pairs, [2]string{"", ""}))
		require.Equal(t, n > 21, single == "v", "single reads work")
	}
}

func TestAPISIXBufferWindows(t *testing.T) {
	cases := []struct {
		start, size uint32
		want        Status
	}{
		{0, 4, StatusOK}, {1, 99, StatusOK}, {4, 1, StatusBadArgument}, {0, 0, StatusBadArgument},
		{0, math.MaxInt32, StatusOK}, {1, math.MaxInt32, StatusInvalidMemoryAccess}, {0, math.MaxUint32, StatusBadArgument},
	}
	for _, c := range cases {
		h := apisix(t, func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				s.c.SetProperty("wasm_process_req_body", []byte("1"))
				return Continue
			}
			s.requestBody = func(uint32, uint32, bool) Action {
				_, st := s.c.Buffer(RequestBody, c.start, c.size)
				require.Equal(t, c.want, st, c)
				_, st = s.c.Buffer(VMConfiguration, 0, 1)
				require.Equal(t, StatusUnimplemented, st)
				return Continue
			}
		})
		s := h.NewStream()
		s.RequestHeaders(post, false)
		s.RequestBody([]byte("abcd"), true)
	}
}

func TestAPISIXRemovedContentLengthSmuggles(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.RemoveHeader(RequestHeaders, "content-length")
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"content-length", "4"}}, false)
	s.RequestBody([]byte("abcd"), true)
	require.Equal(t, "abcd", s.Attempt().Smuggled())
}

// TestAPISIXGoesOnAfterATrap: the instance is neither re-created nor put out of use.
func TestAPISIXGoesOnAfterATrap(t *testing.T) {
	instances := 0
	m := native(func(s *script) { instances++; trapping(s) })
	h := start(t, Config{Profile: APISIX(), Downstream: []Filter{{Module: m, Config: []byte("{}"), FailurePolicy: FailReload}}})
	s := h.NewStream()
	s.RequestHeaders(trap, true)
	require.Equal(t, "503", s.Response().Status())
	s = h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "served")
	require.Equal(t, "served", s.Response().Body())
	require.Equal(t, 1, instances)
}

func TestAPISIXTrapInAnAnswerLetsItPass(t *testing.T) {
	h := apisix(t, func(s *script) {
		s.responseHeaders = func(uint32, uint32, bool) Action { panic("a bug") }
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "theirs")
	require.Equal(t, "theirs", s.Response().Body())
}

func TestAPISIXResponsesRunInTheSameOrder(t *testing.T) {
	var order []string
	plugin := func(name string) Filter {
		return Filter{Name: name, Config: []byte("x"), Module: native(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action { order = append(order, "q"+name); return Continue }
			s.responseHeaders = func(uint32, uint32, bool) Action { order = append(order, "r"+name); return Continue }
		})}
	}
	h := start(t, Config{Profile: APISIX(), Downstream: []Filter{plugin("1"), plugin("2")}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "")
	require.Equal(t, []string{"q1", "q2", "r1", "r2"}, order)
}

func TestAPISIXOneVMPerWorkerAndPlugin(t *testing.T) {
	m := native(func(*script) {})
	plugin := func(name, vmID, config string) Filter {
		return Filter{Name: name, VMID: vmID, Module: m, Config: []byte(config)}
	}
	h := start(t, Config{Profile: APISIX(), Workers: 2, Downstream: []Filter{plugin("a", "1", "x"), plugin("a", "2", "y"), plugin("b", "1", "x")}})
	require.Len(t, h.VMs(), 4, "two plugins on two workers; vm_id means nothing")
}
