package pipeline

import "github.com/posterngw/postern/filters/host"

// The proxy, as package host has it.
type (
	// Stream is one HTTP stream.
	Stream = host.Stream
	// Side tells a stream's two messages apart.
	Side = host.Side
	// Action is what a callback answers to the proxy.
	Action = host.Action
	// Callbacks is what a stage's stream offers to the proxy.
	Callbacks = host.Callbacks
	// Plugin is one configured instance of the module.
	Plugin = host.Plugin
	// VM is the process-wide side of the proxy.
	VM = host.VM
	// MetricKind tells the kinds of metrics.
	MetricKind = host.MetricKind
	// Level is a log level of the host.
	Level = host.Level
	// Callout is an HTTP request by the module itself.
	Callout = host.Callout
	// CalloutAnswer is what came back.
	CalloutAnswer = host.CalloutAnswer
)

// Its values.
const (
	Request  = host.Request
	Response = host.Response

	Continue = host.Continue
	Pause    = host.Pause

	CounterMetric   = host.CounterMetric
	GaugeMetric     = host.GaugeMetric
	HistogramMetric = host.HistogramMetric

	Debug    = host.Debug
	Info     = host.Info
	Warn     = host.Warn
	Critical = host.Critical
)
