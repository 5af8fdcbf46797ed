// Package host is the proxy as the module's stages see it, and the stages as the
// proxy sees them: interfaces and a few values, whose one implementation for real
// proxies is package proxywasm. A stage knows no more of where it runs.
package host

import "time"

// Side tells a stream's two messages apart.
type Side uint8

// The sides of a stream.
const (
	Request Side = iota
	Response
)

// Action is what a callback answers to the proxy.
type Action uint8

// The actions. Pause holds the message (headers and body); a paused stream goes
// on when a later callback of it answers Continue, or by Stream.Resume.
const (
	Continue Action = iota
	Pause
)

// Stream is one HTTP stream as one stage of the module sees it. Its methods are
// meant for the stream's own callbacks; from elsewhere (a tick, a callout's
// answer) only after Activate.
//
// A host call that fails is remembered, the first one counts, and Err returns
// and forgets it: a stage asks once, at its end, before it lets anything leave.
type Stream interface {
	// Headers copies all headers of a side, pseudo headers included, in order.
	// It costs as much as four single reads.
	Headers(Side) [][2]string
	// Header reads one value; false when the header is absent.
	Header(s Side, name string) (string, bool)
	// SetHeader replaces every value of the header by one, or adds it.
	SetHeader(s Side, name, value string)
	RemoveHeader(s Side, name string)

	// Body copies size bytes from offset on of the buffer that the running body
	// callback shows: one chunk, or all that was held so far after a Pause. The
	// bytes are valid until the callback returns.
	Body(s Side, offset, size int) []byte
	// SetBody replaces that whole buffer.
	SetBody(s Side, b []byte)

	// Property reads a property of the proxy ("upstream.address" is
	// Property("upstream", "address")); false when it is absent.
	Property(path ...string) (string, bool)
	// SetProperty writes filter state, which the other stage, the router's
	// matchers and the access log of the same stream can read.
	SetProperty(name, value string)

	// ClearRouteCache makes the proxy choose the route again.
	ClearRouteCache()
	// Reply answers the client here and now; detail shows in the host's logs.
	Reply(status int, headers [][2]string, body []byte, detail string)
	// Resume lets a paused side go on, from outside that side's callbacks.
	Resume(Side)
	// Activate makes this stream the one that host calls speak about.
	Activate()

	Err() error
}

// MetricKind tells the kinds of metrics.
type MetricKind uint8

// The metric kinds. Histograms take unsigned integers.
const (
	CounterMetric MetricKind = iota
	GaugeMetric
	HistogramMetric
)

// VM is the process-wide side of the proxy: one per module instance, shared by
// all its streams. A VM is single-threaded.
type VM interface {
	Now() time.Time
	// Log writes a line to the host's log. Users must not depend on it: hosts
	// drop lines below their level.
	Log(l Level, line string)
	// Memory is how much linear memory the VM has, in bytes; 0 where it has none.
	Memory() uint64
	// Env reads an environment variable that the host gave to the module.
	Env(name string) string

	// Shared reads shared data with its version; false when the key is absent.
	Shared(key string) (value []byte, version uint32, ok bool)
	// SetShared writes shared data if its version is still the given one (0
	// writes whatever the version); false on a lost race or a host without
	// shared data.
	SetShared(key string, value []byte, version uint32) bool

	// TickEvery sets the period of the ticks of the plugin whose callback runs, or
	// whose stream is active, in milliseconds; false on a host without ticks.
	TickEvery(ms uint32) bool

	// Metric defines a metric, or finds it by its name.
	Metric(k MetricKind, name string) (id uint32, ok bool)
	Add(id uint32, n int64)
	Record(id uint32, v uint64)

	// Call sends a request to a cluster of the host and hands over the answer.
	// done runs once, with a nil answer when the call failed.
	Call(c Callout, done func(*CalloutAnswer)) error
}

// Lack is an error that tells a call which the proxy does not have from one that it
// refused: those of Stream.Err and VM.Call are.
type Lack interface {
	Lacking() (call string, lacking bool)
}

// Level is a log level of the host.
type Level uint8

// The log levels.
const (
	Debug Level = iota
	Info
	Warn
	Critical
)

// Callout is an HTTP request by the module itself.
type Callout struct {
	Cluster string
	Headers [][2]string
	Body    []byte
	Timeout time.Duration
}

// CalloutAnswer is what came back.
type CalloutAnswer struct {
	Status  int
	Headers [][2]string
	Body    []byte
}

// Callbacks is what a stage's stream offers to the proxy. The binding calls
// them in the proxy's order and never twice at once.
type Callbacks interface {
	RequestHeaders(end bool) Action
	// RequestBody sees size bytes in the buffer: see Stream.Body.
	RequestBody(size int, end bool) Action
	RequestTrailers() Action
	ResponseHeaders(end bool) Action
	ResponseBody(size int, end bool) Action
	ResponseTrailers() Action
	// Done runs at the stream's end however it ends, once or more.
	Done()
	// Recovered is told that one of the above panicked; it answers the stream
	// with a typed error.
	Recovered(cause string) Action
}

// Plugin is one configured instance of the module in a VM: a stage.
type Plugin interface {
	// Configure takes the plugin's configuration. False refuses it.
	Configure(raw []byte) bool
	// Stream begins a stream.
	Stream(s Stream) Callbacks
	// Tick runs at the period that VM.TickEvery sets.
	Tick()
}
