package telemetry

import (
	"time"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
)

// Trace says what is done with W3C trace context.
type Trace string

// What can be done with trace context.
const (
	// Pass gives providers a child span of the trace that a request is in.
	Pass Trace = "pass"
	// Create also begins a trace for a request that is in none.
	Create Trace = "create"
	// Off leaves the headers alone.
	Off Trace = "off"
)

// Config is the section `telemetry`.
type Config struct {
	Metrics   bool
	MaxSeries int
	Trace     Trace
}

// Fields is the table of the section `telemetry`.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.Bool("metrics", &c.Metrics, config.Default(true),
			config.Doc("Whether the host's metrics are written.")),
		config.Int("max_series", &c.MaxSeries, config.Default(1000), config.Range(50, 20_000),
			config.Doc("How many combinations of metric and label values a worker may make. Beyond it models, providers, targets, policies and budgets read `other`. A host never forgets a combination.")),
		config.Enum("trace", &c.Trace, []Trace{Pass, Create, Off}, config.Default(Pass),
			config.Doc("What is done with the header `traceparent`: `pass` gives providers a child span of the trace that a request is in, `create` also begins a trace for a request that is in none, `off` leaves it alone. `tracestate` is never touched.")),
	}
}

// Telemetry is the metrics of one VM.
type Telemetry struct {
	host   Metrics
	on     bool
	max    int
	series map[seriesKey]*series
	calls  map[callKey]*call
	key    callKey // of the call that was looked up last
	recent *call
	allow  *series
	queue  []*series
	name   []byte
	last   Sample
	info   *series
}

// New returns the metrics of a VM, on the host's.
func New(c *Config, host Metrics) *Telemetry {
	return &Telemetry{host: host, on: c.Metrics, max: c.MaxSeries,
		series: map[seriesKey]*series{}, calls: map[callKey]*call{}}
}

// On reports whether anything is counted.
func (t *Telemetry) On() bool { return t.on }

// call holds the series that nearly every request of its kind needs, so that it
// finds them by one look-up.
type call struct {
	duration, firstChunk, in, out *series
	inCount, outCount             *series

	ended  *series // of the last one's end and status
	end    audit.End
	status int
	served *series // of the last one's target
	target string
}

type callKey struct {
	op                        llm.Operation
	provider, model, response string
	err                       string
}

// Observe counts a finished request.
func (t *Telemetry) Observe(r *audit.Record) {
	if !t.on {
		return
	}
	c := t.call(r)
	t.record(c.duration, ms(r.Total))
	if r.Stream && r.FirstToken > 0 {
		t.record(c.firstChunk, ms(r.FirstToken))
	}
	if n := r.Usage.InputTotal(); n > 0 {
		t.record(c.in, uint64(n))
		t.add(c.inCount, n)
	}
	if n := r.Usage.OutputTotal(); n > 0 {
		t.record(c.out, uint64(n))
		t.add(c.outCount, n)
	}
	if class := r.Status / 100; c.ended == nil || c.end != r.End || c.status != class {
		c.end, c.status = r.End, class
		c.ended = t.at(requests, values{r.Operation.String(), r.Model, r.End.String(), status(r.Status)})
	}
	t.add(c.ended, 1)
	t.outcome(r)
	t.attempted(r, c)
	t.budgets(r)
}

func ms(d time.Duration) uint64 { return uint64(max(0, d.Milliseconds())) }

func (t *Telemetry) call(r *audit.Record) *call {
	k := callKey{r.Operation, provider(r), r.Model, r.UpstreamModel, failure(r)}
	if t.recent != nil && k == t.key { // no hash of four texts
		return t.recent
	}
	c := t.calls[k]
	if c == nil {
		c = t.newCall(r, &k)
	}
	t.key, t.recent = k, c
	return c
}

func (t *Telemetry) newCall(r *audit.Record, k *callKey) *call {
	op := r.Operation.String()
	v := func(last string) values { return values{op, k.provider, k.model, k.response, last} }
	c := &call{
		duration: t.at(duration, v(k.err)), firstChunk: t.at(firstChunk, v("")),
		in: t.at(tokenUsage, v("input")), out: t.at(tokenUsage, v("output")),
		inCount: t.at(tokens, v("input")), outCount: t.at(tokens, v("output")),
	}
	if len(t.calls) < t.max {
		t.calls[*k] = c
	}
	return c
}

// provider is the kind of the provider, or its name when the kind is unknown.
func provider(r *audit.Record) string {
	if r.System != "" {
		return r.System
	}
	return r.Provider
}

// failure is error.type: the error's class, or how the stream ended if that was
// not as it should.
func failure(r *audit.Record) string {
	if r.Error.Class != llm.NoError {
		return r.Error.Class.String()
	}
	switch r.End {
	case audit.ClientAbort, audit.UpstreamReset, audit.Timeout, audit.Trap:
		return r.End.String()
	}
	return ""
}

func status(code int) string {
	switch code / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "none"
}

// outcome counts the decision, the error, the cost and cut events.
func (t *Telemetry) outcome(r *audit.Record) {
	switch d := &r.Decision; {
	case d.Made && d.Allowed:
		if t.allow == nil {
			t.allow = t.at(decisions, values{"allow"})
		}
		t.add(t.allow, 1)
	case d.Made:
		t.add(t.at(decisions, values{"deny", denier(r)}), 1)
	}
	if r.Error.Class != llm.NoError {
		t.add(t.at(failures, values{r.Error.Class.String(), r.Error.Source.String()}), 1)
	}
	if r.Cost > 0 {
		t.add(t.at(cost, values{r.Operation.String(), provider(r), r.Model, r.UpstreamModel, r.Currency}), r.Cost)
	}
	if r.Route.Repeat > 0 {
		t.add(t.at(repeats, values{r.Model}), 1)
	}
	for _, feature := range r.Degraded {
		t.add(t.at(degraded, values{r.Mode, feature}), 1)
	}
	if r.CostUnknown {
		t.add(t.at(costUnknown, values{r.Target}), 1)
	}
	if r.Overflowed > 0 {
		t.add(t.at(overflows, values{}), int64(r.Overflowed))
	}
}

// denier is the policy that a denial names.
func denier(r *audit.Record) string {
	if r.Error.Class == llm.PolicyError && r.Error.Policy != "" {
		return r.Error.Policy
	}
	if len(r.Decision.Policies) > 0 {
		return r.Decision.Policies[0]
	}
	return ""
}

func (t *Telemetry) attempted(r *audit.Record, c *call) {
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if a.Class == llm.NoError {
			if c.served == nil || c.target != a.Target {
				c.served, c.target = t.at(attempts, values{a.Target, "ok"}), a.Target
			}
			t.add(c.served, 1)
		} else {
			t.add(t.at(attempts, values{a.Target, a.Class.String()}), 1)
		}
		if i > 0 {
			t.add(t.at(retries, values{a.Target}), 1)
		}
	}
}

func (t *Telemetry) budgets(r *audit.Record) {
	if r.Error.Code == "budget_exceeded" {
		t.add(t.at(budgetRefusals, values{r.Error.Policy}), 1)
	}
	for i := range r.Budgets {
		m := &r.Budgets[i]
		if m.Over {
			t.add(t.at(budgetOver, values{m.Budget}), 1)
		}
		if m.Unmetered {
			t.add(t.at(budgetUnmetered, values{m.Budget}), 1)
		}
	}
}

// Sample is the state of a VM beside its requests.
type Sample struct {
	Streams       int64  // open now
	BytesInFlight int64  // held now
	HighWater     uint64 // greatest linear memory so far, in bytes
	Panics        int64  // so far
	Admission     int64  // requests refused for lack of room so far
}

// Sample takes the state of the VM. Call it before Flush.
func (t *Telemetry) Sample(s Sample) {
	if !t.on {
		return
	}
	none := values{}
	t.add(t.at(streams, none), s.Streams-t.last.Streams)
	t.add(t.at(inFlight, none), s.BytesInFlight-t.last.BytesInFlight)
	t.add(t.at(panics, none), s.Panics-t.last.Panics)
	t.add(t.at(admission, none), s.Admission-t.last.Admission)
	if s.HighWater != t.last.HighWater {
		t.record(t.at(highWater, none), s.HighWater)
	}
	t.last = s
}

// Serving says which configuration the VM serves from now on.
func (t *Telemetry) Serving(version string) {
	if !t.on {
		return
	}
	s := t.at(configInfo, values{version})
	if s == t.info {
		return
	}
	if t.info != nil {
		t.record(t.info, 0)
	}
	t.record(s, 1)
	t.info = s
}

// Mode says how the module runs on its host.
func (t *Telemetry) Mode(mode string) {
	if t.on {
		t.record(t.at(modeInfo, values{mode}), 1)
	}
}

// Capability says what is known of the host now, in place of what was known before;
// empty for nothing.
func (t *Telemetry) Capability(name, before, now string) {
	if !t.on {
		return
	}
	if before != "" {
		t.record(t.at(hostCapability, values{name, before}), 0)
	}
	t.record(t.at(hostCapability, values{name, now}), 1)
}

// Unsupported counts a request that the host cannot serve, at once: such a host may
// have nothing that flushes.
func Unsupported(host Metrics, capability string) {
	v := values{capability}
	if id, ok := host.Metric(Counter, string(appendName(nil, &table[hostUnsupported], &v))); ok {
		host.Add(id, 1)
	}
}

// Unpaired counts a request that met one filter of paired mode only. It goes to
// the host at once, whatever the configuration says: a filter that has lost its
// partner has no configuration, and nothing that flushes.
func Unpaired(host Metrics) {
	if id, ok := host.Metric(Counter, prefix+table[partnerMissing].name); ok {
		host.Add(id, 1)
	}
}
