package fidelity

// endRows are about how streams end: the order of log, done and delete in both stages.
var endRows = []Row{
	{
		Name: "end-complete", Asks: "Completion, whole answer.", Point: callbacks,
		Down: `log: get resp :status`, Up: `request_headers: continue`, Traffic: askAndServe,
	},
	{
		Name: "end-complete-trailers", Asks: "Completion by trailers.", Point: callbacks,
		Down: `request_headers: continue`, Up: `request_headers: continue`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.EndWith(1, "x-t: 1")
		},
	},
	{
		Name: "end-abort-waiting", Asks: "The client goes away while the upstream thinks.", Point: callbacks,
		Down: `log: get req :path; propn response.code; prop response.code_details; propn response.flags`, Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Abort()
		},
	},
	{
		Name: "end-abort-streaming", Asks: "The client goes away in the middle of a stream.", Point: callbacks,
		Down: `log: get resp :status; propn response.code; propn response.flags`, Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.Abort()
		},
	},
	{
		Name: "end-abort-uploading", Asks: "The client goes away before its request has ended, headers held.", Point: callbacks,
		Down: `request_headers: pause
			request_body: pause`,
		Up: `request_headers: continue`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Abort()
		},
	},
	{
		Name: "end-abort-held-answer", Asks: "The client goes away while the answer's headers are held.", Point: callbacks,
		Down: `response_headers: pause
			log: get resp :status; get req :path`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Abort()
		},
	},
	{
		Name: "end-upstream-reset", Asks: "The upstream resets in the middle of a stream.", Point: callbacks,
		Down: `log: get resp :status; prop response.code_details; propn response.flags`, Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.Reset(1, ResetStream)
		},
	},
	{
		Name: "end-upstream-closed", Asks: "The upstream closes the connection in the middle of a stream.", Point: callbacks,
		Down: `log: prop response.code_details; propn response.flags`, Up: `request_headers: continue`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.Reset(1, CloseUpstream)
		},
	},
	{
		Name: "end-upstream-reset-held", Asks: "The upstream resets while the client's stage holds the answer's headers.", Point: callbacks,
		Down: `response_headers: pause
			response_body: pause
			log: get resp :status; prop response.code_details; propn response.flags`,
		Traffic: func(w World) {
			ask(w)
			w.Respond(1, "200", false)
			w.Chunk(1, "one", false)
			w.Reset(1, ResetStream)
		},
	},
	{
		Name: "end-reply", Asks: "A local reply of the HTTP filter.", Point: callbacks,
		Down: `request_headers: reply 403 no
			log: get resp :status; get req :path`,
		Up: `request_headers: continue`, Traffic: get,
	},
	{
		Name: "end-reply-up", Asks: "A local reply of the upstream stage.", Point: callbacks,
		Down: `request_headers: continue`, Up: `request_headers: reply 403 no`, Traffic: get,
	},
	{
		Name: "end-two-filters", Asks: "Two filters and the upstream stage: whose log, done and delete come first?", Point: callbacks,
		Down: `request_headers: continue`, Second: `request_headers: continue`, Up: `request_headers: continue`, Traffic: getAndServe,
	},
	{
		Name: "end-retried", Asks: "When does the first attempt's context end?", Point: callbacks,
		Setup: Setup{Retry: twice}, Down: `request_headers: continue`, Up: `response_headers/1: set resp x-retry 1`, Traffic: twiceTried,
	},
}
