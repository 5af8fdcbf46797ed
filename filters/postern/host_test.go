package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
)

const hostConfig = `version: 1
providers: {a: {dialect: openai, url: "https://a.test/v1"}}
models: {m: {targets: [{provider: a, model: x}]}}
identity: {anonymous: {}}
`

const hostBody = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`

// deployed is a host of a kind, set up for a mode, with what edit makes wrong.
func deployed(t *testing.T, module hosttest.Module, text string, mode pipeline.Mode, edit func(c *hosttest.Config)) *hosttest.Host {
	node, c, errs := gateway.Load("postern.yaml", []byte("mode: "+string(mode)+"\n"+text))
	require.Empty(t, errs)
	config := gateway.Host(gateway.Options{Module: module, Node: node, Config: c})
	edit(&config)
	h, err := hosttest.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

func asked(h *hosttest.Host) *hosttest.Stream {
	s := h.NewStream()
	s.RequestHeaders(append(slices.Clone(chatHeaders), [2]string{"content-length", "57"}), false)
	return s
}

// unsupported holds an answer to being the typed one for what the host lacks.
func unsupported(t *testing.T, h *hosttest.Host, s *hosttest.Stream, capability string) {
	require.Equal(t, "503", s.Response().Status())
	require.Contains(t, s.Response().Body(), `"code":"host_unsupported"`)
	require.Empty(t, s.Attempts(), "nothing leaves")
	refused, _ := h.Metric("postern.host_unsupported;capability=" + capability)
	require.NotZero(t, refused.Value)
}

// TestWrongHost deploys each mode where it cannot run: the first request gets a
// typed error before anything leaves, and none hangs.
func TestWrongHost(t *testing.T) {
	bare := func(p hosttest.Profile) func(c *hosttest.Config) {
		return func(c *hosttest.Config) {
			c.Profile, c.Upstream = p, nil
			for i := range c.Downstream {
				c.Downstream[i].AllowHeadersStop = false
			}
		}
	}
	cases := map[string]struct {
		mode pipeline.Mode
		edit func(c *hosttest.Config)
		code string
	}{
		"native as a bare WasmPlugin": {pipeline.Native, bare(hosttest.IstioWasmPlugin()), "provider_stage"},
		"native on APISIX":            {pipeline.Native, bare(hosttest.APISIX()), "ticks"},
		"callout on Envoy":            {pipeline.Callouts, bare(hosttest.Envoy()), "declared_variables"},
		"callout on Istio":            {pipeline.Callouts, bare(hosttest.IstioWasmPlugin()), "declared_variables"},
	}
	for name, c := range cases {
		for engine, module := range engines(t) {
			t.Run(engine+"/"+name, func(t *testing.T) {
				t.Parallel()
				h := deployed(t, module, hostConfig, c.mode, c.edit)
				for range 2 {
					s := asked(h)
					s.RequestBody([]byte(hostBody), true)
					require.Equal(t, "503", s.Response().Status())
					if c.code == "ticks" {
						require.Contains(t, s.Response().Body(), `"code":"host_unsupported"`)
						continue // metrics do nothing there
					}
					unsupported(t, h, s, c.code)
				}
				require.Zero(t, h.Stats().Traps.Load())
			})
		}
	}
}

// TestWithheldBody: a host without stop iteration keeps the body of a request whose
// headers are held. The first request is answered as soon as some of its body is
// there, those that wait beside it too, and later ones at once.
func TestWithheldBody(t *testing.T) {
	for engine, module := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			h := deployed(t, module, hostConfig, pipeline.Native, func(c *hosttest.Config) { c.Downstream[0].AllowHeadersStop = false })
			slow, first := asked(h), asked(h)
			h.Advance(10 * time.Second)
			require.Empty(t, first.Response().Status(), "its client may be slow")
			first.RequestBody([]byte(hostBody[:20]), false)
			h.Advance(200 * time.Millisecond)
			unsupported(t, h, first, "stop_iteration")
			unsupported(t, h, slow, "stop_iteration")
			unsupported(t, h, asked(h), "stop_iteration")
			other := h.NewStream()
			other.RequestHeaders([][2]string{{":method", "POST"}, {":path", "/v1/messages"}, {":authority", "g"}, {":scheme", "http"}, {"content-type", "application/json"}}, false)
			require.Equal(t, "503", other.Response().Status())
			require.Contains(t, other.Response().Body(), `{"type":"error","error":{"type":"api_error","message":"the gateway is set up`, "in the client's dialect")
			state, _ := h.Metric("postern.host_capability;capability=stop_iteration;state=missing")
			require.EqualValues(t, 1, state.Value)
		})
	}
}

// TestSlowBody: where bodies come, a client may take its time with the first one.
func TestSlowBody(t *testing.T) {
	for engine, module := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			h := deployed(t, module, hostConfig, pipeline.Native, func(*hosttest.Config) {})
			s := asked(h)
			h.Advance(time.Minute)
			s.RequestBody([]byte(hostBody[:20]), false)
			h.Advance(time.Minute)
			s.RequestBody([]byte(hostBody[20:]), true)
			require.Len(t, s.Attempts(), 1)
			whole(s)
			require.Equal(t, "200", s.Response().Status())
		})
	}
}

// TestFoundOut: what a VM says of its host at its start, and after its first requests.
func TestFoundOut(t *testing.T) {
	at := map[pipeline.Mode]struct{ start, after string }{
		pipeline.Native: {
			"postern: mode native, shared_data works, ticks works, stop_iteration untried, provider_stage untried, properties untried, request_body untried, answer_body untried, declared_variables untried, callouts untried, answer_callouts untried",
			"shared_data works, ticks works, stop_iteration works, provider_stage works, properties works, request_body works, answer_body works, declared_variables untried, callouts untried, answer_callouts untried"},
		pipeline.Paired: {
			"postern: mode paired, shared_data works, ticks works, stop_iteration untried, provider_stage untried, properties untried, request_body untried, answer_body untried, declared_variables untried, callouts untried, answer_callouts untried",
			"shared_data works, ticks works, stop_iteration untried, provider_stage untried, properties works, request_body works, answer_body untried, declared_variables untried, callouts works, answer_callouts works"},
		pipeline.Callouts: {
			"postern: mode callout, shared_data missing, ticks missing, stop_iteration untried, provider_stage untried, properties untried, request_body untried, answer_body untried, declared_variables untried, callouts untried, answer_callouts untried",
			""}, // metrics do nothing there; the log is what there is
	}
	for mode, want := range at {
		for engine, module := range engines(t) {
			t.Run(engine+"/"+string(mode), func(t *testing.T) {
				t.Parallel()
				h := deployed(t, module, strings.Replace(hostConfig, "{provider: a, model: x}", "{provider: a, model: x}, {provider: a, model: y, priority: 1}", 1), mode, func(*hosttest.Config) {})
				s := failedOver(h, mode)
				require.Equal(t, "200", s.Response().Status())
				var said []string
				for _, line := range h.Logs() {
					if strings.HasPrefix(line.Text, "postern: mode ") || strings.Contains(line.Text, "the host lacks") {
						said = append(said, line.Text)
					}
				}
				require.Equal(t, want.start, said[0])
				if mode == pipeline.Callouts {
					require.Equal(t, []string{"postern: the host lacks request_body"}, said[1:])
					return
				}
				require.Len(t, said, 1, "one line")
				require.Equal(t, want.after, capabilities(h))
				info, _ := h.Metric("postern.mode_info;mode=" + string(mode))
				require.EqualValues(t, 1, info.Value)
			})
		}
	}
}

// failedOver sends a request whose first target is overloaded.
func failedOver(h *hosttest.Host, mode pipeline.Mode) *hosttest.Stream {
	s := asked(h)
	s.RequestBody([]byte(hostBody), true)
	h.Advance(10 * time.Millisecond)
	if mode != pipeline.Callouts {
		a := s.Attempt()
		a.ResponseHeaders([][2]string{{":status", "503"}, {"content-type", "application/json"}}, false)
		a.ResponseBody([]byte(`{}`), true)
		h.Advance(10 * time.Millisecond)
	}
	ok := [][2]string{{":status", "200"}, {"content-type", "application/json"}}
	if mode == pipeline.Native {
		a := s.Attempts()[1]
		a.ResponseHeaders(ok, false)
		a.ResponseBody([]byte(answer), true)
		return s
	}
	h.Callouts()[0].Respond(ok, []byte(answer), nil)
	h.Advance(10 * time.Millisecond)
	return s
}

// capabilities are the findings as metrics have them.
func capabilities(h *hosttest.Host) string {
	var list []string
	for _, name := range pipeline.Capabilities {
		for _, state := range []string{"untried", "works", "missing"} {
			if m, ok := h.Metric("postern.host_capability;capability=" + name + ";state=" + state); ok && m.Value == 1 {
				list = append(list, name+" "+state)
			}
		}
	}
	return strings.Join(list, ", ")
}

// TestNoSharedData: budgets fail as they are configured to, and say so.
func TestNoSharedData(t *testing.T) {
	lost := []hosttest.Fault{{Refuse: "set_shared_data", Status: hosttest.StatusUnimplemented, Times: -1},
		{Refuse: "get_shared_data", Status: hosttest.StatusUnimplemented, Times: -1}}
	for engine, module := range engines(t) {
		for _, failure := range []string{"closed", "open"} {
			t.Run(engine+"/"+failure, func(t *testing.T) {
				t.Parallel()
				h := deployed(t, module, hostConfig+"budgets: {all: {unit: requests, limit: 10, window: hour, on_store_failure: "+failure+"}}\n",
					pipeline.Native, func(c *hosttest.Config) { c.Faults = lost })
				s := asked(h)
				s.RequestBody([]byte(hostBody), true)
				if failure == "closed" {
					require.Equal(t, "503", s.Response().Status())
					require.Contains(t, s.Response().Body(), `"code":"budget_unavailable"`)
					return
				}
				whole(s)
				require.Equal(t, "200", s.Response().Status())
				require.Equal(t, "budget_unmetered", s.Response().Headers.Get("x-postern-degraded"))
				require.Contains(t, s.FilterState()["wasm.postern.audit"], `"degraded":["budget_unmetered"]`)
				h.Advance(2 * time.Second)
				counted, _ := h.Metric("postern.degraded;mode=native;feature=budget_unmetered")
				require.EqualValues(t, 1, counted.Value)
			})
		}
	}
}
