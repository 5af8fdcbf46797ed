package hosttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// RuntimeConfig configures the WebAssembly runtime.
type RuntimeConfig struct {
	// CacheDir keeps compiled code between processes; "" compiles anew (1.4 s for a 3 MB module).
	CacheDir string
	// MemoryLimitPages bounds the linear memory of each VM, in pages of 64 KiB; 0 is 4 GiB.
	MemoryLimitPages uint32
}

// Runtime compiles modules. Its modules may be used by many hosts at the same time.
type Runtime struct {
	rt    wazero.Runtime
	cache wazero.CompilationCache
}

// NewRuntime starts a runtime.
func NewRuntime(ctx context.Context, cfg RuntimeConfig) (*Runtime, error) {
	rc := wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(false)
	if cfg.MemoryLimitPages > 0 {
		rc = rc.WithMemoryLimitPages(cfg.MemoryLimitPages)
	}
	r := &Runtime{}
	if cfg.CacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(cfg.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("hosttest: cache: %w", err)
		}
		r.cache = cache
		rc = rc.WithCompilationCache(cache)
	}
	r.rt = wazero.NewRuntimeWithConfig(ctx, rc)
	if err := r.link(ctx); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return r, nil
}

// link provides WASI under both of its names, and the proxy's calls.
func (r *Runtime) link(ctx context.Context) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r.rt); err != nil {
		return err
	}
	old := r.rt.NewHostModuleBuilder("wasi_unstable")
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(old)
	if _, err := old.Instantiate(ctx); err != nil {
		return err
	}
	env := r.rt.NewHostModuleBuilder("env")
	for _, f := range hostFunctions {
		f.export(env)
	}
	_, err := env.Instantiate(ctx)
	return err
}

// Close frees the runtime and every VM made of its modules.
func (r *Runtime) Close(ctx context.Context) error {
	err := r.rt.Close(ctx)
	if r.cache != nil {
		err = errors.Join(err, r.cache.Close(ctx))
	}
	return err
}

// Compile checks and compiles a module. It fails for what no proxy would load: invalid code, an
// import that no host has, a missing allocator, an ABI other than 0.2.x.
func (r *Runtime) Compile(ctx context.Context, code []byte) (Module, error) {
	compiled, err := r.rt.CompileModule(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("hosttest: compile: %w", err)
	}
	m := &wasmModule{runtime: r, compiled: compiled}
	if err := m.inspect(); err != nil {
		return nil, errors.Join(err, compiled.Close(ctx))
	}
	return m, nil
}

type wasmModule struct {
	runtime          *Runtime
	compiled         wazero.CompiledModule
	imports, exports []string
}

func (m *wasmModule) Imports() []string { return slices.Clone(m.imports) }
func (m *wasmModule) Exports() []string { return slices.Clone(m.exports) }

func (m *wasmModule) inspect() error {
	for _, f := range m.compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		if module != "env" {
			continue
		}
		m.imports = append(m.imports, name)
		if _, known := hostFunctionNames[name]; !known {
			return fmt.Errorf("hosttest: import env.%s: no such host call", name)
		}
	}
	for name := range m.compiled.ExportedFunctions() {
		m.exports = append(m.exports, name)
	}
	slices.Sort(m.imports)
	slices.Sort(m.exports)
	has := func(name string) bool { return slices.Contains(m.exports, name) }
	switch {
	case !has("malloc") && !has("proxy_on_memory_allocate"):
		return errors.New("hosttest: the module exports neither malloc nor proxy_on_memory_allocate")
	case !has("proxy_abi_version_0_2_0") && !has("proxy_abi_version_0_2_1"):
		return errors.New("hosttest: the module does not export proxy_abi_version_0_2_0 or _0_2_1")
	}
	return nil
}

type guestKey struct{}

// wasmGuest is an instance of a compiled module.
type wasmGuest struct {
	ctx     context.Context
	calls   Calls
	module  api.Module
	memory  api.Memory
	alloc   api.Function
	exports [callbackCount]api.Function
	stack   [8]uint64
	arg     [1]uint64
	scratch []byte
	err     error
}

func (m *wasmModule) start(e instanceEnv) (Guest, error) {
	g := &wasmGuest{calls: e.calls}
	g.ctx = context.WithValue(context.Background(), guestKey{}, g)
	module, err := m.runtime.rt.InstantiateModule(g.ctx, m.compiled, m.config(e))
	if err != nil {
		return nil, err
	}
	g.module, g.memory = module, module.Memory()
	if g.memory == nil {
		return nil, errors.Join(errors.New("hosttest: the module has no memory"), module.Close(g.ctx))
	}
	g.alloc = module.ExportedFunction("malloc")
	if g.alloc == nil {
		g.alloc = module.ExportedFunction("proxy_on_memory_allocate")
	}
	for cb := range g.exports {
		g.exports[cb] = module.ExportedFunction("proxy_" + Callback(cb).String())
	}
	if err := g.initialize(); err != nil {
		return nil, errors.Join(err, module.Close(g.ctx))
	}
	return g, nil
}

// initialize runs a reactor's _initialize and main, or a command's _start (cpp-host: startVm).
func (g *wasmGuest) initialize() error {
	names := []string{"_start"}
	if g.module.ExportedFunction("_initialize") != nil {
		names = []string{"_initialize", "main", "__main_void"}
	}
	for i, name := range names {
		f := g.module.ExportedFunction(name)
		if f == nil {
			continue
		}
		args := make([]uint64, len(f.Definition().ParamTypes()))
		if _, err := f.Call(g.ctx, args...); err != nil {
			return fmt.Errorf("hosttest: %s: %w", name, err)
		}
		if i == 1 {
			break
		}
	}
	return nil
}

func (m *wasmModule) config(e instanceEnv) wazero.ModuleConfig {
	t := &wasiTime{clock: e.clock, start: e.clock.Now()}
	random := e.rand
	if random == nil {
		random = rand.Reader
	}
	c := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithWalltime(t.wall, sys.ClockResolution(time.Nanosecond)).
		WithNanotime(t.nano, sys.ClockResolution(time.Nanosecond)).
		WithNanosleep(t.sleep).
		WithRandSource(random).
		WithStdout(&lineWriter{print: e.print, level: LogInfo}).
		WithStderr(&lineWriter{print: e.print, level: LogError})
	for _, k := range sortedKeys(e.env) {
		c = c.WithEnv(k, e.env[k])
	}
	return c
}

// wasiTime is the host's clock behind WASI. A guest that sleeps moves only its own monotonic time:
// a worker never blocks.
type wasiTime struct {
	clock Clock
	start time.Time
	slept int64
}

func (t *wasiTime) wall() (int64, int32) {
	now := t.clock.Now()
	return now.Unix(), int32(now.Nanosecond())
}

func (t *wasiTime) nano() int64    { return int64(t.clock.Now().Sub(t.start)) + t.slept + 1 }
func (t *wasiTime) sleep(ns int64) { t.slept += ns }

// lineWriter turns what a module prints into log lines, as hosts do.
type lineWriter struct {
	print func(LogLevel, string)
	level LogLevel
}

func (w *lineWriter) Write(p []byte) (int, error) {
	if s := strings.TrimSuffix(string(p), "\n"); s != "" {
		w.print(w.level, s)
	}
	return len(p), nil
}

func (g *wasmGuest) Trap() error         { return g.err }
func (g *wasmGuest) Close() error        { return g.module.Close(g.ctx) }
func (g *wasmGuest) MemoryBytes() uint64 { return uint64(g.memory.Size()) }

// call runs an export; absent ones answer missing.
func (g *wasmGuest) call(cb Callback, missing uint32, args ...uint32) uint32 {
	f := g.exports[cb]
	if f == nil || g.err != nil {
		return missing
	}
	for i, a := range args {
		g.stack[i] = uint64(a)
	}
	if err := f.CallWithStack(g.ctx, g.stack[:]); err != nil {
		g.err = err
		return missing
	}
	return uint32(g.stack[0])
}

func (g *wasmGuest) OnContextCreate(ctx, parent uint32) {
	g.call(CallbackContextCreate, 0, ctx, parent)
}
func (g *wasmGuest) OnVMStart(root, size uint32) bool {
	return g.call(CallbackVMStart, 1, root, size) != 0
}
func (g *wasmGuest) OnConfigure(root, size uint32) bool {
	return g.call(CallbackConfigure, 1, root, size) != 0
}
func (g *wasmGuest) OnTick(root uint32) { g.call(CallbackTick, 0, root) }

func (g *wasmGuest) OnRequestHeaders(ctx, n uint32, eos bool) Action {
	return Action(g.call(CallbackRequestHeaders, 0, ctx, n, bit(eos)))
}

func (g *wasmGuest) OnRequestBody(ctx, n uint32, eos bool) Action {
	return Action(g.call(CallbackRequestBody, 0, ctx, n, bit(eos)))
}

func (g *wasmGuest) OnRequestTrailers(ctx, n uint32) Action {
	return Action(g.call(CallbackRequestTrailers, 0, ctx, n))
}

func (g *wasmGuest) OnResponseHeaders(ctx, n uint32, eos bool) Action {
	return Action(g.call(CallbackResponseHeaders, 0, ctx, n, bit(eos)))
}

func (g *wasmGuest) OnResponseBody(ctx, n uint32, eos bool) Action {
	return Action(g.call(CallbackResponseBody, 0, ctx, n, bit(eos)))
}

func (g *wasmGuest) OnResponseTrailers(ctx, n uint32) Action {
	return Action(g.call(CallbackResponseTrailers, 0, ctx, n))
}

func (g *wasmGuest) OnHTTPCallResponse(root, token, headers, body, trailers uint32) {
	g.call(CallbackHTTPCallResponse, 0, root, token, headers, body, trailers)
}

func (g *wasmGuest) OnQueueReady(root, token uint32) { g.call(CallbackQueueReady, 0, root, token) }
func (g *wasmGuest) OnForeignFunction(ctx, f, n uint32) {
	g.call(CallbackForeignFunction, 0, ctx, f, n)
}
func (g *wasmGuest) OnDone(ctx uint32) bool { return g.call(CallbackDone, 1, ctx) != 0 }
func (g *wasmGuest) OnLog(ctx uint32)       { g.call(CallbackLog, 0, ctx) }
func (g *wasmGuest) OnDelete(ctx uint32)    { g.call(CallbackDelete, 0, ctx) }

// read is a view of guest memory, valid until the guest runs again.
func (g *wasmGuest) read(ptr, size uint64) ([]byte, bool) {
	return g.memory.Read(uint32(ptr), uint32(size))
}

// give copies b into memory that the guest allocates and writes its address and size.
func (g *wasmGuest) give(b []byte, ptrPtr, sizePtr uint64) Status {
	var ptr uint32
	if len(b) > 0 {
		var ok bool
		if ptr, ok = g.allocate(uint32(len(b))); !ok || !g.memory.Write(ptr, b) {
			return StatusInvalidMemoryAccess
		}
	}
	if !g.memory.WriteUint32Le(uint32(ptrPtr), ptr) || !g.memory.WriteUint32Le(uint32(sizePtr), uint32(len(b))) {
		return StatusInvalidMemoryAccess
	}
	return StatusOK
}

func (g *wasmGuest) giveString(s string, ptrPtr, sizePtr uint64) Status {
	g.scratch = append(g.scratch[:0], s...)
	return g.give(g.scratch, ptrPtr, sizePtr)
}

func (g *wasmGuest) givePairs(pairs [][2]string, ptrPtr, sizePtr uint64) Status {
	if len(pairs) == 0 {
		return g.give(nil, ptrPtr, sizePtr)
	}
	g.scratch = appendPairs(g.scratch[:0], pairs)
	return g.give(g.scratch, ptrPtr, sizePtr)
}

func (g *wasmGuest) allocate(size uint32) (uint32, bool) {
	if m, ok := g.calls.(memoryFaults); ok && m.outOfMemory() {
		return 0, false
	}
	g.arg[0] = uint64(size)
	if err := g.alloc.CallWithStack(g.ctx, g.arg[:]); err != nil {
		return 0, false
	}
	return uint32(g.arg[0]), g.arg[0] != 0
}

// memoryFaults is how calls tell a wasm guest that its allocator must fail.
type memoryFaults interface{ outOfMemory() bool }

func (c *calls) outOfMemory() bool { return c.vm.host.faults.outOfMemory() }
