package responses

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
)

// maxKept bounds the text that an encoder keeps for the end of its stream.
const maxKept = 8 << 20

// streamEncoder writes the events of a streamed response: created, in_progress;
// each item from output_item.added to output_item.done, with its parts; then the
// whole response. Texts and reasoning are items one after the other; calls, whose
// pieces may be mixed, are done at the end.
type streamEncoder struct {
	facts *llm.Facts
	head  head
	seq   int64
	items []outItem
	kept  int // bytes of the items' texts
	usage llm.Usage

	finish         llm.Finish
	started, ended bool
}

// outItem is an item of the output.
type outItem struct {
	written
	block int // its number in the events
	done  bool
	cites []byte // the annotations, as elements of an array
	notes int64
}

// NewEncoder writes a streamed answer under the given model name.
func (*client) NewEncoder(f *llm.Facts, model string) dialect.Encoder {
	return &streamEncoder{facts: f, head: head{model: model}}
}

// Append writes what an event becomes; events that have no place are left out.
func (s *streamEncoder) Append(dst []byte, ev *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch ev.Kind {
	case llm.Ping:
		if s.started {
			dst = append(dst, ": ping\n\n"...)
		}
	case llm.Start:
		dst = s.start(dst, ev.ID, ev.Created)
	case llm.BlockStart, llm.Delta, llm.BlockStop, llm.FinishEvent:
		if ev.Choice == 0 && s.finish == llm.NotFinished {
			dst = s.content(s.start(dst, nil, 0), ev)
		}
	case llm.UsageEvent:
		s.usage = *ev.Usage
	case llm.End:
		dst = s.end(s.start(dst, nil, 0), "completed", nil)
	case llm.Failure:
		s.ended = true
	}
	return dst
}

// start writes response.created and response.in_progress, once.
func (s *streamEncoder) start(dst []byte, id llm.Escaped, at int64) []byte {
	if s.started {
		return dst
	}
	s.started = true
	s.head.id = responseID(id)
	if s.head.created = at; at == 0 {
		s.head.created = s.facts.Received
	}
	for _, name := range [...]string{"response.created", "response.in_progress"} {
		w := s.event(dst, name)
		w.Object("response")
		s.head.write(&w, "in_progress")
		writeIncomplete(&w, llm.NotFinished)
		w.Literal("output", "[]")
		s.head.rest(&w, nil)
		w.Literal("usage", "null")
		w.Close('}')
		dst = shut(w)
	}
	return dst
}

// event begins an event: its type and number.
//
//go:noinline
func (s *streamEncoder) event(dst []byte, name string) dialect.Writer {
	dst = append(append(dst, "event: "...), name...)
	w := dialect.Writer{B: append(dst, "\ndata: {"...)}
	w.Word("type", name)
	w.Int("sequence_number", s.seq)
	s.seq++
	return w
}

// shut ends an event.
func shut(w dialect.Writer) []byte { return append(w.B, "}\n\n"...) }

// at begins an event of an item.
//
//go:noinline
func (s *streamEncoder) at(dst []byte, name string, x *outItem) dialect.Writer {
	w := s.event(dst, name)
	w.Int("output_index", int64(x.index))
	w.StartText("item_id")
	w.B = s.head.itemID(w.B, x.kind, x.index)
	w.EndText()
	return w
}

func (s *streamEncoder) content(dst []byte, ev *llm.Event) []byte {
	switch ev.Kind {
	case llm.FinishEvent:
		s.finish = ev.Finish
		return dst
	case llm.BlockStop:
		if x := s.find(ev); x != nil && x.kind != llm.ToolCallPart {
			return s.done(dst, x)
		}
		return dst
	case llm.BlockStart:
		if !shown(ev.Part) || s.find(ev) != nil {
			return dst
		}
		_, dst = s.begin(dst, ev)
		return dst
	}
	return s.delta(dst, ev)
}

// shown reports whether a kind of block has a place in a stream.
func shown(k llm.PartKind) bool {
	return isText(k) || k == llm.ReasoningPart || k == llm.ToolCallPart
}

// find returns the item that is still written for an event's block.
func (s *streamEncoder) find(ev *llm.Event) *outItem {
	for i := len(s.items) - 1; i >= 0; i-- {
		if x := &s.items[i]; x.block == ev.Block && x.kind == ev.Part && !x.done {
			return x
		}
	}
	return nil
}

// begin writes output_item.added and what begins the item's one part. What was
// open before, but for calls, is done.
func (s *streamEncoder) begin(dst []byte, ev *llm.Event) (*outItem, []byte) {
	for i := range s.items {
		if x := &s.items[i]; !x.done && x.kind != llm.ToolCallPart {
			dst = s.done(dst, x)
		}
	}
	s.items = append(s.items, outItem{block: ev.Block, written: written{kind: ev.Part, index: len(s.items), redacted: ev.Redacted,
		id: append(llm.Escaped(nil), ev.ID...), name: append(llm.Escaped(nil), ev.Name...)}})
	x := &s.items[len(s.items)-1]
	w := s.event(dst, "response.output_item.added")
	w.Int("output_index", int64(x.index))
	w.Object("item")
	if isText(x.kind) {
		s.head.messageHead(&w, x.index, "in_progress")
		w.Close(']')
	} else {
		s.head.item(&w, &x.written, "in_progress")
	}
	w.Close('}')
	dst = shut(w)
	switch {
	case isText(x.kind):
		dst = s.part(dst, x, "response.content_part.added")
	case x.kind == llm.ReasoningPart && !x.redacted:
		dst = s.part(dst, x, "response.reasoning_summary_part.added")
	}
	return x, dst
}

// part writes an event about the one part of an item, with the text so far.
func (s *streamEncoder) part(dst []byte, x *outItem, name string) []byte {
	w := s.at(dst, name, x)
	if x.kind == llm.ReasoningPart {
		w.Int("summary_index", 0)
		w.Object("part")
		w.Word("type", "summary_text")
		w.Text("text", x.text)
	} else {
		w.Int("content_index", 0)
		w.Object("part")
		x.content(&w)
	}
	w.Close('}')
	return shut(w)
}

// content writes the members of a message's part.
func (x *outItem) content(w *dialect.Writer) {
	if x.kind == llm.RefusalPart {
		w.Word("type", "refusal")
		w.Text("refusal", x.text)
		return
	}
	w.Word("type", "output_text")
	w.Array("annotations")
	w.B = append(w.B, x.cites...)
	w.Close(']')
	w.Literal("logprobs", "[]")
	w.Text("text", x.text)
}

// delta writes a piece, beginning an item for text that came without.
func (s *streamEncoder) delta(dst []byte, ev *llm.Event) []byte {
	x := s.find(ev)
	switch {
	case x != nil:
	case ev.Part == llm.ToolCallPart || !shown(ev.Part) || len(ev.Text)+len(ev.Sign) == 0 && ev.Cite == nil:
		return dst
	default:
		x, dst = s.begin(dst, ev)
	}
	if ev.Cite != nil && x.kind == llm.TextPart && len(ev.Cite.URL) > 0 {
		dst = s.cite(dst, x, ev.Cite)
	}
	if len(ev.Sign) > 0 && x.kind == llm.ReasoningPart {
		x.sign, x.origin, x.redacted = append(x.sign, ev.Sign...), ev.Origin, ev.Redacted
	}
	if s.kept += len(ev.Text) + len(ev.Sign); s.kept > maxKept {
		return s.end(dst, "failed", tooLong)
	}
	if len(ev.Text) == 0 || x.redacted {
		return dst
	}
	x.text = append(x.text, ev.Text...)
	w := s.at(dst, deltaName(x.kind), x)
	x.number(&w)
	w.Text("delta", ev.Text)
	if x.kind == llm.TextPart {
		w.Literal("logprobs", "[]")
	}
	return shut(w)
}

var tooLong = []byte(`{"code":"server_error","message":"The answer is longer than the gateway keeps."}`)

func deltaName(k llm.PartKind) string {
	switch k {
	case llm.RefusalPart:
		return "response.refusal.delta"
	case llm.ReasoningPart:
		return "response.reasoning_summary_text.delta"
	case llm.ToolCallPart:
		return "response.function_call_arguments.delta"
	}
	return "response.output_text.delta"
}

// number writes which part of an item an event is about.
func (x *outItem) number(w *dialect.Writer) {
	switch x.kind {
	case llm.ToolCallPart:
	case llm.ReasoningPart:
		w.Int("summary_index", 0)
	default:
		w.Int("content_index", 0)
	}
}

func (s *streamEncoder) cite(dst []byte, x *outItem, c *llm.Citation) []byte {
	at := len(x.cites)
	w := dialect.Writer{B: x.cites}
	if at > 0 {
		w.B = append(w.B, ',')
		at++
	}
	w.Begin('{')
	writeAnnotation(&w, c)
	w.Close('}')
	x.cites = w.B
	s.kept += len(x.cites) - at
	w = s.at(dst, "response.output_text.annotation.added", x)
	x.number(&w)
	w.Int("annotation_index", x.notes)
	w.Raw("annotation", x.cites[at:])
	x.notes++
	return shut(w)
}

// done writes what ends an item: its text, its part, itself.
func (s *streamEncoder) done(dst []byte, x *outItem) []byte {
	x.done = true
	switch x.kind {
	case llm.ToolCallPart:
		if len(x.text) == 0 {
			x.text = llm.Escaped("{}")
		}
		w := s.at(dst, "response.function_call_arguments.done", x)
		w.Text("name", x.name)
		w.Text("arguments", x.text)
		dst = shut(w)
	case llm.ReasoningPart:
		if x.redacted {
			break
		}
		dst = s.said(dst, x, "response.reasoning_summary_text.done", "text")
		dst = s.part(dst, x, "response.reasoning_summary_part.done")
	case llm.RefusalPart:
		dst = s.part(s.said(dst, x, "response.refusal.done", "refusal"), x, "response.content_part.done")
	default:
		dst = s.part(s.said(dst, x, "response.output_text.done", "text"), x, "response.content_part.done")
	}
	w := s.event(dst, "response.output_item.done")
	w.Int("output_index", int64(x.index))
	w.Key("item")
	s.item(&w, x)
	return shut(w)
}

// said writes the event with an item's whole text.
func (s *streamEncoder) said(dst []byte, x *outItem, name, member string) []byte {
	w := s.at(dst, name, x)
	x.number(&w)
	w.Text(member, x.text)
	if x.kind == llm.TextPart {
		w.Literal("logprobs", "[]")
	}
	return shut(w)
}

// item writes an item that is done.
func (s *streamEncoder) item(w *dialect.Writer, x *outItem) {
	w.Open('{')
	if isText(x.kind) {
		s.head.messageHead(w, x.index, "completed")
		w.Open('{')
		x.content(w)
		w.Close('}')
		w.Close(']')
	} else {
		s.head.item(w, &x.written, "completed")
	}
	w.Close('}')
}

// end writes what is not done yet, and the whole response.
func (s *streamEncoder) end(dst []byte, status string, fault []byte) []byte {
	s.ended = true
	for i := range s.items {
		if x := &s.items[i]; !x.done {
			dst = s.done(dst, x)
		}
	}
	if fault == nil {
		status = statusOf(s.finish)
	}
	w := s.event(dst, "response."+status)
	w.Object("response")
	s.head.write(&w, status)
	writeIncomplete(&w, s.finish)
	w.Array("output")
	for i := range s.items {
		s.item(&w, &s.items[i])
	}
	w.Close(']')
	s.head.rest(&w, fault)
	writeUsage(&w, &s.usage)
	w.Close('}')
	return shut(w)
}

// last is the number of an error event: how many went before it is not known
// where it is written, and numbers rise.
const last = 1<<31 - 1

// AppendStreamError writes the error event, in the form of the reference and with
// the object that official SDKs raise.
func (*client) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: append(dst, "event: error\ndata: {"...)}
	w.Word("type", "error")
	w.Literal("sequence_number", strconv.Itoa(last))
	w.Quote("code", e.Code)
	w.Quote("message", e.Message)
	w.Quote("param", e.Param)
	w.Object("error") // as SDKs raise it
	base.WriteError(&w, e, requestID)
	w.Close('}')
	return shut(w)
}
