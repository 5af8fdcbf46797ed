package health

import (
	"testing"
	"time"
)

// run benchmarks a request that is chosen for, sent and answered.
func run(b *testing.B, m *machine, o Outcome, step time.Duration) {
	h := m.vms[0]
	m.try(0, success)
	b.ReportAllocs()
	calls := m.shared.Calls()
	for b.Loop() {
		m.now = m.now.Add(step)
		if h.Look(0, m.now).State == Open {
			b.Fatal("open")
		}
		p, _ := h.Admit(0, true, 0, m.now)
		h.Begin(&p)
		if o.FirstToken > 0 {
			h.Content(&p, o.FirstToken, m.now)
		}
		h.End(&p, &o, m.now)
	}
	b.ReportMetric(float64(m.shared.Calls()-calls)/float64(b.N), "hostcalls/op")
}

// BenchmarkRequest is a request of a VM that serves a thousand per second.
func BenchmarkRequest(b *testing.B) { run(b, newMachine(b, `{}`, 1), success, time.Millisecond) }

// BenchmarkSeldom is a request that comes long after the one before it.
func BenchmarkSeldom(b *testing.B) { run(b, newMachine(b, `{}`, 1), success, time.Second) }

// BenchmarkFailure is a request that fails, of a target that stays open for traffic.
func BenchmarkFailure(b *testing.B) {
	run(b, newMachine(b, `{"consecutive": 0, "error_ratio": 0}`, 1), failure, time.Millisecond)
}

// BenchmarkOpen is a target that is not asked.
func BenchmarkOpen(b *testing.B) {
	m := newMachine(b, `{"consecutive": 1}`, 1)
	m.fails(0, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, v := m.vms[0].Admit(0, true, 0, m.now); v > Shut {
			b.Fatal("not refused")
		}
	}
}

// BenchmarkTick tells of 64 targets.
func BenchmarkTick(b *testing.B) {
	m := newMachine(b, `{}`, 0)
	many := make([]Target, maxFlush)
	for i := range many {
		many[i].Name = string(rune('a' + i))
	}
	h := New(conf(b, `{}`), many, m.shared)
	b.ReportAllocs()
	for b.Loop() {
		for i := range many {
			p, _ := h.Admit(i, true, 0, m.now)
			h.End(&p, &success, m.now)
		}
		m.now = m.now.Add(FlushEvery)
		h.Tick(m.now)
	}
}

// TestNoAllocations holds that a request leaves nothing to the collector.
func TestNoAllocations(t *testing.T) {
	m := newMachine(t, `{}`, 1)
	m.try(0, success)
	m.pass(FlushEvery)
	if n := testing.AllocsPerRun(100, func() { m.try(0, success) }); n != 0 {
		t.Fatalf("%v allocations per request", n)
	}
}
