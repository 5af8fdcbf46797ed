//go:build wasip1

package main

import (
	"strconv"
	"strings"
)

// root is a plugin: its script and what its streams share.
type root struct {
	id      uint32
	script  *script
	streams int // numbered so far
	calls   map[string]int
	cas     uint32 // of the last shared value that was read
}

// stream is a context of a stream or an attempt.
type stream struct {
	root   *root
	number int // 0 until its first callback
	silent bool
	calls  map[string]int
}

var (
	roots   = map[uint32]*root{}
	streams = map[uint32]*stream{}
	saved   = map[string]uint32{} // by row: the context kept by "save"
	global  = map[string]string{} // of the VM
)

func num(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// say writes one line.
func (s *stream) say(text string) {
	line := "PROBE " + s.root.script.row + " " + s.root.script.as
	if s.number > 0 {
		line += strconv.Itoa(s.number)
	}
	line += " " + text
	proxyLog(5, ptr(line), size(line))
}

// enter logs a callback and runs its rule; the result is the action to return.
func (s *stream) enter(id uint32, callback string, end bool, args ...string) uint32 {
	if s == nil || s.root.script == nil {
		return 0
	}
	if s.number == 0 && s.calls == nil {
		s.announce(id, callback)
	}
	if s.silent {
		return 0
	}
	s.say(strings.TrimSuffix(callback+" "+strings.Join(args, " "), " "))
	return s.run(id, callback, end)
}

// announce numbers a stream at its first callback, unless it is one of those to be silent about.
func (s *stream) announce(id uint32, callback string) {
	s.calls = map[string]int{}
	if callback == "request_headers" {
		path, _ := header(0, ":path")
		if s.silent = strings.HasPrefix(path, "/~"); s.silent {
			if path == "/~mark" {
				s.say("mark")
			}
			return
		}
	}
	s.root.streams++
	s.number = s.root.streams
}

func (s *stream) run(id uint32, callback string, end bool) uint32 {
	s.calls[callback]++
	r := run{stream: s, id: id}
	for _, op := range s.root.script.find(callback, s.number, s.calls[callback], end) {
		r.do(op)
	}
	return r.action
}

// enterRoot is enter for a callback of the plugin itself. It is logged only if a rule wants it.
func enterRoot(id uint32, callback string, args ...string) uint32 {
	r := roots[id]
	if r == nil || r.script == nil {
		return 0
	}
	s := &stream{root: r, calls: r.calls}
	if r.script.find(callback, 0, r.calls[callback]+1, false) == nil {
		r.calls[callback]++
		return 0
	}
	s.say(strings.TrimSuffix(callback+" "+strings.Join(args, " "), " "))
	return s.run(id, callback, false)
}

//go:wasmexport proxy_on_context_create
func onContextCreate(id, parent uint32) {
	if parent == 0 {
		roots[id] = &root{id: id, calls: map[string]int{}}
		return
	}
	streams[id] = &stream{root: roots[parent]}
}

//go:wasmexport proxy_on_vm_start
func onVMStart(_, _ uint32) bool { return true }

//go:wasmexport proxy_on_configure
func onConfigure(id, n uint32) bool {
	var r result
	p, pn := r.at()
	proxyGetBuffer(7, 0, n, p, pn)
	s, err := parseScript(r.take())
	if err != nil {
		text := "PROBE refused: " + err.Error()
		proxyLog(5, ptr(text), size(text))
		return false
	}
	roots[id].script = s
	return enterRoot(id, "configure") == 0
}

//go:wasmexport proxy_on_tick
func onTick(id uint32) { enterRoot(id, "tick") }

//go:wasmexport proxy_on_queue_ready
func onQueueReady(id, token uint32) { enterRoot(id, "queue_ready") }

//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(id, _, headers, body, trailers uint32) {
	enterRoot(id, "http_call_response", num(headers), num(body), num(trailers))
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(id, n, end uint32) uint32 {
	return streams[id].enter(id, "request_headers", end != 0, num(n), "end="+num(end))
}

//go:wasmexport proxy_on_request_body
func onRequestBody(id, n, end uint32) uint32 {
	return streams[id].enter(id, "request_body", end != 0, num(n), "end="+num(end))
}

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(id, n uint32) uint32 {
	return streams[id].enter(id, "request_trailers", true, num(n))
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(id, n, end uint32) uint32 {
	return streams[id].enter(id, "response_headers", end != 0, num(n), "end="+num(end))
}

//go:wasmexport proxy_on_response_body
func onResponseBody(id, n, end uint32) uint32 {
	return streams[id].enter(id, "response_body", end != 0, num(n), "end="+num(end))
}

//go:wasmexport proxy_on_response_trailers
func onResponseTrailers(id, n uint32) uint32 {
	return streams[id].enter(id, "response_trailers", true, num(n))
}

//go:wasmexport proxy_on_log
func onLog(id uint32) { streams[id].enter(id, "log", true) }

//go:wasmexport proxy_on_done
func onDone(id uint32) uint32 {
	streams[id].enter(id, "done", true)
	return 1
}

//go:wasmexport proxy_on_delete
func onDelete(id uint32) {
	streams[id].enter(id, "delete", true)
	delete(streams, id)
}
