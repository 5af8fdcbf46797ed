package hosttest

import (
	"io"
	"net/http"
	"time"
)

// FailurePolicy says what a host does with requests once a VM has died.
type FailurePolicy uint8

// The policies of Envoy's PluginConfig.
const (
	FailClosed FailurePolicy = iota // 503 until the host restarts
	FailReload                      // the next request gets a fresh VM
	FailOpen                        // later requests pass over the filter
)

// Filter is one module in a chain, with its configuration.
type Filter struct {
	// Name and RootID name the plugin; a module reads them as plugin_name and plugin_root_id.
	Name, RootID string
	// VMID groups: filters with the same VMID, Module and VMConfig share one VM per worker.
	VMID     string
	Module   Module
	VMConfig []byte
	Config   []byte
	Env      map[string]string
	// AllowHeadersStop is allow_on_headers_stop_iteration: a pause at headers lets the body come
	// to the module. Profiles without it refuse it.
	AllowHeadersStop bool
	FailurePolicy    FailurePolicy
}

// Config describes one emulated proxy.
type Config struct {
	Profile Profile // Envoy() when zero
	Workers int     // event loops, each with its own VMs; 0 is 1

	// Downstream filters run once per request: decode first to last, encode last to first.
	Downstream []Filter
	// Upstream filters run once per attempt, with fresh contexts.
	Upstream []Filter

	Route Route
	// Routes chooses among routes; nil always takes Route. A nil result is a 404.
	Routes func(h *Headers) *Route

	// Clusters carry attempts and callouts of the http.Handler, and callouts of step-level tests.
	// With a nil map every cluster name exists and step-level tests answer everything themselves.
	Clusters map[string]http.RoundTripper

	// BufferLimit is how much of a body filters may hold, in bytes; 0 is Envoy's: for HTTP/1.1 the
	// listener's 1 MiB, for HTTP/2 the stream's window of 16 MiB.
	BufferLimit int

	Clock Clock     // a VirtualClock when nil; Handler wants RealClock
	Rand  io.Reader // what WASI's random_get reads; crypto/rand when nil

	// Log takes every line that modules log; it runs under a worker's lock. Nil keeps lines in
	// memory for Logs.
	Log func(LogLine)
	// LogLevel is what modules read as the host's level; lines below it are dropped.
	LogLevel LogLevel

	// AccessLog takes one line for every stream that has ended; it runs under a worker's lock.
	AccessLog func(*AccessLog)

	// Faults are armed before the first VM starts; see Host.Inject.
	Faults []Fault

	// Properties adds to what modules can read, by NUL- or dot-separated path. Values are string,
	// []byte, bool, int64, uint64, float64, time.Time, time.Duration or map[string]string.
	Properties map[string]any

	// ForeignFunctions adds to the host's own (clear_route_cache).
	ForeignFunctions map[string]func(argument []byte) ([]byte, Status)

	// InternalClients says that clients count as internal to Envoy: the router's own headers that
	// they send (x-envoy-max-retries, …) are obeyed instead of removed.
	InternalClients bool

	// Declared are the variables that a module may set on APISIX.
	Declared []string
}

// Route is how the router treats requests (config.route.v3.RouteAction).
type Route struct {
	Name string
	// Cluster names the upstream of an attempt, counted from 1. It sees the headers as they are
	// when the host chooses: x-envoy-attempt-count shows the previous attempt. It runs when the
	// request arrives, again after clear_route_cache, and before each further attempt with
	// RefreshClusterOnRetry. Nil is "upstream".
	Cluster               func(state *FilterState, h *Headers, attempt int) string
	RefreshClusterOnRetry bool
	IncludeAttemptCount   bool // set x-envoy-attempt-count on requests
	Retry                 *RetryPolicy
	// Timeout counts from the end of the request; 0 is Envoy's 15 s, negative is none.
	Timeout time.Duration
	// BufferLimit is request_body_buffer_limit in bytes: it raises what filters may hold, and is
	// what the router keeps for retries. 0 leaves both to Config.BufferLimit.
	BufferLimit int
}

const (
	bufferLimitHTTP1    = 1 << 20
	bufferLimitHTTP2    = 16 << 20
	defaultRouteTimeout = 15 * time.Second
)

func (r *Route) timeout() time.Duration {
	switch {
	case r.Timeout == 0:
		return defaultRouteTimeout
	case r.Timeout < 0:
		return 0
	}
	return r.Timeout
}

func (r *Route) cluster(s *FilterState, h *Headers, attempt int) string {
	if r.Cluster == nil {
		return "upstream"
	}
	return r.Cluster(s, h, attempt)
}

// plugin is a Filter placed in a host.
type plugin struct {
	Filter
	stage   Stage
	rules   *rules
	sharing vmKey
}
