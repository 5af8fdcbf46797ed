//go:build wasip1

package proxywasm

// The exports, as proxy-wasm ABI 0.2.0 names them. Bools and sizes cross as
// uint32. A host does not call what is not here.

//go:wasmexport proxy_abi_version_0_2_0
func abiVersion() {}

//go:wasmexport proxy_on_memory_allocate
func exportMemoryAllocate(size uint32) uint32 { return addressOf(inbox.allocate(size)) }

//go:wasmexport proxy_on_vm_start
func exportVMStart(id, size uint32) uint32 { return dispatch(atVMStart, id, size, 0, 0) }

//go:wasmexport proxy_on_configure
func exportConfigure(id, size uint32) uint32 { return dispatch(atConfigure, id, size, 0, 0) }

//go:wasmexport proxy_on_tick
func exportTick(id uint32) { dispatch(atTick, id, 0, 0, 0) }

//go:wasmexport proxy_on_http_call_response
func exportHTTPCallResponse(id, token, headers, size, _ uint32) {
	dispatch(atCallout, id, token, headers, size)
}

//go:wasmexport proxy_on_context_create
func exportContextCreate(id, parent uint32) { dispatch(atContextCreate, id, parent, 0, 0) }

//go:wasmexport proxy_on_request_headers
func exportRequestHeaders(id, n, end uint32) uint32 { return dispatch(atRequestHeaders, id, n, end, 0) }

//go:wasmexport proxy_on_request_body
func exportRequestBody(id, size, end uint32) uint32 { return dispatch(atRequestBody, id, size, end, 0) }

//go:wasmexport proxy_on_request_trailers
func exportRequestTrailers(id, n uint32) uint32 { return dispatch(atRequestTrailers, id, n, 0, 0) }

//go:wasmexport proxy_on_response_headers
func exportResponseHeaders(id, n, end uint32) uint32 {
	return dispatch(atResponseHeaders, id, n, end, 0)
}

//go:wasmexport proxy_on_response_body
func exportResponseBody(id, size, end uint32) uint32 {
	return dispatch(atResponseBody, id, size, end, 0)
}

//go:wasmexport proxy_on_response_trailers
func exportResponseTrailers(id, n uint32) uint32 { return dispatch(atResponseTrailers, id, n, 0, 0) }

//go:wasmexport proxy_on_log
func exportLog(id uint32) { dispatch(atLog, id, 0, 0, 0) }

// Whatever happens in proxy_on_done, 1 says that the context may be deleted.
//
//go:wasmexport proxy_on_done
func exportDone(id uint32) uint32 { dispatch(atDone, id, 0, 0, 0); return 1 }

//go:wasmexport proxy_on_delete
func exportDelete(id uint32) { dispatch(atDelete, id, 0, 0, 0) }
