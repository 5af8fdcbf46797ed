package hosttest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func trapping(s *script) {
	s.requestHeaders = func(uint32, uint32, bool) Action {
		if v, _ := s.c.Header(RequestHeaders, "x-trap"); v != "" {
			panic("as asked")
		}
		return Continue
	}
}

var trap = [][2]string{{"x-trap", "1"}}

func TestVMsAreSharedByIDModuleAndConfiguration(t *testing.T) {
	m, other := native(func(*script) {}), native(func(*script) {})
	cases := []struct {
		name string
		a, b Filter
		vms  int
	}{
		{"all equal", Filter{VMID: "v", Module: m}, Filter{VMID: "v", Module: m}, 1},
		{"another id", Filter{VMID: "v", Module: m}, Filter{VMID: "w", Module: m}, 2},
		{"another module", Filter{VMID: "v", Module: m}, Filter{VMID: "v", Module: other}, 2},
		{"another VM configuration", Filter{VMID: "v", Module: m}, Filter{VMID: "v", Module: m, VMConfig: []byte("x")}, 2},
		{"another plugin configuration", Filter{VMID: "v", Module: m}, Filter{VMID: "v", Module: m, Config: []byte("x")}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := start(t, Config{Workers: 2, Downstream: []Filter{c.a}, Upstream: []Filter{c.b}})
			require.Len(t, h.VMs(), 2*c.vms)
		})
	}
}

func TestStartOrder(t *testing.T) {
	var events []string
	note := func(name string) { events = append(events, name) }
	m := native(func(s *script) {
		s.contextCreate = func(_, parent uint32) {
			if parent == 0 {
				note("create")
			}
		}
		s.vmStart = func(uint32, uint32) bool {
			b, _ := s.c.Buffer(VMConfiguration, 0, 99)
			note("start " + string(b))
			return true
		}
		s.configure = func(_, n uint32) bool {
			b, _ := s.c.Buffer(PluginConfiguration, 0, n)
			note("configure " + string(b))
			return true
		}
	})
	start(t, Config{
		Downstream: []Filter{{VMID: "v", Module: m, VMConfig: []byte("vm"), Config: []byte("one")}},
		Upstream:   []Filter{{VMID: "v", Module: m, VMConfig: []byte("vm"), Config: []byte("two")}},
	})
	require.Equal(t, []string{"create", "start vm", "configure one", "create", "start vm", "configure two"}, events)
}

func TestRefusedStart(t *testing.T) {
	_, err := New(Config{Downstream: []Filter{filter(func(s *script) { s.vmStart = func(uint32, uint32) bool { return false } })}})
	require.ErrorContains(t, err, "on_vm_start refused")
	_, err = New(Config{Downstream: []Filter{filter(func(s *script) { s.configure = func(uint32, uint32) bool { panic("x") } })}})
	require.ErrorIs(t, err, errTrap)
	_, err = New(Config{Downstream: []Filter{{}}})
	require.ErrorContains(t, err, "no module")
}

func TestTrapAnswersItsOwnRequestAndCutsTheOthers(t *testing.T) {
	h := one(t, trapping)
	waiting, streaming := h.NewStream(), h.NewStream()
	waiting.RequestHeaders(nil, true)
	streaming.RequestHeaders(nil, true)
	streaming.Attempt().ResponseHeaders(nil, false)
	streaming.Attempt().ResponseBody([]byte("a"), false)

	own := h.NewStream()
	own.RequestHeaders(trap, true)
	require.Equal(t, "503", own.Response().Status())
	require.Empty(t, own.Response().Body())
	require.Equal(t, "wasm_fail_stream", own.AccessLog().Details)

	waiting.Attempt().ResponseHeaders(nil, false)
	require.Equal(t, "503", waiting.Response().Status())
	streaming.Attempt().ResponseBody([]byte("b"), false)
	require.Equal(t, "a", streaming.Response().Body())
	require.NotEmpty(t, streaming.Response().Broken)
	require.NotContains(t, names(h, own), "down log", "nothing runs in a dead VM")
}

func TestFailurePolicies(t *testing.T) {
	cases := []struct {
		policy FailurePolicy
		want   string // of the next request, one second later; "" is forwarded
	}{{FailClosed, "503"}, {FailReload, ""}, {FailOpen, ""}}
	for _, c := range cases {
		f := filter(trapping)
		f.FailurePolicy = c.policy
		h := start(t, Config{Downstream: []Filter{f}})
		own := h.NewStream()
		own.RequestHeaders(trap, true)
		require.Equal(t, "503", own.Response().Status(), "whatever the policy")
		h.Advance(time.Second)
		s := h.NewStream()
		s.RequestHeaders(nil, true)
		require.Equal(t, c.want, s.Response().Status())
		require.Equal(t, c.policy == FailReload, len(h.VMs()) == 1)
		require.Equal(t, c.policy == FailReload, h.Stats().Reloads.Load() == 1)
	}
}

func TestReloadServesBothStagesAndForgetsGoState(t *testing.T) {
	instances := 0
	m := native(func(s *script) {
		instances++
		served := 0
		trapping(s)
		check := s.requestHeaders
		s.requestHeaders = func(ctx, n uint32, eos bool) Action {
			served++
			s.c.AddHeader(RequestHeaders, "x-served", string(rune('0'+served)))
			return check(ctx, n, eos)
		}
	})
	h := start(t, Config{
		Downstream: []Filter{{Name: "down", VMID: "v", Module: m, FailurePolicy: FailReload}},
		Upstream:   []Filter{{Name: "up", VMID: "v", Module: m, FailurePolicy: FailReload}},
	})
	for range 2 {
		h.NewStream().RequestHeaders(nil, true)
	}
	h.NewStream().RequestHeaders(trap, true)
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, []string{"1", "2"}, s.Attempt().Request().Headers.Values("x-served"))
	require.Equal(t, 2, instances)
	require.Len(t, h.VMs(), 1)
}

func TestReloadBackoff(t *testing.T) {
	f := filter(trapping)
	f.FailurePolicy = FailReload
	h := start(t, Config{Downstream: []Filter{f}})
	for range 2 {
		h.NewStream().RequestHeaders(trap, true)
	}
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "503", s.Response().Status(), "a VM that dies at once is not replaced within a second")
	require.EqualValues(t, 1, h.Stats().ReloadBackoffs.Load())
	h.Advance(time.Second)
	s = h.NewStream()
	s.RequestHeaders(nil, true)
	require.NotNil(t, s.Attempt())
}

func TestATrapStaysOnItsWorker(t *testing.T) {
	f := filter(trapping)
	h := start(t, Config{Workers: 2, Downstream: []Filter{f}})
	h.NewStreamOn(0).RequestHeaders(trap, true)
	s := h.NewStreamOn(1)
	s.RequestHeaders(nil, true)
	require.NotNil(t, s.Attempt())
}

func TestInjectedTraps(t *testing.T) {
	for cb := CallbackRequestHeaders; cb <= CallbackResponseBody; cb++ {
		if cb == CallbackRequestTrailers {
			continue
		}
		t.Run(cb.String(), func(t *testing.T) {
			f := filter(func(*script) {})
			f.FailurePolicy = FailReload
			h := start(t, Config{Downstream: []Filter{f}})
			h.Inject(Fault{TrapAt: cb})
			s := h.NewStream()
			s.RequestHeaders(post, false)
			s.RequestBody([]byte("q"), true)
			if a := s.Attempt(); a != nil {
				a.ResponseHeaders(nil, false)
				a.ResponseBody([]byte("r"), true)
			}
			require.True(t, s.Ended())
			if cb == CallbackResponseBody {
				require.NotEmpty(t, s.Response().Broken)
			} else {
				require.Equal(t, "503", s.Response().Status())
			}
			s = h.NewStream()
			s.RequestHeaders(nil, true)
			require.NotNil(t, s.Attempt(), "the next request gets a fresh VM")
		})
	}
}

func TestTrapInTheUpstreamStage(t *testing.T) {
	h := start(t, Config{Upstream: []Filter{filter(trapping)}})
	s := h.NewStream()
	s.RequestHeaders(trap, true)
	require.Equal(t, "503", s.Response().Status())
	require.True(t, s.Ended())
}

func TestTrapInATickOrACallout(t *testing.T) {
	f := filter(func(s *script) {
		s.configure = func(uint32, uint32) bool { return s.c.SetTickPeriod(1) == StatusOK }
		s.tick = func(uint32) { panic("tick") }
	})
	f.FailurePolicy = FailReload
	h := start(t, Config{Downstream: []Filter{f}})
	h.Tick()
	require.EqualValues(t, 1, h.Stats().Traps.Load())
	h.Advance(time.Hour)
	require.EqualValues(t, 1, h.Stats().Traps.Load(), "a dead VM does not tick")
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.NotNil(t, s.Attempt())
}

func TestWorkersAreUsedInTurn(t *testing.T) {
	h := start(t, Config{Workers: 3, Downstream: []Filter{filter(func(*script) {})}})
	for range 6 {
		h.NewStream().RequestHeaders(nil, true)
	}
	for _, vm := range h.VMs() {
		require.Equal(t, 3, vm.Contexts(), "a root and two streams")
	}
}

func TestConcurrentStreams(t *testing.T) {
	h := start(t, Config{Workers: 2, Downstream: []Filter{filter(func(s *script) {
		n := 0 // one VM runs one callback at a time: the race detector watches this
		s.requestHeaders = func(uint32, uint32, bool) Action { n++; return Continue }
		s.responseBody = func(_, size uint32, _ bool) Action {
			n++
			s.c.SetSharedData("n", []byte{byte(n)}, 0)
			return Continue
		}
	})}})
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			for range 50 {
				s := h.NewStream()
				s.RequestHeaders(nil, true)
				a := s.Attempt()
				a.ResponseHeaders(nil, false)
				a.ResponseBody([]byte("x"), true)
				if s.Response().Body() != "x" {
					errs <- errors.New("lost")
				}
			}
		})
	}
	wg.Wait()
	require.Empty(t, errs)
}

func TestLogsAndLevels(t *testing.T) {
	var lines []string
	h := start(t, Config{
		LogLevel: LogWarn,
		Log:      func(l LogLine) { lines = append(lines, l.String()) },
		Downstream: []Filter{filter(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				s.c.Log(LogInfo, "dropped")
				s.c.Log(LogWarn, "kept")
				level, _ := s.c.LogLevel()
				require.Equal(t, LogWarn, level)
				require.Equal(t, StatusBadArgument, s.c.Log(9, "x"))
				return Continue
			}
		})},
	})
	h.NewStream().RequestHeaders(nil, true)
	require.Equal(t, []string{"warn f[2]: kept"}, lines)
}
