package fidelity

import (
	"strings"
	"time"
)

// limited is a listener with a small buffer, and clients of HTTP/1.1: with HTTP/2 the buffer is that
// of the stream's window instead.
var limited = Setup{ConnLimit: 1024, ClientHTTP1: true}

// upload sends a body of 1,200 bytes in two chunks and waits until the module has got both.
func upload(w World) {
	w.Request(false, post...)
	w.Body(strings.Repeat("x", 600), false)
	w.Elapse(0, "request_body 600 end=0")
	w.Body(strings.Repeat("y", 600), true)
}

// limitRows are about what the host answers by itself.
var limitRows = []Row{
	{
		Name: "limit-held-body", Asks: "A held body beyond the buffer limit: who answers, and what does the module see?",
		Setup: limited,
		Down: `request_headers: pause
			request_body: pause
			response_headers: get resp :status; get resp content-type; set resp x-seen 1`,
		Traffic: upload,
	},
	{
		Name: "limit-held-body-passed-on", Asks: "… when only the body is held, the headers went upstream.",
		Setup: limited,
		Down: `request_body: pause
			response_headers: get resp :status`,
		Traffic: upload,
	},
	{
		Name: "limit-watermark", Asks: "… when the body is held by PauseAndWatermark, and let go at the end.",
		Setup: limited,
		Down: `request_headers: pause
			request_body@more: water
			request_body@end: size req; continue`,
		Traffic: func(w World) {
			upload(w)
			w.Elapse(0, "upstream 1 a end")
			serve(w, 1)
		},
	},
	{
		Name: "limit-streamed-body", Asks: "A body beyond the limit that is not held.",
		Setup: limited, Down: `request_body: continue`,
		Traffic: func(w World) {
			upload(w)
			w.Elapse(0, "upstream 1 a end")
			serve(w, 1)
		},
	},
	{
		Name: "limit-grown-body", Asks: "A body that the module makes larger than the limit.",
		Setup: limited,
		Down: `request_headers: pause
			request_body@more: pause
			request_body@end: write req 0 99 {long}; continue`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", true)
			w.Elapse(0, "client 1 end")
		},
	},
	{
		Name: "limit-held-by-upstream-stage", Asks: "A body beyond the limit that the upstream stage holds.",
		Setup: limited,
		Up: `request_headers: pause
			request_body: pause`,
		Down: `response_headers: get resp :status`, Traffic: upload,
	},
	{
		Name: "limit-route-raised", Asks: "request_body_buffer_limit of the route above the listener's limit.",
		Setup: Setup{ConnLimit: 1024, BufferLimit: 4096, ClientHTTP1: true},
		Down: `request_headers: pause
			request_body@more: pause
			request_body@end: size req; continue`,
		Traffic: func(w World) {
			upload(w)
			w.Elapse(0, "upstream 1 a end")
			serve(w, 1)
		},
	},
	{
		Name: "limit-route-lowered", Asks: "request_body_buffer_limit of the route below the listener's limit.",
		Setup: Setup{BufferLimit: 64, ClientHTTP1: true},
		Down: `request_headers: pause
			request_body@more: pause
			request_body@end: size req; continue`,
		Traffic: func(w World) {
			upload(w)
			w.Elapse(0, "upstream 1 a end")
			serve(w, 1)
		},
	},
	{
		Name: "limit-retry-buffer", Asks: "A body beyond the route's limit on a route with retries: is the marked answer retried?",
		Setup: Setup{BufferLimit: 64, Retry: twice},
		Up:    `response_headers: set resp x-retry 1`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body(strings.Repeat("x", 60), false)
			w.Body(strings.Repeat("y", 60), true)
			w.Respond(1, "500", true)
		},
	},
	{
		Name: "limit-response", Asks: "A held answer beyond the limit.",
		Setup: limited,
		Down: `response_headers: pause
			response_body: pause`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, strings.Repeat("x", 600), false)
			w.Chunk(1, strings.Repeat("y", 600), false)
			w.Elapse(0, "client 1 end")
		},
	},
	{
		Name: "limit-response-body-only", Asks: "A held answer beyond the limit, its headers gone.",
		Setup: limited,
		Down:  `response_body: pause`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, strings.Repeat("x", 600), false)
			w.Chunk(1, strings.Repeat("y", 600), false)
			w.Elapse(0, "client 1 cut")
		},
	},
	{
		Name: "host-503-refused", Asks: "The only target refuses connections: what do the module and the client see?",
		Setup: Setup{Dead: true},
		Down: `response_headers: get resp :status; get resp content-type; names resp; prop response.code_details; propn response.flags; set resp x-seen 1
			response_body: read resp 0 200; write resp 0 999 ours`,
		Up:      `request_headers: continue`,
		Traffic: func(w World) { ask(w); w.Elapse(0, "client 1 end") },
	},
	{
		Name: "host-503-reset", Asks: "The only target resets before it answers.",
		Down: `response_headers: get resp :status; prop response.code_details; propn response.flags
			response_body: read resp 0 200`,
		Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Reset(1, ResetStream)
		},
	},
	{
		Name: "host-503-closed", Asks: "The only target closes the connection before it answers.",
		Down: `response_body: read resp 0 200`,
		Traffic: func(w World) {
			ask(w)
			w.Reset(1, CloseUpstream)
		},
	},
	{
		Name: "host-504-route", Asks: "The route's time is over.",
		Setup: Setup{Timeout: 40 * time.Millisecond},
		Down: `response_headers: get resp :status; prop response.code_details; propn response.flags
			response_body: read resp 0 200`,
		Up: `request_headers: get req x-envoy-expected-rq-timeout-ms`,
		Traffic: func(w World) {
			ask(w)
			w.Elapse(40*time.Millisecond, "client 1 end")
		},
	},
	{
		Name: "host-504-module", Asks: "x-envoy-upstream-rq-timeout-ms set by the module.",
		Down: `request_headers: set req x-envoy-upstream-rq-timeout-ms 40
			response_headers: get resp :status`,
		Traffic: func(w World) {
			ask(w)
			w.Elapse(40*time.Millisecond, "client 1 end")
		},
	},
	{
		Name: "host-504-streaming", Asks: "The route's time is over in the middle of a stream.",
		Setup: Setup{Timeout: 300 * time.Millisecond},
		Down:  `response_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.Elapse(300*time.Millisecond, "client 1 cut")
		},
	},
	{
		Name: "host-404", Asks: "No route at all: are the module's callbacks run?",
		Down: `request_headers: prop xds.route_name; prop xds.cluster_name
			response_headers: get resp :status`,
		Traffic: func(w World) { w.Request(true, "x-none: 1") },
	},
}
