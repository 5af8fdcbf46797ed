// Package decoding is what the readers of streams of JSON texts have in common,
// whatever an event of theirs means: framing, limits, the end.
package decoding

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// Reader is a dialect.Decoder but for what its events mean, which the type that
// embeds it knows.
type Reader struct {
	Doc   jsonx.Document // the event being read
	Last  llm.Event      // the last one sent
	Ended bool           // whatever comes now says nothing

	frames sse.Framer
	limits jsonx.Limits
}

// Events knows what the events of a stream mean.
type Events interface {
	// Read takes the data of one event.
	Read(data []byte, emit func(*llm.Event))
	// Stop ends a stream whose bytes are over.
	Stop(emit func(*llm.Event))
}

// New reads server-sent events.
func New(lim dialect.Limits) Reader {
	return reader(lim, sse.Limits{Read: true, Event: lim.Event})
}

// NewLines reads one JSON text a line.
func NewLines(lim dialect.Limits) Reader {
	return reader(lim, sse.Limits{Read: true, Event: lim.Event, Lines: true})
}

func reader(lim dialect.Limits, framing sse.Limits) Reader {
	return Reader{frames: *sse.NewFramer(framing), limits: jsonx.Limits{Depth: lim.Depth, Bytes: lim.Event}}
}

// Feed gives e every event that the chunk completes.
func (r *Reader) Feed(chunk []byte, e Events, emit func(*llm.Event)) {
	r.frames.Feed(chunk)
	for ev, ok := r.Next(); ok; ev, ok = r.Next() {
		e.Read(ev.Data, emit)
	}
}

// Next is the next whole event of what was fed by Add.
func (r *Reader) Next() (sse.Event, bool) { return r.frames.Next() }

// Add takes a chunk whose events Next tells.
func (r *Reader) Add(chunk []byte) { r.frames.Feed(chunk) }

// Fresh reports whether the chunk begins with an event and is within the limits.
func (r *Reader) Fresh(chunk []byte) bool {
	return r.frames.Idle() && len(chunk) <= r.limits.Bytes
}

// Finish takes a last event without its end if it is whole.
func (r *Reader) Finish(e Events, emit func(*llm.Event)) {
	if ev, ok := r.frames.Close(); ok && r.Whole(ev.Data) {
		e.Read(ev.Data, emit)
	}
	e.Stop(emit)
}

// Whole reports whether data is one JSON text within the limits.
func (r *Reader) Whole(data []byte) bool { return jsonx.Valid(data, r.limits) == nil }

// Overflowed counts events that were skipped because they were too long.
func (r *Reader) Overflowed() int { return r.frames.Overflowed() }

// Scan reads an event's members into Doc; false where there is no more to do for
// this event. One without data is a sign of life and passed on.
func (r *Reader) Scan(data []byte, keys *jsonx.Keys, emit func(*llm.Event)) bool {
	switch {
	case r.Ended:
		return false
	case len(data) == 0:
		r.Send(llm.Event{Kind: llm.Ping}, emit)
		return false
	}
	if err := r.Doc.Scan(data, keys, r.limits); err != nil {
		r.Fail(dialect.Malformed(err.Error()), emit)
		return false
	}
	return true
}

// Send emits one event.
//
//go:noinline
func (r *Reader) Send(ev llm.Event, emit func(*llm.Event)) {
	r.Last = ev
	emit(&r.Last)
}

// Fail ends the stream with an error.
func (r *Reader) Fail(err *llm.Error, emit func(*llm.Event)) {
	r.Ended = true
	r.Send(llm.Event{Kind: llm.Failure, Err: err}, emit)
}

// Early ends a stream whose bytes are over before its end.
func (r *Reader) Early(emit func(*llm.Event)) {
	if !r.Ended {
		r.Fail(dialect.Malformed("the stream ended too early"), emit)
	}
}
