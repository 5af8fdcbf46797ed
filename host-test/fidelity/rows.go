package fidelity

import "slices"

// Rows is the table: every behaviour that is compared, in the order of the document.
var Rows = slices.Concat(
	requestRows, bodyRows, responseRows, replyRows, headerRows, propertyRows, retryRows, limitRows, endRows,
	calloutRows, sharedRows, trapRows,
)

// Traffic that many rows have in common.

var post = []string{"content-type: application/json"}

func ask(w World) {
	w.Request(false, post...)
	w.Body("abc", true)
}

func get(w World) { w.Request(true, ":method: GET") }

// serve is a whole answer in one chunk.
func serve(w World, attempt int) {
	w.Respond(attempt, "200", false, "x-u: 1")
	w.Chunk(attempt, "one", true)
}

func askAndServe(w World) {
	ask(w)
	serve(w, 1)
}

func getAndServe(w World) {
	get(w)
	serve(w, 1)
}

// callbacks shows which callbacks come, in which order.
var callbacks = []string{"down", "second", "up1", "up2", "client", "access"}
