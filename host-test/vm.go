package hosttest

import (
	"errors"
	"fmt"
	"time"
)

// VM is one instance of a module on one worker. Filters with the same vm_id, module and VM
// configuration share it. Everything in it runs under the worker's lock.
type VM struct {
	host   *Host
	worker *worker
	id     string // vm_id
	first  *plugin
	guest  Guest
	err    error // set once: the instance is dead

	contexts map[uint32]*vmContext
	nextID   uint32
	nextCall uint32

	current   *vmContext // nil outside of callbacks
	effective uint32     // 0: the current one
	stopped   bool       // a local response was sent in this callback
	trapped   bool       // the callback trapped, on a host that goes on
	starting  bool       // in _initialize: only logging, time and environment
	after     []func()   // to do once the running callback has returned

	metricIDs map[uint32]*metric
	nextIDs   [3]uint32
	calls     *calls
}

// vmContext is a context of the guest: a root context (one per plugin) or a stream context.
type vmContext struct {
	vm      *VM
	id      uint32
	root    *vmContext // itself for a root
	plugin  *plugin
	filter  *httpFilter // nil for a root
	created bool        // on_context_create was called

	configured  bool // on_configure has accepted
	configuring bool // the plugin configuration is readable
	callData    []byte

	// Roots only.
	answer  *calloutAnswer // the callout being delivered
	period  time.Duration
	ticker  Timer
	pending map[uint32]*Callout
}

// errTrap is the cause when a native guest panicked.
var errTrap = errors.New("trap")

func newVM(w *worker, p *plugin) (*VM, error) {
	vm := &VM{
		host: w.host, worker: w, id: p.VMID, first: p,
		contexts: map[uint32]*vmContext{}, nextID: 1, nextCall: 1, metricIDs: map[uint32]*metric{},
	}
	vm.calls = &calls{vm: vm}
	vm.starting = true
	zero := &vmContext{vm: vm, plugin: p}
	zero.root = zero
	vm.contexts[0] = zero
	vm.current = zero
	guest, err := p.Module.start(vm.environment(p))
	vm.current, vm.starting = nil, false
	if err == nil && vm.err != nil {
		err = errors.Join(vm.err, guest.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("hosttest: load %s: %w", p.Name, err)
	}
	vm.guest = guest
	return vm, nil
}

// MemoryBytes is the size of the module's linear memory; 0 for a native or a dead guest.
func (vm *VM) MemoryBytes() uint64 {
	vm.worker.lock()
	defer vm.worker.unlock()
	if r, ok := vm.guest.(MemoryReporter); ok && vm.err == nil {
		return r.MemoryBytes()
	}
	return 0
}

// Err says why the instance is dead, nil while it lives.
func (vm *VM) Err() error {
	vm.worker.lock()
	defer vm.worker.unlock()
	return vm.err
}

// ID is the vm_id.
func (vm *VM) ID() string { return vm.id }

// Contexts is the number of live contexts, roots included.
func (vm *VM) Contexts() int {
	vm.worker.lock()
	defer vm.worker.unlock()
	return len(vm.contexts) - 1
}

func (vm *VM) newContext(p *plugin, root *vmContext) *vmContext {
	c := &vmContext{vm: vm, id: vm.nextID, plugin: p, root: root}
	if root == nil {
		c.root = c
		c.pending = map[uint32]*Callout{}
	}
	vm.nextID++
	vm.contexts[c.id] = c
	return c
}

// failed says that nothing of this VM may be called any more.
func (c *vmContext) failed() bool { return c == nil || c.vm.err != nil }

// create announces the context to the guest, once.
func (c *vmContext) create() {
	if c.failed() || c.created {
		return
	}
	c.created = true
	parent := uint32(0)
	if c.root != c {
		parent = c.root.id
	}
	c.invoke(CallbackContextCreate, Args{parent})
	c.vm.leave()
}

// invoke runs one callback on this context and traps the VM when it dies. The caller calls leave
// when it has judged the result (cpp-host: DeferAfterCallActions).
func (c *vmContext) invoke(cb Callback, a Args) uint32 {
	vm := c.vm
	if vm.err != nil {
		return 0
	}
	current, effective := vm.current, vm.effective
	vm.current, vm.effective = c, 0
	result, err := vm.run(cb, c.id, a)
	vm.current, vm.effective = current, effective
	if err != nil && c.plugin.rules.survivesTraps {
		vm.trapped = true
		vm.host.logHost(LogError, vm, fmt.Errorf("%s: %w", cb, err).Error())
	} else if err != nil {
		vm.fail(fmt.Errorf("%s: %w", cb, err))
	}
	c.record(cb, a, result)
	return result
}

func (vm *VM) run(cb Callback, id uint32, a Args) (result uint32, err error) {
	if vm.host.faults.trap(cb) {
		return 0, fmt.Errorf("%w: injected", errTrap)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errTrap, r)
		}
	}()
	result = dispatch(vm.guest, cb, id, a)
	if t, ok := vm.guest.(Trapper); ok {
		err = t.Trap()
	}
	return result, err
}

// leave ends a callback: what it deferred (continue, local reply, reset) happens now.
func (vm *VM) leave() {
	vm.stopped = false
	for len(vm.after) > 0 && vm.current == nil {
		f := vm.after[0]
		vm.after[0] = nil
		vm.after = vm.after[1:]
		f()
	}
	if len(vm.after) == 0 {
		vm.after = vm.after[:0:cap(vm.after)]
	}
}

func (vm *VM) defer_(f func()) { vm.after = append(vm.after, f) }

// fail kills the VM. Its streams notice at their next event, as in Envoy.
func (vm *VM) fail(err error) {
	if vm.err != nil {
		return
	}
	vm.err = err
	if vm.guest != nil {
		vm.worker.forget(vm)
	}
	vm.host.logHost(LogCritical, vm, err.Error())
	for _, c := range vm.contexts {
		c.stopTicker()
	}
}

// crash is a bug of the emulated host that takes the worker down with it.
func (vm *VM) crash(err error) {
	vm.host.misused(err.Error())
	vm.worker.crashed = true
	vm.fail(err)
	vm.worker.post(vm.worker.restart)
}

func (vm *VM) close() error {
	for _, c := range vm.contexts {
		c.stopTicker()
	}
	return vm.guest.Close()
}

// start announces a root context: on_context_create, on_vm_start, then on_configure. With late
// configuration (APISIX) the configuration waits for the first request.
func (c *vmContext) start() error {
	rules := c.plugin.rules
	if rules.configureLate {
		return c.vm.err
	}
	c.create()
	if !rules.noVMStart {
		started := c.invoke(CallbackVMStart, Args{uint32(len(c.plugin.VMConfig))}) != 0
		c.vm.leave()
		if c.vm.err != nil {
			return c.vm.err
		}
		if !started {
			return fmt.Errorf("hosttest: %s: on_vm_start refused", c.plugin.Name)
		}
	}
	return c.configure()
}

func (c *vmContext) configure() error {
	c.create()
	c.configuring = true
	ok := c.invoke(CallbackConfigure, Args{uint32(len(c.plugin.Config))}) != 0
	c.configuring = false
	c.vm.leave()
	if c.vm.err != nil {
		return c.vm.err
	}
	if !ok {
		return fmt.Errorf("hosttest: %s: on_configure refused the configuration", c.plugin.Name)
	}
	c.configured = true
	return nil
}

// remove ends the context: nothing finds it any more.
func (c *vmContext) remove() { delete(c.vm.contexts, c.id) }

// environment is what an instance is started with.
func (vm *VM) environment(p *plugin) instanceEnv {
	return instanceEnv{
		calls: vm.calls, env: p.Env, clock: vm.host.clock, rand: vm.host.cfg.Rand,
		print: func(level LogLevel, s string) { vm.calls.Log(level, s) },
	}
}
