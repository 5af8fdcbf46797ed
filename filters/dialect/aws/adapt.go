package aws

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// events turns chunks into the server-sent events that the model's own API would
// send: each has the name that its member "type" says.
type events struct {
	chunks  *Chunks
	out     []byte
	failed  bool
	metrics llm.Usage // what Bedrock counted
}

// read returns the events of a chunk of bytes, valid until the next call.
func (e *events) read(chunk []byte) []byte {
	e.out = e.out[:0]
	e.chunks.Feed(chunk)
	for data, ok := e.chunks.Next(); ok; data, ok = e.chunks.Next() {
		if m := Metrics(data); m.Known {
			e.metrics = m
		}
		kind, _ := jsonx.Lookup(data, "type")
		e.out = sse.Append(e.out, string(jsonx.Interior(kind)), data)
	}
	return e.out
}

// fail emits why there are no more events, once.
func (e *events) fail(err *llm.Error, emit func(*llm.Event)) bool {
	if err == nil || e.failed {
		return e.failed
	}
	e.failed = true
	emit(&llm.Event{Kind: llm.Failure, Err: err})
	return true
}

// decoder reads chunks with a decoder of server-sent events.
type decoder struct {
	events
	inner   dialect.Decoder
	counted bool // by the model's own API
	ended   bool
	emit    func(*llm.Event)
	take    func(*llm.Event)
}

// NewDecoder reads the chunks of a model whose own API is read by inner.
func NewDecoder(inner dialect.Decoder, lim dialect.Limits) dialect.Decoder {
	d := &decoder{events: events{chunks: NewChunks(lim)}, inner: inner}
	d.take = d.pass
	return d
}

// pass hands an event on. What the model's own API did not count Bedrock did.
func (d *decoder) pass(ev *llm.Event) {
	d.counted = d.counted || ev.Kind == llm.UsageEvent
	if ev.Kind == llm.End && !d.counted && d.metrics.Known {
		d.emit(&llm.Event{Kind: llm.UsageEvent, Usage: &d.metrics})
	}
	d.ended = d.ended || ev.Kind == llm.End || ev.Kind == llm.Failure
	d.emit(ev)
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) {
	d.emit = emit
	d.inner.Write(d.read(chunk), d.take)
	if !d.ended {
		d.ended = d.fail(d.chunks.Err(), emit)
	}
}

func (d *decoder) Close(emit func(*llm.Event)) {
	d.emit = emit
	if d.ended || d.fail(d.chunks.Close(), emit) {
		return
	}
	d.inner.Close(d.take)
}

func (d *decoder) Overflowed() int { return d.inner.Overflowed() }

// tap passes chunks on as server-sent events.
type tap struct {
	events
	inner dialect.Tap
	ended bool
	emit  func(*llm.Event)
	take  func(*llm.Event)
}

// NewTap watches the chunks of a model whose own API is watched by inner, and
// passes them on as that API sends them.
func NewTap(inner dialect.Tap, lim dialect.Limits) dialect.Tap {
	t := &tap{events: events{chunks: NewChunks(lim)}, inner: inner}
	t.take = func(ev *llm.Event) {
		t.ended = t.ended || ev.Kind == llm.End || ev.Kind == llm.Failure
		t.emit(ev)
	}
	return t
}

func (t *tap) Write(chunk []byte, emit func(*llm.Event)) []byte {
	t.emit = emit
	out := t.inner.Write(t.read(chunk), t.take)
	if !t.ended {
		t.ended = t.fail(t.chunks.Err(), emit)
	}
	return out
}

func (t *tap) Close(emit func(*llm.Event)) []byte {
	t.emit = emit
	if t.ended || t.fail(t.chunks.Close(), emit) {
		return nil
	}
	return t.inner.Close(t.take)
}

func (t *tap) Seen() int64     { return t.inner.Seen() }
func (t *tap) Overflowed() int { return t.inner.Overflowed() }

// encoder writes what an encoder of server-sent events writes as chunks.
type encoder struct {
	inner  dialect.Encoder
	frames sse.Framer
	buf    []byte
	usage  llm.Usage
}

// NewEncoder writes chunks for a client that knows the API of inner on Bedrock:
// the last one says what the answer cost, as Bedrock has it.
func NewEncoder(inner dialect.Encoder) dialect.Encoder { return &encoder{inner: inner} }

func (e *encoder) Append(dst []byte, ev *llm.Event) []byte {
	if ev.Kind == llm.UsageEvent {
		e.usage = *ev.Usage
	}
	e.buf = e.inner.Append(e.buf[:0], ev)
	e.frames.Feed(e.buf)
	for x, ok := e.frames.Next(); ok; x, ok = e.frames.Next() {
		data := x.Data
		if e.usage.Known && bytes.HasSuffix(data, lastEvent) {
			data = appendMetrics(data[:len(data)-1], &e.usage)
		}
		if len(data) > 0 {
			dst = AppendChunk(dst, data)
		}
	}
	return dst
}
