//go:build wasip1

package main

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// run is one callback being carried out.
type run struct {
	stream *stream
	id     uint32 // of the context
	action uint32 // to return
}

// operation is one word of the scripts' language: args of them are required, and it answers a
// status and what to log behind it.
type operation struct {
	args int
	do   func(r *run, a []string) (status uint32, value string)
}

// silent operations answer this and are logged without a result.
const noStatus = ^uint32(0)

var operations = map[string]operation{}

func register(ops map[string]operation) bool {
	for name, op := range ops {
		operations[name] = op
	}
	return true
}

var statusNames = [...]string{
	"ok", "not_found", "bad_argument", "serialization_failure", "parse_failure", "bad_expression",
	"invalid_memory_access", "empty", "cas_mismatch", "result_mismatch", "internal_failure",
	"broken_connection", "unimplemented",
}

// do runs one operation and logs what came of it.
func (r *run) do(words []string) {
	op, ok := operations[words[0]]
	if !ok || len(words) <= op.args {
		r.stream.say("| " + words[0] + ": no such operation")
		return
	}
	status, value := op.do(r, words[1:])
	if status == noStatus {
		return
	}
	name := "status_" + num(status)
	if int(status) < len(statusNames) {
		name = statusNames[status]
	}
	text := "| " + strings.Join(shown(words), " ") + " = " + name
	if value != "" {
		text += " " + value
	}
	r.stream.say(text)
}

// shown is an operation's words as they are logged: long ones by their size.
func shown(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = strings.ReplaceAll(w, "\x00", "%00"); len(w) > 64 {
			out[i] = "(" + strconv.Itoa(len(w)) + " bytes)"
		}
	}
	return out
}

// quoted is a value that a host gave, bounded.
func quoted(s string) string {
	if len(s) > 200 {
		return "(" + strconv.Itoa(len(s)) + " bytes)"
	}
	return strconv.Quote(s)
}

var mapNames = map[string]uint32{"req": 0, "reqt": 1, "resp": 2, "respt": 3, "call": 6, "callt": 7}
var bufferNames = map[string]uint32{"req": 0, "resp": 1, "call": 4, "vmconfig": 6, "config": 7}
var halves = map[string]uint32{"req": 0, "resp": 1}

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

func header(m uint32, name string) (string, uint32) {
	var r result
	p, n := r.at()
	status := proxyGetHeader(m, ptr(name), size(name), p, n)
	return r.take(), status
}

// encodePairs writes "name=value" words in the ABI's form.
func encodePairs(words []string) string {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(words)))
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		b = binary.LittleEndian.AppendUint32(b, size(k))
		b = binary.LittleEndian.AppendUint32(b, size(v))
	}
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		b = append(append(b, k...), 0)
		b = append(append(b, v...), 0)
	}
	return string(b)
}

// pairNames are the names in a header map in the ABI's form, in their order.
func pairNames(b string) string {
	if len(b) < 4 {
		return ""
	}
	n := int(binary.LittleEndian.Uint32([]byte(b[:4])))
	names, at := make([]string, 0, n), 4+8*n
	for i := range n {
		k := int(binary.LittleEndian.Uint32([]byte(b[4+8*i:])))
		v := int(binary.LittleEndian.Uint32([]byte(b[8+8*i:])))
		names = append(names, b[at:at+k])
		at += k + v + 2
	}
	return strings.Join(names, ",")
}
