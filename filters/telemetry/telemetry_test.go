package telemetry

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
)

// memory is a host that remembers.
type memory struct {
	refuse bool
	names  []string
	kinds  []Kind
	counts map[string]int64
	hist   map[string][]uint64
	calls  int
}

func newHost() *memory { return &memory{counts: map[string]int64{}, hist: map[string][]uint64{}} }

func (h *memory) Metric(k Kind, name string) (uint32, bool) {
	h.names, h.kinds = append(h.names, name), append(h.kinds, k)
	return uint32(len(h.names)), !h.refuse
}

func (h *memory) Add(id uint32, n int64) {
	h.calls++
	if h.kinds[id-1] == Histogram || h.kinds[id-1] == Counter && n <= 0 {
		panic("Envoy answers bad argument to this")
	}
	h.counts[h.names[id-1]] += n
}

func (h *memory) Record(id uint32, v uint64) {
	h.calls++
	if name := h.names[id-1]; h.kinds[id-1] == Histogram {
		h.hist[name] = append(h.hist[name], v)
	} else {
		h.counts[name] = int64(v)
	}
}

func served() *audit.Record {
	return &audit.Record{
		End: audit.Complete, Status: 200, Operation: llm.Chat, Model: "fast", Stream: true,
		Target: "eu/claude", Provider: "eu", System: "anthropic", UpstreamModel: "claude-sonnet-4-5",
		Decision: audit.Decision{Made: true, Allowed: true, Policies: []string{"p"}},
		Attempts: []audit.Attempt{{Target: "eu/claude", Status: 200}},
		Usage:    llm.Usage{Input: 10, CacheRead: 5, Output: 7, Reasoning: 3},
		Cost:     12, Currency: "USD",
		FirstToken: 210 * time.Millisecond, Total: 1500*time.Millisecond + 900*time.Microsecond,
	}
}

func on() *Config { return &Config{Metrics: true, MaxSeries: 1000} }

func TestObserve(t *testing.T) {
	h := newHost()
	m := New(on(), h)
	m.Observe(served())
	require.Equal(t, 4, h.calls, "one per histogram")
	m.Observe(served())
	m.Flush()
	const by = ";op=chat;provider=anthropic;model=fast;response=claude-sonnet-4-5"
	require.Equal(t, map[string][]uint64{
		"postern.gen_ai.client.operation.duration_milliseconds" + by:            {1500, 1500},
		"postern.gen_ai.client.operation.time_to_first_chunk_milliseconds" + by: {210, 210},
		"postern.gen_ai.client.token.usage" + by + ";type=input":                {15, 15},
		"postern.gen_ai.client.token.usage" + by + ";type=output":               {10, 10},
	}, h.hist)
	require.Equal(t, map[string]int64{
		"postern.tokens" + by + ";type=input":                         30,
		"postern.tokens" + by + ";type=output":                        20,
		"postern.cost_micros" + by + ";currency=USD":                  24,
		"postern.requests;op=chat;model=fast;end=complete;status=2xx": 2,
		"postern.decisions;decision=allow":                            2,
		"postern.attempts;target=eu/claude;class=ok":                  2,
	}, h.counts)
	require.Len(t, h.names, len(slices.Compact(slices.Sorted(slices.Values(h.names)))), "each is defined once")
	calls := h.calls
	m.Flush()
	require.Equal(t, calls, h.calls, "nothing to say")
}

func TestObserveFailures(t *testing.T) {
	tests := []struct {
		name string
		r    audit.Record
		want []string
	}{
		{"denied", audit.Record{End: audit.LocalReply, Status: 403, Model: "fast",
			Error:    audit.Failure{Class: llm.PolicyError, Source: llm.FromPostern, Code: "forbidden", Policy: "eu-only"},
			Decision: audit.Decision{Made: true, Policies: []string{"x"}}},
			[]string{"decisions;decision=deny;policy=eu-only", "errors;class=policy;source=postern", "requests;op=unknown;model=fast;end=local_reply;status=4xx"}},
		{"denied in shadow of another error", audit.Record{Status: 500, Decision: audit.Decision{Made: true, Policies: []string{"x"}}},
			[]string{"decisions;decision=deny;policy=x", "requests;op=unknown;status=5xx"}},
		{"denied without a name", audit.Record{Status: 101, Decision: audit.Decision{Made: true}},
			[]string{"decisions;decision=deny", "requests;op=unknown;status=1xx"}},
		{"budget", audit.Record{End: audit.LocalReply, Status: 429,
			Error:   audit.Failure{Class: llm.RateLimited, Source: llm.FromPostern, Code: "budget_exceeded", Policy: "team"},
			Budgets: []budget.Movement{{Budget: "soft", Over: true}, {Budget: "open", Unmetered: true}}},
			[]string{"budget.over;budget=soft", "budget.refusals;budget=team", "budget.unmetered;budget=open", "errors;class=rate_limited;source=postern", "requests;op=unknown;end=local_reply;status=4xx"}},
		{"retried", audit.Record{Status: 302, Overflowed: 3, Attempts: []audit.Attempt{{Target: "a", Class: llm.Overloaded}, {Target: "b"}}},
			[]string{"attempts;target=a;class=overloaded", "attempts;target=b;class=ok", "requests;op=unknown;status=3xx", "retries;target=b", "stream.overflows"}},
		{"no answer", audit.Record{End: audit.ClientAbort}, []string{"requests;op=unknown;end=client_abort;status=none"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost()
			m := New(on(), h)
			m.Observe(&tt.r)
			m.Flush()
			var got []string
			for name := range h.counts {
				got = append(got, strings.TrimPrefix(name, prefix))
			}
			require.ElementsMatch(t, tt.want, got)
		})
	}
}

func TestErrorType(t *testing.T) {
	h := newHost()
	m := New(on(), h)
	m.Observe(&audit.Record{Provider: "eu", End: audit.Timeout})
	m.Observe(&audit.Record{End: audit.LocalReply, Error: audit.Failure{Class: llm.TimeoutError}})
	require.Equal(t, []string{
		"postern.gen_ai.client.operation.duration_milliseconds;op=unknown;provider=eu;error=timeout",
		"postern.gen_ai.client.operation.duration_milliseconds;op=unknown;error=timeout"}, h.names)
}

func TestOff(t *testing.T) {
	h := newHost()
	m := New(&Config{MaxSeries: 10}, h)
	m.Observe(served())
	m.Sample(Sample{Streams: 1})
	m.Serving("v")
	m.Flush()
	require.Empty(t, h.names)

	h.refuse = true
	m = New(on(), h)
	for range 3 {
		m.Observe(served())
		m.Flush()
	}
	require.Zero(t, h.calls, "a host without metrics")
	require.Len(t, h.names, 10, "is asked once for each")
}

func TestBoundedSeries(t *testing.T) {
	h := newHost()
	m := New(&Config{Metrics: true, MaxSeries: 60}, h)
	for i := range 3000 {
		r := served()
		r.Model, r.UpstreamModel, r.System = strconv.Itoa(i), strconv.Itoa(i), strconv.Itoa(i)
		r.Attempts[0].Target, r.Currency = strconv.Itoa(i), strconv.Itoa(i)
		r.Error = audit.Failure{Class: llm.Class(i % 12), Code: "budget_exceeded", Policy: strconv.Itoa(i)}
		m.Observe(r)
		m.Serving(strconv.Itoa(i))
		m.Flush()
	}
	require.Less(t, len(m.series), 60+150)
	require.LessOrEqual(t, len(m.calls), 60)
	require.Contains(t, h.names, "postern.tokens;op=chat;provider=other;model=other;response=other;type=input")
	var sum int64
	for name, n := range h.counts {
		if strings.HasPrefix(name, "postern.tokens;") && strings.HasSuffix(name, "=input") {
			sum += n
		}
	}
	require.EqualValues(t, 3000*15, sum, "nothing is lost")
}

func TestSample(t *testing.T) {
	h := newHost()
	m := New(on(), h)
	m.Sample(Sample{Streams: 3, BytesInFlight: 1000, HighWater: 5 << 20, Panics: 1, Admission: 2})
	m.Flush()
	m.Sample(Sample{Streams: 1, BytesInFlight: 1000, HighWater: 5 << 20, Panics: 1, Admission: 4})
	m.Flush()
	require.Equal(t, map[string]int64{"postern.streams": 1, "postern.bytes_in_flight": 1000,
		"postern.memory_high_water_bytes": 5 << 20, "postern.panics": 1, "postern.admission.refusals": 4}, h.counts)
	m.Serving("v1")
	m.Serving("v1")
	m.Serving("v2")
	require.EqualValues(t, 0, h.counts["postern.config_info;version=v1"])
	require.EqualValues(t, 1, h.counts["postern.config_info;version=v2"])
}

// extract does what Envoy does with stats_tags.
func extract(name string) (string, map[string]string) {
	tags, rest := map[string]string{}, name
	for _, tag := range StatsTags() {
		if m := regexp.MustCompile(tag.Regex).FindStringSubmatch(name); m != nil {
			tags[tag.Name] = m[2]
			rest = strings.Replace(rest, m[1], "", 1)
		}
	}
	return rest, tags
}

func TestStatsTags(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &table[rapid.IntRange(0, len(table)-1).Draw(t, "metric")]
		var v values
		want := map[string]string{}
		for i, l := range m.labels {
			v[i] = rapid.String().Draw(t, l.key)
			if v[i] != "" {
				want[l.tag] = string(appendValue(nil, v[i]))
			}
		}
		name, tags := extract(custom + string(appendName(nil, m, &v)))
		require.Equal(t, custom+prefix+m.name, name)
		require.Equal(t, want, tags)
	})
}

func TestValue(t *testing.T) {
	require.Equal(t, "gpt-4.1@eu/x:1+_a_b___", string(appendValue(nil, "gpt-4.1@eu/x:1+_a b;=\"")))
	require.Len(t, appendValue(nil, strings.Repeat("x", 1000)), maxValue)
}

func TestNamesOfTheConventions(t *testing.T) {
	want := map[label]string{
		byOperation: string(semconv.GenAIOperationNameKey), byProvider: string(semconv.GenAIProviderNameKey),
		byModel: string(semconv.GenAIRequestModelKey), byResponse: string(semconv.GenAIResponseModelKey),
		byToken: string(semconv.GenAITokenTypeKey), byError: string(semconv.ErrorTypeKey),
	}
	for l, key := range want {
		require.Equal(t, key, l.tag)
	}
	// The names in go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv, with the
	// unit that differs.
	require.Equal(t, "gen_ai.client.operation.duration"+"_milliseconds", table[duration].name)
	require.Equal(t, "gen_ai.client.operation.time_to_first_chunk"+"_milliseconds", table[firstChunk].name)
	require.Equal(t, "gen_ai.client.token.usage", table[tokenUsage].name)
	require.Equal(t, "input", semconv.GenAITokenTypeInput.Value.AsString())
	require.Equal(t, "output", semconv.GenAITokenTypeOutput.Value.AsString())
	require.Equal(t, semconv.GenAIOperationNameChat.Value.AsString(), llm.Chat.String())
	require.Equal(t, semconv.GenAIOperationNameEmbeddings.Value.AsString(), llm.Embed.String())
}

func TestTable(t *testing.T) {
	names := map[string]bool{}
	for i, d := range Reference() {
		require.NotEmpty(t, d.Doc)
		require.False(t, names[d.Name], d.Name)
		names[d.Name] = true
		require.Regexp(t, `^[a-z_:][a-z0-9_:]*$`, d.Prometheus)
		require.LessOrEqual(t, len(table[i].labels), maxLabels)
		require.Equal(t, table[i].kind == Histogram, table[i].bounds != nil)
		for _, l := range table[i].labels {
			require.Contains(t, labels, l, "it has a tag")
		}
	}
	require.Equal(t, "postern_gen_ai_client_operation_duration_milliseconds", Reference()[0].Prometheus)
	require.Equal(t, []string{"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model", "error_type"},
		Reference()[0].Labels)
	require.Len(t, Buckets(), 3)
	for _, b := range Buckets() {
		require.True(t, slices.IsSorted(b.Bounds))
		require.Positive(t, b.Bounds[0])
		for _, other := range Buckets() {
			require.True(t, b.Prefix == other.Prefix || !strings.HasPrefix(other.Prefix, b.Prefix))
		}
	}
}

func TestConfig(t *testing.T) {
	c := &Config{}
	require.NoError(t, config.Verify(Fields(c)).Err())
	require.NoError(t, config.Decode(nil, Fields(c)).Err())
	require.Equal(t, Config{Metrics: true, MaxSeries: 1000, Trace: Pass}, *c)
}

// quiet is a host that does nothing.
type quiet struct{}

func (quiet) Metric(Kind, string) (uint32, bool) { return 1, true }
func (quiet) Add(uint32, int64)                  {}
func (quiet) Record(uint32, uint64)              {}

func TestObserveDoesNotAllocate(t *testing.T) {
	m, r := New(on(), quiet{}), served()
	m.Observe(r)
	m.Flush()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		m.Observe(r)
		m.Sample(Sample{Streams: int64(r.Status)})
		m.Flush()
	}))
}

func BenchmarkObserve(b *testing.B) {
	m, r := New(on(), quiet{}), served()
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(r)
	}
}
