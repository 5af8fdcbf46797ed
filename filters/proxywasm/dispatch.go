package proxywasm

import (
	"math"

	"github.com/posterngw/postern/filters/host"
)

// callback names the export that runs.
type callback uint8

const (
	atContextCreate callback = iota
	atVMStart
	atConfigure
	atTick
	atCallout
	atRequestHeaders
	atRequestBody
	atRequestTrailers
	atResponseHeaders
	atResponseBody
	atResponseTrailers
	atLog
	atDone
	atDelete
)

var callbackNames = [...]string{
	"context_create", "vm_start", "configure", "tick", "callout",
	"request_headers", "request_body", "request_trailers",
	"response_headers", "response_body", "response_trailers",
	"log", "done", "delete",
}

// frame is the callback that runs: the stream that it is for, nil outside of
// streams, and the context that the host takes calls to be about.
type frame struct {
	stream    *stream
	effective uint32
	at        callback
}

// running is the innermost callback. A host may call back while it serves a
// call of the module, so each restores what it found.
var running frame

// scratch holds what a call passes to the host, for the time of the call.
var scratch []byte

// What the ABI answers for "go on" and "hold".
const (
	proceed = uint32(host.Continue)
	hold    = uint32(host.Pause)
)

// dispatch is every export but the allocation (exports_wasip1.go gives them to
// the host): a, b and c are the arguments after the context's id. It is one
// function for all, so that the code that each callback runs through anyway is
// in the processor's cache from the one before.
func dispatch(at callback, id, a, b, c uint32) (answer uint32) {
	defer leave(running, &answer)
	s := streams.find(id)
	running = frame{stream: s, effective: id, at: at}
	if s == nil {
		return outside(at, id, a, b, c)
	}
	return s.serve(at, a, b)
}

// leave ends an export, and with it a panic.
func leave(outer frame, answer *uint32) {
	if cause := recover(); cause != nil {
		*answer = contain(cause)
	}
	running = outer
	if outer == (frame{}) {
		inbox.recycle()
		yield()
	}
}

// contain says what the export answers that a panic has left.
func contain(cause any) uint32 {
	report(running.at, cause)
	if running.stream == nil {
		return proceed
	}
	return running.stream.recovered(describe(cause))
}

// outside serves what is about no stream that is known.
func outside(at callback, id, a, b, c uint32) uint32 {
	switch at {
	case atContextCreate:
		create(id, a)
	case atVMStart:
		return truth(bool(sdkOnVMStart(id, sizeOf(a))))
	case atConfigure:
		return truth(bool(sdkOnConfigure(id, sizeOf(a))))
	case atTick:
		sdkOnTick(id)
	case atCallout:
		machine.answer(a, b, c)
	case atRequestHeaders:
		return refuse() // letting it pass would walk around every policy
	case atDelete:
		if plugins[id] != nil {
			delete(plugins, id)
			sdkOnDelete(id)
		}
	}
	return proceed
}

// create begins a plugin (the SDK keeps it) or a stream (ours, see table). A
// stream whose plugin is unknown, panics or makes no callbacks is not kept, and
// its request headers are refused.
func create(id, parent uint32) {
	if parent == 0 {
		sdkOnContextCreate(id, parent)
		return
	}
	p := plugins[parent]
	if p == nil {
		return
	}
	s := &stream{id: id}
	if s.cb = p.Stream(s); s.cb != nil {
		streams.add(s)
	}
}

// sizeOf reads a size from the host; one that no memory holds counts as none.
func sizeOf(n uint32) int {
	if n > math.MaxInt32 {
		return 0
	}
	return int(n)
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
