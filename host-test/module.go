package hosttest

import (
	"io"
)

// Module is code that can be instantiated: a compiled WebAssembly module (Runtime.Compile) or Go
// code (NativeGuest). Two filters share a VM only if they have the same Module value.
type Module interface {
	// Imports are the names that the module takes from "env", sorted; nil for native code.
	Imports() []string
	// Exports are the functions that the module exports, sorted; nil for native code.
	Exports() []string

	start(instanceEnv) (Guest, error)
}

// instanceEnv is what an instance gets from its VM.
type instanceEnv struct {
	calls Calls
	env   map[string]string
	clock Clock
	rand  io.Reader
	print func(LogLevel, string)
}

type nativeModule struct {
	make func(Calls) Guest
}

// NativeGuest makes a module of Go code: make is called once per VM. Such a module behaves as a
// WebAssembly one does, without its memory limits; a panic is a trap.
func NativeGuest(make func(Calls) Guest) Module { return &nativeModule{make: make} }

func (*nativeModule) Imports() []string { return nil }
func (*nativeModule) Exports() []string { return nil }

func (m *nativeModule) start(e instanceEnv) (g Guest, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errTrap
		}
	}()
	return m.make(e.calls), nil
}
