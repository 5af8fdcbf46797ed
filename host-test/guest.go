package hosttest

// Guest is one instance of a module: its callbacks, in Go types. Context ids are the host's; sizes
// are in bytes, header counts in entries. A host calls one callback of an instance at a time.
//
// A guest that dies is trapped: a WebAssembly guest says so by Trap, a native one by panicking.
// Embed BaseGuest to get the answers that a host assumes for callbacks that a module lacks.
type Guest interface {
	OnContextCreate(ctx, parent uint32)
	OnVMStart(root, configSize uint32) bool
	OnConfigure(root, configSize uint32) bool
	OnTick(root uint32)

	OnRequestHeaders(ctx, count uint32, endOfStream bool) Action
	OnRequestBody(ctx, size uint32, endOfStream bool) Action
	OnRequestTrailers(ctx, count uint32) Action
	OnResponseHeaders(ctx, count uint32, endOfStream bool) Action
	OnResponseBody(ctx, size uint32, endOfStream bool) Action
	OnResponseTrailers(ctx, count uint32) Action

	OnHTTPCallResponse(root, token, headers, bodySize, trailers uint32)
	OnQueueReady(root, token uint32)
	OnForeignFunction(ctx, function, size uint32)

	OnDone(ctx uint32) bool
	OnLog(ctx uint32)
	OnDelete(ctx uint32)

	// Close frees the instance. No callback follows.
	Close() error
}

// Trapper is implemented by guests that can die without panicking. Trap is nil while the guest
// lives; the host asks after every callback.
type Trapper interface{ Trap() error }

// MemoryReporter is implemented by guests with a linear memory.
type MemoryReporter interface{ MemoryBytes() uint64 }

// Calls are the host calls, in Go types. Every call answers a Status; results are meaningful only
// with StatusOK. Byte slices that a call returns are valid until the next call, and slices passed
// in are copied by the host where it keeps them.
type Calls interface {
	Log(level LogLevel, message string) Status
	LogLevel() (LogLevel, Status)
	// Now is the wall clock in nanoseconds since 1970 (proxy_get_current_time_nanoseconds).
	Now() (int64, Status)
	// Clock is WASI's clock_time_get, which every host has, in nanoseconds.
	Clock() int64
	// Env reads an environment variable of the VM; wasm guests read it through WASI.
	Env(name string) (string, bool)

	// Property reads a property; the parts of a path are separated by NUL.
	Property(path string) ([]byte, Status)
	SetProperty(path string, value []byte) Status

	HeaderPairs(m MapType) ([][2]string, Status)
	SetHeaderPairs(m MapType, pairs [][2]string) Status
	Header(m MapType, name string) (string, Status)
	ReplaceHeader(m MapType, name, value string) Status
	AddHeader(m MapType, name, value string) Status
	RemoveHeader(m MapType, name string) Status
	HeaderMapSize(m MapType) (uint32, Status)

	// Buffer reads at most max bytes from start.
	Buffer(b BufferType, start, max uint32) ([]byte, Status)
	BufferStatus(b BufferType) (size, flags uint32, s Status)
	// SetBuffer replaces size bytes from start by data: on Envoy from the beginning (start 0) or
	// behind the end (start at or after it), nothing between.
	SetBuffer(b BufferType, start, size uint32, data []byte) Status

	ContinueStream(t StreamType) Status
	CloseStream(t StreamType) Status
	SendLocalResponse(code uint32, details string, body []byte, headers [][2]string, grpcStatus int32) Status
	SetEffectiveContext(ctx uint32) Status
	Done() Status

	// HTTPCall starts a callout to the named cluster (APISIX: host:port); the answer arrives as
	// OnHTTPCallResponse with the token.
	HTTPCall(upstream string, headers [][2]string, body []byte, trailers [][2]string, timeoutMS uint32) (token uint32, s Status)
	// CallStatus is proxy_get_status: the status and message of the callout being delivered.
	CallStatus() (code uint32, message string, s Status)
	CallForeignFunction(name string, argument []byte) ([]byte, Status)

	SetTickPeriod(ms uint32) Status

	SharedData(key string) (value []byte, cas uint32, s Status)
	// SetSharedData writes; a cas of 0 writes unconditionally.
	SetSharedData(key string, value []byte, cas uint32) Status
	RegisterQueue(name string) (token uint32, s Status)
	ResolveQueue(vmID, name string) (token uint32, s Status)
	Enqueue(token uint32, data []byte) Status
	Dequeue(token uint32) ([]byte, Status)

	DefineMetric(t MetricType, name string) (id uint32, s Status)
	IncrementMetric(id uint32, offset int64) Status
	RecordMetric(id uint32, value uint64) Status
	Metric(id uint32) (uint64, Status)
}

// BaseGuest answers every callback as hosts do for a module that does not export it: streams
// continue, start and configuration succeed, done is done.
type BaseGuest struct{}

// OnContextCreate does nothing.
func (BaseGuest) OnContextCreate(_, _ uint32) {}

// OnVMStart accepts.
func (BaseGuest) OnVMStart(_, _ uint32) bool { return true }

// OnConfigure accepts.
func (BaseGuest) OnConfigure(_, _ uint32) bool { return true }

// OnTick does nothing.
func (BaseGuest) OnTick(uint32) {}

// OnRequestHeaders continues.
func (BaseGuest) OnRequestHeaders(_, _ uint32, _ bool) Action { return Continue }

// OnRequestBody continues.
func (BaseGuest) OnRequestBody(_, _ uint32, _ bool) Action { return Continue }

// OnRequestTrailers continues.
func (BaseGuest) OnRequestTrailers(_, _ uint32) Action { return Continue }

// OnResponseHeaders continues.
func (BaseGuest) OnResponseHeaders(_, _ uint32, _ bool) Action { return Continue }

// OnResponseBody continues.
func (BaseGuest) OnResponseBody(_, _ uint32, _ bool) Action { return Continue }

// OnResponseTrailers continues.
func (BaseGuest) OnResponseTrailers(_, _ uint32) Action { return Continue }

// OnHTTPCallResponse does nothing.
func (BaseGuest) OnHTTPCallResponse(_, _, _, _, _ uint32) {}

// OnQueueReady does nothing.
func (BaseGuest) OnQueueReady(_, _ uint32) {}

// OnForeignFunction does nothing.
func (BaseGuest) OnForeignFunction(_, _, _ uint32) {}

// OnDone is done.
func (BaseGuest) OnDone(uint32) bool { return true }

// OnLog does nothing.
func (BaseGuest) OnLog(uint32) {}

// OnDelete does nothing.
func (BaseGuest) OnDelete(uint32) {}

// Close does nothing.
func (BaseGuest) Close() error { return nil }
