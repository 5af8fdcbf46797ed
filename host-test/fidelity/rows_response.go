package fidelity

func stream(w World) {
	get(w)
	w.Respond(1, "200", false, "x-u: 1")
	w.Chunk(1, "one", false)
	w.Chunk(1, "two", false)
	w.Chunk(1, "three", true)
}

// responseRows are about answers.
var responseRows = []Row{
	{
		Name: "response-pause", Asks: "Pause at response headers, with allow_on_headers_stop_iteration: does the body come, and can status and headers be changed there?",
		Down: `response_headers: pause
			response_body@more: pause
			response_body@end: read resp 0 99; set resp :status 418; set resp x-late 1; write resp 0 99 changed; continue`,
		Traffic: stream,
	},
	{
		Name: "response-pause-bare", Asks: "Pause at response headers without that option; a callout's answer resumes them and changes status and headers.",
		Setup: Setup{NoStop: true},
		Down: `response_headers: save; call {side} /c - 5000; pause
			http_call_response: act; set resp :status 418; set resp x-late 1; write resp 0 99 x; resume resp
			response_body: read resp 0 99`,
		Traffic: func(w World) {
			stream(w)
			w.Answer(1, "200", "")
		},
	},
	{
		Name: "response-callout-replaces", Asks: "Pause at response headers, then at the end of the body; a callout's answer replaces status, headers and body.",
		Down: `response_headers: pause
			response_body@more: pause
			response_body@end: save; call {side} /c - 5000; pause
			http_call_response: act; set resp :status 201; del resp x-u; write resp 0 99 changed; resume resp`,
		Traffic: func(w World) {
			stream(w)
			w.Answer(1, "200", "")
		},
	},
	{
		Name: "response-sizes-continued", Asks: "Sizes in response body callbacks that continue; each chunk passes at once.",
		Down: `response_body: read resp 0 99; write resp 99 0 +`, Traffic: stream,
	},
	{
		Name: "response-sizes-paused", Asks: "Sizes in response body callbacks that pause until the end; headers went before.",
		Down: `response_body@more: pause
			response_body@end: read resp 0 99; set resp x-late 1; set resp :status 418; continue`,
		Traffic: stream,
	},
	{
		Name: "response-pause-once", Asks: "Pause at the first chunk, continue after.",
		Down: `response_body#1: pause
			response_body: read resp 0 99`,
		Traffic: stream,
	},
	{
		Name: "response-hold-first", Asks: "Hold the headers until the second chunk, then let everything pass as it comes.",
		Down: `response_headers: pause
			response_body#1: pause
			response_body: set resp x-late 1; continue`,
		Traffic: stream,
	},
	{
		Name: "response-withheld", Asks: "Replace a chunk by nothing while the stream goes on.",
		Down: `response_body#2: write resp 0 99; size resp`, Traffic: stream,
	},
	{
		Name: "response-prepend-append", Asks: "Prepend and append to a response chunk; a middle range.",
		Down: `response_body: write resp 0 0 <; write resp 99 0 >; write resp 1 1 X`, Traffic: getAndServe,
	},
	{
		Name: "response-no-body", Asks: "An answer without a body: end of stream at headers, and a body written there.",
		Down: `response_headers: write resp 0 0 made; read resp 0 9; set resp x-a 1`,
		Up:   `response_headers: continue`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "204", true)
		},
	},
	{
		Name: "response-pause-no-body", Asks: "Pause at the headers of an answer without a body; resumed by a callout's answer.",
		Down: `response_headers: save; call {side} /c - 5000; pause
			http_call_response: act; set resp :status 201; resume resp`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "204", true)
			w.Answer(1, "200", "")
		},
	},
	{
		Name: "response-empty-end", Asks: "The end of an answer in an empty frame.",
		Down: `response_body: read resp 0 99; size resp`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.Chunk(1, "", true)
		},
	},
	{
		Name: "response-trailers", Asks: "Response trailers: callbacks in both stages, and changing them.",
		Down: `response_trailers: names respt; set respt x-t 2; set resp x-late 1`,
		Up:   `response_trailers: add respt x-up 1`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.EndWith(1, "x-t: 1")
		},
	},
	{
		Name: "response-trailers-pause", Asks: "Body paused until the trailers, which continue.",
		Down: `response_headers: pause
			response_body: pause
			response_trailers: set resp :status 418; read resp 0 99; continue`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.Chunk(1, "two", false)
			w.EndWith(1, "x-t: 1")
		},
	},
	{
		Name: "response-trailers-added", Asks: "Trailers added in the last response body callback.",
		Down: `response_body@end: add respt x-t 1`, Traffic: getAndServe,
	},
	{
		Name: "response-upstream-hold", Asks: "The upstream stage holds headers until the first chunk: when does the client's stage see them, and what?",
		Up: `response_headers: pause
			response_body#1: read resp 0 99; set resp :status 418; set resp x-late 1; continue`,
		Down: `response_headers: get resp :status; get resp x-late`, Traffic: stream,
	},
	{
		Name: "response-status-after-headers", Asks: "Set :status and a header in a body callback after the headers continued.",
		Up: `response_body: set resp :status 503; add resp x-late 1; get resp :status`, Traffic: stream,
	},
	{
		Name: "response-length", Asks: "HTTP/1.1 upstream: content-length of the answer, body replaced, header kept and removed.",
		Setup: Setup{HTTP1: true},
		Down: `response_headers: get resp content-length; del resp content-length
			response_body@more: pause
			response_body@end: write resp 0 99 changed; continue`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false, "content-length: 3")
			w.Chunk(1, "one", true)
		},
	},
	{
		Name: "response-stop-all", Asks: "StopAllAndBuffer from response headers, with the option; resumed by a callout's answer.",
		Down: `response_headers: save; call {side} /c - 5000; stopall
			http_call_response: act; set resp x-late 1; resume resp`,
		Traffic: func(w World) {
			stream(w)
			w.Answer(1, "200", "")
		},
	},
}
