package telemetry

const (
	// maxValue bounds the bytes of a label's value.
	maxValue = 96
	// other stands for what is beyond the bounds.
	other = "other"
)

// values are a metric's label values, in the order of its labels; an empty one
// is left out.
type values [maxLabels]string

// series is one metric with its label values.
type series struct {
	metric  int
	values  values
	id      uint32
	defined bool
	dead    bool  // the host does not take it
	n       int64 // of a counter or gauge, not yet with the host
	queued  bool
}

// seriesKey finds a series.
type seriesKey struct {
	metric int
	values values
}

// at finds or makes a series. When the table is full, the labels that can grow
// read "other"; what is left then is few.
func (t *Telemetry) at(metric int, v values) *series {
	k := seriesKey{metric, v}
	if s := t.series[k]; s != nil {
		return s
	}
	if len(t.series) >= t.max {
		for i, l := range table[metric].labels {
			if !l.few && v[i] != "" {
				k.values[i] = other
			}
		}
		if s := t.series[k]; s != nil {
			return s
		}
	}
	s := &series{metric: metric, values: k.values}
	t.series[k] = s
	return s
}

// record puts a value into a histogram or gauge of the host.
func (t *Telemetry) record(s *series, v uint64) {
	if t.define(s) {
		t.host.Record(s.id, v)
	}
}

// add counts; the host hears of it at Flush.
func (t *Telemetry) add(s *series, n int64) {
	s.n += n
	if !s.queued {
		s.queued = true
		t.queue = append(t.queue, s)
	}
}

// Flush gives the host what was counted since the last one.
func (t *Telemetry) Flush() {
	for i, s := range t.queue {
		if s.n != 0 && t.define(s) {
			t.host.Add(s.id, s.n)
		}
		s.n, s.queued = 0, false
		t.queue[i] = nil
	}
	t.queue = t.queue[:0]
}

// define defines a series in the host at its first use.
func (t *Telemetry) define(s *series) bool {
	if !s.defined && !s.dead {
		t.name = appendName(t.name[:0], &table[s.metric], &s.values)
		s.id, s.defined = t.host.Metric(table[s.metric].kind, string(t.name))
		s.dead = !s.defined
	}
	return s.defined
}

// appendName spells a series for the host.
func appendName(dst []byte, m *metric, v *values) []byte {
	dst = append(append(dst, prefix...), m.name...)
	for i, l := range m.labels {
		if v[i] != "" {
			dst = append(append(append(dst, ';'), l.key...), '=')
			dst = appendValue(dst, v[i])
		}
	}
	return dst
}

// appendValue spells a label's value with the characters that are safe in a
// host's metric names and in the expressions of StatsTags.
func appendValue(dst []byte, s string) []byte {
	for i := range min(len(s), maxValue) {
		c := s[i]
		if !safe(c) {
			c = '_'
		}
		dst = append(dst, c)
	}
	return dst
}

func safe(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case c == '.', c == '_', c == '-', c == '/', c == ':', c == '@', c == '+':
		return true
	}
	return false
}
