package hosttest

import (
	"cmp"
	"fmt"
	"slices"
)

// LogLine is one line that a module logged, or that the host says about it.
type LogLine struct {
	Level   LogLevel
	Plugin  string
	Context uint32 // 0 when none was running
	Text    string
}

// String prints the line as "info plugin[3]: text".
func (l LogLine) String() string {
	return fmt.Sprintf("%s %s[%d]: %s", l.Level, l.Plugin, l.Context, l.Text)
}

// maxLines bounds the log lines and trace events that a host keeps: the oldest half goes.
const maxLines = 65536

func (h *Host) log(level LogLevel, vm *VM, ctx *vmContext, text string) {
	if level < h.cfg.LogLevel {
		return
	}
	l := LogLine{Level: level, Plugin: vm.first.Name, Text: text}
	if ctx != nil {
		l.Plugin, l.Context = ctx.plugin.Name, ctx.id
	}
	if h.cfg.Log != nil {
		h.cfg.Log(l)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(dropOld(h.lines), l)
}

func (h *Host) logHost(level LogLevel, vm *VM, text string) {
	h.stats.Traps.Add(1)
	h.log(level, vm, nil, "vm failed: "+text)
}

func dropOld[T any](list []T) []T {
	if len(list) < maxLines {
		return list
	}
	return append(list[:0], list[maxLines/2:]...)
}

// Logs are the lines kept so far.
func (h *Host) Logs() []LogLine {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lines)
}

// TraceEvent is one callback that was called.
type TraceEvent struct {
	Callback Callback
	Plugin   string
	Stage    Stage
	Stream   uint32 // 0 for root contexts
	Context  uint32
	Args     Args
	Result   uint32 // the Action of a stream callback
}

// String prints the event as "upstream on_request_headers(9 1)=1".
func (e TraceEvent) String() string {
	return fmt.Sprintf("%s %s(%d %d)=%d", e.Stage, e.Callback, e.Args[0], e.Args[1], e.Result)
}

// Trace are the callbacks of step-level streams and of root contexts, in order.
func (h *Host) Trace() []TraceEvent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.trace)
}

// TraceOf are the callbacks of one stream, its attempts included.
func (h *Host) TraceOf(s *Stream) []TraceEvent {
	return slices.DeleteFunc(h.Trace(), func(e TraceEvent) bool { return e.Stream != s.id })
}

func (c *vmContext) record(cb Callback, a Args, result uint32) {
	h := c.vm.host
	if !h.tracing.Load() {
		return
	}
	e := TraceEvent{Callback: cb, Plugin: c.plugin.Name, Stage: c.plugin.stage, Context: c.id, Args: a, Result: result}
	if f := c.filter; f != nil {
		if f.chain.stream.rec == nil {
			return
		}
		e.Stream = f.chain.stream.id
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trace = append(dropOld(h.trace), e)
}

// Misuse lists what a module did that a real host would answer with a crash or an undefined state.
func (h *Host) Misuse() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.misuse)
}

func (h *Host) misused(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.misuse = append(dropOld(h.misuse), what)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
