package proxywasm

import "runtime"

const (
	// gcPercent sets how far the heap grows between collections: to 8 MiB at
	// least (4 MiB times this), or to three times what lives. A VM under load
	// then has 12 to 13 MiB of linear memory.
	// Measured in Envoy on such bodies, of about 500 µs CPU per request: 100
	// costs 33 µs more, 400 saves 15 µs and takes 4 MiB more, 800 saves 22 µs
	// and takes 25 MiB more. On small bodies the collector is in the noise.
	gcPercent = 200

	// memoryLimit, in bytes, is half of what Envoy gives a VM: a heap that would
	// grow beyond is collected more often instead. A limit near what usually
	// lives costs CPU (12 MiB: 9 µs on the same bodies) and, where it is
	// exceeded, up to half of all time or more; so this one is far above.
	memoryLimit = 512 << 20

	// yieldEvery is how many callbacks the collector waits at most for its turn.
	// Yielding costs 0.6 µs.
	yieldEvery = 1024
)

var callbacks uint

// yield lets the collector's own goroutine run now and then. In wasm nothing
// preempts a callback, and callbacks never wait, so without this the collector
// lives on the help of those who allocate. The runtime suspends that help when
// collecting takes more than half of the time, to let the program get on; the
// cycle then never ends, and the heap grows until the host kills the VM (seen:
// 500 MiB after 40,000 requests, with a memory limit near what lived).
func yield() {
	callbacks++
	if callbacks%yieldEvery == 0 {
		runtime.Gosched()
	}
}
