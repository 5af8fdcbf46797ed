package cohere

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/decoding"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// decoder reads a streamed chat. A block begins when another begins or the answer
// finishes: citations of a text may come after its end.
type decoder struct {
	decoding.Reader
	usage llm.Usage
	cites []llm.Citation

	started bool

	blocks int  // blocks shown
	open   bool // the last of them is
	kind   llm.PartKind
	plan   bool // it is the plan of calls, not thinking

	calls []call
}

// call is a tool call by the provider's index.
type call struct {
	index   int64
	block   int
	written bool
}

// maxCalls bounds the calls of one answer.
const maxCalls = 256

// NewDecoder reads a streamed answer.
func (chatProvider) NewDecoder(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return newDecoder(lim)
}

func newDecoder(lim dialect.Limits) *decoder {
	return &decoder{Reader: decoding.New(lim)}
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) { d.Feed(chunk, d, emit) }

func (d *decoder) Close(emit func(*llm.Event)) { d.Finish(d, emit) }

// Stop implements decoding.Events.
func (d *decoder) Stop(emit func(*llm.Event)) { d.Early(emit) }

// The members of an event.
const (
	eType = iota
	eID
	eIndex
	eDelta
	eMessage
)

var (
	eventKeys = jsonx.NewKeys("type", "id", "index", "delta", "message")
	doneMark  = []byte("[DONE]")
)

// Read takes the data of one event. Its type stands in the data, too. The mark
// after the last event says nothing more.
func (d *decoder) Read(data []byte, emit func(*llm.Event)) {
	if bytes.Equal(data, doneMark) || !d.Scan(data, eventKeys, emit) {
		return
	}
	message, _ := jsonx.Lookup(d.Doc.Raw(eDelta), "message")
	switch string(jsonx.Interior(d.Doc.Raw(eType))) {
	case "message-start":
		d.start(jsonx.Interior(d.Doc.Raw(eID)), emit)
	case "tool-plan-delta":
		raw, _ := jsonx.Lookup(message, "tool_plan")
		d.piece(llm.ReasoningPart, true, llm.Event{Text: jsonx.Interior(raw)}, emit)
	case "content-start":
		d.close(emit)
		d.content(message, emit)
	case "content-delta":
		d.content(message, emit)
	case "citation-start":
		d.cite(message, emit)
	case "tool-call-start":
		d.callStart(message, emit)
	case "tool-call-delta":
		d.callDelta(message, emit)
	case "message-end":
		d.end(emit)
	case "":
		d.failure(emit)
	}
}

// failure takes an error body in place of an event.
func (d *decoder) failure(emit func(*llm.Event)) {
	if raw := d.Doc.Raw(eMessage); jsonx.KindOf(raw) == jsonx.String {
		d.Fail(classify(0, dialect.Plain(jsonx.Interior(raw), dialect.MaxMessage)), emit)
	}
}

func (d *decoder) start(id llm.Escaped, emit func(*llm.Event)) {
	if !d.started {
		d.started = true
		d.Send(llm.Event{Kind: llm.Start, ID: id}, emit)
	}
}

// begin begins a block.
func (d *decoder) begin(ev llm.Event, plan bool, emit func(*llm.Event)) {
	d.close(emit)
	d.start(nil, emit)
	ev.Kind, ev.Block = llm.BlockStart, d.blocks
	d.blocks++
	d.open, d.kind, d.plan = true, ev.Part, plan
	d.Send(ev, emit)
}

// piece sends a Delta of text or reasoning, and begins its block.
func (d *decoder) piece(kind llm.PartKind, plan bool, ev llm.Event, emit func(*llm.Event)) {
	if len(ev.Text) == 0 && len(ev.Sign) == 0 {
		return
	}
	if !d.open || d.kind != kind || d.plan != plan {
		d.begin(llm.Event{Part: kind, Redacted: ev.Redacted}, plan, emit)
	}
	ev.Kind, ev.Block, ev.Part = llm.Delta, d.blocks-1, kind
	d.Send(ev, emit)
}

// content sends what a content's start or delta brings.
func (d *decoder) content(message []byte, emit func(*llm.Event)) {
	var text, thinking, signature llm.Escaped
	redacted := false
	raw, _ := jsonx.Lookup(message, "content")
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "text":
			text = dialect.Text(&it)
		case "thinking":
			thinking = dialect.Text(&it)
		case "signature":
			signature = dialect.Text(&it)
		case "redacted":
			redacted, _ = jsonx.Bool(it.Value())
		}
	}
	origin, sign := dialect.Unseal(name, signature)
	d.piece(llm.ReasoningPart, false, llm.Event{Text: thinking, Sign: sign, Origin: origin, Redacted: redacted}, emit)
	d.piece(llm.TextPart, false, llm.Event{Text: text}, emit)
}

// cite sends the citations of the text in hand.
func (d *decoder) cite(message []byte, emit func(*llm.Event)) {
	if !d.open || d.kind != llm.TextPart {
		return
	}
	raw, _ := jsonx.Lookup(message, "citations")
	d.cites, _ = readCitation(d.cites[:0], raw)
	for i := range d.cites {
		d.Send(llm.Event{Kind: llm.Delta, Block: d.blocks - 1, Part: llm.TextPart, Cite: &d.cites[i]}, emit)
	}
}

func (d *decoder) index() int64 {
	n, ok := jsonx.Int(d.Doc.Raw(eIndex))
	if !ok {
		return -1
	}
	return n
}

func (d *decoder) find(index int64) *call {
	for i := range d.calls {
		if d.calls[i].index == index {
			return &d.calls[i]
		}
	}
	return nil
}

func (d *decoder) callStart(message []byte, emit func(*llm.Event)) {
	if d.find(d.index()) != nil {
		return
	}
	if len(d.calls) == maxCalls {
		d.Fail(dialect.Malformed("too many tool calls"), emit)
		return
	}
	raw, _ := jsonx.Lookup(message, "tool_calls")
	p := readCall(raw)
	d.begin(llm.Event{Part: llm.ToolCallPart, ID: p.Call.ID, Name: p.Call.Name}, false, emit)
	d.calls = append(d.calls, call{index: d.index(), block: d.blocks - 1})
	d.arguments(&d.calls[len(d.calls)-1], &p, emit)
}

func (d *decoder) callDelta(message []byte, emit func(*llm.Event)) {
	raw, _ := jsonx.Lookup(message, "tool_calls")
	if c := d.find(d.index()); c != nil {
		p := readCall(raw)
		d.arguments(c, &p, emit)
	}
}

// arguments sends what an event brings of a call's arguments and signature.
func (d *decoder) arguments(c *call, p *llm.Part, emit func(*llm.Event)) {
	if len(p.Call.Arguments)+len(p.Signature) == 0 {
		return
	}
	c.written = c.written || len(p.Call.Arguments) > 0
	d.Send(llm.Event{Kind: llm.Delta, Block: c.block, Part: llm.ToolCallPart,
		Text: p.Call.Arguments, Sign: p.Signature, Origin: p.Origin}, emit)
}

var noArguments = llm.Part{Call: llm.ToolCall{Arguments: llm.Escaped("{}")}}

// close ends the open block. A call without arguments has an empty object of them.
func (d *decoder) close(emit func(*llm.Event)) {
	if !d.open {
		return
	}
	d.open = false
	if n := len(d.calls); d.kind == llm.ToolCallPart && n > 0 && !d.calls[n-1].written {
		d.arguments(&d.calls[n-1], &noArguments, emit)
	}
	d.Send(llm.Event{Kind: llm.BlockStop, Block: d.blocks - 1, Part: d.kind}, emit)
}

// end takes message-end: the finish reason, the usage, and perhaps an error.
func (d *decoder) end(emit func(*llm.Event)) {
	d.start(nil, emit)
	var word, message llm.Escaped
	for it := jsonx.Members(d.Doc.Raw(eDelta)); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "finish_reason":
			word = dialect.Text(&it)
		case "error":
			message = dialect.Text(&it)
		case "usage":
			d.usage = usageOf(it.Value())
		}
	}
	d.finish(word, message, emit)
}

// finish ends the answer by its reason, with the usage that is at hand.
func (d *decoder) finish(word, message llm.Escaped, emit func(*llm.Event)) {
	if err := failed(word, message); err != nil {
		d.tell(emit)
		d.Fail(err, emit)
		return
	}
	d.close(emit)
	finish := finishOf(word)
	if finish == llm.NotFinished {
		finish = llm.FinishOther
	}
	d.Send(llm.Event{Kind: llm.FinishEvent, Finish: finish}, emit)
	d.tell(emit)
	d.Ended = true
	d.Send(llm.Event{Kind: llm.End}, emit)
}

func (d *decoder) tell(emit func(*llm.Event)) {
	if d.usage.Known {
		d.Send(llm.Event{Kind: llm.UsageEvent, Usage: &d.usage}, emit)
	}
}
