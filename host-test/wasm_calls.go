package hosttest

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// hostFunction binds one import of "env" to Calls. The arguments are on the stack in the order of
// the ABI; params has one letter for each: i for 32 bits, l for 64.
type hostFunction struct {
	name   string
	params string
	call   func(g *wasmGuest, s []uint64) Status
}

func (f hostFunction) export(b wazero.HostModuleBuilder) {
	params := make([]api.ValueType, len(f.params))
	for i, p := range f.params {
		params[i] = api.ValueTypeI32
		if p == 'l' {
			params[i] = api.ValueTypeI64
		}
	}
	call := f.call
	run := api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
		g := ctx.Value(guestKey{}).(*wasmGuest)
		stack[0] = uint64(call(g, stack))
	})
	b.NewFunctionBuilder().WithGoModuleFunction(run, params, []api.ValueType{api.ValueTypeI32}).Export(f.name)
}

// view reads size bytes at ptr, or says that they are not memory.
func view(g *wasmGuest, s []uint64, at int) ([]byte, bool) { return g.read(s[at], s[at+1]) }

func text(g *wasmGuest, s []uint64, at int) (string, bool) {
	b, ok := view(g, s, at)
	return string(b), ok
}

func put32(g *wasmGuest, ptr uint64, v uint32) Status {
	if !g.memory.WriteUint32Le(uint32(ptr), v) {
		return StatusInvalidMemoryAccess
	}
	return StatusOK
}

func put64(g *wasmGuest, ptr uint64, v uint64) Status {
	if !g.memory.WriteUint64Le(uint32(ptr), v) {
		return StatusInvalidMemoryAccess
	}
	return StatusOK
}

// pairsAt decodes pairs; malformed ones count as none, as in cpp-host.
func pairsAt(g *wasmGuest, s []uint64, at int) ([][2]string, bool) {
	b, ok := view(g, s, at)
	pairs, _ := DecodePairs(b)
	return pairs, ok
}

// then gives the result of a call that succeeded.
func then(s Status, give func() Status) Status {
	if s != StatusOK {
		return s
	}
	return give()
}

// hostFunctions are all imports that any profile has.
var hostFunctions = concat(generalFunctions, headerFunctions, streamFunctions, sharedFunctions, metricFunctions, grpcFunctions)

var hostFunctionNames = func() map[string]struct{} {
	names := map[string]struct{}{}
	for _, f := range hostFunctions {
		names[f.name] = struct{}{}
	}
	return names
}()

func concat(lists ...[]hostFunction) (all []hostFunction) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var generalFunctions = []hostFunction{
	{"proxy_log", "iii", func(g *wasmGuest, s []uint64) Status {
		m, ok := text(g, s, 1)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		return g.calls.Log(LogLevel(s[0]), m)
	}},
	{"proxy_get_log_level", "i", func(g *wasmGuest, s []uint64) Status {
		level, st := g.calls.LogLevel()
		return then(st, func() Status { return put32(g, s[0], uint32(level)) })
	}},
	{"proxy_get_current_time_nanoseconds", "i", func(g *wasmGuest, s []uint64) Status {
		now, st := g.calls.Now()
		return then(st, func() Status { return put64(g, s[0], uint64(now)) })
	}},
	{"proxy_set_tick_period_milliseconds", "i", func(g *wasmGuest, s []uint64) Status {
		return g.calls.SetTickPeriod(uint32(s[0]))
	}},
	{"proxy_get_property", "iiii", func(g *wasmGuest, s []uint64) Status {
		path, ok := text(g, s, 0)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		v, st := g.calls.Property(path)
		return then(st, func() Status { return g.give(v, s[2], s[3]) })
	}},
	{"proxy_set_property", "iiii", func(g *wasmGuest, s []uint64) Status {
		path, ok := text(g, s, 0)
		value, ok2 := view(g, s, 2)
		if !ok || !ok2 {
			return StatusInvalidMemoryAccess
		}
		return g.calls.SetProperty(path, value)
	}},
	{"proxy_set_effective_context", "i", func(g *wasmGuest, s []uint64) Status {
		return g.calls.SetEffectiveContext(uint32(s[0]))
	}},
	{"proxy_done", "", func(g *wasmGuest, _ []uint64) Status { return g.calls.Done() }},
	{"proxy_call_foreign_function", "iiiiii", callForeignFunction},
}

func callForeignFunction(g *wasmGuest, s []uint64) Status {
	name, ok := text(g, s, 0)
	argument, ok2 := view(g, s, 2)
	if !ok || !ok2 {
		return StatusInvalidMemoryAccess
	}
	result, st := g.calls.CallForeignFunction(name, argument)
	if st == StatusOK && uint32(s[4]) != 0 && uint32(s[5]) != 0 {
		return g.give(result, s[4], s[5])
	}
	return st
}

var headerFunctions = []hostFunction{
	{"proxy_get_header_map_pairs", "iii", func(g *wasmGuest, s []uint64) Status {
		pairs, st := g.calls.HeaderPairs(MapType(s[0]))
		return then(st, func() Status { return g.givePairs(pairs, s[1], s[2]) })
	}},
	{"proxy_set_header_map_pairs", "iii", func(g *wasmGuest, s []uint64) Status {
		pairs, ok := pairsAt(g, s, 1)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		return g.calls.SetHeaderPairs(MapType(s[0]), pairs)
	}},
	{"proxy_get_header_map_value", "iiiii", func(g *wasmGuest, s []uint64) Status {
		name, ok := text(g, s, 1)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		v, st := g.calls.Header(MapType(s[0]), name)
		return then(st, func() Status { return g.giveString(v, s[3], s[4]) })
	}},
	{"proxy_replace_header_map_value", "iiiii", headerWriter(Calls.ReplaceHeader)},
	{"proxy_add_header_map_value", "iiiii", headerWriter(Calls.AddHeader)},
	{"proxy_remove_header_map_value", "iii", func(g *wasmGuest, s []uint64) Status {
		name, ok := text(g, s, 1)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		return g.calls.RemoveHeader(MapType(s[0]), name)
	}},
	{"proxy_get_header_map_size", "ii", func(g *wasmGuest, s []uint64) Status {
		size, st := g.calls.HeaderMapSize(MapType(s[0]))
		return then(st, func() Status { return put32(g, s[1], size) })
	}},
}

func headerWriter(write func(c Calls, m MapType, name, value string) Status) func(*wasmGuest, []uint64) Status {
	return func(g *wasmGuest, s []uint64) Status {
		name, ok := text(g, s, 1)
		value, ok2 := text(g, s, 3)
		if !ok || !ok2 {
			return StatusInvalidMemoryAccess
		}
		return write(g.calls, MapType(s[0]), name, value)
	}
}

var streamFunctions = []hostFunction{
	{"proxy_get_buffer_bytes", "iiiii", func(g *wasmGuest, s []uint64) Status {
		b, st := g.calls.Buffer(BufferType(s[0]), uint32(s[1]), uint32(s[2]))
		return then(st, func() Status { return g.give(b, s[3], s[4]) })
	}},
	{"proxy_get_buffer_status", "iii", func(g *wasmGuest, s []uint64) Status {
		size, flags, st := g.calls.BufferStatus(BufferType(s[0]))
		if st == StatusOK {
			st = put32(g, s[1], size)
		}
		return then(st, func() Status { return put32(g, s[2], flags) })
	}},
	{"proxy_set_buffer_bytes", "iiiii", func(g *wasmGuest, s []uint64) Status {
		b, ok := view(g, s, 3)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		return g.calls.SetBuffer(BufferType(s[0]), uint32(s[1]), uint32(s[2]), b)
	}},
	{"proxy_continue_stream", "i", func(g *wasmGuest, s []uint64) Status {
		return g.calls.ContinueStream(StreamType(s[0]))
	}},
	{"proxy_close_stream", "i", func(g *wasmGuest, s []uint64) Status {
		return g.calls.CloseStream(StreamType(s[0]))
	}},
	{"proxy_send_local_response", "iiiiiiii", sendLocalResponse},
	{"proxy_http_call", "iiiiiiiiii", httpCall},
	{"proxy_dispatch_http_call", "iiiiiiiiii", httpCall},
	{"proxy_get_status", "iii", func(g *wasmGuest, s []uint64) Status {
		code, message, st := g.calls.CallStatus()
		if st == StatusOK {
			st = put32(g, s[0], code)
		}
		return then(st, func() Status { return g.giveString(message, s[1], s[2]) })
	}},
}

func sendLocalResponse(g *wasmGuest, s []uint64) Status {
	details, ok := text(g, s, 1)
	body, ok2 := view(g, s, 3)
	headers, ok3 := pairsAt(g, s, 5)
	if !ok || !ok2 || !ok3 {
		return StatusInvalidMemoryAccess
	}
	return g.calls.SendLocalResponse(uint32(s[0]), details, body, headers, int32(s[7]))
}

func httpCall(g *wasmGuest, s []uint64) Status {
	upstream, ok := text(g, s, 0)
	headers, ok2 := pairsAt(g, s, 2)
	body, ok3 := view(g, s, 4)
	trailers, ok4 := pairsAt(g, s, 6)
	if !ok || !ok2 || !ok3 || !ok4 {
		return StatusInvalidMemoryAccess
	}
	token, st := g.calls.HTTPCall(upstream, headers, body, trailers, uint32(s[8]))
	return then(st, func() Status { return put32(g, s[9], token) })
}

var sharedFunctions = []hostFunction{
	{"proxy_get_shared_data", "iiiii", func(g *wasmGuest, s []uint64) Status {
		key, ok := text(g, s, 0)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		v, cas, st := g.calls.SharedData(key)
		if st == StatusOK {
			st = g.give(v, s[2], s[3])
		}
		return then(st, func() Status { return put32(g, s[4], cas) })
	}},
	{"proxy_set_shared_data", "iiiii", func(g *wasmGuest, s []uint64) Status {
		key, ok := text(g, s, 0)
		value, ok2 := view(g, s, 2)
		if !ok || !ok2 {
			return StatusInvalidMemoryAccess
		}
		return g.calls.SetSharedData(key, value, uint32(s[4]))
	}},
	{"proxy_register_shared_queue", "iii", func(g *wasmGuest, s []uint64) Status {
		name, ok := text(g, s, 0)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		token, st := g.calls.RegisterQueue(name)
		return then(st, func() Status { return put32(g, s[2], token) })
	}},
	{"proxy_resolve_shared_queue", "iiiii", func(g *wasmGuest, s []uint64) Status {
		vm, ok := text(g, s, 0)
		name, ok2 := text(g, s, 2)
		if !ok || !ok2 {
			return StatusInvalidMemoryAccess
		}
		token, st := g.calls.ResolveQueue(vm, name)
		return then(st, func() Status { return put32(g, s[4], token) })
	}},
	{"proxy_enqueue_shared_queue", "iii", func(g *wasmGuest, s []uint64) Status {
		b, ok := view(g, s, 1)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		return g.calls.Enqueue(uint32(s[0]), b)
	}},
	{"proxy_dequeue_shared_queue", "iii", func(g *wasmGuest, s []uint64) Status {
		b, st := g.calls.Dequeue(uint32(s[0]))
		return then(st, func() Status { return g.give(b, s[1], s[2]) })
	}},
}

var metricFunctions = []hostFunction{
	{"proxy_define_metric", "iiii", func(g *wasmGuest, s []uint64) Status {
		name, ok := text(g, s, 1)
		if !ok {
			return StatusInvalidMemoryAccess
		}
		id, st := g.calls.DefineMetric(MetricType(s[0]), name)
		return then(st, func() Status { return put32(g, s[3], id) })
	}},
	{"proxy_increment_metric", "il", func(g *wasmGuest, s []uint64) Status {
		return g.calls.IncrementMetric(uint32(s[0]), int64(s[1]))
	}},
	{"proxy_record_metric", "il", func(g *wasmGuest, s []uint64) Status {
		return g.calls.RecordMetric(uint32(s[0]), s[1])
	}},
	{"proxy_get_metric", "ii", func(g *wasmGuest, s []uint64) Status {
		v, st := g.calls.Metric(uint32(s[0]))
		return then(st, func() Status { return put64(g, s[1], v) })
	}},
}

// grpcFunctions can be imported, and answer that they do not exist: gRPC is not emulated.
var grpcFunctions = []hostFunction{
	{"proxy_grpc_call", "iiiiiiiiiiii", unimplemented},
	{"proxy_grpc_stream", "iiiiiiiii", unimplemented},
	{"proxy_grpc_cancel", "i", unimplemented},
	{"proxy_grpc_close", "i", unimplemented},
	{"proxy_grpc_send", "iiii", unimplemented},
}

func unimplemented(*wasmGuest, []uint64) Status { return StatusUnimplemented }
