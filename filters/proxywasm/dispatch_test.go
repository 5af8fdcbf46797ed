//go:build !wasip1

package proxywasm

import (
	"errors"
	"strings"
	"testing"

	"github.com/posterngw/postern/filters/host"
	"github.com/stretchr/testify/require"
)

const huge = 0xffff_fff0

func TestCallbacksReachTheStage(t *testing.T) {
	newFake()
	p := &fakePlugin{}
	start(t, p)
	s := begin(p, 7)

	require.Equal(t, proceed, dispatch(atRequestHeaders, 7, 3, 0, 0))
	s.answer = host.Pause
	require.Equal(t, hold, dispatch(atRequestBody, 7, 10, 0, 0))
	s.answer = 9 // no action
	require.Equal(t, hold, dispatch(atRequestBody, 7, 20, 1, 0))
	s.answer = host.Continue
	dispatch(atRequestTrailers, 7, 1, 0, 0)
	dispatch(atResponseHeaders, 7, 3, 0, 0)
	dispatch(atResponseBody, 7, huge, 0, 0)
	dispatch(atResponseBody, 7, 0, 1, 0)
	dispatch(atResponseTrailers, 7, 0, 0, 0)
	dispatch(atLog, 7, 0, 0, 0)

	require.Equal(t, []string{
		"request_headers false", "request_body 10 false", "request_body 20 true", "request_trailers",
		"response_headers false", "response_body 0 false", "response_body 0 true", "response_trailers", "done",
	}, s.heard)
	require.Zero(t, running)
}

func TestDoneRunsOnceAtTheFirstSignOfTheEnd(t *testing.T) {
	for name, order := range map[string][]callback{
		"envoy":        {atLog, atDone, atDelete},
		"apisix":       {atDone, atDelete},
		"delete alone": {atDelete},
		"done first":   {atDone, atLog, atDelete},
		"repeated":     {atLog, atLog, atDone, atDone, atDelete, atDelete, atLog},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			p := &fakePlugin{on: func(s *fakeStage, callback string) {
				if callback == "done" {
					s.SetProperty("audit", "kept")
					require.NoError(t, s.Err())
				}
			}}
			start(t, p)
			s := begin(p, 7)
			for _, at := range order {
				dispatch(at, 7, 0, 0, 0)
			}
			require.Equal(t, []string{"done"}, s.heard)
			require.Equal(t, "kept", f.properties["audit"])
			require.Zero(t, streams.count)
		})
	}
}

func TestNothingReachesAStageAfterItsEnd(t *testing.T) {
	newFake()
	p := &fakePlugin{}
	start(t, p)
	s := begin(p, 7)
	dispatch(atLog, 7, 0, 0, 0)
	require.Equal(t, proceed, dispatch(atRequestBody, 7, 5, 1, 0))
	require.Equal(t, proceed, dispatch(atResponseHeaders, 7, 5, 1, 0))
	require.Equal(t, []string{"done"}, s.heard)
}

func TestUnknownContexts(t *testing.T) {
	f := newFake()
	p := &fakePlugin{}
	start(t, p)
	f.log = nil
	for at := atContextCreate; at <= atDelete; at++ {
		if at == atRequestHeaders || at == atContextCreate || at == atTick || at == atConfigure || at == atVMStart {
			continue
		}
		require.Equal(t, proceed, dispatch(at, 99, 98, 97, 96), callbackNames[at])
	}
	require.Empty(t, f.log)

	require.Equal(t, hold, dispatch(atRequestHeaders, 99, 0, 0, 0), "a stream that nobody judges does not pass")
	require.Contains(t, f.log[0], "send_local_response 99 500 postern_panic")

	require.Zero(t, dispatch(atConfigure, 99, 0, 0, 0), "an unknown plugin is not configured")
	dispatch(atTick, 99, 0, 0, 0)
	dispatch(atContextCreate, 50, 49, 0, 0)
	require.Zero(t, streams.count, "a stream of no plugin")
	dispatch(atContextCreate, 51, 1, 0, 0)
	dispatch(atContextCreate, 51, 1, 0, 0)
	require.Equal(t, 1, streams.count, "announced twice")
	require.Len(t, p.made, 1)
}

func TestAStageWithoutCallbacksIsRefused(t *testing.T) {
	f := newFake()
	Register(func(host.VM) host.Plugin { return noStages{} })
	dispatch(atContextCreate, 1, 0, 0, 0)
	dispatch(atContextCreate, 7, 1, 0, 0)
	require.Equal(t, hold, dispatch(atRequestHeaders, 7, 0, 0, 0))
	require.Contains(t, f.log[len(f.log)-1], "send_local_response")
	dispatch(atDelete, 7, 0, 0, 0)
}

type noStages struct{}

func (noStages) Configure([]byte) bool             { return true }
func (noStages) Stream(host.Stream) host.Callbacks { return nil }
func (noStages) Tick()                             {}

func TestAPanicIsToldToItsStreamAlone(t *testing.T) {
	for _, c := range []struct {
		at   callback
		name string
	}{
		{atRequestHeaders, "request_headers"},
		{atRequestBody, "request_body"},
		{atRequestTrailers, "request_trailers"},
		{atResponseHeaders, "response_headers"},
		{atResponseBody, "response_body"},
		{atResponseTrailers, "response_trailers"},
		{atLog, "done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			newFake()
			var counted []string
			p := &fakePlugin{}
			p.on = func(s *fakeStage, callback string) {
				if callback == c.name && s == p.made[0] {
					s.answer = host.Pause // what Recovered will answer
					panic("broken")
				}
			}
			start(t, p)
			OnPanic(func(callback, cause string) { counted = append(counted, callback+": "+cause) })
			bad, good := begin(p, 7), begin(p, 8)

			require.Equal(t, hold, dispatch(c.at, 7, 1, 1, 0))
			require.Equal(t, []string{"broken"}, bad.causes)
			require.Equal(t, []string{callbackNames[c.at] + ": broken"}, counted)
			require.Zero(t, running)

			require.Equal(t, proceed, dispatch(c.at, 8, 1, 1, 0))
			require.Empty(t, good.causes)
			dispatch(atDelete, 7, 0, 0, 0)
			require.Contains(t, bad.heard, "done")
		})
	}
}

func TestASecondPanicRefusesTheStream(t *testing.T) {
	f := newFake()
	panics := 0
	p := &fakePlugin{}
	p.on = func(_ *fakeStage, callback string) {
		if callback == "request_body" || callback == "recovered" {
			panic(errors.New("broken again"))
		}
	}
	start(t, p)
	OnPanic(func(string, string) { panics++; panic("the hook too") })
	s := begin(p, 7)
	require.Equal(t, hold, dispatch(atRequestBody, 7, 1, 1, 0))
	require.Equal(t, 2, panics)
	require.Contains(t, f.log[len(f.log)-1], "send_local_response 7 500 postern_panic "+refusal)
	require.Equal(t, proceed, dispatch(atResponseHeaders, 7, 1, 1, 0), "the refusal itself passes")
	dispatch(atDelete, 7, 0, 0, 0)
	require.Equal(t, []string{"request_body 1 true", "recovered", "done"}, s.heard)
}

func TestPanicsOutsideOfStreams(t *testing.T) {
	newFake()
	var counted []string
	broken := "stream"
	p := &fakePlugin{on: func(_ *fakeStage, callback string) {
		if callback == broken {
			panic(3)
		}
	}}
	start(t, p)
	OnPanic(func(callback, cause string) { counted = append(counted, callback+" "+cause) })

	dispatch(atContextCreate, 7, 1, 0, 0)
	require.Equal(t, hold, dispatch(atRequestHeaders, 7, 0, 0, 0), "refused, not passed")
	dispatch(atDelete, 7, 0, 0, 0)

	broken = "tick"
	dispatch(atTick, 1, 0, 0, 0)
	broken = "configure"
	require.Zero(t, dispatch(atConfigure, 1, 0, 0, 0))
	require.NoError(t, machine.Call(host.Callout{}, func(*host.CalloutAnswer) { panic("late") }))
	dispatch(atCallout, 1, machine0(t), 0, 0)
	require.Equal(t, []string{"context_create 3", "tick 3", "configure 3", "callout late"}, counted)
	require.Zero(t, running)
}

// machine0 is the token of the one callout that waits.
func machine0(t *testing.T) uint32 {
	require.Len(t, machine.callouts, 1)
	for token := range machine.callouts {
		return token
	}
	return 0
}

// A stage that panics while it speaks about another stream must not answer that
// one.
func TestAPanicAfterActivatingAnotherStream(t *testing.T) {
	f := newFake()
	p := &fakePlugin{}
	p.on = func(s *fakeStage, callback string) {
		switch callback {
		case "request_headers":
			p.made[0].Activate()
			panic("broken")
		case "recovered":
			s.Reply(500, nil, nil, "panic")
		}
	}
	start(t, p)
	begin(p, 7)
	begin(p, 8)
	dispatch(atRequestHeaders, 8, 0, 0, 0)
	require.Contains(t, f.log, "send_local_response 8 500 panic  0 -1")
}

// Nor must that one be refused in its place when it panics again.
func TestASecondPanicAfterActivatingAnotherStream(t *testing.T) {
	for _, st := range []Status{OK, BadArgument} {
		f := newFake()
		p := &fakePlugin{}
		start(t, p)
		begin(p, 7)
		begin(p, 8)
		p.on = func(s *fakeStage, callback string) {
			p.made[0].Activate()
			if callback == "recovered" {
				f.refuse["set_effective_context"] = st
			}
			panic("broken")
		}
		require.Equal(t, hold, dispatch(atRequestHeaders, 8, 0, 0, 0))
		last := f.log[len(f.log)-1]
		if st == OK {
			require.Contains(t, last, "send_local_response 8 500")
		} else {
			require.Equal(t, "set_effective_context 8", last, "nobody is answered")
		}
	}
}

func TestDescribe(t *testing.T) {
	for want, cause := range map[string]any{
		"text": "text", "an error": errors.New("an error"), "7": 7, "panic": 1.5,
		strings.Repeat("x", maxCause): strings.Repeat("x", 9999),
	} {
		require.Equal(t, want, describe(cause))
	}
	require.Equal(t, "panic", describe(brokenError{}))
}

type brokenError struct{}

func (brokenError) Error() string { panic("no text") }

func TestCallbacksInsideOfHostCalls(t *testing.T) {
	f := newFake()
	p := &fakePlugin{}
	p.on = func(s *fakeStage, callback string) {
		if callback == "request_body" {
			first := s.Body(host.Request, 0, 5)
			s.Reply(403, nil, nil, "nested")
			require.Equal(t, "12345", string(first), "the outer callback's bytes outlive the inner one")
			s.SetProperty("after", "1")
			require.NoError(t, s.Err())
		}
		if callback == "response_headers" {
			s.Body(host.Request, 0, 5)
		}
	}
	start(t, p)
	begin(p, 7)
	f.buffers[bufferOf(host.Request)] = []byte("12345")
	proxySendLocalResponse = func(uint32, string, string, string, int32) Status {
		f.buffers[bufferOf(host.Request)] = []byte("abcde")
		dispatch(atResponseHeaders, 7, 1, 1, 0)
		return OK
	}
	dispatch(atRequestBody, 7, 5, 1, 0)
	require.Equal(t, "1", f.properties["after"])
}

func TestConfigurationAndTicks(t *testing.T) {
	f := newFake()
	f.buffers[7] = []byte(`{"a":1}`)
	p := &fakePlugin{}
	p.on = func(s *fakeStage, at string) {
		if at == "configure" {
			p.ticking = p.vm.TickEvery(500)
		}
	}
	start(t, p)
	require.Equal(t, `{"a":1}`, p.config)
	require.EqualValues(t, 500, f.tick)
	require.True(t, p.ticking)
	dispatch(atTick, 1, 0, 0, 0)
	require.Equal(t, 1, p.ticks)

	f.buffers[7] = nil
	require.EqualValues(t, 1, dispatch(atConfigure, 1, 0, 0, 0), "none is empty")
	require.Empty(t, p.config)

	f.refuse["set_tick_period"] = Unimplemented
	require.EqualValues(t, 1, dispatch(atConfigure, 1, 0, 0, 0))
	require.False(t, p.ticking, "APISIX has no ticks")

	p.refused = true
	require.Zero(t, dispatch(atConfigure, 1, 0, 0, 0))
	p.refused = false
	f.refuse["get_buffer_bytes"] = InternalFailure
	require.Zero(t, dispatch(atConfigure, 1, 0, 0, 0))

	dispatch(atDone, 1, 0, 0, 0)
	dispatch(atDelete, 1, 0, 0, 0)
	require.Empty(t, plugins)
}

// TestObserving: what a module that only observes cannot serve goes on, unanswered.
func TestObserving(t *testing.T) {
	observing = true
	t.Cleanup(func() { observing = false })
	f := newFake()
	broken := false
	p := &fakePlugin{on: func(_ *fakeStage, callback string) {
		if callback == "stream" || broken {
			panic("broken")
		}
	}}
	start(t, p)
	dispatch(atContextCreate, 7, 1, 0, 0)
	require.Equal(t, proceed, dispatch(atRequestHeaders, 7, 0, 0, 0), "without a stage")
	p.on = func(*fakeStage, string) {
		if broken {
			panic("broken")
		}
	}
	begin(p, 8)
	broken = true
	require.Equal(t, proceed, dispatch(atRequestHeaders, 8, 0, 0, 0), "with one that panics, and again over that")
	for _, line := range f.log {
		require.NotContains(t, line, "send_local_response")
	}
}
