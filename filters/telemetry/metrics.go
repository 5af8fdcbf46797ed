package telemetry

import "github.com/posterngw/postern/filters/host"

// Kind tells the kinds of metrics.
type Kind = host.MetricKind

// The kinds of metrics. Histograms take unsigned integers.
const (
	Counter   = host.CounterMetric
	Gauge     = host.GaugeMetric
	Histogram = host.HistogramMetric
)

// Metrics is where metrics go: the host.
type Metrics interface {
	// Metric defines a metric; false when the host has none.
	Metric(k Kind, name string) (id uint32, ok bool)
	// Add adds to a counter, or adds to or takes from a gauge.
	Add(id uint32, n int64)
	// Record sets a gauge or adds a value to a histogram.
	Record(id uint32, v uint64)
}

// label is one dimension of a metric.
type label struct {
	key string // in the host's name
	tag string // for users
	few bool   // it has few values, whatever clients, providers and configurations say
}

var (
	byOperation = label{"op", "gen_ai.operation.name", true}
	byProvider  = label{"provider", "gen_ai.provider.name", false}
	byModel     = label{"model", "gen_ai.request.model", false}
	byResponse  = label{"response", "gen_ai.response.model", false}
	byToken     = label{"type", "gen_ai.token.type", true}
	byError     = label{"error", "error.type", true}
	byEnd       = label{"end", "end", true}
	byStatus    = label{"status", "status", true}
	byDecision  = label{"decision", "decision", true}
	byPolicy    = label{"policy", "policy", false}
	byClass     = label{"class", "class", true}
	bySource    = label{"source", "source", true}
	byTarget    = label{"target", "target", false}
	byBudget    = label{"budget", "budget", false}
	byCurrency  = label{"currency", "currency", false}
	byVersion   = label{"version", "version", false}
	byMode      = label{"mode", "mode", true}
	byFeature   = label{"feature", "feature", true}
	byNeed      = label{"capability", "capability", true}
	byState     = label{"state", "state", true}
)

// labels are all dimensions, in the order of StatsTags.
var labels = []label{byOperation, byProvider, byModel, byResponse, byToken, byError, byEnd, byStatus,
	byDecision, byPolicy, byClass, bySource, byTarget, byBudget, byCurrency, byVersion, byMode, byFeature, byNeed, byState}

// prefix begins every metric's name.
const prefix = "postern."

// metric is one metric; its place in the table is its number.
type metric struct {
	name   string // without the prefix
	kind   Kind
	labels []label
	bounds []float64 // of a histogram
	doc    string
}

// The metrics.
const (
	duration = iota
	firstChunk
	tokenUsage
	tokens
	cost
	costUnknown
	requests
	decisions
	failures
	attempts
	retries
	repeats
	budgetRefusals
	budgetOver
	budgetUnmetered
	overflows
	panics
	admission
	partnerMissing
	streams
	inFlight
	highWater
	configInfo
	modeInfo
	degraded
	hostCapability
	hostUnsupported
)

// maxLabels is the greatest number of labels of a metric.
const maxLabels = 5

var (
	perModel    = []label{byOperation, byProvider, byModel, byResponse}
	perError    = []label{byOperation, byProvider, byModel, byResponse, byError}
	perToken    = []label{byOperation, byProvider, byModel, byResponse, byToken}
	perCurrency = []label{byOperation, byProvider, byModel, byResponse, byCurrency}
	// milliseconds are the specified bounds of the durations, 0.01 s doubling.
	milliseconds = []float64{10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920}
	tokenBounds  = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
)

var table = [...]metric{
	duration: {"gen_ai.client.operation.duration_milliseconds", Histogram, perError, milliseconds,
		"How long requests took, failed ones too."},
	firstChunk: {"gen_ai.client.operation.time_to_first_chunk_milliseconds", Histogram, perModel, milliseconds,
		"How long streams took until their first content left."},
	tokenUsage: {"gen_ai.client.token.usage", Histogram, perToken, tokenBounds,
		"Tokens per request; cached ones are input, reasoning ones are output."},
	tokens: {"tokens", Counter, perToken, nil,
		"Tokens, exactly: the sum of a host's histogram is approximate."},
	cost: {"cost_micros", Counter, perCurrency, nil,
		"Cost by the configured prices, in millionths of the currency."},
	costUnknown: {"cost_unknown", Counter, []label{byTarget}, nil,
		"Requests that were served by a target without a price."},
	requests: {"requests", Counter, []label{byOperation, byModel, byEnd, byStatus}, nil,
		"Requests by how they ended and the class of the status sent."},
	decisions: {"decisions", Counter, []label{byDecision, byPolicy}, nil,
		"Decisions of the policies; a denial names the policy, or default-deny."},
	failures: {"errors", Counter, []label{byClass, bySource}, nil,
		"Errors sent to clients."},
	attempts: {"attempts", Counter, []label{byTarget, byClass}, nil,
		"Tries of targets; class is ok or the error's class."},
	retries: {"retries", Counter, []label{byTarget}, nil,
		"Tries after the first one of a request."},
	repeats: {"repeats", Counter, []label{byModel}, nil,
		"Requests that were sent before, by agents that retry by themselves."},
	budgetRefusals: {"budget.refusals", Counter, []label{byBudget}, nil,
		"Requests that a budget refused."},
	budgetOver: {"budget.over", Counter, []label{byBudget}, nil,
		"Requests that went beyond a soft budget, or beyond what they had reserved."},
	budgetUnmetered: {"budget.unmetered", Counter, []label{byBudget}, nil,
		"Requests admitted although the budget's store did not answer."},
	overflows: {"stream.overflows", Counter, nil, nil,
		"Stream events that were longer than the limit."},
	panics: {"panics", Counter, nil, nil,
		"Panics of the module that ended one stream."},
	admission: {"admission.refusals", Counter, nil, nil,
		"Requests refused because too many bytes or streams were in flight."},
	partnerMissing: {"partner_missing", Counter, nil, nil,
		"Requests refused because they met one filter of paired mode and not the other."},
	streams: {"streams", Gauge, nil, nil,
		"Streams that are open, in all VMs. What a VM had open when it trapped stays counted."},
	inFlight: {"bytes_in_flight", Gauge, nil, nil,
		"Bytes of bodies held, in all VMs. What a VM held when it trapped stays counted."},
	highWater: {"memory_high_water_bytes", Gauge, nil, nil,
		"Greatest linear memory of the VM that wrote last."},
	configInfo: {"config_info", Gauge, []label{byVersion}, nil,
		"1 for the configuration that the VM that wrote last serves, 0 for those before."},
	modeInfo: {"mode_info", Gauge, []label{byMode}, nil,
		"1 for the mode in which the VM that wrote last serves."},
	degraded: {"degraded", Counter, []label{byMode, byFeature}, nil,
		"Requests for which the host could give a feature in a weaker way only."},
	hostCapability: {"host_capability", Gauge, []label{byNeed, byState}, nil,
		"1 for what the VM that wrote last knows of a capability of its host: works, missing, or untried as long as nothing needed it."},
	hostUnsupported: {"host_unsupported", Counter, []label{byNeed}, nil,
		"Requests refused because the mode needs what the host lacks."},
}

// MetricDoc is one line of the metrics' reference.
type MetricDoc struct {
	Name       string // in the host
	Prometheus string
	Kind       string // counter, gauge, histogram
	Labels     []string
	Doc        string
}

// Reference lists the metrics.
func Reference() []MetricDoc {
	docs := make([]MetricDoc, 0, len(table))
	for i := range table {
		m := &table[i]
		d := MetricDoc{Name: prefix + m.name, Prometheus: prometheus(prefix + m.name), Doc: m.doc,
			Kind: [...]string{"counter", "gauge", "histogram"}[m.kind]}
		for _, l := range m.labels {
			d.Labels = append(d.Labels, prometheus(l.tag))
		}
		docs = append(docs, d)
	}
	return docs
}

// prometheus spells a name as Envoy does for Prometheus.
func prometheus(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c == '.' {
			b[i] = '_'
		}
	}
	return string(b)
}

// custom is what Envoy puts before the names of a module's metrics.
const custom = "wasmcustom."

// StatsTag is an entry of Envoy's stats_config.stats_tags.
type StatsTag struct {
	Name  string // tag_name
	Regex string
}

// StatsTags are the expressions that take the labels out of the names.
func StatsTags() []StatsTag {
	tags := make([]StatsTag, len(labels))
	for i, l := range labels {
		tags[i] = StatsTag{l.tag, `^wasmcustom\.postern\..*?(;` + l.key + `=([^;]*))`}
	}
	return tags
}

// Bucket is an entry of Envoy's stats_config.histogram_bucket_settings.
type Bucket struct {
	Prefix string // match.prefix
	Bounds []float64
}

// Buckets are the bounds of the histograms.
func Buckets() []Bucket {
	var bs []Bucket
	for i := range table {
		if m := &table[i]; m.kind == Histogram {
			bs = append(bs, Bucket{custom + prefix + m.name, m.bounds})
		}
	}
	return bs
}
