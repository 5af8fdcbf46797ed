package gemini

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

// arrayClient is the client side of streams that are one JSON array.
type arrayClient struct{ client }

// Recognise knows streamGenerateContent without alt=sse.
func (*arrayClient) Recognise(l *dialect.Line) (dialect.Call, bool) {
	c, ok := called(l, llm.Chat, "streamGenerateContent")
	return c, ok && !events(l.Query)
}

// StreamType is that of JSON.
func (*arrayClient) StreamType(*llm.Facts) string { return "application/json" }

// NewEncoder writes a streamed answer as an array.
func (*arrayClient) NewEncoder(_ *llm.Facts, model string) dialect.Encoder {
	return &streamEncoder{model: model, framing: framing{array: true}}
}

// AppendStreamError writes the error as the last element; what separates it from
// those before was written with the failure.
func (c *arrayClient) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	return append(c.AppendError(dst, e, requestID), ']')
}

// arraySame keeps the bytes of the elements, which come as events.
type arraySame struct{ same }

// NewTap watches a streamed answer and makes an array of it.
func (s *arraySame) NewTap(f *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return &arrayTap{Tap: s.same.NewTap(f, lim, p), frames: *sse.NewFramer(sse.Limits{Event: lim.Event}), framing: framing{array: true}}
}

// arrayTap turns the events that a tap passes on into the elements of an array.
type arrayTap struct {
	dialect.Tap
	framing
	frames sse.Framer
	out    []byte
	failed bool
}

// Write passes on the elements of a chunk.
func (t *arrayTap) Write(chunk []byte, emit func(*llm.Event)) []byte {
	t.out = t.out[:0]
	t.watch(emit, func(emit func(*llm.Event)) { t.elements(t.Tap.Write(chunk, emit)) })
	return t.out
}

// Close ends the array.
func (t *arrayTap) Close(emit func(*llm.Event)) []byte {
	t.out = t.out[:0]
	if t.failed {
		return nil
	}
	t.watch(emit, func(emit func(*llm.Event)) { t.elements(t.Tap.Close(emit)) })
	if !t.failed {
		t.out = t.end(t.out)
	}
	return t.out
}

// watch notes a failure, whose error is one more element.
func (t *arrayTap) watch(emit func(*llm.Event), pass func(func(*llm.Event))) {
	before := t.failed
	pass(func(ev *llm.Event) {
		t.failed = t.failed || ev.Kind == llm.Failure
		emit(ev)
	})
	if t.failed && !before {
		t.out = t.open(t.out)
	}
}

func (t *arrayTap) elements(stream []byte) {
	t.frames.Feed(stream)
	for ev, ok := t.frames.Next(); ok; ev, ok = t.frames.Next() {
		if len(ev.Data) > 0 {
			t.out = append(t.open(t.out), ev.Data...)
		}
	}
}
