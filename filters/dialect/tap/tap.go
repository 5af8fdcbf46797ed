// Package tap passes event streams on that keep their dialect, and watches them:
// what every dialect over server-sent events, or over lines of JSON, needs for
// dialect.Tap. The dialect
// brings a Reader.
//
// Until an event commits every event is read; after that the Reader only looks
// whether an event says something of usage, of an end or of an error, and those
// are read. Nothing is allocated per event.
//
// The package knows no dialect, parses no JSON but strings to count them, and
// holds no stream back.
package tap

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// Reader is what a dialect knows of the events of one stream.
type Reader interface {
	// Read emits what an event means. False leaves the event out of what is
	// passed on.
	Read(ev *sse.Event, emit func(*llm.Event)) bool
	// Look reports cheaply whether an event must be read after the commit. It
	// adds the text that it sees to seen. What it says must follow from the
	// event alone: of an event that differs from the one before in its text, and
	// in nothing else, it is not asked.
	Look(ev *sse.Event, seen *Seen) bool
	// Model finds the value that names the model in an event's data.
	Model(data []byte) (at jsonx.Span, ok bool)
	// Whole reports whether the data of an event that lacks its end is all there.
	Whole(data []byte) bool
	// Stop emits the end that the stream came to, if it has not yet.
	Stop(emit func(*llm.Event))
}

// Seen counts text that goes by.
type Seen struct {
	pieces, bytes int64
	from, to      int // of the last one that is not empty, in its data
}

// Tokens is the number of pieces with text, which is right where each holds a
// token, or a quarter of the text's bytes where that is more.
func (s *Seen) Tokens() int64 { return max(s.pieces, s.bytes/4) }

// Add counts a piece of text.
func (s *Seen) Add(size int) {
	if size > 0 {
		s.pieces++
		s.bytes += int64(size)
	}
}

// Text counts the JSON string whose interior begins at data[i], and returns the
// offset behind it.
func (s *Seen) Text(data []byte, i int) int {
	from := i
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data)
		}
		i += n + 1
		if !escaped(data[from : i-1]) {
			if i-1 > from {
				s.Add(i - 1 - from)
				s.from, s.to = from, i-1
			}
			return i
		}
	}
}

// escaped reports whether what follows b is escaped: b ends in an odd number of
// backslashes.
func escaped(b []byte) bool {
	n := 0
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n&1 == 1
}

// Tap is a dialect.Tap.
type Tap struct {
	reader Reader
	frames sse.Framer
	pass   pass
	seen   Seen
	ev     sse.Event // at hand: kept here, so that it need not be allocated
	ping   llm.Event

	model []byte // the name to show, as JSON; nil keeps the provider's
	shown string // the same as text

	repeat repeat
	limit  int // bytes of an event

	skipped   int // events that were too long, as far as handled
	committed bool
	failed    bool
	count     bool // the text of the event at hand: the look did not see any

	emit func(*llm.Event) // of the running call
	take func(*llm.Event) // filters; bound once
}

// New returns a tap that shows the patch's model name.
func New(r Reader, lim dialect.Limits, p *dialect.Patch) *Tap {
	return newTap(r, sse.Limits{Event: lim.Event}, p)
}

// NewLines is New for a stream of newline-delimited JSON: each line is an event.
func NewLines(r Reader, lim dialect.Limits, p *dialect.Patch) *Tap {
	t := newTap(r, sse.Limits{Event: lim.Event, Lines: true}, p)
	t.pass.lines = true
	return t
}

func newTap(r Reader, lim sse.Limits, p *dialect.Patch) *Tap {
	t := &Tap{reader: r, frames: *sse.NewFramer(lim), shown: p.Model, limit: lim.Event}
	if p.Model != "" {
		t.model = jsonx.Quote(nil, p.Model)
	}
	t.take = t.filter
	return t
}

// Write passes on the whole events of a chunk.
func (t *Tap) Write(chunk []byte, emit func(*llm.Event)) []byte {
	if t.repeat.Known() {
		if out, ok := t.again(chunk); ok {
			return out
		}
	}
	t.emit = emit
	t.pass.begin(chunk)
	t.frames.Feed(chunk)
	for t.next() {
		t.event(&t.ev)
	}
	t.emit = nil
	return t.pass.end()
}

// Close passes on a last event without its blank line if it is whole, and gives
// it one; the beginning of an event is dropped.
func (t *Tap) Close(emit func(*llm.Event)) []byte {
	t.emit = emit
	t.pass.begin(nil)
	var ok bool
	if t.ev, ok = t.frames.Close(); ok && t.reader.Whole(t.ev.Data) {
		t.event(&t.ev)
		t.pass.terminate()
	}
	t.reader.Stop(t.take)
	t.emit = nil
	return t.pass.end()
}

func (t *Tap) next() (ok bool) {
	t.ev, ok = t.frames.Next()
	return ok
}

// Seen estimates the output tokens that went by.
func (t *Tap) Seen() int64 { return t.seen.Tokens() }

// Overflowed counts events that were skipped because they were too long.
func (t *Tap) Overflowed() int { return t.frames.Overflowed() }

// filter hands events on: all of them until one commits.
func (t *Tap) filter(ev *llm.Event) {
	t.failed = t.failed || ev.Kind == llm.Failure
	if t.count {
		t.seen.Add(len(ev.Text)) // that of deltas, which alone have one
	}
	if t.committed {
		switch ev.Kind {
		case llm.FinishEvent, llm.UsageEvent, llm.End, llm.Failure:
		default:
			return
		}
	}
	t.committed = t.committed || ev.Commits()
	t.emit(ev)
}

// event decides what becomes of one event.
func (t *Tap) event(ev *sse.Event) {
	if n := t.frames.Overflowed(); n != t.skipped {
		t.skipped, t.pass.dropped = n, true
	}
	if t.failed || t.pass.rest(ev) {
		return
	}
	if ev.Data == nil {
		if !t.committed {
			t.ping = llm.Event{Kind: llm.Ping}
			t.emit(&t.ping)
		}
		t.pass.keep(ev)
		return
	}
	pieces := t.seen.pieces
	read := t.reader.Look(ev, &t.seen) || !t.committed
	if read {
		t.count = t.seen.pieces == pieces
		if keep := t.reader.Read(ev, t.take); !keep || t.failed {
			t.pass.drop(ev)
			return
		}
	}
	named := t.named(ev)
	if named.Len() > 0 {
		t.pass.replace(ev, named.Start, named.End, t.model)
	} else {
		t.pass.keep(ev)
	}
	if t.repeat.Forget(); !read && t.seen.pieces == pieces+1 {
		t.repeat.learn(ev, &t.seen, named, t.model)
	}
}

// named finds the name in an event that must give way to the one to show.
func (t *Tap) named(ev *sse.Event) jsonx.Span {
	if t.model == nil {
		return jsonx.Span{}
	}
	at, ok := t.reader.Model(ev.Data)
	if !ok || jsonx.Equal(jsonx.Interior(ev.Data[at.Start:at.End]), t.shown) {
		return jsonx.Span{}
	}
	return at
}
