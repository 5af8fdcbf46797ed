package bedrock

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Request adds the bound on the output where the client gave none. The model is in
// the path.
func (*same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	if f.MaxTokens > 0 || p.Target.MaxTokens == 0 {
		return
	}
	limit := strconv.AppendInt(nil, int64(p.Target.MaxTokens), 10)
	v, ok := doc.Get(kInference)
	if !ok || v.Kind != jsonx.Object {
		e.SetMember(doc, kInference, "inferenceConfig", append(append([]byte(`{"maxTokens":`), limit...), '}'))
		return
	}
	raw := v.Raw(doc.Body())
	last := -1
	for it := jsonx.Members(raw); it.Next(); {
		last = it.Member().End
		if it.KeyIs("maxTokens") {
			at := v.Span.Start + it.Offset()
			e.Replace(jsonx.Span{Start: at, End: at + len(it.Value())}, limit)
			return
		}
	}
	member := append([]byte(`"maxTokens":`), limit...)
	if last < 0 {
		e.Insert(v.Span.Start+1, member)
		return
	}
	e.Insert(v.Span.Start+last, append([]byte{','}, member...))
}

// Answer reads a whole answer's usage and stop reason.
func (*same) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if _, err := scanAnswer(&doc, body); err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	return readUsage(doc.Raw(mUsage), doc.Raw(mTier)), stopReason(llm.Escaped(jsonx.Interior(doc.Raw(mStop)))), nil
}

// NewTap watches a streamed answer.
func (*same) NewTap(_ *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	t := &converseTap{d: newDecoder(p.Target, lim)}
	t.watch = watch{read: t.read, fail: t.d.fail, stop: t.d.stop, frames: &t.d.frames}
	return &t.watch
}

// converseTap watches the messages of ConverseStream.
type converseTap struct {
	d     *decoder
	watch watch
}

var texts = [][]byte{[]byte(`"text":"`), []byte(`"input":"`)}

func (t *converseTap) read(m *eventstream.Message, emit func(*llm.Event)) bool {
	if string(m.Headers.Text(":event-type")) == "contentBlockDelta" {
		t.watch.count(m.Payload, texts)
		if t.watch.committed {
			return true
		}
	}
	t.d.read(m, emit)
	return !t.d.ended || t.d.ev.Kind == llm.End
}

// watch is the tap of an event stream: whole messages are passed on as they came.
type watch struct {
	// read emits what a message means; false when it is a failure, which is not
	// passed on.
	read func(m *eventstream.Message, emit func(*llm.Event)) bool
	fail func(err *llm.Error, emit func(*llm.Event))
	stop func(emit func(*llm.Event))

	frames    *eventstream.Framer
	out       []byte
	seen      tap.Seen
	committed bool
	failed    bool
	emit      func(*llm.Event) // of the running call
	take      func(*llm.Event) // filters; bound once
}

// count adds the first of the texts that a payload has.
func (t *watch) count(payload []byte, texts [][]byte) {
	for _, key := range texts {
		if at := bytes.Index(payload, key); at >= 0 {
			t.seen.Text(payload, at+len(key))
			return
		}
	}
}

// filter hands events on: all of them until one commits.
func (t *watch) filter(ev *llm.Event) {
	t.failed = t.failed || ev.Kind == llm.Failure
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

// Write passes on the whole messages of a chunk: only the first of them can have
// begun before it, and only after a failure nothing follows.
func (t *watch) Write(chunk []byte, emit func(*llm.Event)) []byte {
	if t.take == nil {
		t.take = t.filter
	}
	t.emit, t.out = emit, t.out[:0]
	from, to := 0, 0
	t.frames.Feed(chunk)
	for m, ok := t.frames.Next(); ok && !t.failed; m, ok = t.frames.Next() {
		if !t.read(&m, t.take) {
			break
		}
		if m.Start < 0 {
			t.out, from = append(t.out, m.Raw...), m.End
		}
		to = m.End
	}
	if err := t.frames.Err(); err != nil && !t.failed {
		t.fail(aws.BrokenStream(err), t.take)
	}
	if len(t.out) == 0 {
		return chunk[from:to:to]
	}
	t.out = append(t.out, chunk[from:to]...)
	return t.out
}

// Close passes nothing on: a message without its end is no message.
func (t *watch) Close(emit func(*llm.Event)) []byte {
	if t.take == nil {
		t.take = t.filter
	}
	t.emit = emit
	if err := t.frames.Close(); err != nil && !t.failed {
		t.fail(aws.BrokenStream(err), t.take)
	}
	if !t.failed {
		t.stop(t.take)
	}
	return nil
}

func (t *watch) Seen() int64     { return t.seen.Tokens() }
func (t *watch) Overflowed() int { return 0 }
