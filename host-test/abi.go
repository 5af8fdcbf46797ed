package hosttest

import "strconv"

// Status is what a host call answers: proxy-wasm's WasmResult (ABI 0.2.x, proxy_status_t).
type Status uint32

// The statuses of ABI 0.2.x, by their numbers on the wire.
const (
	StatusOK                   Status = 0
	StatusNotFound             Status = 1
	StatusBadArgument          Status = 2
	StatusSerializationFailure Status = 3
	StatusParseFailure         Status = 4
	StatusBadExpression        Status = 5
	StatusInvalidMemoryAccess  Status = 6
	StatusEmpty                Status = 7
	StatusCASMismatch          Status = 8
	StatusResultMismatch       Status = 9
	StatusInternalFailure      Status = 10
	StatusBrokenConnection     Status = 11
	StatusUnimplemented        Status = 12
)

var statusNames = [...]string{
	"ok", "not found", "bad argument", "serialization failure", "parse failure", "bad expression",
	"invalid memory access", "empty", "cas mismatch", "result mismatch", "internal failure",
	"broken connection", "unimplemented",
}

// String names the status in lower-case words ("bad argument").
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "status " + strconv.FormatUint(uint64(s), 10)
}

// Action is what a stream callback returns. Header callbacks know Continue, Pause,
// StopAllAndBuffer and StopAllAndWatermark; body callbacks Continue, Pause (buffer),
// PauseAndWatermark and PauseNoBuffer; trailer callbacks Continue and Pause.
type Action uint32

// The actions, by their numbers on the wire; the same number means another thing in header and
// body callbacks (cpp-host: FilterHeadersStatus, FilterDataStatus).
const (
	Continue Action = 0
	Pause    Action = 1

	PauseAndWatermark Action = 2 // body callbacks
	PauseNoBuffer     Action = 3 // body callbacks

	ContinueAndEndStream Action = 2 // header callbacks; Envoy reads it as Continue
	StopAllAndBuffer     Action = 3 // header callbacks
	StopAllAndWatermark  Action = 4 // header callbacks
)

// MapType selects a header map.
type MapType uint32

// The header maps of ABI 0.2.x.
const (
	RequestHeaders           MapType = 0
	RequestTrailers          MapType = 1
	ResponseHeaders          MapType = 2
	ResponseTrailers         MapType = 3
	GRPCInitialMetadata      MapType = 4
	GRPCTrailingMetadata     MapType = 5
	HTTPCallResponseHeaders  MapType = 6
	HTTPCallResponseTrailers MapType = 7
)

// BufferType selects a buffer.
type BufferType uint32

// The buffers of ABI 0.2.x.
const (
	RequestBody           BufferType = 0
	ResponseBody          BufferType = 1
	DownstreamData        BufferType = 2
	UpstreamData          BufferType = 3
	HTTPCallResponseBody  BufferType = 4
	GRPCReceiveBuffer     BufferType = 5
	VMConfiguration       BufferType = 6
	PluginConfiguration   BufferType = 7
	CallData              BufferType = 8
	maxBufferType         BufferType = 8
	maxMapType            MapType    = 7
	maxContinueStreamType StreamType = 3
)

// StreamType selects the half of a stream that continue and close act on.
type StreamType uint32

// The stream types of ABI 0.2.x; the last two are TCP and have no effect here.
const (
	RequestStream    StreamType = 0
	ResponseStream   StreamType = 1
	DownstreamStream StreamType = 2
	UpstreamStream   StreamType = 3
)

// LogLevel is the level of a log line.
type LogLevel uint32

// The log levels of ABI 0.2.x.
const (
	LogTrace    LogLevel = 0
	LogDebug    LogLevel = 1
	LogInfo     LogLevel = 2
	LogWarn     LogLevel = 3
	LogError    LogLevel = 4
	LogCritical LogLevel = 5
)

var levelNames = [...]string{"trace", "debug", "info", "warn", "error", "critical"}

// String names the level as hosts print it.
func (l LogLevel) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "level " + strconv.FormatUint(uint64(l), 10)
}

// MetricType is the kind of a metric.
type MetricType uint32

// The metric types of ABI 0.2.x.
const (
	Counter   MetricType = 0
	Gauge     MetricType = 1
	Histogram MetricType = 2
)
