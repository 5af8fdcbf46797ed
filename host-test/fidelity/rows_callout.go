package fidelity

import "time"

// calloutRows are about proxy_http_call, ticks and effective contexts.
var calloutRows = []Row{
	{
		Name: "callout-answer", Asks: "What a callout's answer shows, and what the other side got.",
		Down: `request_headers: save; call {side} /path?x=1 question 5000; pause
			http_call_response: get call :status; get call x-s; names call; read call 0 99; size call; get callt x-t; status; get req :path; act; get call x-s; get req :path; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Answer(1, "201", "answer", "x-s: 1")
			serve(w, 1)
		},
	},
	{
		Name: "callout-no-body", Asks: "A callout's answer without a body.",
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: read call 0 99; size call; act; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Answer(1, "500", "")
			serve(w, 1)
		},
	},
	{
		Name: "callout-timeout", Asks: "A callout that takes too long.",
		Down: `request_headers: save; call {side} /c - 30; pause
			http_call_response: names call; read call 0 99; status; act; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Elapse(30*time.Millisecond, "http_call_response")
			serve(w, 1)
		},
	},
	{
		Name: "callout-reset", Asks: "A callout whose upstream resets.",
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: names call; read call 0 99; status; act; resume req`,
		Traffic: func(w World) {
			get(w)
			w.BreakCall(1)
			serve(w, 1)
		},
	},
	{
		Name: "callout-refused", Asks: "Callouts to an unknown cluster and with a negative timeout.",
		Down: `request_headers: call nowhere /c - 5000; call {side} /c - 4294967295; call {side} %20 - 100
			http_call_response: names call`,
		Traffic: func(w World) {
			get(w)
			w.Answer(1, "200", "")
			serve(w, 1)
		},
	},
	{
		Name: "callout-two", Asks: "Two callouts at once, answered in the other order.",
		Down: `request_headers: save; call {side} /first - 5000; call {side} /second - 5000; pause
			http_call_response#1: read call 0 9
			http_call_response#2: read call 0 9; act; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Answer(2, "200", "two")
			w.Answer(1, "200", "one")
			serve(w, 1)
		},
	},
	{
		Name: "callout-after-abort", Asks: "The client goes away before a callout is answered: does the answer still come?",
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: read call 0 9; act; get req :path; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Abort()
			w.Answer(1, "200", "late")
		},
	},
	{
		Name: "callout-from-response", Asks: "A callout from response headers, before the body has come.",
		Down: `response_headers: save; call {side} /c - 5000; pause
			http_call_response: act; set resp x-late 1; resume resp`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Answer(1, "200", "answer")
			w.Chunk(1, "one", true)
		},
	},
	{
		Name: "callout-from-up", Asks: "A callout of the upstream stage at request headers.",
		Up: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: act; set req x-late 1; resume req`,
		Traffic: func(w World) {
			ask(w)
			w.Answer(1, "200", "answer")
			serve(w, 1)
		},
	},
	{
		Name: "callout-from-log", Asks: "A callout from on_log, answered after the stream is gone.",
		Down: `log: call {side} /audit record 5000
			http_call_response: get call :status`,
		Traffic: func(w World) {
			getAndServe(w)
			w.Answer(1, "202", "")
		},
	},
	{
		Name: "tick-resume", Asks: "A tick acts for a held request: header, resume.",
		Down: `request_headers: save; root; tick 10; pause
			tick: tick 0; act; set req x-late 1; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Elapse(10*time.Millisecond, "tick")
			serve(w, 1)
		},
	},
	{
		Name: "tick-reply", Asks: "A tick answers a held request by a local reply.",
		Down: `request_headers: save; tick 10; pause
			tick: tick 0; act; reply 503 waited`,
		Traffic: func(w World) {
			get(w)
			w.Elapse(10*time.Millisecond, "client 1 end")
		},
	},
	{
		Name: "tick-twice", Asks: "A period runs until it is set to 0.",
		Down: `request_headers: save; tick 10; pause
			tick#1: log one
			tick#2: tick 0; act; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Elapse(20*time.Millisecond, "down tick\ndown | tick 0")
			serve(w, 1)
		},
	},
	{
		Name: "resume-request-running", Asks: "Resume a request that is not held.",
		Down: `request_headers: resume req; continue`, Traffic: getAndServe,
	},
	{
		Name: "resume-request-twice", Asks: "Resume a held request twice.",
		Down: `request_headers: save; call {side} /c - 5000; pause
			http_call_response: act; resume req; resume req`,
		Traffic: func(w World) {
			get(w)
			w.Answer(1, "200", "")
			serve(w, 1)
		},
	},
	{
		Name: "resume-unknown", Asks: "Resume an unknown kind of stream.",
		Down: `request_headers: resume 9; resume 2; resume 3`, Traffic: getAndServe,
	},
	{
		Name: "resume-response-running", Asks: "Resume an answer that is not held.",
		Down: `response_headers: resume resp; continue`, Traffic: getAndServe,
	},
	{
		Name: "resume-own-callback", Asks: "Resume in the very callback that then pauses.",
		Down:    `request_headers: resume req; pause`,
		Traffic: getAndServe,
	},
	{
		Name: "resume-response-early", Asks: "Resume an answer that has not come.",
		Setup: Setup{Kills: true},
		Down:  `request_headers: resume resp; continue`, Traffic: get,
	},
	{
		Name: "resume-response-early-up", Asks: "… by the upstream stage.",
		Setup: Setup{Kills: true},
		Up:    `request_headers: resume resp; continue`, Traffic: get,
	},
	{
		Name: "effective-unknown", Asks: "proxy_set_effective_context of an id that no context has.",
		Down: `request_headers: actid 999999; get req :path`, Traffic: getAndServe,
	},
}
