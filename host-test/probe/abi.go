//go:build wasip1

package main

import "unsafe"

// The imports of ABI 0.2.0 that scripts can use, by their wire types. Addresses of results are
// passed as 32-bit pointers to uint32 pairs.

//go:wasmimport env proxy_log
func proxyLog(level uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport env proxy_set_tick_period_milliseconds
func proxySetTick(ms uint32) uint32

//go:wasmimport env proxy_get_property
func proxyGetProperty(p unsafe.Pointer, n uint32, rp, rn unsafe.Pointer) uint32

//go:wasmimport env proxy_set_property
func proxySetProperty(p unsafe.Pointer, n uint32, v unsafe.Pointer, vn uint32) uint32

//go:wasmimport env proxy_set_effective_context
func proxySetEffective(id uint32) uint32

//go:wasmimport env proxy_call_foreign_function
func proxyForeign(p unsafe.Pointer, n uint32, a unsafe.Pointer, an uint32, rp, rn unsafe.Pointer) uint32

//go:wasmimport env proxy_get_header_map_pairs
func proxyGetPairs(m uint32, rp, rn unsafe.Pointer) uint32

//go:wasmimport env proxy_set_header_map_pairs
func proxySetPairs(m uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport env proxy_get_header_map_value
func proxyGetHeader(m uint32, p unsafe.Pointer, n uint32, rp, rn unsafe.Pointer) uint32

//go:wasmimport env proxy_replace_header_map_value
func proxyReplaceHeader(m uint32, p unsafe.Pointer, n uint32, v unsafe.Pointer, vn uint32) uint32

//go:wasmimport env proxy_add_header_map_value
func proxyAddHeader(m uint32, p unsafe.Pointer, n uint32, v unsafe.Pointer, vn uint32) uint32

//go:wasmimport env proxy_remove_header_map_value
func proxyRemoveHeader(m uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport env proxy_get_buffer_bytes
func proxyGetBuffer(b, start, size uint32, rp, rn unsafe.Pointer) uint32

//go:wasmimport env proxy_set_buffer_bytes
func proxySetBuffer(b, start, size uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport env proxy_continue_stream
func proxyContinue(t uint32) uint32

//go:wasmimport env proxy_close_stream
func proxyClose(t uint32) uint32

//go:wasmimport env proxy_send_local_response
func proxyReply(code uint32, d unsafe.Pointer, dn uint32, b unsafe.Pointer, bn uint32, h unsafe.Pointer, hn uint32, grpc int32) uint32

//go:wasmimport env proxy_http_call
func proxyHTTPCall(u unsafe.Pointer, un uint32, h unsafe.Pointer, hn uint32, b unsafe.Pointer, bn uint32, t unsafe.Pointer, tn uint32, ms uint32, token unsafe.Pointer) uint32

//go:wasmimport env proxy_get_status
func proxyGetStatus(code, rp, rn unsafe.Pointer) uint32

//go:wasmimport env proxy_get_shared_data
func proxyGetShared(p unsafe.Pointer, n uint32, rp, rn, cas unsafe.Pointer) uint32

//go:wasmimport env proxy_set_shared_data
func proxySetShared(p unsafe.Pointer, n uint32, v unsafe.Pointer, vn uint32, cas uint32) uint32

//go:wasmimport env proxy_register_shared_queue
func proxyRegisterQueue(p unsafe.Pointer, n uint32, token unsafe.Pointer) uint32

//go:wasmimport env proxy_resolve_shared_queue
func proxyResolveQueue(vm unsafe.Pointer, vmn uint32, p unsafe.Pointer, n uint32, token unsafe.Pointer) uint32

//go:wasmimport env proxy_enqueue_shared_queue
func proxyEnqueue(token uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport env proxy_dequeue_shared_queue
func proxyDequeue(token uint32, rp, rn unsafe.Pointer) uint32

//go:wasmimport env proxy_define_metric
func proxyDefineMetric(t uint32, p unsafe.Pointer, n uint32, id unsafe.Pointer) uint32

//go:wasmimport env proxy_increment_metric
func proxyIncrement(id uint32, by int64) uint32

//go:wasmimport env proxy_record_metric
func proxyRecord(id uint32, v uint64) uint32

// kept holds what the host was given, so that the collector leaves it, until the probe has taken it.
var kept = map[uint32][]byte{}

//go:wasmexport proxy_abi_version_0_2_0
func abiVersion() {}

//go:wasmexport proxy_on_memory_allocate
func allocate(n uint32) unsafe.Pointer {
	b := make([]byte, max(n, 1))
	p := unsafe.Pointer(&b[0])
	kept[uint32(uintptr(p))] = b
	return p
}

// result is where a host call writes the address and size of what it returns.
type result struct{ p, n uint32 }

func (r *result) at() (p, n unsafe.Pointer) { return unsafe.Pointer(&r.p), unsafe.Pointer(&r.n) }

func (r *result) take() string {
	b := kept[r.p]
	delete(kept, r.p)
	if int(r.n) > len(b) {
		return ""
	}
	return string(b[:r.n])
}

func ptr(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }
func size(s string) uint32        { return uint32(len(s)) }
