package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/llm"
)

func TestConsecutiveFailures(t *testing.T) {
	m := newMachine(t, `{"consecutive": 3, "ramp": "4s"}`, 1)
	m.fails(0, 2)
	require.True(t, m.try(0, success))
	m.fails(0, 2)
	state(t, Closed, m)
	m.fails(0, 1)
	s := m.look(0)
	require.Equal(t, Snapshot{State: Open, Until: s.Until, Cause: llm.ProviderError, FirstToken: success.FirstToken,
		PerToken: success.PerToken, ErrorRatio: 5. / 6}, s)
	require.Equal(t, m.now.Add(10*time.Second).UnixMilli(), s.Until.UnixMilli())

	m.pass(10*time.Second - time.Millisecond)
	require.False(t, m.try(0, success))
	m.pass(time.Millisecond)
	state(t, HalfOpen, m)
	require.True(t, m.try(0, success))
	state(t, Ramp, m)
	require.InDelta(t, 0.1, m.look(0).Share, 0.001)
	m.pass(2 * time.Second)
	require.InDelta(t, 0.55, m.look(0).Share, 0.001)
	m.pass(2 * time.Second)
	state(t, Closed, m)
	require.InDelta(t, 1, m.look(0).Share, 0)
}

func TestErrorRatio(t *testing.T) {
	m := newMachine(t, `{"consecutive": 0, "error_ratio": 0.5, "min_requests": 10, "window": "8s"}`, 1)
	for range 4 {
		m.try(0, success)
		m.fails(0, 1)
	}
	m.fails(0, 1)
	state(t, Closed, m)
	m.fails(0, 1)
	state(t, Open, m)
	require.InDelta(t, 0.6, m.look(0).ErrorRatio, 1e-9)
}

func TestWindowForgets(t *testing.T) {
	m := newMachine(t, `{"consecutive": 0, "error_ratio": 0.5, "min_requests": 10, "window": "8s"}`, 1)
	m.fails(0, 9)
	m.pass(9 * time.Second)
	m.fails(0, 9)
	state(t, Closed, m)
}

func TestSlowAnswersAreFailures(t *testing.T) {
	m := newMachine(t, `{"consecutive": 2, "slow_first_token": "2s", "slow_answer": "9s"}`, 1)
	slow := Outcome{FirstToken: 3 * time.Second, Took: 20 * time.Second}
	m.try(0, slow)
	m.try(0, Outcome{FirstToken: time.Second, Took: 20 * time.Second})
	m.try(0, slow)
	m.try(0, Outcome{Took: 9 * time.Second})
	m.try(0, slow)
	state(t, Closed, m)
	m.try(0, Outcome{Took: 10 * time.Second})
	state(t, Open, m)
	require.Equal(t, llm.TimeoutError, m.look(0).Cause)
}

// TestClasses holds which classes speak of a target.
func TestClasses(t *testing.T) {
	for c := llm.NoError; c.String() != "" || c == llm.NoError; c++ {
		m := newMachine(t, `{"consecutive": 2}`, 1)
		m.fails(0, 1)
		m.try(0, Outcome{Class: c})
		m.try(0, failure)
		healthy := m.look(0).State == Closed
		switch c {
		case llm.NoError, llm.ClientError, llm.PolicyError, llm.ContextLength, llm.ContentFilter:
			require.True(t, healthy, c.String())
		default:
			require.False(t, healthy, c.String())
		}
	}
	m := newMachine(t, `{"consecutive": 1, "failures": ["timeout"]}`, 1)
	m.fails(0, 3)
	m.try(0, tooFast(time.Hour))
	state(t, Closed, m)
	m.try(0, Outcome{Class: llm.TimeoutError})
	state(t, Open, m)
}

func TestTimeToWait(t *testing.T) {
	m := newMachine(t, `{"consecutive": 3, "ramp": "1m"}`, 1)
	m.try(0, tooFast(2*time.Second))
	require.Equal(t, m.now.Add(2*time.Second).UnixMilli(), m.look(0).Until.UnixMilli())
	require.Equal(t, llm.RateLimited, m.look(0).Cause)
	m.pass(2 * time.Second)
	require.True(t, m.try(0, tooFast(7*time.Second)))
	require.Equal(t, m.now.Add(7*time.Second).UnixMilli(), m.look(0).Until.UnixMilli(), "also of a probe")
	m.pass(7 * time.Second)
	require.True(t, m.try(0, success))
	state(t, Ramp, m)
	require.Equal(t, m.now.Add(7*time.Second).UnixMilli(), m.look(0).Until.UnixMilli(), "no longer than it was shut out")
}

func TestQuota(t *testing.T) {
	m := newMachine(t, `{"quota_open": "20m"}`, 1)
	m.try(0, Outcome{Class: llm.QuotaExhausted})
	require.Equal(t, m.now.Add(20*time.Minute).UnixMilli(), m.look(0).Until.UnixMilli())
	m.pass(20 * time.Minute)
	m.try(0, Outcome{Class: llm.QuotaExhausted, After: 100 * time.Hour})
	require.Equal(t, m.now.Add(24*time.Hour).UnixMilli(), m.look(0).Until.UnixMilli(), "bounded")
}

func TestOpensForLongerEachTime(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1, "open": "1s", "max_open": "5s", "ramp": "10s"}`, 1)
	for _, seconds := range []int64{1, 2, 4, 5, 5} {
		m.fails(0, 1)
		require.Equal(t, seconds, (m.look(0).Until.UnixMilli()-m.now.UnixMilli())/1000)
		m.pass(time.Duration(seconds) * time.Second)
	}
	m.try(0, success)
	m.pass(time.Second)
	state(t, Ramp, m)
	m.fails(0, 1)
	require.EqualValues(t, 5, m.look(0).Until.Sub(m.now)/time.Second, "it has not recovered yet")
	m.pass(5 * time.Second)
	m.try(0, success)
	m.pass(5 * time.Second)
	state(t, Closed, m)
	m.fails(0, 1)
	require.EqualValues(t, 1, m.look(0).Until.Sub(m.now)/time.Second)
}

// TestSpares: who stands behind others takes no probe, and what it shows counts
// all the same.
func TestSpares(t *testing.T) {
	for name, c := range map[string]struct {
		o     Outcome
		state State
	}{
		"serves": {success, Ramp}, "fails": {failure, Open}, "asks to wait": {tooFast(time.Minute), Open},
		"was not tried": {Outcome{Abandoned: true}, HalfOpen},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, `{"consecutive": 1, "open": "1s", "ramp": "1m"}`, 2)
			m.fails(0, 1)
			m.pass(time.Second)
			spare, v := m.vms[0].Admit(0, false, 0, m.now)
			require.Equal(t, Spare, v)
			probe, v := m.vms[1].Admit(0, true, 0, m.now)
			require.Equal(t, Admitted, v, "the probe is still to be had")
			m.vms[0].End(&spare, &c.o, m.now)
			m.now = m.now.Add(LookEvery)
			require.Equal(t, c.state.String(), m.look(0).State.String())
			if c.state == Open {
				require.Equal(t, c.state.String(), m.look(1).State.String(), "others know")
			}
			m.vms[1].Release(&probe, m.now)
		})
	}
	m := newMachine(t, `{"consecutive": 1, "open": "1s", "ramp": "1m"}`, 1)
	m.fails(0, 1)
	m.pass(time.Second)
	spare, _ := m.vms[0].Admit(0, false, 0, m.now)
	m.vms[0].Content(&spare, time.Second, m.now)
	state(t, Ramp, m)
}

// TestEarly has a target tried before its time, where a request has no other.
func TestEarly(t *testing.T) {
	m := newMachine(t, `{"consecutive": 2, "open": "10s", "ramp": "30s"}`, 2)
	m.fails(0, 2)
	_, ok := m.vms[0].Early(0, m.now)
	require.False(t, ok, "it failed just now")
	m.pass(EarlyEvery)
	p, ok := m.vms[1].Early(0, m.now)
	require.True(t, ok)
	_, ok = m.vms[0].Early(0, m.now)
	require.False(t, ok, "another VM tries")

	until := m.look(0).Until
	m.vms[1].End(&p, &failure, m.now)
	require.Equal(t, Open, m.look(0).State)
	require.Equal(t, until, m.look(0).Until, "a failure prolongs nothing")

	m.pass(EarlyEvery)
	p, ok = m.vms[0].Early(0, m.now)
	require.True(t, ok)
	m.vms[0].Content(&p, time.Millisecond, m.now)
	require.Equal(t, Ramp, m.look(0).State, "a success closes")
	require.Equal(t, m.now.Add(2*EarlyEvery), m.look(0).Until.UTC(), "gently, for no longer than it was shut out")
	m.vms[0].End(&p, &success, m.now)
	m.now = m.now.Add(LookEvery)
	require.Equal(t, Ramp, m.look(1).State, "the others learn it")
}

// TestEarlyNotIfAsked leaves a target alone that asked to wait.
func TestEarlyNotIfAsked(t *testing.T) {
	m := newMachine(t, `{"consecutive": 2, "open": "10s"}`, 1)
	o := tooFast(8 * time.Second)
	m.try(0, o)
	m.pass(3 * EarlyEvery)
	_, ok := m.vms[0].Early(0, m.now)
	require.False(t, ok)
}

func TestProbes(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1, "open": "1s", "probes": 2, "probe_timeout": "10s"}`, 2)
	m.fails(0, 1)
	m.pass(time.Second)
	p1, v1 := m.vms[0].Admit(0, true, 0, m.now)
	_, v2 := m.vms[1].Admit(2, true, 0, m.now) // the same target by another index; this VM dies
	_, v3 := m.vms[0].Admit(0, true, 0, m.now)
	require.Equal(t, []Verdict{Admitted, Admitted, Spare}, []Verdict{v1, v2, v3})
	m.vms[0].Release(&p1, m.now)
	p4, v4 := m.vms[0].Admit(0, true, 0, m.now)
	require.Equal(t, Admitted, v4, "a pass that was not used is free again")
	m.pass(10*time.Second - 1)
	_, v5 := m.vms[0].Admit(0, true, 0, m.now)
	require.Equal(t, Spare, v5)
	m.pass(time.Second)
	p6, v6 := m.vms[0].Admit(0, true, 0, m.now)
	require.Equal(t, Admitted, v6, "what does not end is given up")
	m.vms[0].End(&p4, &failure, m.now)
	state(t, HalfOpen, m)
	m.vms[0].End(&p6, &success, m.now)
	m.vms[0].End(&p6, &failure, m.now)
	require.NotEqual(t, HalfOpen, m.look(0).State)
}

func TestProbeSucceedsByItsFirstContent(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1, "open": "1s", "slow_first_token": "5s"}`, 1)
	h := m.vms[0]
	m.fails(0, 1)
	m.pass(time.Second)
	p, _ := h.Admit(0, true, 0, m.now)
	h.Begin(&p)
	require.Equal(t, 1, m.look(0).Outstanding)
	h.Content(&p, 6*time.Second, m.now)
	state(t, HalfOpen, m)
	h.End(&p, &Outcome{FirstToken: 6 * time.Second, Took: 7 * time.Second}, m.now)
	state(t, Open, m)
	require.Zero(t, m.look(0).Outstanding)
	m.pass(2 * time.Second)

	p, _ = h.Admit(0, true, 0, m.now)
	h.Begin(&p)
	h.Content(&p, time.Second, m.now)
	state(t, Ramp, m)
	h.Content(&p, time.Hour, m.now)
	h.End(&p, &failure, m.now)
	state(t, Open, m) // it broke off after its beginning
}

func TestAbandonedAttemptsSayNothing(t *testing.T) {
	m := newMachine(t, `{"consecutive": 2, "open": "1s"}`, 1)
	m.fails(0, 1)
	m.try(0, Outcome{Abandoned: true, Took: time.Hour})
	m.fails(0, 1)
	state(t, Open, m)
	m.pass(time.Second)
	require.True(t, m.try(0, Outcome{Abandoned: true}))
	state(t, HalfOpen, m)
	require.True(t, m.try(0, success), "the probe is free again")
}

func TestAbandonedAfterContentIsWell(t *testing.T) {
	m := newMachine(t, `{"consecutive": 2}`, 1)
	m.fails(0, 1)
	p, _ := m.vms[0].Admit(0, true, 0, m.now)
	m.vms[0].Content(&p, time.Second, m.now)
	m.vms[0].End(&p, &Outcome{Abandoned: true}, m.now)
	m.fails(0, 1)
	state(t, Closed, m)
}

func TestEarlierPeriodsDoNotCount(t *testing.T) {
	m := newMachine(t, `{"consecutive": 2, "open": "1s"}`, 1)
	h := m.vms[0]
	var old [3]Pass
	for i := range old {
		old[i], _ = h.Admit(0, true, 0, m.now)
	}
	m.fails(0, 2)
	m.pass(time.Second)
	m.try(0, success)
	for i := range old[1:] {
		h.End(&old[i], &failure, m.now)
	}
	state(t, Ramp, m)
	o := tooFast(time.Minute)
	h.End(&old[2], &o, m.now)
	require.Equal(t, m.now.Add(time.Minute).UnixMilli(), m.look(0).Until.UnixMilli(), "but a time to wait does")
}

func TestRampAdmitsByShare(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1, "ramp_from": 0.25}`, 1)
	m.fails(0, 1)
	m.pass(10 * time.Second)
	m.try(0, success)
	_, v := m.vms[0].Admit(0, true, 1<<62-1<<40, m.now)
	require.Equal(t, Admitted, v)
	_, v = m.vms[0].Admit(0, true, 1<<62, m.now)
	require.Equal(t, Last, v)
	m.pass(10 * time.Second)
	_, v = m.vms[0].Admit(0, true, 1<<64-1, m.now)
	require.Equal(t, Admitted, v)
}

func TestAverages(t *testing.T) {
	m := newMachine(t, `{}`, 1)
	require.Zero(t, m.look(0).FirstToken)
	m.try(0, Outcome{FirstToken: 800 * time.Millisecond, PerToken: 80 * time.Millisecond})
	m.try(0, Outcome{FirstToken: 1600 * time.Millisecond, PerToken: 160 * time.Millisecond})
	require.Equal(t, 900*time.Millisecond, m.look(0).FirstToken)
	require.Equal(t, 90*time.Millisecond, m.look(0).PerToken)
	for range 100 {
		m.try(0, Outcome{FirstToken: 100 * time.Hour})
	}
	require.InDelta(t, float64(time.Hour), float64(m.look(0).FirstToken), float64(time.Second))
	m.pass(6 * time.Minute)
	require.Zero(t, m.look(0).FirstToken, "what is known is forgotten one day")
}

func TestClockIsSetBack(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1, "open": "10s"}`, 1)
	m.fails(0, 1)
	m.now = m.now.Add(-time.Hour)
	state(t, Open, m)
	m.pass(10 * time.Second)
	state(t, HalfOpen, m)
	m.now = time.Time{}
	require.True(t, m.try(0, success))
	m.now = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	state(t, Closed, m)
}

func TestOverrides(t *testing.T) {
	m := newMachine(t, `{"consecutive": 4, "open": "10s", "providers": {"q": {"consecutive": 2, "ramp": "0s"}},
		"targets": {"b": {"open": "20m", "failures": ["timeout"]}}}`, 1)
	a, b := m.vms[0].target(0).rule, m.vms[0].target(1).rule
	require.EqualValues(t, 4, a.consecutive)
	require.EqualValues(t, 2, b.consecutive)
	require.Zero(t, b.ramp)
	require.EqualValues(t, 30_000, a.ramp)
	require.EqualValues(t, 20*60_000, b.open)
	require.EqualValues(t, 20*60_000, b.limit, "never less than open")
	require.True(t, a.fails(llm.ProviderError))
	require.False(t, b.fails(llm.ProviderError))
	require.Same(t, m.vms[0].target(0), m.vms[0].target(2), "one name is one target")
}

func TestRefusal(t *testing.T) {
	e := Refusal(90 * time.Second)
	require.Equal(t, llm.Error{Class: llm.Overloaded, Source: llm.FromPostern, Status: 503, Code: "no_healthy_target",
		Message: e.Message, After: 90 * time.Second}, *e)
	require.Equal(t, time.Second, Refusal(0).After)
}
