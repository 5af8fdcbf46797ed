// Command observe is a module that observes and does nothing else: a proxy-wasm
// reactor that hosts load as build/postern-observe.wasm. It is made of the parts that
// reading needs, and of no others: testdata/imports.txt lists them.
package main

import (
	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/proxywasm"
	"github.com/posterngw/postern/filters/watch"
)

// module is the VM's only one.
var module *watch.Module

func init() {
	proxywasm.Observe(func(vm host.VM) host.Plugin {
		if module == nil {
			module = watch.New(vm, builtin.Dialects())
		}
		return module.Plugin(nil)
	})
}

// main never runs: a reactor is set up by its init functions.
func main() {}
