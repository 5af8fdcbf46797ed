package proxywasm

import "unsafe"

// binding answers the SDK's host calls with ours. The hot ones do not come this
// way (see stream); what the module does not import is unimplemented.
type binding struct{}

// bound must be a package-level variable of the interface type: through a
// local one the compiler would know the concrete type, call it directly, and
// the linker would drop the methods, which the SDK calls by an interface that
// the linker does not connect with ours ("unreachable method called").
var bound sdkHost = &binding{}

// never is false, which the compiler does not know.
var never bool

// bindSDK registers our host calls with the SDK, once: the SDK holds a lock
// from then on.
func bindSDK() {
	if registered {
		return
	}
	registered = true
	sdkRegisterHost(bound)
	if never {
		keepMethods()
	}
}

var registered bool

// keepMethods makes the linker keep each method of the binding.
func keepMethods() {
	bound.ProxyLog(0, nil, 0)
	bound.ProxySetProperty(nil, 0, nil, 0)
	bound.ProxyGetProperty(nil, 0, nil, nil)
	bound.ProxySendLocalResponse(0, nil, 0, nil, 0, nil, 0, 0)
	bound.ProxyGetSharedData(nil, 0, nil, nil, nil)
	bound.ProxySetSharedData(nil, 0, nil, 0, 0)
	bound.ProxyRegisterSharedQueue(nil, 0, nil)
	bound.ProxyResolveSharedQueue(nil, 0, nil, 0, nil)
	bound.ProxyDequeueSharedQueue(0, nil, nil)
	bound.ProxyEnqueueSharedQueue(0, nil, 0)
	bound.ProxyGetHeaderMapValue(0, nil, 0, nil, nil)
	bound.ProxyAddHeaderMapValue(0, nil, 0, nil, 0)
	bound.ProxyReplaceHeaderMapValue(0, nil, 0, nil, 0)
	bound.ProxyContinueStream(0)
	bound.ProxyCloseStream(0)
	bound.ProxyRemoveHeaderMapValue(0, nil, 0)
	bound.ProxyGetHeaderMapPairs(0, nil, nil)
	bound.ProxySetHeaderMapPairs(0, nil, 0)
	bound.ProxyGetBufferBytes(0, 0, 0, nil, nil)
	bound.ProxySetBufferBytes(0, 0, 0, nil, 0)
	bound.ProxyHttpCall(nil, 0, nil, 0, nil, 0, nil, 0, 0, nil)
	bound.ProxyCallForeignFunction(nil, 0, nil, 0, nil, nil)
	bound.ProxySetTickPeriodMilliseconds(0)
	bound.ProxySetEffectiveContext(0)
	bound.ProxyDone()
	bound.ProxyDefineMetric(0, nil, 0, nil)
	bound.ProxyIncrementMetric(0, 0)
	bound.ProxyRecordMetric(0, 0)
	bound.ProxyGetMetric(0, nil)
}

func str(data *byte, size int) string { return unsafe.String(data, size) }

// deliver hands a result to the SDK, as fresh memory.
func deliver(st Status, value **byte, size *int) Status {
	if st != OK {
		return st
	}
	b, ok := inbox.take()
	if !ok {
		return InvalidMemoryAccess
	}
	*value, *size = unsafe.SliceData(b), len(b)
	return OK
}

func (*binding) ProxyLog(level uint32, data *byte, size int) Status {
	return proxyLog(level, str(data, size))
}

func (*binding) ProxySetProperty(path *byte, pathSize int, value *byte, valueSize int) Status {
	return proxySetProperty(str(path, pathSize), str(value, valueSize))
}

func (*binding) ProxyGetProperty(path *byte, pathSize int, value **byte, valueSize *int) Status {
	inbox.expect()
	return deliver(proxyGetProperty(str(path, pathSize), &inbox.addr, &inbox.size), value, valueSize)
}

func (*binding) ProxySendLocalResponse(code uint32, detail *byte, detailSize int, body *byte, bodySize int, headers *byte, headersSize int, grpc int32) Status {
	return proxySendLocalResponse(code, str(detail, detailSize), str(body, bodySize), str(headers, headersSize), grpc)
}

func (*binding) ProxyGetSharedData(key *byte, keySize int, value **byte, valueSize *int, version *uint32) Status {
	inbox.expect()
	st := proxyGetSharedData(str(key, keySize), &inbox.addr, &inbox.size, &inbox.word)
	*version = inbox.word
	return deliver(st, value, valueSize)
}

func (*binding) ProxySetSharedData(key *byte, keySize int, value *byte, valueSize int, version uint32) Status {
	return proxySetSharedData(str(key, keySize), str(value, valueSize), version)
}

func (*binding) ProxyRegisterSharedQueue(*byte, int, *uint32) Status { return Unimplemented }

func (*binding) ProxyResolveSharedQueue(*byte, int, *byte, int, *uint32) Status { return Unimplemented }

func (*binding) ProxyDequeueSharedQueue(uint32, **byte, *int) Status { return Unimplemented }

func (*binding) ProxyEnqueueSharedQueue(uint32, *byte, int) Status { return Unimplemented }

func (*binding) ProxyGetHeaderMapValue(m mapType, name *byte, nameSize int, value **byte, valueSize *int) Status {
	inbox.expect()
	return deliver(proxyGetHeaderMapValue(m, str(name, nameSize), &inbox.addr, &inbox.size), value, valueSize)
}

func (*binding) ProxyAddHeaderMapValue(mapType, *byte, int, *byte, int) Status { return Unimplemented }

func (*binding) ProxyReplaceHeaderMapValue(m mapType, name *byte, nameSize int, value *byte, valueSize int) Status {
	return proxyReplaceHeaderMapValue(m, str(name, nameSize), str(value, valueSize))
}

func (*binding) ProxyContinueStream(side uint32) Status { return proxyContinueStream(side) }

func (*binding) ProxyCloseStream(uint32) Status { return Unimplemented }

func (*binding) ProxyRemoveHeaderMapValue(m mapType, name *byte, nameSize int) Status {
	return proxyRemoveHeaderMapValue(m, str(name, nameSize))
}

func (*binding) ProxyGetHeaderMapPairs(m mapType, value **byte, valueSize *int) Status {
	inbox.expect()
	return deliver(proxyGetHeaderMapPairs(m, &inbox.addr, &inbox.size), value, valueSize)
}

func (*binding) ProxySetHeaderMapPairs(mapType, *byte, int) Status { return Unimplemented }

func (*binding) ProxyGetBufferBytes(b bufferType, start, length int, value **byte, valueSize *int) Status {
	inbox.expect()
	st := proxyGetBufferBytes(b, uint32(start), uint32(length), &inbox.addr, &inbox.size)
	return deliver(st, value, valueSize)
}

func (*binding) ProxySetBufferBytes(b bufferType, start, length int, value *byte, valueSize int) Status {
	return proxySetBufferBytes(b, uint32(start), uint32(length), str(value, valueSize))
}

func (*binding) ProxyHttpCall(cluster *byte, clusterSize int, headers *byte, headersSize int, body *byte, bodySize int, trailers *byte, trailersSize int, ms uint32, id *uint32) Status {
	inbox.expect()
	st := proxyHTTPCall(str(cluster, clusterSize), str(headers, headersSize), str(body, bodySize),
		str(trailers, trailersSize), ms, &inbox.word)
	*id = inbox.word
	return st
}

func (*binding) ProxyCallForeignFunction(name *byte, nameSize int, arg *byte, argSize int, value **byte, valueSize *int) Status {
	inbox.expect()
	st := proxyCallForeignFunction(str(name, nameSize), str(arg, argSize), &inbox.addr, &inbox.size)
	return deliver(st, value, valueSize)
}

func (*binding) ProxySetTickPeriodMilliseconds(ms uint32) Status { return proxySetTickPeriod(ms) }

func (*binding) ProxySetEffectiveContext(id uint32) Status { return proxySetEffectiveContext(id) }

func (*binding) ProxyDone() Status { return Unimplemented }

func (*binding) ProxyDefineMetric(kind uint32, name *byte, nameSize int, id *uint32) Status {
	inbox.expect()
	st := proxyDefineMetric(kind, str(name, nameSize), &inbox.word)
	*id = inbox.word
	return st
}

func (*binding) ProxyIncrementMetric(id uint32, n int64) Status { return proxyIncrementMetric(id, n) }

func (*binding) ProxyRecordMetric(id uint32, v uint64) Status { return proxyRecordMetric(id, v) }

func (*binding) ProxyGetMetric(uint32, *uint64) Status { return Unimplemented }
