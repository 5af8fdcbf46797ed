package hosttest

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// metric is one counter, gauge or histogram, shared by all VMs of a host by name.
type metric struct {
	kind  MetricType
	name  string
	value atomic.Uint64

	mu     sync.Mutex
	values []uint64 // of a histogram, the latest maxSamples
	count  uint64
	sum    uint64
}

// maxSamples bounds what a histogram keeps of its samples.
const maxSamples = 4096

// MetricValue is a metric as a test or a scrape sees it.
type MetricValue struct {
	Type  MetricType
	Name  string
	Value uint64 // of a counter or gauge
	// Count, Sum and the latest Samples of a histogram.
	Count, Sum uint64
	Samples    []uint64
}

type metricStore struct {
	mu   sync.Mutex
	list map[metricKey]*metric
}

type metricKey struct {
	kind MetricType
	name string
}

func (s *metricStore) init() { s.list = map[metricKey]*metric{} }

func (s *metricStore) define(kind MetricType, name string) *metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := metricKey{kind, name}
	m := s.list[k]
	if m == nil {
		m = &metric{kind: kind, name: name}
		s.list[k] = m
	}
	return m
}

func (m *metric) record(v uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count++
	m.sum += v
	if len(m.values) >= maxSamples {
		m.values = append(m.values[:0], m.values[maxSamples/2:]...)
	}
	m.values = append(m.values, v)
}

func (m *metric) snapshot() MetricValue {
	m.mu.Lock()
	defer m.mu.Unlock()
	return MetricValue{Type: m.kind, Name: m.name, Value: m.value.Load(), Count: m.count, Sum: m.sum, Samples: slices.Clone(m.values)}
}

// Metrics are all metrics that modules have defined, by name.
func (h *Host) Metrics() []MetricValue {
	h.metrics.mu.Lock()
	list := make([]*metric, 0, len(h.metrics.list))
	for _, m := range h.metrics.list {
		list = append(list, m)
	}
	h.metrics.mu.Unlock()
	out := make([]MetricValue, len(list))
	for i, m := range list {
		out[i] = m.snapshot()
	}
	slices.SortFunc(out, func(a, b MetricValue) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Metric is one metric by name; ok is false if no module has defined it.
func (h *Host) Metric(name string) (v MetricValue, ok bool) {
	for _, m := range h.Metrics() {
		if m.Name == name {
			return m, true
		}
	}
	return MetricValue{}, false
}

// Metric ids carry the type in their two low bits, as Envoy's do.
const metricTypeMask = 3

func (vm *VM) defineMetric(kind MetricType, name string) uint32 {
	vm.nextIDs[kind] += 4
	id := vm.nextIDs[kind] | uint32(kind)
	vm.metricIDs[id] = vm.host.metrics.define(kind, name)
	return id
}

// increment follows Envoy: counters take positive offsets only, histograms none.
func (vm *VM) increment(id uint32, offset int64) Status {
	m, kind := vm.metricIDs[id], MetricType(id&metricTypeMask)
	switch {
	case kind > Gauge:
		return StatusBadArgument
	case m == nil:
		return StatusNotFound
	case kind == Counter && offset <= 0:
		return StatusBadArgument
	}
	m.value.Add(uint64(offset))
	return StatusOK
}

func (vm *VM) recordMetric(id uint32, value uint64) Status {
	m := vm.metricIDs[id]
	if m == nil {
		return StatusNotFound
	}
	switch m.kind {
	case Counter:
		m.value.Add(value)
	case Gauge:
		m.value.Store(value)
	default:
		m.record(value)
	}
	return StatusOK
}

func (vm *VM) metricValue(id uint32) (uint64, Status) {
	m, kind := vm.metricIDs[id], MetricType(id&metricTypeMask)
	switch {
	case kind > Gauge:
		return 0, StatusBadArgument
	case m == nil:
		return 0, StatusNotFound
	}
	return m.value.Load(), StatusOK
}
