package proxywasm

import (
	_ "unsafe" // for go:linkname

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// The SDK is written for TinyGo. With standard Go its host calls go through an
// interface that internal.RegisterMockWasmHost registers, and its callbacks
// are unexported functions. Both are reached by their link names; the
// signatures must be the SDK's (v0.24.0) to the byte.

//go:linkname sdkRegisterHost github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.RegisterMockWasmHost
func sdkRegisterHost(sdkHost) (release func())

//go:linkname sdkOnContextCreate github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnContextCreate
func sdkOnContextCreate(id, parent uint32)

//go:linkname sdkOnVMStart github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnVMStart
func sdkOnVMStart(id uint32, size int) types.OnVMStartStatus

//go:linkname sdkOnConfigure github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnConfigure
func sdkOnConfigure(id uint32, size int) types.OnPluginStartStatus

//go:linkname sdkOnTick github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnTick
func sdkOnTick(id uint32)

//go:linkname sdkOnDelete github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnDelete
func sdkOnDelete(id uint32)

// sdkHost has the methods of the SDK's ProxyWasmHost, whose parameter types
// cannot be named from here. An interface value finds its methods by their
// place among the sorted names, so the list must be complete.
type sdkHost interface {
	ProxyLog(level uint32, data *byte, size int) Status
	ProxySetProperty(path *byte, pathSize int, value *byte, valueSize int) Status
	ProxyGetProperty(path *byte, pathSize int, value **byte, valueSize *int) Status
	ProxySendLocalResponse(code uint32, detail *byte, detailSize int, body *byte, bodySize int, headers *byte, headersSize int, grpc int32) Status
	ProxyGetSharedData(key *byte, keySize int, value **byte, valueSize *int, version *uint32) Status
	ProxySetSharedData(key *byte, keySize int, value *byte, valueSize int, version uint32) Status
	ProxyRegisterSharedQueue(name *byte, nameSize int, id *uint32) Status
	ProxyResolveSharedQueue(vm *byte, vmSize int, name *byte, nameSize int, id *uint32) Status
	ProxyDequeueSharedQueue(id uint32, value **byte, valueSize *int) Status
	ProxyEnqueueSharedQueue(id uint32, value *byte, valueSize int) Status
	ProxyGetHeaderMapValue(m mapType, name *byte, nameSize int, value **byte, valueSize *int) Status
	ProxyAddHeaderMapValue(m mapType, name *byte, nameSize int, value *byte, valueSize int) Status
	ProxyReplaceHeaderMapValue(m mapType, name *byte, nameSize int, value *byte, valueSize int) Status
	ProxyContinueStream(side uint32) Status
	ProxyCloseStream(side uint32) Status
	ProxyRemoveHeaderMapValue(m mapType, name *byte, nameSize int) Status
	ProxyGetHeaderMapPairs(m mapType, value **byte, valueSize *int) Status
	ProxySetHeaderMapPairs(m mapType, pairs *byte, pairsSize int) Status
	ProxyGetBufferBytes(b bufferType, start, length int, value **byte, valueSize *int) Status
	ProxySetBufferBytes(b bufferType, start, length int, value *byte, valueSize int) Status
	ProxyHttpCall(cluster *byte, clusterSize int, headers *byte, headersSize int, body *byte, bodySize int, trailers *byte, trailersSize int, ms uint32, id *uint32) Status
	ProxyCallForeignFunction(name *byte, nameSize int, arg *byte, argSize int, value **byte, valueSize *int) Status
	ProxySetTickPeriodMilliseconds(ms uint32) Status
	ProxySetEffectiveContext(id uint32) Status
	ProxyDone() Status
	ProxyDefineMetric(kind uint32, name *byte, nameSize int, id *uint32) Status
	ProxyIncrementMetric(id uint32, n int64) Status
	ProxyRecordMetric(id uint32, v uint64) Status
	ProxyGetMetric(id uint32, v *uint64) Status
}
