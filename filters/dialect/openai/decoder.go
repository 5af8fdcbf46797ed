package openai

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// decoder reads a stream.
type decoder struct {
	frames sse.Framer
	chunks chunks
}

// NewDecoder reads a streamed answer.
func (*provider) NewDecoder(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	d := &decoder{frames: *sse.NewFramer(sse.Limits{Read: true, Event: lim.Event}), chunks: newChunks(lim)}
	return d
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) {
	d.frames.Feed(chunk)
	for ev, ok := d.frames.Next(); ok; ev, ok = d.frames.Next() {
		d.event(&ev, emit)
	}
}

func (d *decoder) event(ev *sse.Event, emit func(*llm.Event)) {
	if ev.Data == nil && !d.chunks.ended {
		d.chunks.ev = llm.Event{Kind: llm.Ping}
		emit(&d.chunks.ev)
		return
	}
	d.chunks.read(ev.Data, emit)
}

// Close takes a last event without its blank line if it is whole.
func (d *decoder) Close(emit func(*llm.Event)) {
	if ev, ok := d.frames.Close(); ok && whole(ev.Data) {
		d.event(&ev, emit)
	}
	d.chunks.stop(emit)
}

func (d *decoder) Overflowed() int { return d.frames.Overflowed() }

// whole reports whether the data of an event that lacks its end is all there.
func whole(data []byte) bool {
	data = bytes.TrimSpace(data)
	return bytes.Equal(data, done) || jsonx.Valid(data, jsonx.Limits{}) == nil
}
