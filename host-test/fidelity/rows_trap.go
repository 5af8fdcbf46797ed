package fidelity

import "github.com/posterngw/postern/host-test"

// trapped: the first stream waits, the second traps, a third comes after.
func trapped(w World) {
	get(w)
	w.Respond(1, "200", false)
	w.Chunk(1, "one", false)
	w.Request(true, "x-trap: 1")
	w.Client(1)
	w.Chunk(1, "two", false)
	get(w)
}

// trapRows are about the death of a VM. Each has one of its own.
var trapRows = []Row{
	{
		Name: "trap-reload", Asks: "A trap with FAIL_RELOAD: its own request, a stream in flight, and the next request.",
		Setup: Setup{VM: "reload", Policy: hosttest.FailReload},
		Down: `request_headers/2: trap
			request_headers/1: recall {row}; remember {row} kept
			log: recall {row}`,
		Up: `request_headers: recall {row}`,
		Traffic: func(w World) {
			trapped(w)
			serve(w, 2)
		},
	},
	{
		Name: "trap-closed", Asks: "… with FAIL_CLOSED.",
		Setup: Setup{VM: "closed", Policy: hosttest.FailClosed},
		Down:  `request_headers/2: trap`, Up: `request_headers: continue`,
		Traffic: trapped,
	},
	{
		Name: "trap-open", Asks: "… with FAIL_OPEN.",
		Setup: Setup{VM: "open", Policy: hosttest.FailOpen},
		Down:  `request_headers/2: trap`,
		Traffic: func(w World) {
			trapped(w)
			serve(w, 2)
		},
	},
	{
		Name: "trap-log", Asks: "A trap in on_log, with FAIL_RELOAD: the access log, done and delete, and the next request.",
		Setup: Setup{VM: "reload-log", Policy: hosttest.FailReload},
		Down:  `log/1: trap`, Up: `request_headers: continue`,
		Traffic: func(w World) {
			getAndServe(w)
			get(w)
			serve(w, 2)
		},
	},
	{
		Name: "trap-up-response", Asks: "A trap in the upstream stage's response phase.",
		Setup: Setup{VM: "reload-up", Policy: hosttest.FailReload},
		Up:    `response_headers: trap`, Down: `response_headers: get resp :status`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", false)
		},
	},
}
