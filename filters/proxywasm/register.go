package proxywasm

import (
	"errors"

	"github.com/posterngw/postern/filters/host"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// Register names what makes a plugin. The module calls it once, from an init
// function: a host calls main in no standard Go module. newPlugin runs for
// every plugin configuration that a host loads into the VM, and again when a
// configuration changes; vm is the same for all.
func Register(newPlugin func(vm host.VM) host.Plugin) {
	bindSDK()
	proxywasm.SetVMContext(&vmContext{newPlugin: newPlugin})
}

// Observe is Register for a module that only observes: a stream that no stage can
// serve goes on, where one that nobody checks must not.
func Observe(newPlugin func(vm host.VM) host.Plugin) {
	observing = true
	Register(newPlugin)
}

// observing says that nothing of the module may stop a stream.
var observing bool

// plugins are the plugin configurations, by the id of their context.
var plugins = map[uint32]*plugin{}

// vmContext makes plugins for the SDK.
type vmContext struct {
	types.DefaultVMContext
	newPlugin func(host.VM) host.Plugin
}

func (c *vmContext) NewPluginContext(id uint32) types.PluginContext {
	p := &plugin{Plugin: c.newPlugin(machine)}
	plugins[id] = p
	return p
}

// plugin is one plugin configuration.
type plugin struct {
	types.DefaultPluginContext
	host.Plugin
}

var _ types.PluginContext = (*plugin)(nil)

// OnPluginStart reads the configuration.
func (p *plugin) OnPluginStart(int) types.OnPluginStartStatus {
	raw, err := proxywasm.GetPluginConfiguration()
	if err != nil && !errors.Is(err, types.ErrorStatusNotFound) {
		machine.Log(host.Critical, "plugin configuration: "+err.Error())
		return types.OnPluginStartStatusFailed
	}
	if !p.Configure(raw) {
		return types.OnPluginStartStatusFailed
	}
	return types.OnPluginStartStatusOK
}

func (p *plugin) OnTick() { p.Tick() }
