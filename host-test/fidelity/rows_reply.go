package fidelity

import "github.com/posterngw/postern/host-test"

// twice retries what the upstream stage marks, once.
var twice = &hosttest.RetryPolicy{
	On: []string{"retriable-headers", "connect-failure", "refused-stream", "reset"}, NumRetries: 1,
	RetriableHeaders: []string{"x-retry"}, Backoff: 1e6,
}

// replyRows are about local replies at each phase of each stage.
var replyRows = []Row{
	{
		Name: "reply-request-headers", Asks: "Local reply at request headers: which callbacks follow, and what does the client get?",
		Down: `request_headers: reply 403 no x-a=1
			response_headers: set resp x-seen 1; get resp content-type; propn response.code; prop response.code_details
			log: propn response.code`,
		Traffic: ask,
	},
	{
		Name: "reply-no-body", Asks: "Local reply without a body, with a content-type, a status and a content-length among its headers.",
		Down: `request_headers: reply 429 - content-type=application/json retry-after=3`, Traffic: get,
	},
	{
		Name: "reply-own-type", Asks: "Local reply with a body and a content-type, a :status and a content-length among its headers.",
		Down: `request_headers: reply 429 {} content-type=application/json :status=200 content-length=7`, Traffic: get,
	},
	{
		Name: "reply-then-more", Asks: "Host calls behind a local reply in the same callback; Continue returned.",
		Down: `request_headers: reply 403 no; set req x-a 1; get req :path; reply 404 other; continue`, Traffic: get,
	},
	{
		Name: "reply-request-body", Asks: "Local reply in a body callback while headers are held.",
		Down: `request_headers: pause
			request_body@end: reply 400 bad`,
		Traffic: ask,
	},
	{
		Name: "reply-request-body-sent", Asks: "Local reply in a body callback after headers and a chunk went upstream.",
		Down: `request_body#2: reply 400 bad`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("def", true)
		},
	},
	{
		Name: "reply-request-trailers", Asks: "Local reply at request trailers.",
		Down: `request_headers: pause
			request_body: pause
			request_trailers: reply 400 bad`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Trailers("x-t: 1")
		},
	},
	{
		Name: "reply-response-headers", Asks: "Local reply at response headers.",
		Down: `response_headers: reply 502 bad x-a=1`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
		},
	},
	{
		Name: "reply-response-body-held", Asks: "Local reply in a response body callback while headers are held.",
		Down: `response_headers: pause
			response_body: reply 502 bad`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
		},
	},
	{
		Name: "reply-response-body-sent", Asks: "Local reply in a response body callback after the headers went to the client.",
		Down: `response_body: reply 502 bad`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
		},
	},
	{
		Name: "reply-by-callout", Asks: "Local reply from a callout's answer while the request is held.",
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: act; reply 401 no; resume req`,
		Traffic: func(w World) {
			ask(w)
			w.Answer(1, "200", "")
		},
	},
	{
		Name: "reply-second-filter", Asks: "Local reply of the first filter: does the second ever exist? And of the second: what does the first see?",
		Down: `request_headers: continue`, Second: `request_headers: reply 403 no`, Traffic: get,
	},
	{
		Name: "reply-first-filter", Asks: "Local reply of the first of two filters: does the second ever exist?",
		Down: `request_headers: reply 403 no`, Second: `request_headers: continue`, Traffic: get,
	},
	{
		Name: "reply-up-request-headers", Asks: "Local reply of the upstream stage at request headers, with a retry policy that would match it.",
		Setup: Setup{Retry: twice},
		Up:    `request_headers: reply 503 no x-retry=1`, Down: `response_headers: names resp`, Traffic: ask,
	},
	{
		Name: "reply-up-request-body", Asks: "Local reply of the upstream stage in a body callback.",
		Setup: Setup{Retry: twice},
		Up: `request_headers: pause
			request_body: reply 400 bad`,
		Down: `response_headers: get resp :status`, Traffic: ask,
	},
	{
		Name: "reply-up-response-headers", Asks: "Local reply of the upstream stage at response headers.",
		Setup: Setup{Retry: twice},
		Up:    `response_headers: reply 502 bad x-retry=1`, Down: `response_headers: get resp :status`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
		},
	},
	{
		Name: "reply-up-response-body", Asks: "Local reply of the upstream stage at the first chunk, headers held.",
		Setup: Setup{Retry: twice},
		Up: `response_headers: pause
			response_body: reply 502 bad`,
		Down: `response_headers: get resp :status`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
		},
	},
	{
		Name: "close-request", Asks: "proxy_close_stream of the request at request headers.",
		Down: `request_headers: close req; pause`, Traffic: get,
	},
	{
		Name: "close-response", Asks: "proxy_close_stream of the response in a body callback.",
		Down: `response_body: close resp`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
		},
	},
}
