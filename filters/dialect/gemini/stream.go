package gemini

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/decoding"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// maxCalls is the most tool calls of one candidate.
const maxCalls = 256

// decoder reads a stream: each event is an answer that holds what is new. Its state
// is one small record per candidate.
type decoder struct {
	decoding.Reader
	counts counts
	usage  llm.Usage
	cite   llm.Citation
	ids    []byte

	choices  []choice
	started  bool
	finished bool // a candidate has come to its end
}

// choice is the state of one candidate in the stream.
type choice struct {
	index    int
	blocks   int // blocks begun
	calls    int
	open     bool
	kind     llm.PartKind // of the open block
	bytes    int          // of its text
	wide     bool         // which is not all ASCII
	finished bool
}

// Streams knows server-sent events.
func (*provider) Streams(mediaType string) bool { return mediaType == sse.MediaType }

// NewDecoder reads a streamed answer.
func (*provider) NewDecoder(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return newDecoder(lim)
}

func newDecoder(lim dialect.Limits) *decoder {
	return &decoder{Reader: decoding.New(lim)}
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) { d.Feed(chunk, d, emit) }

func (d *decoder) Close(emit func(*llm.Event)) { d.Finish(d, emit) }

// Stop ends a stream whose bytes are over: nothing else does.
func (d *decoder) Stop(emit func(*llm.Event)) {
	if !d.finished {
		d.Early(emit)
	}
	if d.Ended {
		return
	}
	for i := range d.choices {
		d.close(&d.choices[i], emit)
	}
	d.Ended = true
	d.Send(llm.Event{Kind: llm.End}, emit)
}

// Read takes the data of one event. An error may come in an array.
func (d *decoder) Read(data []byte, emit func(*llm.Event)) {
	if !d.Ended && jsonx.KindOf(data) == jsonx.Array {
		if err := wrapped(data, 200); err != nil {
			d.Fail(err, emit)
			return
		}
	}
	if !d.Scan(data, answerKeys, emit) {
		return
	}
	if err := bodyError(&d.Doc); err != nil {
		d.Fail(err, emit)
		return
	}
	d.start(emit)
	for it := jsonx.Elements(d.Doc.Raw(aCandidates)); it.Next() && !d.Ended; {
		d.candidate(it.Value(), emit)
	}
	if !d.Ended && !d.finished && blocked(&d.Doc) != nil {
		d.finish(d.find(0), llm.FinishFilter, emit)
	}
	d.tell(emit)
}

// start begins the stream with its first event.
func (d *decoder) start(emit func(*llm.Event)) {
	if d.started {
		return
	}
	d.started = true
	d.Send(llm.Event{Kind: llm.Start, ID: interior(&d.Doc, aID), Name: interior(&d.Doc, aVersion), Created: createdAt(&d.Doc)}, emit)
}

// tell sends on what the event says of usage: totals, at any time.
func (d *decoder) tell(emit func(*llm.Event)) {
	raw := d.Doc.Raw(aUsage)
	if raw == nil || d.Ended {
		return
	}
	d.counts.read(raw)
	if !d.counts.known {
		return
	}
	d.usage = d.counts.usage()
	d.Send(llm.Event{Kind: llm.UsageEvent, Usage: &d.usage}, emit)
}

// find returns the state of a candidate; nil when there cannot be such a one.
func (d *decoder) find(index int) *choice {
	for i := range d.choices {
		if d.choices[i].index == index {
			return &d.choices[i]
		}
	}
	if index < 0 || index >= maxChoices {
		return nil
	}
	d.choices = append(d.choices, choice{index: index})
	return &d.choices[len(d.choices)-1]
}

func (d *decoder) candidate(raw []byte, emit func(*llm.Event)) {
	var c candidate
	c.read(raw, false)
	ch := d.find(c.index)
	if ch == nil {
		d.Fail(dialect.Malformed("candidate out of range"), emit)
		return
	}
	if ch.finished {
		return
	}
	for it := jsonx.Elements(get(c.content, "parts")); it.Next() && !d.Ended; {
		d.part(ch, it.Value(), emit)
	}
	if d.Ended {
		return
	}
	d.citations(ch, &c, emit)
	if f := finishOf(c.finish); f != llm.NotFinished {
		if f == llm.FinishStop && ch.calls > 0 {
			f = llm.FinishTool
		}
		d.finish(ch, f, emit)
	}
}

func (d *decoder) finish(ch *choice, f llm.Finish, emit func(*llm.Event)) {
	if ch == nil || ch.finished {
		return
	}
	d.close(ch, emit)
	ch.finished, d.finished = true, true
	d.Send(llm.Event{Kind: llm.FinishEvent, Choice: ch.index, Finish: f}, emit)
}

// part emits a part: a piece of the open block's text, or a whole call.
func (d *decoder) part(ch *choice, raw []byte, emit func(*llm.Event)) {
	p := readPart(raw)
	switch {
	case p.Kind == llm.ToolCallPart:
		d.call(ch, &p, emit)
	case p.Kind != llm.TextPart && p.Kind != llm.ReasoningPart:
	case len(p.Text) > 0 || len(p.Signature) > 0:
		d.text(ch, &p, emit)
	}
}

func (d *decoder) text(ch *choice, p *llm.Part, emit func(*llm.Event)) {
	if !ch.open || ch.kind != p.Kind || p.Redacted {
		d.close(ch, emit)
		ch.begin(p.Kind)
		d.Send(llm.Event{Kind: llm.BlockStart, Choice: ch.index, Block: ch.blocks - 1, Part: p.Kind, Redacted: p.Redacted}, emit)
	}
	ch.measure(p.Text)
	ev := llm.Event{Kind: llm.Delta, Choice: ch.index, Block: ch.blocks - 1, Part: p.Kind, Text: p.Text}
	if len(p.Signature) > 0 {
		ev.Sign, ev.Origin, ev.Redacted = p.Signature, p.Origin, p.Redacted
	}
	d.Send(ev, emit)
	if p.Redacted || p.Kind == llm.ReasoningPart && len(p.Signature) > 0 {
		d.close(ch, emit)
	}
}

func (ch *choice) begin(kind llm.PartKind) {
	ch.open, ch.kind, ch.bytes, ch.wide = true, kind, 0, false
	ch.blocks++
}

// measure counts the text of a block, as far as places in it can be told.
func (ch *choice) measure(text llm.Escaped) {
	for i := 0; i < len(text) && !ch.wide; i++ {
		if text[i] >= 0x80 || text[i] == '\\' && i+1 < len(text) && text[i+1] == 'u' {
			ch.wide = true
		} else if text[i] == '\\' {
			i++
		}
		ch.bytes++
	}
}

// call emits a call, which comes whole. One without an id gets one by its place: the
// client must be able to name it.
func (d *decoder) call(ch *choice, p *llm.Part, emit func(*llm.Event)) {
	if ch.calls == maxCalls {
		d.Fail(dialect.Malformed("too many tool calls"), emit)
		return
	}
	d.close(ch, emit)
	ch.begin(llm.ToolCallPart)
	ch.calls++
	id := p.Call.ID
	if len(id) == 0 {
		d.ids = appendCallID(d.ids[:0], ch.index, ch.calls)
		id = d.ids
	}
	ev := llm.Event{Kind: llm.BlockStart, Choice: ch.index, Block: ch.blocks - 1, Part: llm.ToolCallPart, ID: id, Name: p.Call.Name}
	if p.Origin != "" {
		ev.Sign, ev.Origin = p.Signature, p.Origin
	}
	d.Send(ev, emit)
	ev.Kind, ev.ID, ev.Name, ev.Text = llm.Delta, nil, nil, dialect.AppendArguments(nil, &p.Call)
	d.Send(ev, emit)
	d.close(ch, emit)
}

// appendCallID makes the id of the n-th call of a candidate.
func appendCallID(dst []byte, choice, n int) []byte {
	dst = append(dst, "call_"...)
	if choice > 0 {
		dst = append(strconv.AppendInt(dst, int64(choice), 10), '_')
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// close ends the open block.
func (d *decoder) close(ch *choice, emit func(*llm.Event)) {
	if !ch.open {
		return
	}
	ch.open = false
	d.Send(llm.Event{Kind: llm.BlockStop, Choice: ch.index, Block: ch.blocks - 1, Part: ch.kind}, emit)
}

// citations emits sources as deltas of the text. Their places in it are known where
// its characters are bytes; else the text would have to be kept.
func (d *decoder) citations(ch *choice, c *candidate, emit func(*llm.Event)) {
	if c.grounding == nil && c.cited == nil || !ch.open || ch.kind != llm.TextPart {
		return
	}
	citations(c, func(s span, x llm.Citation) {
		if s.part == 0 && s.end <= ch.bytes && !ch.wide && s.end > s.start {
			x.Start, x.End = s.start, s.end
		}
		d.cite = x
		d.Send(llm.Event{Kind: llm.Delta, Choice: ch.index, Block: ch.blocks - 1, Part: llm.TextPart, Cite: &d.cite}, emit)
	})
}
