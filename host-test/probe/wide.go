//go:build wasip1 && !narrow

package main

import (
	"strconv"
	"unsafe"
)

// Operations whose imports some hosts do not have, or have with other types: one such import, and
// wasm-nginx-module loads nothing. With the tag "narrow" the probe is built without them.
//
//	size B                             proxy_get_buffer_status
//	metricv KIND NAME | getid ID       proxy_get_metric
var _ = register(map[string]operation{
	"size": {1, func(_ *run, a []string) (uint32, string) {
		var n, flags uint32
		status := proxyBufferStatus(bufferNames[a[0]], unsafe.Pointer(&n), unsafe.Pointer(&flags))
		return status, num(n)
	}},
	"metricv": {2, func(_ *run, a []string) (uint32, string) {
		id, _ := metric(a[0], a[1])
		var v uint64
		status := proxyGetMetric(id, unsafe.Pointer(&v))
		return status, strconv.FormatUint(v, 10)
	}},
	"getid": {1, func(_ *run, a []string) (uint32, string) {
		var v uint64
		return proxyGetMetric(number(a[0]), unsafe.Pointer(&v)), ""
	}},
})

//go:wasmimport env proxy_get_buffer_status
func proxyBufferStatus(b uint32, size, flags unsafe.Pointer) uint32

//go:wasmimport env proxy_get_metric
func proxyGetMetric(id uint32, v unsafe.Pointer) uint32
