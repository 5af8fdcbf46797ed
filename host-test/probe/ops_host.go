//go:build wasip1

package main

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unsafe"
)

// Operations on the host and the VM.
//
//	call CLUSTER PATH BODY MS          proxy_http_call; BODY "-" is none
//	status                             proxy_get_status
//	save | act | self | root | actid N keep this context's id for the row; act for it from now, for
//	                                   this one again, for the root, for any
//	tick MS | foreign NAME
//	share KEY VALUE [0|last|stale] | shared KEY     shared data, with a CAS value
//	queue NAME | push NAME VALUE | pull NAME        shared queues
//	metric KIND NAME | inc KIND NAME BY | rec KIND NAME V   KIND 0 counter, 1 gauge, 2 histogram
//	incid ID BY | recid ID V           metrics by their number
//	remember KEY VALUE | recall KEY    a Go variable of the VM
//	log WORD
//	refuse                             make on_configure fail
//	trap
var _ = register(map[string]operation{
	"call": {4, call},
	"status": {0, func(*run, []string) (uint32, string) {
		var code uint32
		var r result
		p, n := r.at()
		status := proxyGetStatus(unsafe.Pointer(&code), p, n)
		return status, num(code) + " " + quoted(r.take())
	}},
	"save": {0, func(r *run, _ []string) (uint32, string) {
		saved[r.stream.root.script.row] = r.id
		return noStatus, ""
	}},
	"act": {0, func(r *run, _ []string) (uint32, string) {
		return proxySetEffective(saved[r.stream.root.script.row]), ""
	}},
	"self":  {0, func(r *run, _ []string) (uint32, string) { return proxySetEffective(r.id), "" }},
	"root":  {0, func(r *run, _ []string) (uint32, string) { return proxySetEffective(r.stream.root.id), "" }},
	"actid": {1, func(_ *run, a []string) (uint32, string) { return proxySetEffective(number(a[0])), "" }},
	"tick":  {1, func(_ *run, a []string) (uint32, string) { return proxySetTick(number(a[0])), "" }},
	"foreign": {1, func(_ *run, a []string) (uint32, string) {
		var r result
		p, n := r.at()
		return proxyForeign(ptr(a[0]), size(a[0]), nil, 0, p, n), ""
	}},

	"share": {2, share},
	"shared": {1, func(r *run, a []string) (uint32, string) {
		var res result
		p, n := res.at()
		status := proxyGetShared(ptr(a[0]), size(a[0]), p, n, unsafe.Pointer(&r.stream.root.cas))
		return value(status, res.take())
	}},
	"queue": {1, func(_ *run, a []string) (uint32, string) {
		var token uint32
		return proxyRegisterQueue(ptr(a[0]), size(a[0]), unsafe.Pointer(&token)), ""
	}},
	"push": {2, func(_ *run, a []string) (uint32, string) {
		token, status := queue(a[0])
		if status != 0 {
			return status, "unresolved"
		}
		return proxyEnqueue(token, ptr(a[1]), size(a[1])), ""
	}},
	"pull": {1, func(_ *run, a []string) (uint32, string) {
		token, status := queue(a[0])
		if status != 0 {
			return status, "unresolved"
		}
		var r result
		p, n := r.at()
		status = proxyDequeue(token, p, n)
		return value(status, r.take())
	}},

	"metric": {2, func(_ *run, a []string) (uint32, string) {
		_, status := metric(a[0], a[1])
		return status, ""
	}},
	"inc": {3, func(_ *run, a []string) (uint32, string) {
		id, _ := metric(a[0], a[1])
		by, _ := strconv.ParseInt(a[2], 10, 64)
		return proxyIncrement(id, by), ""
	}},
	"rec": {3, func(_ *run, a []string) (uint32, string) {
		id, _ := metric(a[0], a[1])
		return proxyRecord(id, uint64(number(a[2]))), ""
	}},

	"incid": {2, func(_ *run, a []string) (uint32, string) {
		return proxyIncrement(number(a[0]), int64(number(a[1]))), ""
	}},
	"recid": {2, func(_ *run, a []string) (uint32, string) { return proxyRecord(number(a[0]), uint64(number(a[1]))), "" }},

	"log": {1, func(r *run, a []string) (uint32, string) {
		r.stream.say("| log " + a[0])
		return noStatus, ""
	}},
	"remember": {2, func(_ *run, a []string) (uint32, string) {
		global[a[0]] = a[1]
		return noStatus, ""
	}},
	"recall": {1, func(_ *run, a []string) (uint32, string) {
		v, ok := global[a[0]]
		if !ok {
			return 1, ""
		}
		return 0, quoted(v)
	}},
	"refuse": {0, func(r *run, _ []string) (uint32, string) {
		r.action = 1
		return noStatus, ""
	}},
	"trap": {0, func(*run, []string) (uint32, string) {
		var nothing []int
		return uint32(nothing[0]), ""
	}},
})

func property(dotted string) (string, uint32) {
	path := strings.ReplaceAll(dotted, ".", "\x00")
	if name, ok := strings.CutPrefix(dotted, "="); ok {
		path = name // a name with dots, whole
	}
	var r result
	p, n := r.at()
	status := proxyGetProperty(ptr(path), size(path), p, n)
	return r.take(), status
}

func littleEndian(v string) string {
	return strconv.FormatUint(binary.LittleEndian.Uint64([]byte(v)), 10)
}

func call(_ *run, a []string) (uint32, string) {
	pairs := encodePairs([]string{":method=POST", ":path=" + a[1], ":authority=side"})
	body := a[2]
	if body == "-" {
		body = ""
	}
	var token uint32
	return proxyHTTPCall(ptr(a[0]), size(a[0]), ptr(pairs), size(pairs), ptr(body), size(body), nil, 0, number(a[3]), unsafe.Pointer(&token)), ""
}

func share(r *run, a []string) (uint32, string) {
	cas := uint32(0)
	if len(a) > 2 {
		switch a[2] {
		case "last":
			cas = r.stream.root.cas
		case "stale":
			cas = r.stream.root.cas + 1000
		}
	}
	return proxySetShared(ptr(a[0]), size(a[0]), ptr(a[1]), size(a[1]), cas), ""
}

func queue(name string) (token, status uint32) {
	vm := "fidelity"
	status = proxyResolveQueue(ptr(vm), size(vm), ptr(name), size(name), unsafe.Pointer(&token))
	return token, status
}

func metric(kind, name string) (id, status uint32) {
	status = proxyDefineMetric(number(kind), ptr(name), size(name), unsafe.Pointer(&id))
	return id, status
}
