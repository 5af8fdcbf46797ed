//go:build !wasip1

package proxywasm

import (
	"testing"
	"time"

	"github.com/posterngw/postern/filters/host"
	"github.com/stretchr/testify/require"
)

func TestClockEnvironmentAndLog(t *testing.T) {
	f := newFake()
	require.WithinDuration(t, time.Now(), machine.Now(), time.Minute)
	require.NotZero(t, machine.Memory())
	t.Setenv("POSTERN_TEST", "here")
	require.Equal(t, "here", machine.Env("POSTERN_TEST"))
	require.Empty(t, machine.Env("POSTERN_ABSENT"))
	for l := host.Debug; l <= host.Critical; l++ {
		machine.Log(l, "line")
	}
	require.Equal(t, []string{"log 1 line", "log 2 line", "log 3 line", "log 5 line"}, f.log)
}

func TestSharedData(t *testing.T) {
	newFake()
	_, _, ok := machine.Shared("k")
	require.False(t, ok)
	require.True(t, machine.SetShared("k", []byte("v"), 0))
	v, version, ok := machine.Shared("k")
	require.Equal(t, "v", string(v))
	require.EqualValues(t, 7, version)
	require.True(t, ok)
	require.False(t, machine.SetShared("k", nil, 6), "somebody was faster")
	require.True(t, machine.SetShared("k", nil, 7))
	v, _, ok = machine.Shared("k")
	require.Empty(t, v)
	require.True(t, ok, "present and empty")
}

func TestMetrics(t *testing.T) {
	f := newFake()
	id, ok := machine.Metric(host.CounterMetric, "requests")
	require.True(t, ok)
	again, _ := machine.Metric(host.CounterMetric, "requests")
	require.Equal(t, id, again)
	other, _ := machine.Metric(host.GaugeMetric, "requests")
	require.NotEqual(t, id, other)
	machine.Add(id, -1)
	machine.Record(id, 5)
	require.Equal(t, []string{
		"define_metric requests", "define_metric requests", "increment_metric 1 -1", "record_metric 1 5",
	}, f.log)
	f.refuse["define_metric"] = Unimplemented
	_, ok = machine.Metric(host.CounterMetric, "new")
	require.False(t, ok)
}

func TestCallouts(t *testing.T) {
	f := newFake()
	p := &fakePlugin{}
	start(t, p)
	ask := func() (*[]*host.CalloutAnswer, uint32) {
		got := &[]*host.CalloutAnswer{}
		require.NoError(t, machine.Call(host.Callout{
			Cluster: "ledger", Headers: [][2]string{{":path", "/"}}, Body: []byte("take"), Timeout: 1500 * time.Microsecond,
		}, func(a *host.CalloutAnswer) { *got = append(*got, a) }))
		return got, f.token
	}

	got, token := ask()
	require.Contains(t, f.log, "http_call ledger take 2")
	f.headers[calloutHeaders] = [][2]string{{":status", "207"}, {"a", "b"}}
	f.buffers[calloutBody] = []byte("given")
	dispatch(atCallout, 1, token, 2, 5)
	dispatch(atCallout, 1, token, 2, 5)
	dispatch(atCallout, 1, 12345, 2, 5)
	require.Equal(t, []*host.CalloutAnswer{{Status: 207, Headers: f.headers[calloutHeaders], Body: []byte("given")}}, *got)

	got, token = ask()
	dispatch(atCallout, 1, token, 2, 0)
	require.Nil(t, (*got)[0].Body)

	for name, fail := range map[string]func(token uint32){
		"failed": func(token uint32) { dispatch(atCallout, 1, token, 0, 0) },
		"headers withheld": func(token uint32) {
			f.refuse["get_header_map_pairs"] = BadArgument
			dispatch(atCallout, 1, token, 1, 0)
		},
		"body withheld":      func(token uint32) { f.refuse["get_buffer_bytes"] = BadArgument; dispatch(atCallout, 1, token, 1, 5) },
		"elsewhere":          func(token uint32) { f.elsewhere = true; dispatch(atCallout, 1, token, 1, 5) },
		"larger than memory": func(token uint32) { f.oversize = maxResult + 1; dispatch(atCallout, 1, token, 1, 5) },
	} {
		got, token = ask()
		fail(token)
		require.Equal(t, []*host.CalloutAnswer{nil}, *got, name)
		f.refuse, f.elsewhere, f.oversize = map[string]Status{}, false, 0
	}

	f.refuse["http_call"] = BadArgument
	err := machine.Call(host.Callout{Cluster: "none"}, func(*host.CalloutAnswer) { t.Fatal("done after an error") })
	require.EqualError(t, err, "host call http_call: bad argument")
}

// The answer to a stream that is gone still arrives: a lease was perhaps given.
func TestACalloutOutlivesItsStream(t *testing.T) {
	f := newFake()
	p := &fakePlugin{}
	answered := 0
	p.on = func(s *fakeStage, callback string) {
		if callback == "done" {
			require.NoError(t, p.vm.Call(host.Callout{}, func(*host.CalloutAnswer) {
				answered++
				s.Activate()
				require.ErrorIs(t, s.Err(), ErrGone)
			}))
		}
	}
	start(t, p)
	begin(p, 7)
	dispatch(atDelete, 7, 0, 0, 0)
	dispatch(atCallout, 1, f.token, 0, 0)
	require.Equal(t, 1, answered)
}

func TestStatusIn(t *testing.T) {
	for text, want := range map[string]int{"200": 200, "": 0, "2x0": 0, "99999999999": 0} {
		require.Equal(t, want, statusIn([][2]string{{"a", "b"}, {":status", text}}), text)
	}
	require.Zero(t, statusIn(nil))
}

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]uint32{
		-1: 1, 0: 1, 1: 1, time.Millisecond: 1, time.Second: 1000, 1 << 62: 0xffff_ffff,
	} {
		require.Equal(t, want, milliseconds(d), d)
	}
}

func TestStatusNames(t *testing.T) {
	require.Equal(t, "not found", NotFound.String())
	require.Equal(t, "status 99", Status(99).String())
}
