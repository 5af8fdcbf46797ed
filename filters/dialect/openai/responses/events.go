package responses

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// The members of a streaming event.
const (
	eType = iota
	eResponse
	eItem
	eOutput
	eContent
	eSummary
	eDelta
	eAnnotation
	eError
	eCode
	eMessage
)

var eventKeys = jsonx.NewKeys("type", "response", "item", "output_index", "content_index", "summary_index", "delta",
	"annotation", "error", "code", "message")

// maxCalls is the most tool calls of one response.
const maxCalls = 256

// events reads the events of one stream. Its state is one small record per tool
// call.
type events struct {
	limits   jsonx.Limits
	doc      jsonx.Document
	response jsonx.Document
	ev       llm.Event
	usage    llm.Usage

	blocks  int // blocks begun
	open    bool
	kind    llm.PartKind // of the open block
	output  int64        // the item and the part that it stands for
	part    int64
	summary int64
	written bool // it has text
	calls   []call

	started, ended bool
}

// call is a tool call: its item and its block.
type call struct {
	output  int64
	block   int
	written bool
	stopped bool
}

func newEvents(lim dialect.Limits) events {
	return events{limits: jsonx.Limits{Depth: lim.Depth, Bytes: lim.Event}}
}

var done = []byte("[DONE]")

// read takes the data of one event.
func (s *events) read(data []byte, emit func(*llm.Event)) {
	data = bytes.TrimSpace(data)
	if s.ended || len(data) == 0 || bytes.Equal(data, done) {
		return
	}
	if err := s.doc.Scan(data, eventKeys, s.limits); err != nil {
		s.fail(dialect.Malformed(err.Error()), emit)
		return
	}
	switch kind := string(jsonx.Interior(s.doc.Raw(eType))); kind {
	case "response.created", "response.queued", "response.in_progress":
		s.start(emit)
	case "response.completed", "response.incomplete", "response.failed":
		s.end(emit)
	case "error":
		s.fail(s.fault(), emit)
	case "response.output_text.delta":
		s.text(llm.TextPart, s.index(eContent), emit)
	case "response.refusal.delta":
		s.text(llm.RefusalPart, s.index(eContent), emit)
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		s.thought(emit)
	case "response.function_call_arguments.delta":
		s.arguments(s.call(), llm.Escaped(jsonx.Interior(s.doc.Raw(eDelta))), emit)
	case "response.output_text.annotation.added":
		s.cite(emit)
	case "response.output_item.added":
		s.added(emit)
	case "response.output_item.done":
		s.finished(emit)
	case "":
		if err := base.Fault(s.doc.Raw(eError), nil, data); err != nil {
			s.fail(err, emit)
		}
	}
}

// index is a number that an event carries; 0 when it does not.
func (s *events) index(k int) int64 {
	n, _ := jsonx.Int(s.doc.Raw(k))
	return n
}

// fault is the error that an error event tells, in an object or by itself.
func (s *events) fault() *llm.Error {
	if err := base.Fault(s.doc.Raw(eError), nil, s.doc.Body()); err != nil {
		return err
	}
	return base.Named(jsonx.Interior(s.doc.Raw(eCode)), jsonx.Interior(s.doc.Raw(eMessage)))
}

// start begins the stream, by the response if the event has one.
func (s *events) start(emit func(*llm.Event)) {
	if s.started {
		return
	}
	s.started = true
	s.ev = llm.Event{Kind: llm.Start}
	for it := jsonx.Members(s.doc.Raw(eResponse)); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "id":
			s.ev.ID = dialect.Text(&it)
		case "model":
			s.ev.Name = dialect.Text(&it)
		case "created_at":
			s.ev.Created, _ = jsonx.Int(it.Value())
		}
	}
	emit(&s.ev)
}

// text emits a piece of text, in the open block if it is of the same part.
func (s *events) text(kind llm.PartKind, part int64, emit func(*llm.Event)) {
	if text := jsonx.Interior(s.doc.Raw(eDelta)); len(text) > 0 {
		s.block(kind, part, false, emit)
		s.delta(llm.Event{Text: llm.Escaped(text)}, emit)
	}
}

// thought emits a piece of reasoning. Its parts stand apart by a blank line.
func (s *events) thought(emit func(*llm.Event)) {
	text := jsonx.Interior(s.doc.Raw(eDelta))
	if len(text) == 0 {
		return
	}
	s.block(llm.ReasoningPart, 0, false, emit)
	part := s.index(eSummary) + s.index(eContent)
	if s.written && part != s.summary {
		s.delta(llm.Event{Text: llm.Escaped(`\n\n`)}, emit)
	}
	s.summary = part
	s.delta(llm.Event{Text: llm.Escaped(text)}, emit)
}

// delta emits what the open block is given.
func (s *events) delta(ev llm.Event, emit func(*llm.Event)) {
	s.ev = ev
	s.ev.Kind, s.ev.Part, s.ev.Block = llm.Delta, s.kind, s.blocks-1
	s.written = true
	emit(&s.ev)
}

// block makes a block of the kind, for a part of the event's item, the open one.
func (s *events) block(kind llm.PartKind, part int64, redacted bool, emit func(*llm.Event)) {
	output := s.index(eOutput)
	if s.open && s.kind == kind && s.output == output && s.part == part {
		return
	}
	s.start(emit)
	s.close(emit)
	s.open, s.kind, s.output, s.part, s.written, s.summary = true, kind, output, part, false, 0
	s.ev = llm.Event{Kind: llm.BlockStart, Block: s.blocks, Part: kind, Redacted: redacted}
	s.blocks++
	emit(&s.ev)
}

// close ends the open block.
func (s *events) close(emit func(*llm.Event)) {
	if !s.open {
		return
	}
	s.open = false
	s.ev = llm.Event{Kind: llm.BlockStop, Block: s.blocks - 1, Part: s.kind}
	emit(&s.ev)
}

// cite emits where a text is from.
func (s *events) cite(emit func(*llm.Event)) {
	c := base.ReadCitation(s.doc.Raw(eAnnotation))
	if len(c.URL) == 0 {
		return
	}
	s.block(llm.TextPart, s.index(eContent), false, emit)
	s.delta(llm.Event{Cite: &c}, emit)
}

// added begins a tool call; other items begin with their content.
func (s *events) added(emit func(*llm.Event)) {
	x := readItem(s.doc.Raw(eItem))
	if !jsonx.Equal(x.kind, "function_call") || s.call() != nil {
		return
	}
	if len(s.calls) == maxCalls {
		s.fail(dialect.Malformed("too many tool calls"), emit)
		return
	}
	s.start(emit)
	s.close(emit)
	s.calls = append(s.calls, call{output: s.index(eOutput), block: s.blocks})
	s.ev = llm.Event{Kind: llm.BlockStart, Block: s.blocks, Part: llm.ToolCallPart, ID: x.callID, Name: x.name}
	s.blocks++
	emit(&s.ev)
	s.arguments(s.call(), x.arguments, emit)
}

// call is the tool call of the event's item; nil when there is none.
func (s *events) call() *call {
	output := s.index(eOutput)
	for i := range s.calls {
		if s.calls[i].output == output {
			return &s.calls[i]
		}
	}
	return nil
}

// arguments emits a piece of a call's arguments.
func (s *events) arguments(c *call, text llm.Escaped, emit func(*llm.Event)) {
	if c == nil || len(text) == 0 || c.stopped {
		return
	}
	c.written = true
	s.ev = llm.Event{Kind: llm.Delta, Block: c.block, Part: llm.ToolCallPart, Text: text}
	emit(&s.ev)
}

// finished ends the event's item, with what came only now: the whole arguments
// of a call that had no pieces, the seal of reasoning.
func (s *events) finished(emit func(*llm.Event)) {
	x := readItem(s.doc.Raw(eItem))
	switch string(x.kind) {
	case "function_call":
		s.added(emit) // if it was not
		if c := s.call(); c != nil && !c.written {
			s.arguments(c, x.arguments, emit)
		}
		s.stop(s.call(), emit)
	case "reasoning":
		if signature, origin, redacted := unseal(x.id, x.encrypted, !s.open || s.kind != llm.ReasoningPart); len(signature) > 0 {
			s.block(llm.ReasoningPart, 0, redacted, emit)
			s.delta(llm.Event{Sign: signature, Origin: origin, Redacted: redacted}, emit)
		}
		s.close(emit)
	case "message":
		s.close(emit)
	}
}

// stop ends a call. One without arguments gets the empty object.
func (s *events) stop(c *call, emit func(*llm.Event)) {
	if c == nil || c.stopped || s.ended {
		return
	}
	if !c.written {
		s.arguments(c, llm.Escaped("{}"), emit)
	}
	c.stopped = true
	s.ev = llm.Event{Kind: llm.BlockStop, Block: c.block, Part: llm.ToolCallPart}
	emit(&s.ev)
}

// end takes the event that ends the stream, which holds the whole response.
func (s *events) end(emit func(*llm.Event)) {
	raw := s.doc.Raw(eResponse)
	if jsonx.KindOf(raw) != jsonx.Object || s.response.Scan(raw, answerKeys, s.limits) != nil {
		s.fail(dialect.Malformed("no response"), emit)
		return
	}
	if err := base.Fault(s.response.Raw(aError), nil, raw); err != nil {
		s.fail(err, emit)
		return
	}
	if jsonx.Equal(jsonx.Interior(s.response.Raw(aStatus)), "failed") {
		s.fail(base.Named(nil, nil), emit)
		return
	}
	s.start(emit)
	s.close(emit)
	for i := range s.calls {
		s.stop(&s.calls[i], emit)
	}
	s.ev = llm.Event{Kind: llm.FinishEvent, Finish: finishOf(&s.response)}
	emit(&s.ev)
	if u, ok := base.ReadUsage(s.response.Raw(aUsage), s.response.Raw(aTier)); ok {
		s.usage = u
		s.ev = llm.Event{Kind: llm.UsageEvent, Usage: &s.usage}
		emit(&s.ev)
	}
	s.ended = true
	s.ev = llm.Event{Kind: llm.End}
	emit(&s.ev)
}

func (s *events) fail(err *llm.Error, emit func(*llm.Event)) {
	s.ended = true
	s.ev = llm.Event{Kind: llm.Failure, Err: err}
	emit(&s.ev)
}

// close of the stream: it must have come to its end.
func (s *events) over(emit func(*llm.Event)) {
	if !s.ended {
		s.fail(dialect.Malformed("the stream ended too early"), emit)
	}
}

// decoder reads a stream.
type decoder struct {
	frames sse.Framer
	events events
}

// NewDecoder reads a streamed answer.
func (*provider) NewDecoder(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return &decoder{frames: *sse.NewFramer(sse.Limits{Read: true, Event: lim.Event}), events: newEvents(lim)}
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) {
	d.frames.Feed(chunk)
	for ev, ok := d.frames.Next(); ok; ev, ok = d.frames.Next() {
		d.event(&ev, emit)
	}
}

func (d *decoder) event(ev *sse.Event, emit func(*llm.Event)) {
	if ev.Data == nil && !d.events.ended {
		d.events.ev = llm.Event{Kind: llm.Ping}
		emit(&d.events.ev)
		return
	}
	d.events.read(ev.Data, emit)
}

// Close takes a last event without its blank line if it is whole.
func (d *decoder) Close(emit func(*llm.Event)) {
	if ev, ok := d.frames.Close(); ok && whole(ev.Data) {
		d.event(&ev, emit)
	}
	d.events.over(emit)
}

func (d *decoder) Overflowed() int { return d.frames.Overflowed() }

// whole reports whether the data of an event that lacks its end is all there.
func whole(data []byte) bool { return jsonx.Valid(bytes.TrimSpace(data), jsonx.Limits{}) == nil }
