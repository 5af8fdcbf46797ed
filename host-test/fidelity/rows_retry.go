package fidelity

import (
	"time"

	"github.com/posterngw/postern/host-test"
)

// failover is the route that Postern renders: two targets, attempts chosen by filter state.
var failover = Setup{ByState: true, Retry: twice}

func twiceTried(w World) {
	ask(w)
	w.Respond(1, "500", true)
	serve(w, 2)
}

func retries(n int) *hosttest.RetryPolicy {
	p := *twice
	p.NumRetries = n
	return &p
}

// only retries once, on the named conditions.
func only(on ...string) *hosttest.RetryPolicy {
	p := *twice
	p.On = on
	return &p
}

// retryRows are about attempts.
var retryRows = []Row{
	{
		Name: "retry-marked", Asks: "The upstream stage marks an answer; the second attempt goes to another cluster. Do changes of request headers persist, removals too?",
		Setup: failover,
		Down:  `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `request_headers: names req; get req :path; get req x-keep; get req x-gone; get req x-envoy-attempt-count; set req :path /target; del req x-gone; add req x-keep 2; set req x-attempt 1; prop xds.cluster_name; propn upstream.request_attempt_count; prop upstream.address
			response_headers/1: set resp x-retry 1`,
		Traffic: func(w World) {
			w.Request(false, "x-keep: 1", "x-gone: 1")
			w.Body("abc", true)
			w.Respond(1, "500", true)
			serve(w, 2)
		},
	},
	{
		Name: "retry-marked-with-body", Asks: "A marked answer whose body is still coming.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `response_headers/1: set resp x-retry 1`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "500", false)
			serve(w, 2)
		},
	},
	{
		Name: "retry-body", Asks: "The upstream stage changes the body: what does the next attempt get?",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `request_headers: pause
			request_body@more: pause
			request_body@end: read req 0 99; write req 99 0 +; continue
			response_headers/1: set resp x-retry 1`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("def", true)
			w.Respond(1, "500", true)
			serve(w, 2)
		},
	},
	{
		Name: "retry-exhausted", Asks: "The last attempt is marked too: does the mark reach the client's stage?",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache
			response_headers: get resp x-retry; get resp :status
			log: propn response.flags`,
		Up: `response_headers: set resp x-retry 1`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "500", true)
			w.Respond(2, "501", false)
			w.Chunk(2, "last", true)
		},
	},
	{
		Name: "retry-no-second-target", Asks: "Marked, but the plan has no second target.",
		Setup: failover, Down: `request_headers: setprop t1 {b}; foreign clear_route_cache`,
		Up: `response_headers/1: set resp x-retry 1`, Traffic: twiceTried,
	},
	{
		Name: "retry-attempt-header-forged", Asks: "The client sends x-envoy-attempt-count: 1: with which target does it begin?",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Traffic: func(w World) {
			w.Request(true, "x-envoy-attempt-count: 1")
			serve(w, 1)
		},
	},
	{
		Name: "retry-attempt-header-removed", Asks: "… and when the module removes it before it clears the route cache?",
		Setup: failover, Down: `request_headers: del req x-envoy-attempt-count; setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Traffic: func(w World) {
			w.Request(true, "x-envoy-attempt-count: 1")
			serve(w, 1)
		},
	},
	{
		Name: "retry-max-0", Asks: "x-envoy-max-retries: 0 set by the module.",
		Setup: Setup{Retry: retries(2)}, Down: `request_headers: set req x-envoy-max-retries 0`,
		Up: `request_headers: get req x-envoy-max-retries
			response_headers: set resp x-retry 1`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "500", true)
		},
	},
	{
		Name: "retry-max-1", Asks: "x-envoy-max-retries: 1, the policy says 2.",
		Setup: Setup{Retry: retries(2)}, Down: `request_headers: set req x-envoy-max-retries 1`,
		Up: `response_headers: set resp x-retry 1`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "500", true)
			w.Respond(2, "501", true)
		},
	},
	{
		Name: "retry-max-2", Asks: "x-envoy-max-retries: 2, the policy says 1.",
		Setup: Setup{Retry: retries(1), CountAttempts: true}, Down: `request_headers: set req x-envoy-max-retries 2`,
		Up: `request_headers: get req x-envoy-attempt-count
			response_headers: set resp x-retry 1`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "500", true)
			w.Respond(2, "501", true)
			w.Respond(3, "502", true)
		},
	},
	{
		Name: "retry-per-try-timeout", Asks: "x-envoy-upstream-rq-per-try-timeout-ms set by the module; the first attempt says nothing.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; set req x-envoy-upstream-rq-per-try-timeout-ms 300; foreign clear_route_cache`,
		Up: `request_headers: get req x-envoy-upstream-rq-per-try-timeout-ms; get req x-envoy-expected-rq-timeout-ms`,
		Traffic: func(w World) {
			ask(w)
			w.Elapse(300*time.Millisecond, "up2 request_headers")
			serve(w, 2)
		},
	},
	{
		Name: "retry-per-try-timeout-exhausted", Asks: "… and no attempt ever answers.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; set req x-envoy-upstream-rq-per-try-timeout-ms 30
			response_headers: get resp :status; prop response.code_details
			log: propn response.flags`,
		Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Elapse(30*time.Millisecond, "up2 request_headers")
			w.Elapse(31*time.Millisecond, "client 1 end")
		},
	},
	{
		Name: "retry-on-headers-only", Asks: "retry_on: retriable-headers alone, and the target refuses connections.",
		Setup: Setup{Retry: only("retriable-headers"), Dead: true}, Up: `request_headers: continue`,
		Traffic: func(w World) {
			get(w)
			w.Elapse(0, "client 1 end")
		},
	},
	{
		Name: "retry-reset-before-request", Asks: "retry_on: retriable-headers, reset-before-request; the target closes the connection after the request.",
		Setup: Setup{Retry: only("retriable-headers", "reset-before-request")}, Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Reset(1, CloseUpstream)
		},
	},
	{
		Name: "retry-reset-before-request-timeout", Asks: "… and the target says nothing in its time.",
		Setup: Setup{Retry: only("retriable-headers", "reset-before-request")}, Down: `request_headers: set req x-envoy-upstream-rq-per-try-timeout-ms 30`, Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Elapse(30*time.Millisecond, "client 1 end")
		},
	},
	{
		Name: "retry-per-try-timeout-held", Asks: "… the first attempt's headers are held by the upstream stage when the time is over.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; set req x-envoy-upstream-rq-per-try-timeout-ms 300; foreign clear_route_cache`,
		Up: `response_headers/1: pause`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Elapse(300*time.Millisecond, "up2 request_headers")
			serve(w, 2)
		},
	},
	{
		Name: "retry-per-try-timeout-again", Asks: "The upstream stage sets x-envoy-upstream-rq-per-try-timeout-ms for its own attempt: does the router read it again?",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache; set req x-envoy-upstream-rq-per-try-timeout-ms 5000`,
		Up: `request_headers: set req x-envoy-upstream-rq-per-try-timeout-ms 30
			response_headers/1: set resp x-retry 1`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "500", true)
			w.Elapse(200*time.Millisecond, "upstream 2")
			serve(w, 2)
		},
	},
	{
		Name: "retry-redirected", Asks: "The upstream stage writes the filter state that chooses the next attempt's cluster.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {a}; foreign clear_route_cache`,
		Up: `response_headers/1: setprop t2 {b}; set resp x-retry 1`, Traffic: twiceTried,
	},
	{
		Name: "retry-closed-by-stage", Asks: "proxy_close_stream of the request by the upstream stage, before an answer.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `request_body/1: close req`,
		Traffic: func(w World) {
			ask(w)
		},
	},
	{
		Name: "retry-closed-held-by-stage", Asks: "… of the response, while its headers are held.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `response_headers/1: close resp; pause`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
		},
	},
	{
		Name: "retry-held-stream", Asks: "A 200 stream whose headers are held, rewritten to 503 and marked at its first chunk.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `response_headers/1: pause
			response_body/1: read resp 0 99; set resp :status 503; set resp x-retry 1; continue`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false, "content-type: text/event-stream")
			w.Chunk(1, "event: error", false)
			serve(w, 2)
		},
	},
	{
		Name: "retry-refused-connection", Asks: "The first target refuses connections: which callbacks does its attempt get?",
		Setup: Setup{ByState: true, Retry: twice, Dead: true},
		Down:  `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up:    `request_headers: prop xds.cluster_name; prop upstream.address`,
		Traffic: func(w World) {
			get(w)
			w.Elapse(20*time.Millisecond, "upstream 1")
			serve(w, 1)
		},
	},
	{
		Name: "retry-reset", Asks: "The first target resets the stream before it answers.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Reset(1, ResetStream)
			serve(w, 2)
		},
	},
	{
		Name: "retry-refused-stream", Asks: "The first target refuses the stream.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Reset(1, RefuseStream)
			serve(w, 2)
		},
	},
	{
		Name: "retry-closed", Asks: "The first target closes the connection before it answers.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Reset(1, CloseUpstream)
			serve(w, 2)
		},
	},
	{
		Name: "retry-reset-held", Asks: "The first target resets while its headers are held by the upstream stage.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `response_headers/1: pause`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Reset(1, ResetStream)
			serve(w, 2)
		},
	},
	{
		Name: "retry-before-request-end", Asks: "The first target fails while the request is still coming.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `response_headers/1: set resp x-retry 1`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Respond(1, "500", true)
			w.Elapse(20*time.Millisecond, "up2 request_body")
			w.Body("def", true)
			serve(w, 2)
		},
	},
	{
		Name: "retry-state", Asks: "Filter state that the first attempt's stage writes, read in the second's and in the client's.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache
			response_headers: prop =note`,
		Up: `request_headers: prop =note
			request_headers/2: prop =note
			response_headers/1: setprop note first; set resp x-retry 1`,
		Traffic: twiceTried,
	},
	{
		Name: "retry-trailers", Asks: "A request with trailers is tried again.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {b}; foreign clear_route_cache`,
		Up: `request_trailers: names reqt
			response_headers/1: set resp x-retry 1`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Trailers("x-t: 1")
			w.Respond(1, "500", true)
			serve(w, 2)
		},
	},
	{
		Name: "retry-second-chosen-late", Asks: "The upstream stage changes the plan (filter state of the second target) before it marks.",
		Setup: failover, Down: `request_headers: setprop t1 {a}; setprop t2 {a}; foreign clear_route_cache`,
		Up: `response_headers/1: setprop t2 {b}; set resp x-retry 1`, Traffic: twiceTried,
	},
	{
		Name: "route-cleared", Asks: "Filter state written, route cache cleared: which cluster?",
		Setup: failover, Down: `request_headers: setprop t1 {b}; prop xds.cluster_name; foreign clear_route_cache; prop xds.cluster_name`,
		Traffic: getAndServe,
	},
	{
		Name: "route-not-cleared", Asks: "Filter state written, route cache not cleared: which cluster?",
		Setup: failover, Down: `request_headers: setprop t1 {b}; prop xds.cluster_name`, Traffic: getAndServe,
	},
	{
		Name: "route-cleared-in-body", Asks: "Filter state written and route cache cleared in the last body callback, headers held.",
		Setup: failover,
		Down: `request_headers: pause
			request_body@end: setprop t1 {b}; foreign clear_route_cache; continue`,
		Traffic: askAndServe,
	},
	{
		Name: "route-lost", Asks: "A header set that no route matches; the route cache not cleared explicitly.",
		Down:    `request_headers: set req x-none 1`,
		Traffic: get,
	},
	{
		Name: "route-cleared-by-header", Asks: "Filter state written and any header changed, without clear_route_cache: which cluster?",
		Setup: failover, Down: `request_headers: setprop t1 {b}; set req x-any 1; prop xds.cluster_name`, Traffic: getAndServe,
	},
	{
		Name: "route-cleared-upstream", Asks: "A header changed by the upstream stage to one that no route matches.",
		Setup: failover, Up: `request_headers: set req x-none 1; foreign clear_route_cache`, Traffic: getAndServe,
	},
}
