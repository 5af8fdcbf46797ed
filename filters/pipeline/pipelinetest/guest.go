// Package pipelinetest runs the pipeline as native Go code on the emulated
// proxies of package hosttest, so that every behaviour is tested twice over the
// very same proxy: here, where a debugger and a fuzzer reach, and through the
// built module.
//
// It is for tests only and is not part of the module.
package pipelinetest

import (
	"slices"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
)

// Guest adapts a module to a host. make is called once per VM, and what it
// returns for each plugin.
func Guest(make func(pipeline.VM) func() pipeline.Plugin) func(hosttest.Calls) hosttest.Guest {
	return func(calls hosttest.Calls) hosttest.Guest {
		g := &guest{calls: calls, plugins: map[uint32]pipeline.Plugin{}, streams: map[uint32]*stream{}, callouts: map[uint32]func(*pipeline.CalloutAnswer){}}
		g.vm = &vm{g}
		g.make = make
		return g
	}
}

type guest struct {
	hosttest.BaseGuest
	calls    hosttest.Calls
	vm       *vm
	make     func(pipeline.VM) func() pipeline.Plugin
	plugin   func() pipeline.Plugin
	root     uint32 // the plugin whose callback runs
	plugins  map[uint32]pipeline.Plugin
	streams  map[uint32]*stream
	callouts map[uint32]func(*pipeline.CalloutAnswer)
}

// Stream is a stream of the emulated proxy as the pipeline sees it.
func Stream(calls hosttest.Calls, ctx uint32) pipeline.Stream {
	return &stream{g: &guest{calls: calls}, ctx: ctx}
}

func (g *guest) OnContextCreate(ctx, parent uint32) {
	if parent == 0 {
		if g.plugin == nil { // not before: a module that loads may call nothing
			g.plugin = g.make(g.vm)
		}
		g.plugins[ctx] = g.plugin()
		return
	}
	s := &stream{g: g, ctx: ctx, root: parent}
	s.callbacks = g.plugins[parent].Stream(s)
	g.streams[ctx] = s
}

func (g *guest) OnConfigure(root, _ uint32) bool {
	raw, _ := g.calls.Buffer(hosttest.PluginConfiguration, 0, 1<<30)
	g.root = root
	return g.plugins[root].Configure(append([]byte(nil), raw...))
}

func (g *guest) OnTick(root uint32) {
	g.root = root
	g.plugins[root].Tick()
}

// run calls one callback of a stream, containing a panic as the module does.
func (g *guest) run(ctx uint32, f func(pipeline.Callbacks) pipeline.Action) (a hosttest.Action) {
	s := g.streams[ctx]
	if s == nil {
		return hosttest.Continue
	}
	g.root = s.root
	defer func() {
		if cause := recover(); cause != nil {
			text, _ := cause.(string)
			if err, ok := cause.(error); ok {
				text = err.Error()
			}
			a = action(s.callbacks.Recovered(text))
		}
	}()
	return action(f(s.callbacks))
}

func action(a pipeline.Action) hosttest.Action {
	if a == pipeline.Pause {
		return hosttest.Pause
	}
	return hosttest.Continue
}

func (g *guest) OnRequestHeaders(ctx, _ uint32, end bool) hosttest.Action {
	return g.run(ctx, func(c pipeline.Callbacks) pipeline.Action { return c.RequestHeaders(end) })
}

func (g *guest) OnRequestBody(ctx, size uint32, end bool) hosttest.Action {
	return g.run(ctx, func(c pipeline.Callbacks) pipeline.Action { return c.RequestBody(int(size), end) })
}

func (g *guest) OnRequestTrailers(ctx, _ uint32) hosttest.Action {
	return g.run(ctx, pipeline.Callbacks.RequestTrailers)
}

func (g *guest) OnResponseHeaders(ctx, _ uint32, end bool) hosttest.Action {
	return g.run(ctx, func(c pipeline.Callbacks) pipeline.Action { return c.ResponseHeaders(end) })
}

func (g *guest) OnResponseBody(ctx, size uint32, end bool) hosttest.Action {
	return g.run(ctx, func(c pipeline.Callbacks) pipeline.Action { return c.ResponseBody(int(size), end) })
}

func (g *guest) OnResponseTrailers(ctx, _ uint32) hosttest.Action {
	return g.run(ctx, pipeline.Callbacks.ResponseTrailers)
}

func (g *guest) OnLog(ctx uint32) { g.done(ctx) }

func (g *guest) OnDone(ctx uint32) bool {
	g.done(ctx)
	return true
}

func (g *guest) OnDelete(ctx uint32) {
	g.done(ctx)
	delete(g.streams, ctx)
	delete(g.plugins, ctx)
}

func (g *guest) done(ctx uint32) {
	g.run(ctx, func(c pipeline.Callbacks) pipeline.Action { c.Done(); return pipeline.Continue })
}

func (g *guest) OnHTTPCallResponse(root, token, headers, bodySize, _ uint32) {
	done := g.callouts[token]
	delete(g.callouts, token)
	if g.root = root; done == nil {
		return
	}
	if headers == 0 {
		done(nil)
		return
	}
	a := &pipeline.CalloutAnswer{}
	a.Headers, _ = g.calls.HeaderPairs(hosttest.HTTPCallResponseHeaders)
	body, _ := g.calls.Buffer(hosttest.HTTPCallResponseBody, 0, bodySize)
	a.Body = append(a.Body, body...)
	for _, h := range a.Headers {
		if h[0] == ":status" {
			for _, d := range h[1] {
				a.Status = a.Status*10 + int(d-'0')
			}
		}
	}
	done(a)
}

// stream is one HTTP context.
type stream struct {
	g         *guest
	ctx, root uint32
	callbacks pipeline.Callbacks
	err       error
}

func headers(s pipeline.Side) hosttest.MapType {
	if s == pipeline.Request {
		return hosttest.RequestHeaders
	}
	return hosttest.ResponseHeaders
}

func body(s pipeline.Side) hosttest.BufferType {
	if s == pipeline.Request {
		return hosttest.RequestBody
	}
	return hosttest.ResponseBody
}

// refused is a call that the host did not do.
type refused struct {
	call   string
	status hosttest.Status
}

func (e *refused) Error() string { return e.call + ": " + e.status.String() }

// Lacking implements host.Lack as the binding does.
func (e *refused) Lacking() (call string, lacking bool) {
	return e.call, e.status == hosttest.StatusUnimplemented || e.status == hosttest.StatusNotFound && e.call == "set_property"
}

// note remembers the first failed call; what is merely absent did not fail.
func (s *stream) note(call string, st hosttest.Status) {
	if st != hosttest.StatusOK && st != hosttest.StatusNotFound && s.err == nil {
		s.err = &refused{call, st}
	}
}

func (s *stream) Headers(side pipeline.Side) [][2]string {
	pairs, st := s.g.calls.HeaderPairs(headers(side))
	s.note("header pairs", st)
	return slices.Clone(pairs) // a copy, as a module gets one
}

func (s *stream) Header(side pipeline.Side, name string) (string, bool) {
	v, st := s.g.calls.Header(headers(side), name)
	s.note("header", st)
	return v, st == hosttest.StatusOK
}

func (s *stream) SetHeader(side pipeline.Side, name, value string) {
	s.note("set header "+name, s.g.calls.ReplaceHeader(headers(side), name, value))
}

func (s *stream) RemoveHeader(side pipeline.Side, name string) {
	s.note("remove header "+name, s.g.calls.RemoveHeader(headers(side), name))
}

func (s *stream) Body(side pipeline.Side, offset, size int) []byte {
	if size <= 0 {
		return nil
	}
	b, st := s.g.calls.Buffer(body(side), uint32(offset), uint32(size))
	s.note("read body", st)
	return append([]byte(nil), b...)
}

func (s *stream) SetBody(side pipeline.Side, b []byte) {
	s.note("set_buffer_bytes", s.g.calls.SetBuffer(body(side), 0, 1<<31-1, b))
}

func (s *stream) Property(path ...string) (string, bool) {
	v, st := s.g.calls.Property(strings.Join(path, "\x00"))
	return string(v), st == hosttest.StatusOK
}

func (s *stream) SetProperty(name, value string) {
	if st := s.g.calls.SetProperty(name, []byte(value)); st == hosttest.StatusNotFound && s.err == nil {
		s.err = &refused{"set_property", st} // it is the host that lacks it
	} else {
		s.note("set_property", st)
	}
}

func (s *stream) ClearRouteCache() {
	_, st := s.g.calls.CallForeignFunction("clear_route_cache", nil)
	s.note("clear route cache", st)
}

func (s *stream) Reply(status int, headers [][2]string, body []byte, detail string) {
	s.note("reply", s.g.calls.SendLocalResponse(uint32(status), detail, body, headers, -1))
}

func (s *stream) Resume(side pipeline.Side) {
	t := hosttest.RequestStream
	if side == pipeline.Response {
		t = hosttest.ResponseStream
	}
	s.note("resume", s.g.calls.ContinueStream(t))
}

func (s *stream) Activate() { s.note("activate", s.g.calls.SetEffectiveContext(s.ctx)) }

func (s *stream) Err() error {
	err := s.err
	s.err = nil
	return err
}

// vm is the process-wide side.
type vm struct{ g *guest }

func (v *vm) Now() time.Time {
	return time.Unix(0, v.g.calls.Clock()) // as the module, by WASI
}

func (v *vm) Log(l pipeline.Level, line string) {
	levels := [...]hosttest.LogLevel{hosttest.LogDebug, hosttest.LogInfo, hosttest.LogWarn, hosttest.LogCritical}
	v.g.calls.Log(levels[l], line)
}

func (v *vm) Memory() uint64 { return 0 }

func (v *vm) Env(name string) string {
	value, _ := v.g.calls.Env(name)
	return value
}

func (v *vm) Shared(key string) ([]byte, uint32, bool) {
	value, version, st := v.g.calls.SharedData(key)
	return append([]byte(nil), value...), version, st == hosttest.StatusOK
}

func (v *vm) SetShared(key string, value []byte, version uint32) bool {
	return v.g.calls.SetSharedData(key, value, version) == hosttest.StatusOK
}

func (v *vm) TickEvery(ms uint32) bool {
	return v.g.calls.SetTickPeriod(ms) == hosttest.StatusOK
}

func (v *vm) Metric(k pipeline.MetricKind, name string) (uint32, bool) {
	kinds := [...]hosttest.MetricType{hosttest.Counter, hosttest.Gauge, hosttest.Histogram}
	id, st := v.g.calls.DefineMetric(kinds[k], name)
	return id, st == hosttest.StatusOK
}

func (v *vm) Add(id uint32, n int64)       { v.g.calls.IncrementMetric(id, n) }
func (v *vm) Record(id uint32, val uint64) { v.g.calls.RecordMetric(id, val) }

func (v *vm) Call(c pipeline.Callout, done func(*pipeline.CalloutAnswer)) error {
	token, st := v.g.calls.HTTPCall(c.Cluster, c.Headers, c.Body, nil, uint32(c.Timeout.Milliseconds()))
	if st != hosttest.StatusOK {
		return &refused{"http_call", st}
	}
	v.g.callouts[token] = done
	return nil
}
