//go:build wasip1

package main

import (
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// mode is the plugin configuration: calls, upper, trap, sleep, grow.
var mode string

var root uint32

func main() {}

func log(parts ...string) {
	s := strings.Join(parts, " ")
	proxyLog(2, ptr(s), size(s))
}

func num(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

//go:wasmexport proxy_on_context_create
func onContextCreate(ctx, parent uint32) {
	if parent == 0 {
		root = ctx
	}
}

//go:wasmexport proxy_on_vm_start
func onVMStart(_, n uint32) bool {
	var r result
	p, pn := r.at()
	proxyGetBuffer(6, 0, n, p, pn)
	log("vm", r.take(), os.Getenv("MODULE_ENV"))
	return true
}

//go:wasmexport proxy_on_configure
func onConfigure(_, n uint32) bool {
	var r result
	p, pn := r.at()
	proxyGetBuffer(7, 0, n, p, pn)
	mode = r.take()
	return mode != "refuse"
}

//go:wasmexport proxy_on_tick
func onTick(uint32) { log("tick", time.Now().UTC().Format(time.RFC3339)) }

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(_, n uint32, eos bool) uint32 {
	switch mode {
	case "calls":
		exercise(n, eos)
	case "upper":
		proxyRemoveHeader(0, ptr("content-length"), 14)
		return 1
	case "trap":
		var nothing []int
		_ = nothing[n]
	case "grow":
		sink = append(sink, make([]byte, 4<<20))
	case "sleep":
		began := time.Now()
		time.Sleep(time.Hour)
		log("slept", strconv.FormatBool(time.Since(began) >= time.Hour))
	case "print":
		os.Stdout.WriteString("to stdout\n")
		os.Stderr.WriteString("to stderr\n")
	}
	return 0
}

var sink [][]byte

//go:wasmexport proxy_on_request_body
func onRequestBody(_, n uint32, eos bool) uint32 {
	if mode != "upper" {
		return 0
	}
	if !eos {
		return 1
	}
	replace(0, n)
	return 0
}

func replace(b, n uint32) {
	var r result
	p, pn := r.at()
	if proxyGetBuffer(b, 0, n, p, pn) == 0 && n > 0 {
		s := strings.ToUpper(r.take())
		proxySetBuffer(b, 0, n, ptr(s), size(s))
	}
}

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(_, n uint32) uint32 { log("request trailers", num(n)); return 0 }

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(uint32, uint32, bool) uint32 {
	if mode == "upper" {
		proxyRemoveHeader(2, ptr("content-length"), 14)
	}
	return 0
}

//go:wasmexport proxy_on_response_body
func onResponseBody(_, n uint32, _ bool) uint32 {
	if mode == "upper" {
		replace(1, n)
	}
	return 0
}

//go:wasmexport proxy_on_response_trailers
func onResponseTrailers(_, n uint32) uint32 { log("response trailers", num(n)); return 0 }

//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(ctx, token, headers, body, trailers uint32) {
	var r result
	p, pn := r.at()
	proxyGetBuffer(4, 0, body, p, pn)
	var code uint32
	var m result
	q, qn := m.at()
	proxyGetStatus(unsafe.Pointer(&code), q, qn)
	log("answer", num(token), num(headers), r.take(), num(trailers), num(code), m.take())
}

//go:wasmexport proxy_on_queue_ready
func onQueueReady(_, token uint32) {
	var r result
	p, pn := r.at()
	st := proxyDequeue(token, p, pn)
	log("queue", num(st), r.take())
}

//go:wasmexport proxy_on_foreign_function
func onForeignFunction(uint32, uint32, uint32) {}

//go:wasmexport proxy_on_done
func onDone(uint32) bool { return true }

//go:wasmexport proxy_on_log
func onLog(uint32) { log("logged") }

//go:wasmexport proxy_on_delete
func onDelete(uint32) {}
