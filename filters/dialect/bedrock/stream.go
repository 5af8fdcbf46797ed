package bedrock

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// decoder reads the stream of ConverseStream.
type decoder struct {
	frames eventstream.Framer
	limits jsonx.Limits
	machine
}

// NewDecoder reads a streamed answer.
func (*provider) NewDecoder(_ *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return newDecoder(t, lim)
}

func newDecoder(t *dialect.Target, lim dialect.Limits) *decoder {
	return &decoder{frames: *eventstream.NewFramer(eventstream.Limits{Message: lim.Event}),
		limits: jsonx.Limits{Depth: lim.Depth, Bytes: lim.Event}, machine: machine{origin: originOf(t)}}
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) {
	d.frames.Feed(chunk)
	for m, ok := d.frames.Next(); ok; m, ok = d.frames.Next() {
		d.read(&m, emit)
	}
	if err := d.frames.Err(); err != nil {
		d.fail(aws.BrokenStream(err), emit)
	}
}

// read takes one message.
func (d *decoder) read(m *eventstream.Message, emit func(*llm.Event)) {
	if d.ended {
		return
	}
	if err := aws.Exception(m); err != nil {
		d.fail(err, emit)
		return
	}
	if err := jsonx.Valid(m.Payload, d.limits); err != nil {
		d.fail(dialect.Malformed(err.Error()), emit)
		return
	}
	d.event(m.Headers.Text(":event-type"), m.Payload, emit)
}

// Close ends the stream: within a message, or before the model's turn is over,
// that is too early.
func (d *decoder) Close(emit func(*llm.Event)) {
	if err := d.frames.Close(); err != nil {
		d.fail(aws.BrokenStream(err), emit)
	}
	d.stop(emit)
}

// Overflowed is 0: a stream with a message that is too long cannot be read on.
func (d *decoder) Overflowed() int { return 0 }

// machine turns the events of a stream into those of the vocabulary. Blocks do not
// overlap, so its state is that of one block. A block of text or of reasoning has
// no start of its own.
type machine struct {
	origin string
	ev     llm.Event
	usage  llm.Usage
	cite   llm.Citation

	started, finished, ended bool

	blocks   int // blocks shown
	open     bool
	index    int64 // the provider's index of the open block
	kind     llm.PartKind
	redacted bool
	hidden   bool // the open block is not shown: a result of the provider's own tool
	written  bool // the open tool call has input
}

// send emits one event.
//
//go:noinline
func (d *machine) send(ev llm.Event, emit func(*llm.Event)) {
	d.ev = ev
	emit(&d.ev)
}

func (d *machine) fail(err *llm.Error, emit func(*llm.Event)) {
	if !d.ended {
		d.ended = true
		d.send(llm.Event{Kind: llm.Failure, Err: err}, emit)
	}
}

// stop ends a stream whose bytes are over.
func (d *machine) stop(emit func(*llm.Event)) {
	switch {
	case d.ended:
	case d.finished:
		d.end(emit)
	default:
		d.fail(dialect.Malformed("the stream ended too early"), emit)
	}
}

func (d *machine) end(emit func(*llm.Event)) {
	d.ended = true
	d.send(llm.Event{Kind: llm.End}, emit)
}

// event takes an event by its name; unknown ones say nothing.
func (d *machine) event(name, data []byte, emit func(*llm.Event)) {
	switch string(name) {
	case "messageStart":
		d.begin(emit)
	case "contentBlockStart":
		d.blockStart(data, emit)
	case "contentBlockDelta":
		d.delta(data, emit)
	case "contentBlockStop":
		if blockIndex(data) == d.index {
			d.close(emit)
		}
	case "messageStop":
		d.finish(textAt(data, "stopReason"), textAt(data, "additionalModelResponseFields", "stop_sequence"), emit)
	case "metadata":
		d.metadata(data, emit)
	}
}

func (d *machine) begin(emit func(*llm.Event)) {
	if !d.started {
		d.started = true
		d.send(llm.Event{Kind: llm.Start}, emit)
	}
}

func (d *machine) finish(reason, sequence llm.Escaped, emit func(*llm.Event)) {
	d.begin(emit)
	if finish := stopReason(reason); finish != llm.NotFinished {
		d.done(finish, sequence, emit)
	}
}

// done ends the model's turn, once.
func (d *machine) done(finish llm.Finish, sequence llm.Escaped, emit func(*llm.Event)) {
	d.close(emit)
	if !d.finished {
		d.finished = true
		d.send(llm.Event{Kind: llm.FinishEvent, Finish: finish, Stop: sequence}, emit)
	}
}

// metadata is the last event.
func (d *machine) metadata(data []byte, emit func(*llm.Event)) {
	raw, _ := jsonx.Lookup(data, "usage")
	tier, _ := jsonx.Lookup(data, "serviceTier")
	if d.usage = readUsage(raw, tier); d.usage.Known {
		d.send(llm.Event{Kind: llm.UsageEvent, Usage: &d.usage}, emit)
	}
	if d.finished {
		d.end(emit)
	}
}

func blockIndex(data []byte) int64 {
	raw, _ := jsonx.Lookup(data, "contentBlockIndex")
	n, ok := jsonx.Int(raw)
	if !ok {
		return -1
	}
	return n
}

func (d *machine) blockStart(data []byte, emit func(*llm.Event)) {
	if d.finished {
		return
	}
	d.close(emit)
	d.begin(emit)
	start, _ := jsonx.Lookup(data, "start")
	call, ok := jsonx.Lookup(start, "toolUse")
	if !ok {
		// A start that says nothing is no block of a kind that is not shown: some
		// servers that imitate the API begin text with it.
		it := jsonx.Members(start)
		d.open, d.hidden, d.index = it.Next(), true, blockIndex(data)
		return
	}
	d.show(llm.Event{Part: llm.ToolCallPart, ID: textAt(call, "toolUseId"), Name: textAt(call, "name")}, blockIndex(data), emit)
}

// show begins a block.
func (d *machine) show(ev llm.Event, index int64, emit func(*llm.Event)) {
	d.open, d.hidden, d.written, d.index = true, false, false, index
	d.kind, d.redacted = ev.Part, ev.Redacted
	ev.Kind, ev.Block = llm.BlockStart, d.blocks
	d.blocks++
	d.send(ev, emit)
}

func (d *machine) delta(data []byte, emit func(*llm.Event)) {
	if d.finished {
		return
	}
	at := blockIndex(data)
	raw, _ := jsonx.Lookup(data, "delta")
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "text":
			d.piece(llm.Event{Part: llm.TextPart, Text: dialect.Text(&it)}, at, emit)
		case "toolUse":
			d.piece(llm.Event{Part: llm.ToolCallPart, Text: textAt(it.Value(), "input")}, at, emit)
		case "reasoningContent":
			d.reasoning(it.Value(), at, emit)
		case "citation":
			d.cite = readCitation(it.Value())
			d.piece(llm.Event{Part: llm.TextPart, Cite: &d.cite}, at, emit)
		}
	}
}

func (d *machine) reasoning(raw []byte, at int64, emit func(*llm.Event)) {
	for it := jsonx.Members(raw); it.Next(); {
		ev := llm.Event{Part: llm.ReasoningPart}
		switch string(dialect.Name(&it)) {
		case "text":
			ev.Text = dialect.Text(&it)
		case "signature":
			ev.Origin, ev.Sign = dialect.Unseal(d.origin, dialect.Text(&it))
		case "redactedContent":
			ev.Redacted = true
			ev.Origin, ev.Sign = unsealBlob(d.origin, dialect.Text(&it))
		}
		d.piece(ev, at, emit)
	}
}

// piece sends a Delta, unless it is empty, and begins a block for it where none is
// open. A call cannot begin so: it would have no name.
func (d *machine) piece(ev llm.Event, at int64, emit func(*llm.Event)) {
	if len(ev.Text) == 0 && len(ev.Sign) == 0 && ev.Cite == nil {
		return
	}
	if d.open && d.hidden && d.index == at {
		return
	}
	if !d.open || d.index != at || d.kind != ev.Part || d.redacted != ev.Redacted {
		if ev.Part == llm.ToolCallPart {
			return
		}
		d.close(emit)
		d.begin(emit)
		d.show(llm.Event{Part: ev.Part, Redacted: ev.Redacted}, at, emit)
	}
	d.written = true
	ev.Kind, ev.Block = llm.Delta, d.blocks-1
	d.send(ev, emit)
}

// close ends the open block. A call without input has the empty object.
func (d *machine) close(emit func(*llm.Event)) {
	if !d.open {
		return
	}
	if !d.hidden && d.kind == llm.ToolCallPart && !d.written {
		d.piece(llm.Event{Part: llm.ToolCallPart, Text: llm.Escaped("{}")}, d.index, emit)
	}
	d.open = false
	if !d.hidden {
		d.send(llm.Event{Kind: llm.BlockStop, Block: d.blocks - 1, Part: d.kind}, emit)
	}
}
