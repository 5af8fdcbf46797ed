// Command postern is the module: a proxy-wasm reactor that hosts load as
// build/postern.wasm. It joins the pipeline to the binding and holds no logic.
package main

import (
	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/proxywasm"
)

// module is the VM's only one: every plugin that the host configures is a part
// of it, which is how the two stages of a request find the same state.
var module *pipeline.Module

func init() {
	proxywasm.Register(func(vm pipeline.VM) pipeline.Plugin {
		if module == nil {
			module = pipeline.New(vm, builtin.Dialects())
		}
		return module.Plugin()
	})
}

// main never runs: a reactor is set up by its init functions.
func main() {}
