//go:build wasip1

package proxywasm

import _ "unsafe" // for go:wasmimport

// The host calls. This list is all that the module imports from "env", and it
// is held by a test: a host that lacks one of them does not load the module.
//
// Results go to addresses in the inbox. None is marked go:noescape, because the
// host may call back while it runs one, and a stack that grows then moves.

//go:wasmimport env proxy_log
func proxyLog(level uint32, line string) Status

//go:wasmimport env proxy_get_header_map_value
func proxyGetHeaderMapValue(m mapType, name string, addr, size *uint32) Status

//go:wasmimport env proxy_replace_header_map_value
func proxyReplaceHeaderMapValue(m mapType, name, value string) Status

//go:wasmimport env proxy_remove_header_map_value
func proxyRemoveHeaderMapValue(m mapType, name string) Status

//go:wasmimport env proxy_get_header_map_pairs
func proxyGetHeaderMapPairs(m mapType, addr, size *uint32) Status

//go:wasmimport env proxy_get_buffer_bytes
func proxyGetBufferBytes(b bufferType, start, length uint32, addr, size *uint32) Status

//go:wasmimport env proxy_set_buffer_bytes
func proxySetBufferBytes(b bufferType, start, length uint32, data string) Status

//go:wasmimport env proxy_get_property
func proxyGetProperty(path string, addr, size *uint32) Status

//go:wasmimport env proxy_set_property
func proxySetProperty(path, value string) Status

//go:wasmimport env proxy_send_local_response
func proxySendLocalResponse(code uint32, detail, body, headers string, grpc int32) Status

//go:wasmimport env proxy_continue_stream
func proxyContinueStream(side uint32) Status

//go:wasmimport env proxy_set_effective_context
func proxySetEffectiveContext(id uint32) Status

//go:wasmimport env proxy_call_foreign_function
func proxyCallForeignFunction(name, argument string, addr, size *uint32) Status

//go:wasmimport env proxy_set_tick_period_milliseconds
func proxySetTickPeriod(ms uint32) Status

//go:wasmimport env proxy_get_shared_data
func proxyGetSharedData(key string, addr, size, version *uint32) Status

//go:wasmimport env proxy_set_shared_data
func proxySetSharedData(key, value string, version uint32) Status

//go:wasmimport env proxy_define_metric
func proxyDefineMetric(kind uint32, name string, id *uint32) Status

//go:wasmimport env proxy_increment_metric
func proxyIncrementMetric(id uint32, n int64) Status

//go:wasmimport env proxy_record_metric
func proxyRecordMetric(id uint32, v uint64) Status

//go:wasmimport env proxy_http_call
func proxyHTTPCall(cluster, headers, body, trailers string, ms uint32, id *uint32) Status

//go:wasmimport wasi_snapshot_preview1 clock_time_get
func clockTimeGet(clock uint32, precision uint64, ns *uint64) uint32
