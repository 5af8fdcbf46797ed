package hosttest

import (
	"fmt"
	"slices"
	"strings"
)

// TB is the part of testing.TB that the assertions need.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Healthy asserts that no VM died, none failed to reload, and no module did what would crash a real
// host.
func Healthy(t TB, h *Host) {
	t.Helper()
	if n := h.stats.Traps.Load(); n > 0 {
		t.Errorf("%d VMs died: %s", n, lastLine(h, LogCritical))
	}
	if n := h.stats.ReloadFailures.Load(); n > 0 {
		t.Errorf("%d VMs could not be reloaded", n)
	}
	for _, m := range h.Misuse() {
		t.Errorf("misuse: %s", m)
	}
}

func lastLine(h *Host, level LogLevel) string {
	lines := h.Logs()
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i].Level == level {
			return lines[i].String()
		}
	}
	return ""
}

// NoLeaks asserts that no stream is open and that every VM holds nothing but its root contexts.
func NoLeaks(t TB, h *Host) {
	t.Helper()
	for _, w := range h.workers {
		w.lock()
		open, left := len(w.streams), 0
		for _, vm := range w.vms {
			for _, c := range vm.contexts {
				if c.root != c {
					left++
				}
			}
		}
		w.unlock()
		if open > 0 || left > 0 {
			t.Errorf("worker %d: %d open streams, %d contexts left", w.index, open, left)
		}
	}
}

// Answered asserts that the client has a complete answer with this status and body.
func Answered(t TB, s *Stream, status, body string) {
	t.Helper()
	m := s.Response()
	if m.Status() != status || m.Body() != body || !m.Complete {
		t.Errorf("answer: %s, want %s %q", m, status, body)
	}
}

// Forwarded asserts what a provider has got: these headers among others, and this body.
func Forwarded(t TB, a *Attempt, headers [][2]string, body string) {
	t.Helper()
	if a == nil {
		t.Errorf("nothing was forwarded")
		return
	}
	m := a.Request()
	for _, p := range headers {
		if !slices.Contains(m.Headers.Values(p[0]), p[1]) {
			t.Errorf("forwarded %s: %q, want %q", p[0], m.Headers.Values(p[0]), p[1])
		}
	}
	if m.Body() != body {
		t.Errorf("forwarded body %q, want %q", m.Body(), body)
	}
	if tail := a.Smuggled(); tail != "" {
		t.Errorf("the provider takes %q for its next request", tail)
	}
}

// Logged asserts that a line of at least this level contains the text.
func Logged(t TB, h *Host, level LogLevel, text string) {
	t.Helper()
	for _, l := range h.Logs() {
		if l.Level >= level && strings.Contains(l.Text, text) {
			return
		}
	}
	t.Errorf("no line of level %s contains %q", level, text)
}

// Counted asserts the value of a counter or gauge, or the number of a histogram's samples.
func Counted(t TB, h *Host, name string, want uint64) {
	t.Helper()
	m, ok := h.Metric(name)
	got := m.Value
	if m.Type == Histogram {
		got = m.Count
	}
	if !ok || got != want {
		t.Errorf("metric %s: %d (defined: %v), want %d", name, got, ok, want)
	}
}

// Lifecycles asserts that every context of the stream lived as hosts promise: created first, no
// callback after delete, done and delete at most once and in this order, and both once the stream
// has ended (unless its VM died).
func Lifecycles(t TB, h *Host, s *Stream) {
	t.Helper()
	for _, problem := range lifecycleProblems(h.TraceOf(s), s.Ended() && h.stats.Traps.Load() == 0) {
		t.Errorf("%s", problem)
	}
}

func lifecycleProblems(events []TraceEvent, ended bool) (problems []string) {
	type life struct{ created, done, deleted bool }
	lives := map[uint32]*life{}
	for _, e := range events {
		l := lives[e.Context]
		if l == nil {
			l = &life{}
			lives[e.Context] = l
		}
		ok := l.created && !l.deleted
		switch e.Callback {
		case CallbackContextCreate:
			ok, l.created = !l.created, true
		case CallbackDone:
			ok, l.done = ok && !l.done, true
		case CallbackDelete:
			ok, l.deleted = ok && l.done, true
		default:
			ok = ok && !l.done
		}
		if !ok {
			problems = append(problems, fmt.Sprintf("context %d: %s out of order", e.Context, e))
		}
	}
	for id, l := range lives {
		if ended && !l.deleted {
			problems = append(problems, fmt.Sprintf("context %d was never deleted", id))
		}
	}
	return problems
}

// String prints what has left: "200 (12 bytes in 3 chunks, complete)".
func (m Message) String() string {
	state := "incomplete"
	switch {
	case m.Broken != "":
		state = "cut: " + m.Broken
	case m.Complete:
		state = "complete"
	}
	return fmt.Sprintf("%s %q (%d chunks, %s)", m.Status(), m.Body(), len(m.Chunks), state)
}
