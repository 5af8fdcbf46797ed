package passthrough

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

// NewTap watches a stream of events for usage and passes all bytes on.
func (s *same) NewTap(_ *llm.Facts, lim dialect.Limits, _ *dialect.Patch) dialect.Tap {
	return &watch{s: s, frames: *sse.NewFramer(sse.Limits{Event: lim.Event})}
}

type watch struct {
	s      *same
	frames sse.Framer
	begun  bool
	usage  llm.Usage
	ev     llm.Event
}

var usageWord = []byte(`"usage`)

// Write passes the chunk on as it came. Any event is content: what it says is
// not known.
func (w *watch) Write(chunk []byte, emit func(*llm.Event)) []byte {
	w.frames.Feed(chunk)
	for ev, ok := w.frames.Next(); ok; ev, ok = w.frames.Next() {
		if ev.Data != nil {
			w.event(ev.Data, emit)
		}
	}
	return chunk
}

func (w *watch) event(data []byte, emit func(*llm.Event)) {
	if !w.begun {
		w.begun = true
		w.ev = llm.Event{Kind: llm.Delta, Text: llm.Escaped(" ")}
		emit(&w.ev)
	}
	if !bytes.Contains(data, usageWord) {
		return
	}
	if u, ok := w.s.usage(data); ok {
		w.usage = u
		w.ev = llm.Event{Kind: llm.UsageEvent, Usage: &w.usage}
		emit(&w.ev)
	}
}

// Close ends the stream, however it came to its end.
func (w *watch) Close(emit func(*llm.Event)) []byte {
	if ev, ok := w.frames.Close(); ok && ev.Data != nil {
		w.event(ev.Data, emit)
	}
	w.ev = llm.Event{Kind: llm.End}
	emit(&w.ev)
	return nil
}

// Seen is not known: nothing is estimated.
func (w *watch) Seen() int64 { return 0 }

func (w *watch) Overflowed() int { return w.frames.Overflowed() }
