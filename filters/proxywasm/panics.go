package proxywasm

import (
	"runtime"
	"strconv"
)

// maxCause and maxStack bound what is said about a panic, in bytes.
const (
	maxCause = 256
	maxStack = 2048
)

// onPanic is the hook that counts panics.
var onPanic func(callback, cause string)

// OnPanic sets the hook that is told of every panic that an export contained:
// the callback that it left (such as "request_body") and its cause. It runs
// before the stream is told. A panic of the hook itself is dropped.
func OnPanic(hook func(callback, cause string)) { onPanic = hook }

// report tells the host's log and the hook of a panic.
func report(at callback, cause any) {
	defer func() { _ = recover() }()
	said := describe(cause)
	stack := make([]byte, maxStack)
	stack = stack[:runtime.Stack(stack, false)]
	proxyLog(levelCritical, "panic in "+callbackNames[at]+": "+said+"\n"+string(stack))
	if onPanic != nil {
		onPanic(callbackNames[at], said)
	}
}

// describe says what a panic was about, in at most maxCause bytes. An error
// whose text panics has none.
func describe(cause any) (said string) {
	said = "panic"
	defer func() { _ = recover() }()
	switch c := cause.(type) {
	case error:
		said = c.Error()
	case string:
		said = c
	case int:
		said = strconv.Itoa(c)
	}
	if len(said) > maxCause {
		said = said[:maxCause]
	}
	return said
}

// refusal is what a client gets when no stage is left that could answer it.
const refusal = `{"error":{"message":"The gateway failed on this request.","type":"server_error","code":"gateway_panic"}}`

// refuse answers the running stream without its stage, and stops it, unless the
// module only observes.
func refuse() uint32 {
	if observing {
		return proceed
	}
	scratch = appendPairs(scratch[:0], [][2]string{{"content-type", "application/json"}})
	proxySendLocalResponse(500, "postern_panic", refusal, text(scratch), noGRPCStatus)
	return hold
}
