package health

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared"
	"github.com/posterngw/postern/filters/shared/sharedtest"
)

// TestLag holds how late VMs learn what another one saw.
func TestLag(t *testing.T) {
	m := newMachine(t, `{"consecutive": 3}`, 3)
	for vm := range m.vms {
		require.True(t, m.try(vm, success))
	}
	m.pass(FlushEvery)
	m.fails(0, 1)
	m.fails(1, 1)
	require.Equal(t, Closed, m.look(2).State)
	m.fails(2, 1)
	require.Equal(t, Open, m.look(2).State, "failures count together")
	require.Equal(t, Closed, m.look(0).State, "within the bound it may still be used")
	m.now = m.now.Add(LookEvery)
	for vm := range m.vms {
		require.Equal(t, Open, m.look(vm).State)
		require.False(t, m.try(vm, success))
	}
}

func TestTickTellsSuccesses(t *testing.T) {
	m := newMachine(t, `{"consecutive": 0, "error_ratio": 0.5, "min_requests": 10}`, 2)
	for range 10 {
		m.try(0, success)
	}
	m.pass(FlushEvery)
	m.fails(1, 9)
	require.Equal(t, Closed, m.look(1).State)
	m.fails(1, 1)
	require.Equal(t, Open, m.look(1).State)
	require.Equal(t, success.FirstToken, m.look(1).FirstToken, "as the other VM saw it")
}

// TestHostCalls holds what a request costs: nothing is written while all is
// well, and nothing is read more than once per LookEvery.
func TestHostCalls(t *testing.T) {
	m := newMachine(t, `{}`, 1)
	m.try(0, success)
	for i := range 1000 {
		before := m.shared.Calls()
		m.try(0, success)
		require.LessOrEqual(t, m.shared.Calls()-before, 1)
		if m.now = m.now.Add(time.Millisecond); i%100 == 0 {
			m.now = m.now.Add(time.Minute)
		}
	}
	require.LessOrEqual(t, m.shared.Calls(), 25)
	require.Zero(t, m.shared.Writes)
	before := m.shared.Calls()
	m.fails(0, 1)
	require.LessOrEqual(t, m.shared.Calls()-before, 3)
	m.try(0, success)
	before = m.shared.Calls()
	m.try(0, success)
	require.LessOrEqual(t, m.shared.Calls()-before, 1, "all is well again")
}

func TestWithoutSharedData(t *testing.T) {
	for name, data := range map[string]shared.Data{"none": nil, "refused": &sharedtest.Host{Down: true}} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, `{}`, 0)
			c := conf(t, `{"consecutive": 2, "open": "5s", "ramp": "2s"}`)
			m.vms = []*Health{New(c, targets, data), New(c, targets, data)}
			m.fails(0, 2)
			state(t, Open, m)
			require.Equal(t, Closed, m.look(1).State, "each VM by itself")
			for range 100 {
				require.False(t, m.try(0, success))
			}
			if h, ok := data.(*sharedtest.Host); ok {
				require.LessOrEqual(t, h.Calls(), 30, "a host that takes nothing is not asked over and over")
			}
			m.pass(5 * time.Second)
			p, v := m.vms[0].Admit(0, true, 0, m.now)
			require.Equal(t, Admitted, v)
			require.False(t, m.try(0, success), "one probe")
			m.vms[0].End(&p, &success, m.now)
			state(t, Ramp, m)
			m.pass(2 * time.Second)
			state(t, Closed, m)
		})
	}
}

// TestContention: what could not be told is told later, and not forgotten.
func TestContention(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1, "open": "1s"}`, 2)
	m.try(0, success)
	m.try(1, success)
	m.pass(FlushEvery)
	m.shared.Lose = shared.MaxTries
	m.try(0, tooFast(time.Minute))
	state(t, Open, m)
	m.now = m.now.Add(LookEvery)
	require.Equal(t, Closed, m.look(1).State)
	require.False(t, m.try(0, success))
	m.now = m.now.Add(LookEvery)
	require.Equal(t, Open, m.look(1).State)
	require.Equal(t, llm.RateLimited, m.look(1).Cause)

	m.pass(time.Minute)
	m.shared.Lose = shared.MaxTries
	require.False(t, m.try(1, success), "no probe without the word of the others")
	m.now = m.now.Add(LookEvery)
	require.True(t, m.try(1, success))
}

// TestOutage: what a VM found while the host took nothing is told when it does.
func TestOutage(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1}`, 2)
	m.try(0, success)
	m.try(1, success)
	m.shared.Down = true
	m.try(0, tooFast(time.Minute))
	state(t, Open, m)
	m.shared.Down = false
	m.pass(3 * time.Second)
	state(t, Open, m)
	require.Equal(t, Open, m.look(1).State)
}

func TestKeysHaveTheFormat(t *testing.T) {
	require.Equal(t, "postern.health."+strconv.Itoa(valueVersion), openings)
	require.Equal(t, openings+".", prefix)
}

func TestUnreadableValueIsAbsent(t *testing.T) {
	m := newMachine(t, `{"consecutive": 1}`, 2)
	m.shared.Put("postern.health.2.a", []byte("garbage"))
	require.True(t, m.try(0, success))
	m.fails(0, 1)
	m.now = m.now.Add(LookEvery)
	require.Equal(t, Open, m.look(1).State)
	require.Len(t, m.shared.Values["postern.health.2.a"].Bytes, valueSize)
}

// crowd is 8 VMs on goroutines of their own, on one store that loses races.
type crowd struct {
	*testing.T
	m        *machine
	inFlight atomic.Int32
	most     atomic.Int32
	probes   atomic.Int32
}

const vms = 8

func newCrowd(t *testing.T, text string) *crowd {
	c := &crowd{T: t, m: newMachine(t, text, vms)}
	lost := uint32(0)
	c.m.shared.LoseIf = func() bool { // under the store's lock
		lost = lost*1664525 + 1013904223
		return lost>>30 == 0
	}
	return c
}

// all runs one step on every VM at once.
func (c *crowd) all(step func(h *Health)) {
	var group sync.WaitGroup
	for _, h := range c.m.vms {
		group.Go(func() { step(h) })
	}
	group.Wait()
}

// probe asks for probes, and holds those that it gets for a while.
func (c *crowd) probe(h *Health) {
	for range 20 {
		p, v := h.Admit(0, true, 0, c.m.now)
		if v <= Spare {
			continue
		}
		c.probes.Add(1)
		n := c.inFlight.Add(1)
		for old := c.most.Load(); n > old && !c.most.CompareAndSwap(old, n); {
			old = c.most.Load()
		}
		time.Sleep(50 * time.Microsecond)
		c.inFlight.Add(-1)
		h.Release(&p, c.m.now)
	}
}

// TestBoundsOfManyVMs holds what the package says of VMs that run at once.
func TestBoundsOfManyVMs(t *testing.T) {
	c := newCrowd(t, `{"consecutive": 5, "open": "1s", "max_open": "1s", "probes": 3, "ramp": "0s"}`)
	for range 5 {
		c.all(func(h *Health) { h.Look(0, c.m.now) })
		c.all(func(h *Health) {
			for range 5 {
				p, _ := h.Admit(0, true, 0, c.m.now)
				h.End(&p, &failure, c.m.now)
			}
		})
		c.m.now = c.m.now.Add(LookEvery)
		c.all(func(h *Health) {
			p, v := h.Admit(0, true, 0, c.m.now)
			if v > Shut {
				c.Error("admitted LookEvery after it was shut out")
			}
			h.Release(&p, c.m.now)
		})
		c.m.now = c.m.now.Add(time.Second)
		c.all(c.probe)
		require.LessOrEqual(t, c.most.Load(), int32(3), "probes at a time")
		require.Equal(t, HalfOpen, c.m.look(0).State)
		c.m.now = c.m.now.Add(LookEvery) // a VM that lost 16 races tries again
		c.recovers()
	}
	require.Greater(t, c.probes.Load(), int32(50))
	require.Greater(t, c.most.Load(), int32(1), "probes did run at once")
}

// recovers has one VM close the circuit, and wants all to know it at once.
func (c *crowd) recovers() {
	c.m.shared.LoseIf, c.m.shared.Lose = nil, 3
	require.True(c, c.m.try(0, success))
	c.all(func(h *Health) {
		p, v := h.Admit(0, true, 0, c.m.now)
		if v != Admitted {
			c.Error("not admitted after it recovered")
		}
		h.Release(&p, c.m.now)
	})
}

func FuzzRecord(f *testing.F) {
	r := record{state: Open, class: llm.RateLimited, trips: 2, gen: 7, since: 5, until: 9, first: average{1, 2}}
	f.Add(appendRecord(nil, &r), int64(7))
	f.Add(appendRecord(nil, &record{state: HalfOpen, probes: 1}), int64(-1))
	f.Add([]byte("garbage"), int64(1)<<62)
	f.Fuzz(func(t *testing.T, b []byte, ms int64) {
		m := newMachine(t, `{"open": "1s"}`, 1)
		m.shared.Values["postern.health.2.a"] = sharedtest.Value{Bytes: b, Version: 1}
		m.now = time.UnixMilli(ms)
		s := m.look(0)
		require.True(t, s.Share >= 0 && s.Share <= 1, "%v", s.Share)
		require.LessOrEqual(t, s.Until.UnixMilli(), millis(m.now)+maxShut.Milliseconds()+backwards)
		p, _ := m.vms[0].Admit(0, true, 1, m.now)
		m.vms[0].End(&p, &failure, m.now)
		m.fuzzOn(t, b)
		if v := m.shared.Values["postern.health.2.a"].Bytes; len(v) > 0 && string(v) != string(b) {
			_, ok := readRecord(v)
			require.True(t, ok, "what is written can be read")
		}
	})
}

// fuzzOn wants a value that is read to be written as it was.
func (m *machine) fuzzOn(t *testing.T, b []byte) {
	if r, ok := readRecord(b); ok {
		require.Equal(t, b, appendRecord(nil, &r))
	}
	m.now = m.now.Add(48 * time.Hour)
	require.NotEqual(t, Open, m.look(0).State, "nothing shuts out for longer than a day")
}

func TestValueRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := record{state: State(rapid.IntRange(0, 3).Draw(t, "state")), class: llm.Class(rapid.IntRange(0, 11).Draw(t, "class")),
			trips: rapid.Byte().Draw(t, "trips"), probes: rapid.ByteMax(maxProbes).Draw(t, "probes"),
			gen: rapid.Uint32().Draw(t, "gen"), run: rapid.Uint32().Draw(t, "run"),
			since: rapid.Int64Range(0, 1<<49).Draw(t, "since"), pause: rapid.Uint32Max(86_400_000).Draw(t, "pause")}
		r.until = r.since + rapid.Int64Range(0, 86_400_000).Draw(t, "for")
		r.first = average{rapid.Uint32().Draw(t, "first"), rapid.Int64Range(0, 1<<50).Draw(t, "at")}
		r.window.Slot = rapid.Int64Range(0, 1<<50).Draw(t, "slot")
		r.window.Ring[3].B = rapid.Uint32().Draw(t, "failed")
		b := appendRecord(nil, &r)
		got, ok := readRecord(b)
		require.True(t, ok)
		require.Equal(t, r, got)
		_, ok = readRecord(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")])
		require.False(t, ok)
	})
}
