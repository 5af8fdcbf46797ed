package hosttest

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHeaderMaps(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.AddHeader(RequestHeaders, "X-A", "1")
			s.c.AddHeader(RequestHeaders, "x-a", "2")
			v, st := s.c.Header(RequestHeaders, "x-A")
			require.Equal(t, StatusOK, st)
			require.Equal(t, "1", v, "the first of several")
			s.c.AddHeader(RequestHeaders, "content-type", "b")
			v, _ = s.c.Header(RequestHeaders, "content-type")
			require.Equal(t, "a,b", v, "inline headers are joined")
			s.c.ReplaceHeader(RequestHeaders, "x-a", "3")
			pairs, _ := s.c.HeaderPairs(RequestHeaders)
			require.Equal(t, [2]string{"x-a", "3"}, pairs[len(pairs)-1], "set removes all and adds at the end")
			_, st = s.c.Header(RequestHeaders, "none")
			require.Equal(t, StatusNotFound, st)
			_, st = s.c.Header(ResponseHeaders, "none")
			require.Equal(t, StatusBadArgument, st)
			pairs, st = s.c.HeaderPairs(ResponseHeaders)
			require.Equal(t, StatusOK, st)
			require.Empty(t, pairs)
			require.Equal(t, StatusOK, s.c.SetHeaderPairs(RequestHeaders, [][2]string{{":path", "/"}, {":method", "GET"}, {":authority", "a"}, {":scheme", "http"}, {"x-forwarded-proto", "http"}}))
			size, st := s.c.HeaderMapSize(RequestHeaders)
			require.Equal(t, StatusOK, st)
			require.EqualValues(t, 59, size)
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{"content-type", "a"}}, true)
	require.Equal(t, [][2]string{{":path", "/"}, {":method", "GET"}, {":authority", "a"}, {":scheme", "http"}, {"x-forwarded-proto", "http"}, {"x-envoy-expected-rq-timeout-ms", "15000"}}, s.Attempt().Request().Headers.Pairs())
}

func TestHeadersAfterContinue(t *testing.T) {
	var after Status
	h := one(t, func(s *script) {
		s.requestBody = func(uint32, uint32, bool) Action {
			after = s.c.AddHeader(RequestHeaders, "a", "b")
			return Continue
		}
	})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("x"), true)
	require.Equal(t, StatusBadArgument, after)
}

func TestResponseHeadersFromACalloutWhilePaused(t *testing.T) {
	h := start(t, Config{Downstream: []Filter{{Module: native(func(s *script) {
		var waiting uint32
		s.responseHeaders = func(ctx, _ uint32, _ bool) Action {
			waiting = ctx
			_, st := s.c.HTTPCall("side", [][2]string{{":method", "GET"}, {":path", "/"}, {":authority", "a"}}, nil, nil, 1000)
			require.Equal(t, StatusOK, st)
			return Pause
		}
		s.callResponse = func(_, _, n, size, _ uint32) {
			b, _ := s.c.Buffer(HTTPCallResponseBody, 0, size)
			body := string(b)
			s.c.SetEffectiveContext(waiting)
			require.Equal(t, StatusOK, s.c.ReplaceHeader(ResponseHeaders, ":status", "202"))
			s.c.ReplaceHeader(ResponseHeaders, "x-body", body)
			s.c.ContinueStream(ResponseStream)
		}
	})}}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	a := s.Attempt()
	a.ResponseHeaders(nil, false)
	a.ResponseBody([]byte("held"), true)
	require.Nil(t, s.Response().Headers)
	require.True(t, h.Callouts()[0].Respond(nil, []byte("told"), nil))
	require.Equal(t, "202", s.Response().Status())
	require.Equal(t, "told", s.Response().Headers.Get("x-body"))
	require.Equal(t, "held", s.Response().Body())
}

func callingModule(events *[]string) Module {
	return native(func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			s.c.HTTPCall("side", [][2]string{{":method", "GET"}, {":path", "/"}, {":authority", "a"}}, []byte("q"), nil, 1000)
			return Pause
		}
		s.callResponse = func(_, _, n, size, _ uint32) {
			code, message, _ := s.c.CallStatus()
			status, _ := s.c.Header(HTTPCallResponseHeaders, ":status")
			if code != 0 {
				status = message
			}
			*events = append(*events, status)
		}
	})
}

func TestCalloutEnds(t *testing.T) {
	cases := []struct {
		name, want string
		end        func(h *Host, c *Callout)
	}{
		{"answer", "200", func(_ *Host, c *Callout) { c.Respond(nil, nil, nil) }},
		{"failure", "503", func(_ *Host, c *Callout) { c.Fail() }},
		{"broken answer", "reset", func(_ *Host, c *Callout) { c.Break() }},
		{"time-out", "504", func(h *Host, _ *Callout) { h.Advance(time.Second) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var events []string
			h := start(t, Config{Downstream: []Filter{{Module: callingModule(&events)}}})
			h.NewStream().RequestHeaders(nil, true)
			call := h.Callouts()[0]
			c.end(h, call)
			require.Equal(t, []string{c.want}, events)
			require.False(t, call.Respond(nil, nil, nil), "once only")
			require.Empty(t, h.Callouts())
		})
	}
}

func TestLateCalloutReachesTheRootContext(t *testing.T) {
	var events []string
	h := start(t, Config{Downstream: []Filter{{Module: callingModule(&events)}}})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	s.Abort()
	require.True(t, h.Callouts()[0].Respond(nil, nil, nil))
	require.Equal(t, []string{"200"}, events, "callouts outlive the stream that asked")
}

func TestCalloutsAreChecked(t *testing.T) {
	good := [][2]string{{":method", "GET"}, {":path", "/"}, {":authority", "a"}}
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			for i, h := range [][][2]string{good[1:], {good[0], good[2]}, good[:2]} {
				_, st := s.c.HTTPCall("side", h, nil, nil, 10)
				require.Equal(t, StatusBadArgument, st, i)
			}
			_, st := s.c.HTTPCall("", good, nil, nil, 10)
			require.Equal(t, StatusBadArgument, st, "no such cluster")
			_, st = s.c.HTTPCall("side", good, nil, nil, 0xffffffff)
			require.Equal(t, StatusBadArgument, st, "negative time-out")
			return Continue
		}
	})
	h.NewStream().RequestHeaders(nil, true)
	require.Empty(t, h.Callouts())
}

func TestEffectiveContext(t *testing.T) {
	h := start(t, Config{Downstream: []Filter{{Module: native(func(s *script) {
		contexts := map[string]uint32{}
		s.configure = func(uint32, uint32) bool { return s.c.SetTickPeriod(1) == StatusOK }
		s.requestHeaders = func(ctx, _ uint32, _ bool) Action {
			name, _ := s.c.Header(RequestHeaders, "x-name")
			contexts[name] = ctx
			return Pause
		}
		s.tick = func(uint32) {
			require.Equal(t, StatusBadArgument, s.c.SetEffectiveContext(999))
			for name, ctx := range contexts {
				require.Equal(t, StatusOK, s.c.SetEffectiveContext(ctx))
				s.c.AddHeader(RequestHeaders, "x-ticked", name)
				s.c.ContinueStream(RequestStream)
				require.Equal(t, StatusBadArgument, s.c.AddHeader(RequestHeaders, "x-late", "1"), "after continue")
			}
		}
	})}}})
	var streams []*Stream
	for _, name := range []string{"a", "b"} {
		s := h.NewStream()
		s.RequestHeaders([][2]string{{"x-name", name}}, true)
		streams = append(streams, s)
	}
	h.Tick()
	require.Equal(t, "a", streams[0].Attempt().Request().Headers.Get("x-ticked"))
	require.Equal(t, "b", streams[1].Attempt().Request().Headers.Get("x-ticked"))
}

func TestPropertiesByPhase(t *testing.T) {
	reads := map[string]string{}
	read := func(s *script, phase string, paths ...string) {
		for _, p := range paths {
			if v, st := s.c.Property(p); st == StatusOK {
				reads[phase+" "+p] = string(v)
			} else {
				reads[phase+" "+p] = st.String()
			}
		}
	}
	h := both(t, func(s *script) {
		s.configure = func(uint32, uint32) bool {
			read(s, "configure", "plugin_root_id", "request\x00path", "custom\x00value")
			require.Equal(t, StatusNotFound, s.c.SetProperty("a", nil))
			return true
		}
		s.requestHeaders = func(uint32, uint32, bool) Action {
			read(s, "request", "request\x00path", "request\x00headers\x00x-a", "response\x00code", "xds\x00cluster_name",
				"mine.key", "mine\x00key", "", "nope")
			s.c.SetProperty("mine.key", []byte("kept"))
			return Continue
		}
		s.log = func(uint32) {
			read(s, "log", "mine.key", "response\x00code", "response\x00code_details", "filter_state\x00wasm.mine.key")
		}
	})
	h.cfg.Properties = map[string]any{"custom.value": "v"}
	s := h.NewStream()
	s.SetProperty("source.address", "1.2.3.4")
	s.RequestHeaders([][2]string{{":path", "/p?q"}, {"x-a", "1"}}, true)
	answer(t, s, "201", "")
	require.Equal(t, "kept", reads["request mine.key"], "the upstream stage, called last, reads what the client stage wrote")
	require.Equal(t, "not found", reads["request mine\x00key"])
	require.Equal(t, "/p?q", reads["request request\x00path"])
	require.Equal(t, "1", reads["request request\x00headers\x00x-a"])
	require.Equal(t, "not found", reads["request response\x00code"])
	require.Equal(t, "upstream", reads["request xds\x00cluster_name"])
	require.Equal(t, "serialization failure", reads["request "])
	require.Equal(t, "not found", reads["request nope"])
	require.Equal(t, "not found", reads["configure request\x00path"])
	require.Equal(t, uint64(201), binary.LittleEndian.Uint64([]byte(reads["log response\x00code"])))
	require.Equal(t, "via_upstream", reads["log response\x00code_details"])
	require.Equal(t, "kept", reads["log filter_state\x00wasm.mine.key"])
}

func TestPropertyTypes(t *testing.T) {
	at := time.Unix(1, 5)
	cases := []struct {
		value any
		want  string
	}{
		{"s", "s"}, {[]byte("b"), "b"}, {true, "\x01"}, {int64(-1), "\xff\xff\xff\xff\xff\xff\xff\xff"},
		{uint64(2), "\x02\x00\x00\x00\x00\x00\x00\x00"}, {1.0, "\x00\x00\x00\x00\x00\x00\xf0\x3f"},
		{at, string(number(1_000_000_005))}, {time.Second, string(number(1_000_000_000))},
		{map[string]string{"b": "2", "a": "1"}, string(EncodePairs([][2]string{{"a", "1"}, {"b", "2"}}))},
	}
	for _, c := range cases {
		got, st := serialize(c.value)
		require.Equal(t, StatusOK, st)
		require.Equal(t, c.want, string(got))
	}
	_, st := serialize(struct{}{})
	require.Equal(t, StatusSerializationFailure, st)
}

func TestSharedDataIsPerVMIDAndChecked(t *testing.T) {
	var other []byte
	var st Status
	h := start(t, Config{
		Workers: 2,
		Downstream: []Filter{
			{Name: "a", VMID: "a", Module: native(func(s *script) {
				s.requestHeaders = func(uint32, uint32, bool) Action {
					v, cas, st := s.c.SharedData("n")
					if st == StatusNotFound {
						require.Equal(t, StatusOK, s.c.SetSharedData("n", []byte{1}, 77), "an absent key takes any cas")
						return Continue
					}
					require.Equal(t, StatusCASMismatch, s.c.SetSharedData("n", nil, cas+1))
					require.Equal(t, StatusOK, s.c.SetSharedData("n", []byte{v[0] + 1}, cas))
					require.Equal(t, StatusCASMismatch, s.c.SetSharedData("n", nil, cas))
					return Continue
				}
			})},
			{Name: "b", VMID: "b", Module: native(func(s *script) {
				s.requestHeaders = func(uint32, uint32, bool) Action {
					other, _, st = s.c.SharedData("n")
					return Continue
				}
			})},
		},
	})
	for range 4 {
		h.NewStream().RequestHeaders(nil, true)
	}
	v, _, _ := h.shared.get("a", "n")
	require.Equal(t, []byte{4}, v, "two workers share it")
	require.Nil(t, other)
	require.Equal(t, StatusNotFound, st)
	require.Equal(t, map[string]string{"n": "\x04"}, h.SharedData("a"))
}

func TestQueues(t *testing.T) {
	var got []string
	h := start(t, Config{
		Workers: 2,
		Downstream: []Filter{{Name: "a", VMID: "a", Module: native(func(s *script) {
			s.configure = func(uint32, uint32) bool {
				_, st := s.c.RegisterQueue("q")
				return st == StatusOK
			}
			s.requestHeaders = func(uint32, uint32, bool) Action {
				token, st := s.c.ResolveQueue("a", "q")
				require.Equal(t, StatusOK, st)
				_, st = s.c.ResolveQueue("a", "none")
				require.Equal(t, StatusNotFound, st)
				require.Equal(t, StatusNotFound, s.c.Enqueue(99, nil))
				require.Equal(t, StatusOK, s.c.Enqueue(token, []byte("one")))
				require.Equal(t, StatusOK, s.c.Enqueue(token, []byte("two")))
				got = append(got, "sent")
				return Continue
			}
			s.queueReady = func(_, token uint32) {
				b, st := s.c.Dequeue(token)
				got = append(got, string(b)+" "+st.String())
				if len(got) == 3 {
					_, st = s.c.Dequeue(token)
					require.Equal(t, StatusEmpty, st)
				}
			}
		})}},
	})
	h.NewStreamOn(0).RequestHeaders(nil, true)
	require.Equal(t, []string{"sent", "one ok", "two ok"}, got, "after the callback, on the reader's worker")
}

func TestMetrics(t *testing.T) {
	h := start(t, Config{Workers: 2, Downstream: []Filter{{Module: native(func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			c, _ := s.c.DefineMetric(Counter, "requests")
			g, _ := s.c.DefineMetric(Gauge, "level")
			hist, _ := s.c.DefineMetric(Histogram, "ms")
			require.Equal(t, StatusOK, s.c.IncrementMetric(c, 2))
			require.Equal(t, StatusBadArgument, s.c.IncrementMetric(c, -1))
			require.Equal(t, StatusOK, s.c.RecordMetric(g, 10))
			require.Equal(t, StatusOK, s.c.IncrementMetric(g, -3))
			require.Equal(t, StatusOK, s.c.RecordMetric(hist, 12))
			require.Equal(t, StatusBadArgument, s.c.IncrementMetric(hist, 1))
			require.Equal(t, StatusNotFound, s.c.IncrementMetric(400, 1))
			_, st := s.c.DefineMetric(3, "x")
			require.Equal(t, StatusBadArgument, st)
			return Continue
		}
	})}}})
	h.NewStream().RequestHeaders(nil, true)
	h.NewStream().RequestHeaders(nil, true)
	m, ok := h.Metric("requests")
	require.True(t, ok)
	require.EqualValues(t, 4, m.Value)
	m, _ = h.Metric("level")
	require.EqualValues(t, 7, m.Value)
	m, _ = h.Metric("ms")
	require.Equal(t, []uint64{12, 12}, m.Samples)
	require.EqualValues(t, 24, m.Sum)
}

func TestTicksFollowTheClock(t *testing.T) {
	ticks := 0
	h := one(t, func(s *script) {
		s.configure = func(uint32, uint32) bool { return s.c.SetTickPeriod(100) == StatusOK }
		s.tick = func(uint32) {
			if ticks++; ticks == 5 {
				s.c.SetTickPeriod(0)
			}
		}
	})
	h.Advance(350 * time.Millisecond)
	require.Equal(t, 3, ticks)
	h.Advance(time.Hour)
	require.Equal(t, 5, ticks)
}

func TestForeignFunctions(t *testing.T) {
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			b, st := s.c.CallForeignFunction("double", []byte("ab"))
			require.Equal(t, StatusOK, st)
			require.Equal(t, "abab", string(b))
			_, st = s.c.CallForeignFunction("unknown", nil)
			require.Equal(t, StatusNotFound, st)
			return Continue
		}
	})
	h.cfg.ForeignFunctions = map[string]func([]byte) ([]byte, Status){"double": func(b []byte) ([]byte, Status) {
		return append(b, b...), StatusOK
	}}
	h.NewStream().RequestHeaders(nil, true)
	require.Zero(t, h.Stats().Traps.Load())
}

func TestInjectedFaults(t *testing.T) {
	calls := map[string]Status{}
	h := one(t, func(s *script) {
		s.requestHeaders = func(uint32, uint32, bool) Action {
			calls["set_shared_data"] = s.c.SetSharedData("k", nil, 0)
			_, calls["get_property"] = s.c.Property("plugin_name")
			return Continue
		}
	})
	h.Inject(Fault{Refuse: "set_shared_data", Status: StatusInternalFailure, Skip: 1, Times: 2})
	want := []Status{StatusOK, StatusInternalFailure, StatusInternalFailure, StatusOK}
	for _, st := range want {
		h.NewStream().RequestHeaders(nil, true)
		require.Equal(t, st, calls["set_shared_data"])
		require.Equal(t, StatusOK, calls["get_property"])
	}
	h.Inject(Fault{Refuse: "get_property", Status: StatusNotFound, Times: -1})
	h.NewStream().RequestHeaders(nil, true)
	require.Equal(t, StatusNotFound, calls["get_property"])
	h.Heal()
	h.NewStream().RequestHeaders(nil, true)
	require.Equal(t, StatusOK, calls["get_property"])
}

func TestCallsDuringInitializationFailTheLoad(t *testing.T) {
	_, err := New(Config{Downstream: []Filter{{Module: NativeGuest(func(c Calls) Guest {
		c.Log(LogInfo, "allowed")
		c.SetSharedData("k", nil, 0)
		return BaseGuest{}
	})}}})
	var restricted *RestrictedCallError
	require.True(t, errors.As(err, &restricted))
	require.Equal(t, "set_shared_data", restricted.Call)
}

func TestAttributesOfTheRequestNeedItsHeaders(t *testing.T) {
	got := map[string]Status{}
	h := one(t, func(s *script) {
		read := func(phase string) {
			for _, p := range []string{"request\x00path", "request\x00protocol", "response\x00code", "request"} {
				_, got[phase+" "+p] = s.c.Property(p)
			}
		}
		s.requestHeaders = func(uint32, uint32, bool) Action { read("request"); return Continue }
		s.responseHeaders = func(uint32, uint32, bool) Action { read("response"); return Continue }
		s.log = func(uint32) { read("log") }
	})
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	answer(t, s, "200", "")
	require.Equal(t, map[string]Status{
		"request request\x00path": StatusOK, "request request\x00protocol": StatusOK, "request response\x00code": StatusNotFound,
		"response request\x00path": StatusNotFound, "response request\x00protocol": StatusOK, "response response\x00code": StatusOK,
		"log request\x00path": StatusOK, "log request\x00protocol": StatusOK, "log response\x00code": StatusOK,
		"request request": StatusSerializationFailure, "response request": StatusSerializationFailure, "log request": StatusSerializationFailure,
	}, got)
}

func TestContinueForgetsThatABodyWasHeld(t *testing.T) {
	h := start(t, Config{Downstream: []Filter{{Module: native(func(s *script) {
		held := uint32(0)
		s.configure = func(uint32, uint32) bool { return s.c.SetTickPeriod(1) == StatusOK }
		s.requestBody = func(ctx, _ uint32, _ bool) Action {
			if held == 0 {
				held = ctx
				return Pause
			}
			return Continue
		}
		s.tick = func(uint32) {
			s.c.SetEffectiveContext(held)
			s.c.ContinueStream(RequestStream)
		}
	})}}})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("a"), false)
	h.Tick()
	s.RequestBody([]byte("b"), true)
	require.Equal(t, []string{"a", "b"}, chunks(s.Attempt().Request()))
}
