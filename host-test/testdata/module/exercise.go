//go:build wasip1

package main

import (
	"encoding/binary"
	"strconv"
	"unsafe"
)

// exercise makes every host call once and logs what it answered.
func exercise(n uint32, eos bool) {
	log("headers", num(n), strconv.FormatBool(eos))
	general()
	headers()
	shared()
	metrics()
	callouts()
}

func general() {
	var level uint32
	log("level", num(proxyGetLogLevel(unsafe.Pointer(&level))), num(level))
	var now uint64
	log("now", num(proxyNow(unsafe.Pointer(&now))), strconv.FormatUint(now, 10))
	log("tick", num(proxySetTick(1000)))
	log("set", num(proxySetProperty(ptr("a.b"), 3, ptr("v"), 1)))
	var r result
	p, pn := r.at()
	log("get", num(proxyGetProperty(ptr("a.b"), 3, p, pn)), r.take())
	log("effective", num(proxySetEffective(root)), num(proxySetEffective(999)))
	log("done", num(proxyDone()))
	log("foreign", num(proxyForeign(ptr("clear_route_cache"), 17, nil, 0, p, pn)), num(proxyForeign(ptr("nope"), 4, nil, 0, nil, nil)))
	log("grpc", num(proxyGRPCSend(1, nil, 0, 0)))
}

func headers() {
	var r result
	p, pn := r.at()
	log("effective back", num(proxySetEffective(root+1)))
	log("header", num(proxyGetHeader(0, ptr(":path"), 5, p, pn)), r.take())
	log("no header", num(proxyGetHeader(0, ptr("nope"), 4, p, pn)))
	log("replace", num(proxyReplaceHeader(0, ptr("x-a"), 3, ptr("1"), 1)))
	log("add", num(proxyAddHeader(0, ptr("x-a"), 3, ptr("2"), 1)))
	log("remove", num(proxyRemoveHeader(0, ptr("x-gone"), 6)))
	var bytes uint32
	log("size", num(proxyHeaderSize(0, unsafe.Pointer(&bytes))), strconv.FormatBool(bytes > 0))
	st := proxyGetPairs(0, p, pn)
	pairs := r.take()
	log("pairs", num(st), num(binary.LittleEndian.Uint32([]byte(pairs))))
	log("set pairs", num(proxySetPairs(0, ptr(pairs), size(pairs))))
	log("bad map", num(proxyGetHeader(9, ptr("x"), 1, p, pn)))
	log("bad memory", num(proxyGetHeader(0, unsafe.Pointer(uintptr(0xfffffff0)), 4096, p, pn)))
	var flags uint32
	log("buffer", num(proxyBufferStatus(0, unsafe.Pointer(&bytes), unsafe.Pointer(&flags))), num(bytes))
}

func shared() {
	var r result
	var cas uint32
	p, pn := r.at()
	log("no data", num(proxyGetShared(ptr("k"), 1, p, pn, unsafe.Pointer(&cas))))
	log("set data", num(proxySetShared(ptr("k"), 1, ptr("v1"), 2, 0)))
	log("data", num(proxyGetShared(ptr("k"), 1, p, pn, unsafe.Pointer(&cas))), r.take())
	log("cas", num(proxySetShared(ptr("k"), 1, ptr("v2"), 2, cas)), num(proxySetShared(ptr("k"), 1, ptr("v3"), 2, cas)))
	var token, found uint32
	log("queue", num(proxyRegisterQueue(ptr("q"), 1, unsafe.Pointer(&token))))
	log("resolve", num(proxyResolveQueue(nil, 0, ptr("q"), 1, unsafe.Pointer(&found))), strconv.FormatBool(found == token))
	log("enqueue", num(proxyEnqueue(token, ptr("item"), 4)))
}

func metrics() {
	for kind := range uint32(3) {
		name := "metric" + num(kind)
		var id uint32
		var v uint64
		log(name, num(proxyDefineMetric(kind, ptr(name), size(name), unsafe.Pointer(&id))),
			num(proxyIncrement(id, 5)), num(proxyRecord(id, 7)), num(proxyGetMetric(id, unsafe.Pointer(&v))), strconv.FormatUint(v, 10))
	}
}

func callouts() {
	h := pairs(":method", "POST", ":path", "/call", ":authority", "there")
	var token uint32
	log("call", num(proxyHTTPCall(ptr("side"), 4, ptr(h), size(h), ptr("ask"), 3, nil, 0, 500, unsafe.Pointer(&token))), num(token))
}

func pairs(kv ...string) string {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(kv)/2))
	for _, s := range kv {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	}
	for _, s := range kv {
		b = append(append(b, s...), 0)
	}
	return string(b)
}
