package health

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared"
)

// model drives several VMs on one store through random lives of attempts, with
// lost races and VMs that die, and holds after each step what the package says.
type model struct {
	*machine
	rule  *rule
	live  []try
	shut  time.Time // until when the target is shut out, as far as anyone said
	asked time.Time // until when it asked to wait
	early time.Time // when it was last tried before its time
	known time.Time // since when all VMs know that
	ramp  uint32    // the period in which the share was seen
	share float64
}

// try is a pass and when it was given.
type try struct {
	vm    *Health
	pass  Pass
	since time.Time
}

func newModel(t *rapid.T) *model {
	text := rapid.SampledFrom([]string{
		`{"consecutive": 2, "open": "1s", "max_open": "20s", "probes": 1, "probe_timeout": "5s", "ramp": "3s"}`,
		`{"consecutive": 3, "open": "500ms", "probes": 3, "probe_timeout": "2s", "ramp": "1m", "slow_first_token": "3s"}`,
		`{"consecutive": 0, "error_ratio": 0.4, "min_requests": 4, "window": "4s", "open": "2s", "probes": 2, "ramp": "0s"}`,
	}).Draw(t, "text")
	m := &model{machine: newMachine(t, text, rapid.IntRange(1, 4).Draw(t, "vms"))}
	m.rule = m.vms[0].target(0).rule
	return m
}

func (m *model) vm(t *rapid.T) *Health { return rapid.SampledFrom(m.vms).Draw(t, "vm") }

func (m *model) Admit(t *rapid.T) {
	h := m.vm(t)
	p, v := h.Admit(0, rapid.Bool().Draw(t, "first"), rapid.Uint64().Draw(t, "chance"), m.now)
	if v == Refused {
		require.Equal(t, Pass{}, p)
		return
	}
	if v == Shut {
		require.False(t, m.now.Before(m.asked) && !m.now.Before(m.known), "behind others, though it asked to wait")
	} else {
		require.False(t, m.now.Before(m.shut) && !m.now.Before(m.known), "admitted while it is shut out")
	}
	h.Begin(&p)
	m.live = append(m.live, try{h, p, m.now})
}

// Early is at most one in EarlyEvery for all VMs, and never for a target that
// asked to wait and of which that is known.
func (m *model) Early(t *rapid.T) {
	h := m.vm(t)
	p, ok := h.Early(0, m.now)
	if !ok {
		require.Equal(t, Pass{}, p)
		return
	}
	require.False(t, m.now.Before(m.asked), "asked to wait")
	require.False(t, m.now.Before(m.early.Add(EarlyEvery)), "too soon")
	require.Equal(t, Open, h.Look(0, m.now).State)
	m.early = m.now
	h.Begin(&p)
	m.live = append(m.live, try{h, p, m.now})
}

// one takes a running attempt out.
func (m *model) one(t *rapid.T) try {
	if len(m.live) == 0 {
		t.Skip("nothing runs")
	}
	i := rapid.IntRange(0, len(m.live)-1).Draw(t, "attempt")
	x := m.live[i]
	m.live = slices.Delete(m.live, i, i+1)
	return x
}

func (m *model) Succeed(t *rapid.T) {
	x := m.one(t)
	probe := x.pass.probe && !x.pass.slow && m.record(t).gen == x.pass.gen
	x.vm.End(&x.pass, &success, m.now)
	if s := x.vm.Look(0, m.now).State; probe {
		require.Contains(t, []State{Closed, Ramp}, s, "a success closes")
	}
	m.closed(x.vm)
}

func (m *model) Content(t *rapid.T) {
	x := m.one(t)
	x.vm.Content(&x.pass, time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms"))*time.Millisecond, m.now)
	m.closed(x.vm)
	m.live = append(m.live, x)
}

func (m *model) Fail(t *rapid.T) {
	x := m.one(t)
	x.vm.End(&x.pass, &failure, m.now)
	m.notes(x.vm)
}

func (m *model) Wait(t *rapid.T) {
	x := m.one(t)
	after := time.Duration(rapid.IntRange(1, 20_000).Draw(t, "after")) * time.Millisecond
	o := tooFast(after)
	x.vm.End(&x.pass, &o, m.now)
	s := x.vm.Look(0, m.now)
	require.Equal(t, Open, s.State)
	require.GreaterOrEqual(t, s.Until.UnixMilli(), m.now.Add(after).UnixMilli())
	if r := m.record(t); r.asked && s.Until.After(m.asked) {
		m.asked = s.Until
	}
	require.Contains(t, []llm.Class{llm.RateLimited, llm.ProviderError, llm.TimeoutError}, s.Cause)
	m.notes(x.vm)
}

func (m *model) Leave(t *rapid.T) {
	x := m.one(t)
	x.vm.Release(&x.pass, m.now)
	x.vm.End(&x.pass, &failure, m.now)
}

func (m *model) Pass(t *rapid.T) {
	m.pass(time.Duration(rapid.IntRange(1, 4000).Draw(t, "ms")) * time.Millisecond)
}

func (m *model) LoseRaces(t *rapid.T) { m.shared.Lose = rapid.IntRange(1, 2).Draw(t, "races") }

// Die has a VM lose all that it knows.
func (m *model) Die(t *rapid.T) {
	i := rapid.IntRange(0, len(m.vms)-1).Draw(t, "vm")
	m.live = slices.DeleteFunc(m.live, func(x try) bool { return x.vm == m.vms[i] })
	h := m.vms[i]
	m.vms[i] = &Health{data: h.data, entries: slices.Clone(h.entries)}
	for j := range m.vms[i].entries {
		m.vms[i].entries[j].known = nil
	}
}

// notes takes down that a VM has found the target shut out.
func (m *model) notes(h *Health) {
	if s := h.Look(0, m.now); s.State == Open && s.Until.After(m.shut) {
		m.shut, m.known = s.Until, m.now.Add(LookEvery)
	}
}

// closed takes down that a VM has closed the circuit, maybe before its time.
func (m *model) closed(h *Health) {
	if s := h.Look(0, m.now).State; s == Closed || s == Ramp {
		m.shut, m.asked = time.Time{}, time.Time{}
	}
}

// record is what the store holds.
func (m *model) record(t require.TestingT) record {
	v, ok := m.shared.Values["postern.health.2.a"]
	if !ok {
		return record{}
	}
	r, ok := readRecord(v.Bytes)
	require.True(t, ok)
	r.settle(m.rule, m.now.UnixMilli())
	return r
}

// Check holds what is true after every step.
func (m *model) Check(t *rapid.T) {
	r := m.record(t)
	probes, running := 0, map[*Health]int{}
	for _, x := range m.live {
		running[x.vm]++
		if x.pass.probe && x.pass.gen == r.gen && m.now.Sub(x.since).Milliseconds() < m.rule.lease {
			probes++
		}
	}
	require.LessOrEqual(t, probes, int(m.rule.probes))
	for _, h := range m.vms {
		s := h.Look(0, m.now)
		require.Equal(t, running[h], s.Outstanding)
		require.True(t, s.Share >= 0 && s.Share <= 1)
		require.True(t, s.State != Open || s.Until.After(m.now))
	}
	m.grows(t, &r)
}

// grows wants the share of a ramp only to grow.
func (m *model) grows(t *rapid.T, r *record) {
	share := r.share(m.rule, m.now.UnixMilli())
	if r.state == Ramp && m.ramp == r.gen {
		require.GreaterOrEqual(t, share, m.share)
	}
	m.ramp, m.share = r.gen, share
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		t.Repeat(map[string]func(*rapid.T){"": m.Check, "admit": m.Admit, "admit more": m.Admit, "early": m.Early, "succeed": m.Succeed,
			"content": m.Content, "fail": m.Fail, "fail more": m.Fail, "wait": m.Wait, "leave": m.Leave, "pass": m.Pass,
			"lose": m.LoseRaces, "die": m.Die})
		m.recovers(t)
	})
}

// recovers wants a target that works to get all its traffic again.
func (m *model) recovers(t *rapid.T) {
	m.shared.Lose = 0
	for range 3 {
		m.pass(time.Minute)
		for vm := range m.vms {
			m.try(vm, success)
		}
	}
	for vm := range m.vms {
		require.Equal(t, Closed, m.look(vm).State)
	}
}

// TestRunModel holds failures in a row against counting them.
func TestRunModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t, `{"consecutive": 4, "error_ratio": 0}`, 1)
		run := 0
		for run < 4 {
			require.Equal(t, Closed, m.look(0).State)
			if rapid.Bool().Draw(t, "fails") {
				run++
				m.fails(0, 1)
				continue
			}
			run = 0
			require.True(t, m.try(0, success))
		}
		require.Equal(t, Open, m.look(0).State)
	})
}

// TestAnyClock runs on a clock that jumps both ways, with whole outages of the
// store: nothing breaks, and no state outlasts its time.
func TestAnyClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		jump := func(t *rapid.T) {
			m.now = time.UnixMilli(rapid.OneOf(rapid.Int64Range(-1<<45, 1<<51),
				rapid.Int64Range(m.now.UnixMilli()-9000, m.now.UnixMilli()+9000)).Draw(t, "now"))
			m.shut = time.Time{}
		}
		t.Repeat(map[string]func(*rapid.T){"admit": m.Admit, "succeed": m.Succeed, "content": m.Content,
			"leave": m.Leave, "pass": m.Pass, "die": m.Die, "jump": jump,
			"fail":  func(t *rapid.T) { x := m.one(t); x.vm.End(&x.pass, &failure, m.now) },
			"store": func(t *rapid.T) { m.shared.Down = rapid.Bool().Draw(t, "down") },
			"lose":  func(t *rapid.T) { m.shared.Lose = rapid.IntRange(1, 2*shared.MaxTries).Draw(t, "races") }})
		m.shared.Down, m.shared.Lose = false, 0
		m.now = epoch
		m.pass(time.Second)
		m.recovers(t)
	})
}
