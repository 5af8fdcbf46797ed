package fidelity

// requestRows are about stopping and resuming requests.
var requestRows = []Row{
	{
		Name: "request-pause", Asks: "Pause at request headers, with allow_on_headers_stop_iteration: does the body come to the module, and can headers still be changed there?",
		Down: `request_headers: pause
			request_body@more: pause
			request_body@end: read req 0 100; set req x-late 1; set req :path /changed; continue`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("def", true)
			serve(w, 1)
		},
	},
	{
		Name: "request-pause-bare", Asks: "Pause at request headers without that option: does the body come?",
		Setup: Setup{NoStop: true},
		Down:  `request_headers: pause`,
		Traffic: func(w World) {
			ask(w)
			w.Abort()
		},
	},
	{
		Name: "request-pause-bare-resume", Asks: "… and when a callout's answer resumes it: when does the body come, and with which size?",
		Setup: Setup{NoStop: true},
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: act; set req x-late 1; resume req
			request_body: set req x-later 1`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("def", true)
			w.Answer(1, "200", "ok")
			serve(w, 1)
		},
	},
	{
		Name: "request-pause-end", Asks: "Pause at the headers of a request without a body; a callout's answer resumes it.",
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: act; set req x-late 1; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Answer(1, "200", "")
			serve(w, 1)
		},
	},
	{
		Name: "request-pause-resume-body-later", Asks: "Headers paused and resumed before the body has come.",
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: act; resume req`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Answer(1, "200", "")
			w.Body("abc", false)
			w.Body("def", true)
			serve(w, 1)
		},
	},
	{
		Name: "request-stop-all", Asks: "StopAllAndBuffer from request headers, with the option: does the body come before the resume?",
		Down: `request_headers: save; call {side} /c - 5000; stopall
			http_call_response: act; resume req`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("def", true)
			w.Answer(1, "200", "")
			serve(w, 1)
		},
	},
	{
		Name: "request-stop-watermark", Asks: "StopAllAndWatermark from request headers, likewise.",
		Down: `request_headers: save; call {side} /c - 5000; stopwater
			http_call_response: act; resume req`,
		Traffic: func(w World) {
			ask(w)
			w.Answer(1, "200", "")
			serve(w, 1)
		},
	},
	{
		Name: "request-end-stream-action", Asks: "ContinueAndEndStream (2) from request headers: is the body dropped?",
		Down: `request_headers: water`, Traffic: askAndServe,
	},
	{
		Name: "request-unknown-action", Asks: "A number that no action has, from request headers.",
		Down: `request_headers: action 9`,
		Traffic: func(w World) {
			ask(w)
			w.Abort()
		},
	},
	{
		Name: "request-body-pause-by-callout", Asks: "Pause in the last body callback; a callout's answer resumes it.",
		Down: `request_headers: pause
			request_body@more: pause
			request_body@end: save; call {side} /c - 5000; pause
			http_call_response: act; set req x-late 1; write req 0 6 changed; resume req`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("def", true)
			w.Answer(1, "200", "")
			serve(w, 1)
		},
	},
	{
		Name: "request-trailers", Asks: "Request trailers: callbacks, end of stream, and changing them.",
		Down: `request_body: get reqt x-t; pause
			request_trailers: names reqt; set reqt x-t 2; add reqt x-more 3; read req 0 100`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Trailers("x-t: 1")
			serve(w, 1)
		},
	},
	{
		Name: "request-trailers-pause", Asks: "Pause at request trailers, headers held too; resumed by a callout's answer.",
		Down: `request_headers: pause
			request_body: pause
			request_trailers: save; call {side} /c - 5000; pause
			http_call_response: act; set req x-late 1; resume req`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Trailers("x-t: 1")
			w.Answer(1, "200", "")
			serve(w, 1)
		},
	},
	{
		Name: "request-trailers-added", Asks: "Trailers added in the last body callback.",
		Down: `request_body@end: add reqt x-t 1`,
		Up:   `request_trailers: names reqt`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", true)
			serve(w, 1)
		},
	},
	{
		Name: "request-two-filters", Asks: "Two filters: the order of both directions, and what the second sees of the first one's changes.",
		Down: `request_headers: set req x-a 1
			request_body: write req 0 99 changed
			response_headers: get resp x-b`,
		Second: `request_headers: get req x-a
			request_body: read req 0 99
			response_headers: set resp x-b 2`,
		Traffic: askAndServe,
	},
	{
		Name: "request-holder-reader", Asks: "Without the option: a second filter holds the headers, the first reads the body and changes them for it.",
		Setup: Setup{NoStop: true},
		Down: `request_body@more: pause
			request_body@end: act; set req x-late 1; set req :path /changed; foreign clear_route_cache; resume req; self; write req 0 99 changed; continue`,
		Second: `request_headers: save; pause`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("def", true)
			serve(w, 1)
		},
	},
	{
		Name: "request-early-answer", Asks: "The upstream answers before the request has ended.",
		Up: `request_headers: continue`, Down: `request_headers: continue`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			serve(w, 1)
		},
	},
}
