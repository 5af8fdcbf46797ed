package anthropic

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/dialect/decoding"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// decoder reads a streamed message. Its blocks do not overlap, so the state is
// that of one block.
type decoder struct {
	decoding.Reader
	repeat dialect.Repeat // of deltas of text in the open block
	counts counts
	usage  llm.Usage

	started  bool
	finished bool

	blocks  int // blocks shown
	open    bool
	index   int64 // the provider's index of the open block
	kind    llm.PartKind
	hidden  bool   // the open block is not shown: a tool of the provider's own
	written bool   // the open tool call has input
	input   []byte // input that came with the start of a tool call
}

// Streams knows server-sent events, and Bedrock's chunks.
func (*provider) Streams(mediaType string) bool {
	return mediaType == sse.MediaType || isChunks(mediaType)
}

// NewDecoder reads a streamed answer.
func (*provider) NewDecoder(_ *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder {
	if onBedrock(t) {
		return aws.NewDecoder(newDecoder(lim), lim)
	}
	return newDecoder(lim)
}

func newDecoder(lim dialect.Limits) *decoder {
	return &decoder{Reader: decoding.New(lim)}
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) {
	if d.repeat.Known() && d.Fresh(chunk) {
		chunk = d.again(chunk, emit)
	}
	d.Add(chunk)
	for ev, ok := d.Next(); ok; ev, ok = d.Next() {
		d.repeat.Forget()
		d.Last.Kind = llm.Ping // of this event nothing was sent yet
		d.Read(ev.Data, emit)
		d.learn(&ev)
	}
}

// again takes the deltas that the chunk begins with, as long as they are spelled
// as the last one, and returns the rest.
func (d *decoder) again(chunk []byte, emit func(*llm.Event)) []byte {
	for len(chunk) > 0 {
		text, next := d.repeat.Text(chunk, 0)
		if next < 0 {
			break
		}
		d.piece(llm.Event{Text: text}, emit)
		chunk = chunk[next:]
	}
	return chunk
}

// learn takes an event that was a delta of text, and nothing else.
func (d *decoder) learn(ev *sse.Event) {
	if d.Last.Kind != llm.Delta || d.Last.Part != llm.TextPart || string(interior(&d.Doc, mType)) != "content_block_delta" {
		return
	}
	first, last := bytes.Index(ev.Raw, textKey), bytes.LastIndex(ev.Raw, textKey)
	if first < 0 || first != last {
		return // a spelling that is not the usual one, or several members of this name
	}
	from := first + len(textKey)
	if rest := ev.Raw[from:]; bytes.HasPrefix(rest, d.Last.Text) && rest[len(d.Last.Text)] == '"' {
		d.repeat.Learn(ev.Raw, from, from+len(d.Last.Text))
	}
}

var textKey = []byte(`"text":"`)

func (d *decoder) Close(emit func(*llm.Event)) { d.Finish(d, emit) }

// Stop ends a stream whose bytes are over.
func (d *decoder) Stop(emit func(*llm.Event)) {
	if d.finished && !d.Ended {
		d.end(emit)
		return
	}
	d.Early(emit)
}

// Read takes the data of one event. Its type stands in the data; the event's
// name, which gateways drop, is not needed.
func (d *decoder) Read(data []byte, emit func(*llm.Event)) {
	if !d.Scan(data, messageKeys, emit) {
		return
	}
	switch string(interior(&d.Doc, mType)) {
	case "message_start":
		d.start(emit)
	case "content_block_start":
		d.blockStart(emit)
	case "content_block_delta":
		d.delta(emit)
	case "content_block_stop":
		d.blockStop(emit)
	case "message_delta":
		d.messageDelta(emit)
	case "message_stop":
		d.end(emit)
	case "ping":
		d.Send(llm.Event{Kind: llm.Ping}, emit)
	default:
		if err := bodyError(&d.Doc); err != nil {
			d.Fail(err, emit)
		}
	}
}

// start takes message_start. Its usage is sent on: should the stream break, the
// input is accounted for.
func (d *decoder) start(emit func(*llm.Event)) {
	if d.started {
		return
	}
	d.started = true
	ev := llm.Event{Kind: llm.Start}
	for it := jsonx.Members(d.Doc.Raw(mMessage)); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "id":
			ev.ID = dialect.Text(&it)
		case "model":
			ev.Name = dialect.Text(&it)
		case "usage":
			d.counts.read(it.Value())
		}
	}
	d.Send(ev, emit)
	d.tell(emit)
}

// begin makes up for a message_start that was lost.
func (d *decoder) begin(emit func(*llm.Event)) {
	if !d.started {
		d.started = true
		d.Send(llm.Event{Kind: llm.Start}, emit)
	}
}

// tell sends the usage so far, if any was reported.
func (d *decoder) tell(emit func(*llm.Event)) {
	if d.counts.known {
		d.usage = d.counts.usage()
		d.Send(llm.Event{Kind: llm.UsageEvent, Usage: &d.usage}, emit)
	}
}

func (d *decoder) blockIndex() int64 {
	n, ok := jsonx.Int(d.Doc.Raw(mIndex))
	if !ok {
		return -1
	}
	return n
}

func (d *decoder) blockStart(emit func(*llm.Event)) {
	d.close(emit)
	d.begin(emit)
	var b fields
	b.read(d.Doc.Raw(mBlock))
	d.open, d.index, d.written, d.hidden = true, d.blockIndex(), false, false
	ev := llm.Event{Kind: llm.BlockStart, Block: d.blocks}
	switch string(b.kind) {
	case "text":
		ev.Part = llm.TextPart
	case "thinking":
		ev.Part = llm.ReasoningPart
	case "redacted_thinking":
		ev.Part, ev.Redacted = llm.ReasoningPart, true
	case "tool_use":
		ev.Part, ev.ID, ev.Name = llm.ToolCallPart, b.id, b.name
		d.input = append(d.input[:0], b.input...)
	default:
		d.hidden = true
		return
	}
	d.kind = ev.Part
	d.blocks++
	d.Send(ev, emit)
	d.first(&b, ev.Redacted, emit)
}

// first sends what a block's start brings of its content; it is empty but for
// redacted blocks.
func (d *decoder) first(b *fields, redacted bool, emit func(*llm.Event)) {
	switch {
	case redacted:
		d.signed(b.data, true, emit)
	case d.kind == llm.TextPart:
		d.piece(llm.Event{Text: b.text}, emit)
	case d.kind == llm.ReasoningPart:
		d.piece(llm.Event{Text: b.thinking}, emit)
		d.signed(b.signature, false, emit)
	}
}

// signed sends a signature with its maker.
func (d *decoder) signed(sign llm.Escaped, redacted bool, emit func(*llm.Event)) {
	ev := llm.Event{Redacted: redacted}
	ev.Origin, ev.Sign = dialect.Unseal(dialectName, sign)
	d.piece(ev, emit)
}

// piece sends a Delta of the open block, unless it is empty.
func (d *decoder) piece(ev llm.Event, emit func(*llm.Event)) {
	if len(ev.Text) == 0 && len(ev.Sign) == 0 {
		return
	}
	ev.Kind, ev.Block, ev.Part = llm.Delta, d.blocks-1, d.kind
	d.Send(ev, emit)
}

func (d *decoder) delta(emit func(*llm.Event)) {
	if !d.open || d.hidden || d.blockIndex() != d.index {
		return
	}
	var b fields
	b.read(d.Doc.Raw(mDelta))
	switch string(b.kind) {
	case "text_delta":
		d.piece(llm.Event{Text: b.text}, emit)
	case "thinking_delta":
		d.piece(llm.Event{Text: b.thinking}, emit)
	case "signature_delta":
		d.signed(b.signature, false, emit)
	case "citations_delta":
		if cite := readCitation(b.citation); b.citation != nil && d.kind == llm.TextPart {
			d.Send(llm.Event{Kind: llm.Delta, Block: d.blocks - 1, Part: d.kind, Cite: &cite}, emit)
		}
	case "input_json_delta":
		d.written = d.written || len(b.partial) > 0
		d.piece(llm.Event{Text: b.partial}, emit)
	}
}

func (d *decoder) blockStop(emit func(*llm.Event)) {
	if d.blockIndex() == d.index {
		d.close(emit)
	}
}

// close ends the open block. The input of a tool call that came at once, at its
// start, is sent here, since deltas would have replaced it.
func (d *decoder) close(emit func(*llm.Event)) {
	if !d.open {
		return
	}
	d.open = false
	if d.hidden {
		return
	}
	if d.kind == llm.ToolCallPart && !d.written {
		d.piece(llm.Event{Text: dialect.AppendArguments(nil, &llm.ToolCall{Input: d.input})}, emit)
	}
	d.Send(llm.Event{Kind: llm.BlockStop, Block: d.blocks - 1, Part: d.kind}, emit)
}

// messageDelta takes the stop reason and the final usage.
func (d *decoder) messageDelta(emit func(*llm.Event)) {
	d.begin(emit)
	reason, _ := jsonx.Lookup(d.Doc.Raw(mDelta), "stop_reason")
	sequence, _ := jsonx.Lookup(d.Doc.Raw(mDelta), "stop_sequence")
	d.counts.read(d.Doc.Raw(mUsage))
	if finish := stopReason(llm.Escaped(jsonx.Interior(reason))); finish != llm.NotFinished && !d.finished {
		d.close(emit)
		d.finished = true
		d.Send(llm.Event{Kind: llm.FinishEvent, Finish: finish, Stop: llm.Escaped(jsonx.Interior(sequence))}, emit)
	}
	d.tell(emit)
}

func (d *decoder) end(emit func(*llm.Event)) {
	d.close(emit)
	d.Ended = true
	d.Send(llm.Event{Kind: llm.End}, emit)
}
