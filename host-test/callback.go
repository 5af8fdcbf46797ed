package hosttest

// Callback names a callback of a module.
type Callback uint8

// The callbacks, in the order of a stream's life.
const (
	CallbackContextCreate Callback = iota
	CallbackVMStart
	CallbackConfigure
	CallbackTick
	CallbackRequestHeaders
	CallbackRequestBody
	CallbackRequestTrailers
	CallbackResponseHeaders
	CallbackResponseBody
	CallbackResponseTrailers
	CallbackHTTPCallResponse
	CallbackQueueReady
	CallbackForeignFunction
	CallbackDone
	CallbackLog
	CallbackDelete
	callbackCount
)

var callbackNames = [callbackCount]string{
	"on_context_create", "on_vm_start", "on_configure", "on_tick",
	"on_request_headers", "on_request_body", "on_request_trailers",
	"on_response_headers", "on_response_body", "on_response_trailers",
	"on_http_call_response", "on_queue_ready", "on_foreign_function",
	"on_done", "on_log", "on_delete",
}

// String is the callback's name without the proxy_ prefix: "on_request_headers".
func (c Callback) String() string {
	if c < callbackCount {
		return callbackNames[c]
	}
	return "unknown callback"
}

// Args are a callback's arguments after the context id, in the order of the ABI.
type Args [4]uint32

// dispatch calls one callback by its number. Booleans travel as 0 and 1.
func dispatch(g Guest, cb Callback, ctx uint32, a Args) uint32 {
	if cb >= CallbackRequestHeaders && cb <= CallbackResponseTrailers {
		return uint32(dispatchStream(g, cb, ctx, a))
	}
	switch cb {
	case CallbackContextCreate:
		g.OnContextCreate(ctx, a[0])
	case CallbackVMStart:
		return bit(g.OnVMStart(ctx, a[0]))
	case CallbackConfigure:
		return bit(g.OnConfigure(ctx, a[0]))
	case CallbackTick:
		g.OnTick(ctx)
	case CallbackHTTPCallResponse:
		g.OnHTTPCallResponse(ctx, a[0], a[1], a[2], a[3])
	case CallbackQueueReady:
		g.OnQueueReady(ctx, a[0])
	case CallbackForeignFunction:
		g.OnForeignFunction(ctx, a[0], a[1])
	case CallbackDone:
		return bit(g.OnDone(ctx))
	case CallbackLog:
		g.OnLog(ctx)
	case CallbackDelete:
		g.OnDelete(ctx)
	}
	return 0
}

func dispatchStream(g Guest, cb Callback, ctx uint32, a Args) Action {
	switch cb {
	case CallbackRequestHeaders:
		return g.OnRequestHeaders(ctx, a[0], a[1] != 0)
	case CallbackRequestBody:
		return g.OnRequestBody(ctx, a[0], a[1] != 0)
	case CallbackRequestTrailers:
		return g.OnRequestTrailers(ctx, a[0])
	case CallbackResponseHeaders:
		return g.OnResponseHeaders(ctx, a[0], a[1] != 0)
	case CallbackResponseBody:
		return g.OnResponseBody(ctx, a[0], a[1] != 0)
	default:
		return g.OnResponseTrailers(ctx, a[0])
	}
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
