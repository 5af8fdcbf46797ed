package proxywasm

import "runtime"

var memory runtime.MemStats // not on the stack: it is some KiB

// Memory is what the Go runtime has taken of the linear memory, which is all of
// it but the program's data. The host's calls cannot say it.
func (v *vm) Memory() uint64 {
	runtime.ReadMemStats(&memory)
	return memory.Sys
}
