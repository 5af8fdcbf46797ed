package fidelity

import (
	"time"

	"github.com/posterngw/postern/host-test"
)

// Row is one behaviour: how the proxy is set up, what the probe does, and what happens around it.
type Row struct {
	Name string // unique; names its listeners, clusters and lines
	Asks string // what is asked, in words

	// Down and Up are the probe's scripts as HTTP filter and as upstream HTTP filter; without one
	// there is no such filter. Second is a further HTTP filter behind Down. {a}, {b} and {side} stand
	// for the names of the row's clusters, {row} for its name.
	Down, Second, Up string

	Setup   Setup
	Traffic func(w World)

	// Point are the beginnings of those lines that answer the question, for the document.
	Point []string
}

// Setup is what a row wants of the proxy beyond its defaults.
type Setup struct {
	NoStop        bool   // without allow_on_headers_stop_iteration
	VM            string // a vm_id of the row's own; "" shares one VM with all rows
	UpVM          string // … of the upstream filter; "" is that of the HTTP filters
	Policy        hosttest.FailurePolicy
	Retry         *hosttest.RetryPolicy
	ByState       bool // choose the cluster of each attempt by filter state, anew for each
	CountAttempts bool
	BufferLimit   int // request_body_buffer_limit of the route
	ConnLimit     int // per_connection_buffer_limit_bytes of the listener, for HTTP/1.1 clients
	Timeout       time.Duration
	Internal      bool // clients count as internal
	HTTP1         bool // upstreams speak HTTP/1.1
	ClientHTTP1   bool // clients speak HTTP/1.1
	Dead          bool // cluster a refuses connections
	Kills         bool // the row ends the proxy
}

// Break says how an upstream breaks an exchange.
type Break uint8

// The ways to break.
const (
	ResetStream   Break = iota // RST_STREAM with INTERNAL_ERROR
	RefuseStream               // RST_STREAM with REFUSED_STREAM
	CloseUpstream              // the connection is closed
)

// World is a proxy with a client before it and upstreams behind it. Each step takes effect wholly
// before the next one begins. Headers are "name: value".
type World interface {
	// Request opens the next stream; Body, Trailers and Abort act on the latest opened, or on the
	// one that Client chose, counted from 1.
	Request(end bool, headers ...string)
	Client(stream int)
	Body(data string, end bool)
	Trailers(headers ...string)
	Abort()

	// Respond, Chunk, EndWith and Reset act for the upstream of an attempt, counted from 1 over the
	// whole row, and wait for it.
	Respond(attempt int, status string, end bool, headers ...string)
	Chunk(attempt int, data string, end bool)
	EndWith(attempt int, trailers ...string)
	Reset(attempt int, how Break)

	// Answer and BreakCall act for the upstream of a callout, counted from 1, and wait for it.
	Answer(callout int, status, body string, headers ...string)
	BreakCall(callout int)

	// Elapse lets time pass: a duration for an emulation, on a real proxy until a line of the
	// transcript contains until.
	Elapse(d time.Duration, until string)
}
