//go:build !wasip1

package proxywasm

import "time"

// Outside wasm there is no proxy: every call answers Unimplemented, unless a
// test puts a fake in its place. The shapes are those of hostcalls_wasip1.go.
var (
	proxyLog                   = func(level uint32, line string) Status { return Unimplemented }
	proxyGetHeaderMapValue     = func(m mapType, name string, addr, size *uint32) Status { return Unimplemented }
	proxyReplaceHeaderMapValue = func(m mapType, name, value string) Status { return Unimplemented }
	proxyRemoveHeaderMapValue  = func(m mapType, name string) Status { return Unimplemented }
	proxyGetHeaderMapPairs     = func(m mapType, addr, size *uint32) Status { return Unimplemented }
	proxyGetBufferBytes        = func(b bufferType, start, length uint32, addr, size *uint32) Status { return Unimplemented }
	proxySetBufferBytes        = func(b bufferType, start, length uint32, data string) Status { return Unimplemented }
	proxyGetProperty           = func(path string, addr, size *uint32) Status { return Unimplemented }
	proxySetProperty           = func(path, value string) Status { return Unimplemented }
	proxySendLocalResponse     = func(code uint32, detail, body, headers string, grpc int32) Status { return Unimplemented }
	proxyContinueStream        = func(side uint32) Status { return Unimplemented }
	proxySetEffectiveContext   = func(id uint32) Status { return Unimplemented }
	proxyCallForeignFunction   = func(name, argument string, addr, size *uint32) Status { return Unimplemented }
	proxySetTickPeriod         = func(ms uint32) Status { return Unimplemented }
	proxyGetSharedData         = func(key string, addr, size, version *uint32) Status { return Unimplemented }
	proxySetSharedData         = func(key, value string, version uint32) Status { return Unimplemented }
	proxyDefineMetric          = func(kind uint32, name string, id *uint32) Status { return Unimplemented }
	proxyIncrementMetric       = func(id uint32, n int64) Status { return Unimplemented }
	proxyRecordMetric          = func(id uint32, v uint64) Status { return Unimplemented }
	proxyHTTPCall              = func(cluster, headers, body, trailers string, ms uint32, id *uint32) Status { return Unimplemented }
)

func clockTimeGet(_ uint32, _ uint64, ns *uint64) uint32 {
	*ns = uint64(time.Now().UnixNano())
	return 0
}
