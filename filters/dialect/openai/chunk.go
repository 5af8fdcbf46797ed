package openai

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// maxCalls is the most tool calls of one choice.
const maxCalls = 256

// chunks reads the chunks of one stream into events. Its state is one small
// record per choice and per tool call.
type chunks struct {
	limits  jsonx.Limits
	doc     jsonx.Document
	choices []choice
	ev      llm.Event
	usage   llm.Usage

	started  bool
	finished bool // a choice has come to its end
	ended    bool // End or Failure was emitted
	extra    bool // the last chunk carried usage and no choice
}

// choice is the state of one answer in the stream.
type choice struct {
	index    int
	blocks   int // blocks begun
	open     bool
	kind     llm.PartKind // of the open block
	redacted bool         // so is the open block
	written  bool         // the open tool call has arguments
	finished bool
	calls    []call
}

// call is a tool call: its index in the chunks, its id's hash, its block.
type call struct {
	index int64
	id    uint64
	block int
}

func newChunks(lim dialect.Limits) chunks {
	return chunks{limits: jsonx.Limits{Depth: lim.Depth, Bytes: lim.Event}}
}

var done = []byte("[DONE]")

// read takes the data of one event.
func (c *chunks) read(data []byte, emit func(*llm.Event)) {
	c.extra = false
	data = bytes.TrimSpace(data)
	switch {
	case c.ended || len(data) == 0:
	case bytes.Equal(data, done):
		c.end(emit)
	default:
		c.chunk(data, emit)
	}
}

func (c *chunks) chunk(data []byte, emit func(*llm.Event)) {
	if err := c.doc.Scan(data, answerKeys, c.limits); err != nil {
		c.fail(dialect.Malformed(err.Error()), emit)
		return
	}
	if err := bodyError(&c.doc); err != nil {
		c.fail(err, emit)
		return
	}
	choices := jsonx.Elements(c.doc.Raw(aChoices))
	empty := true
	for choices.Next() && !c.ended {
		empty = false
		c.start(emit)
		c.choice(choices.Value(), emit)
	}
	if u, ok := usageOf(&c.doc); ok && !c.ended {
		c.usage = u
		c.extra = empty
		c.ev = llm.Event{Kind: llm.UsageEvent, Usage: &c.usage}
		emit(&c.ev)
	}
}

// start begins the stream at the first chunk with a choice: Azure sends one
// without, and without an id, before it.
func (c *chunks) start(emit func(*llm.Event)) {
	if c.started {
		return
	}
	c.started = true
	created, _ := jsonx.Int(c.doc.Raw(aCreated))
	c.ev = llm.Event{
		Kind: llm.Start, Created: created,
		ID:   llm.Escaped(jsonx.Interior(c.doc.Raw(aID))),
		Name: llm.Escaped(jsonx.Interior(c.doc.Raw(aModel))),
	}
	emit(&c.ev)
}

func (c *chunks) choice(raw []byte, emit func(*llm.Event)) {
	var index int64
	var delta, reason []byte
	var text llm.Escaped
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "index":
			index, _ = jsonx.Int(it.Value())
		case "delta":
			delta = it.Value()
		case "text": // of a completion
			text = dialect.Text(&it)
		case "finish_reason":
			reason = dialect.Value(&it)
		}
	}
	ch := c.find(index)
	if ch == nil {
		c.fail(dialect.Malformed("choice out of range"), emit)
		return
	}
	if ch.finished {
		return
	}
	c.delta(ch, delta, emit)
	if len(text) > 0 {
		c.text(ch, llm.TextPart, text, emit)
	}
	if finish := finishOf(reason); finish != llm.NotFinished && !c.ended {
		c.close(ch, emit)
		ch.finished, c.finished = true, true
		c.ev = llm.Event{Kind: llm.FinishEvent, Choice: ch.index, Finish: finish}
		emit(&c.ev)
	}
}

// find returns the state of a choice; nil when there cannot be such a one.
func (c *chunks) find(index int64) *choice {
	for i := range c.choices {
		if int64(c.choices[i].index) == index {
			return &c.choices[i]
		}
	}
	if index < 0 || index >= base.MaxChoices {
		return nil
	}
	c.choices = append(c.choices, choice{index: int(index)})
	return &c.choices[len(c.choices)-1]
}

// delta emits what a chunk adds to a choice, reasoning first, whatever the order
// of its members.
func (c *chunks) delta(ch *choice, raw []byte, emit func(*llm.Event)) {
	var d delta
	d.read(raw)
	if len(d.reasoning) > 0 {
		c.text(ch, llm.ReasoningPart, d.reasoning, emit)
	}
	for it := jsonx.Elements(d.details); it.Next(); {
		c.detail(ch, readDetail(it.Value()), emit)
	}
	for it := jsonx.Elements(d.parts); it.Next(); {
		c.part(ch, readPart(it.Value()), emit)
	}
	if len(d.content) > 0 {
		c.text(ch, llm.TextPart, d.content, emit)
	}
	if len(d.refusal) > 0 {
		c.text(ch, llm.RefusalPart, d.refusal, emit)
	}
	for it := jsonx.Elements(d.notes); it.Next(); {
		c.cite(ch, it.Value(), emit)
	}
	for it := jsonx.Elements(d.calls); it.Next() && !c.ended; {
		c.call(ch, it.Value(), emit)
	}
	if d.function != nil && !c.ended {
		c.function(ch, d.function, emit)
	}
}

// delta is a delta object with its members apart.
type delta struct {
	content, refusal, reasoning     llm.Escaped
	parts, details, calls, function []byte
	notes                           []byte
}

func (d *delta) read(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "content":
			d.content = dialect.Text(&it)
			d.parts = it.Value() // Mistral sends thinking as an array of parts
		case "refusal":
			d.refusal = dialect.Text(&it)
		case "reasoning_content":
			d.reasoning = dialect.Text(&it)
		case "reasoning":
			if len(d.reasoning) == 0 {
				d.reasoning = dialect.Text(&it)
			}
		case "reasoning_details":
			d.details = it.Value()
		case "tool_calls":
			d.calls = it.Value()
		case "function_call":
			d.function = dialect.Value(&it)
		case "annotations":
			d.notes = it.Value()
		}
	}
}

// text emits a piece of text, in the open block if it is of the same kind.
func (c *chunks) text(ch *choice, kind llm.PartKind, text llm.Escaped, emit func(*llm.Event)) {
	c.block(ch, kind, false, emit)
	c.ev = llm.Event{Kind: llm.Delta, Choice: ch.index, Block: ch.blocks - 1, Part: kind, Text: text}
	emit(&c.ev)
}

// part emits a part of a content array.
func (c *chunks) part(ch *choice, p llm.Part, emit func(*llm.Event)) {
	if len(p.Text) > 0 && (p.Kind == llm.TextPart || p.Kind == llm.ReasoningPart) {
		c.text(ch, p.Kind, p.Text, emit)
	}
}

// detail emits what only reasoning_details carry: signatures and redacted
// blocks. The text came in reasoning already.
func (c *chunks) detail(ch *choice, d detail, emit func(*llm.Event)) {
	sign, redacted := d.sign()
	if len(sign) == 0 {
		return
	}
	c.block(ch, llm.ReasoningPart, redacted, emit)
	c.ev = llm.Event{Kind: llm.Delta, Choice: ch.index, Block: ch.blocks - 1, Part: llm.ReasoningPart, Sign: sign, Origin: d.origin, Redacted: ch.redacted}
	emit(&c.ev)
}

// cite emits where a text is from.
func (c *chunks) cite(ch *choice, raw []byte, emit func(*llm.Event)) {
	raw, _ = jsonx.Lookup(raw, "url_citation")
	note := base.ReadCitation(raw)
	if len(note.URL) == 0 {
		return
	}
	c.block(ch, llm.TextPart, false, emit)
	c.ev = llm.Event{Kind: llm.Delta, Choice: ch.index, Block: ch.blocks - 1, Part: llm.TextPart, Cite: &note}
	emit(&c.ev)
}

// block makes a block of the kind the open one. A redacted block is always new.
func (c *chunks) block(ch *choice, kind llm.PartKind, redacted bool, emit func(*llm.Event)) {
	if ch.open && ch.kind == kind && !redacted && !ch.redacted {
		return
	}
	c.close(ch, emit)
	ch.begin(kind, redacted)
	c.ev = llm.Event{Kind: llm.BlockStart, Choice: ch.index, Block: ch.blocks - 1, Part: kind, Redacted: redacted}
	emit(&c.ev)
}

func (ch *choice) begin(kind llm.PartKind, redacted bool) {
	ch.open, ch.kind, ch.redacted, ch.written = true, kind, redacted, false
	ch.blocks++
}

// close ends the open block. A tool call without arguments gets the empty object.
func (c *chunks) close(ch *choice, emit func(*llm.Event)) {
	if !ch.open {
		return
	}
	ch.open = false
	c.ev = llm.Event{Choice: ch.index, Block: ch.blocks - 1, Part: ch.kind}
	if ch.kind == llm.ToolCallPart && !ch.written {
		c.ev.Kind, c.ev.Text = llm.Delta, llm.Escaped("{}")
		emit(&c.ev)
		c.ev.Text = nil
	}
	c.ev.Kind = llm.BlockStop
	emit(&c.ev)
}

// call takes one entry of tool_calls. An entry begins a call when its index is
// new, or its id is: some servers number all calls 0, or not at all.
func (c *chunks) call(ch *choice, raw []byte, emit func(*llm.Event)) {
	index := int64(-1)
	var id, sign llm.Escaped
	var origin string
	var function []byte
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "index":
			index, _ = jsonx.Int(it.Value())
		case "id":
			id = dialect.Text(&it)
		case "function":
			function = it.Value()
		case "extra_content":
			sign, origin = thoughtSignature(it.Value())
		}
	}
	var part llm.Part
	readFunction(&part, function)
	part.Call.ID = id
	at := ch.known(index, id)
	if at < 0 {
		if at = c.begin(ch, index, &part.Call, emit); at < 0 {
			return
		}
	}
	c.arguments(ch, ch.calls[at].block, &part.Call, emit)
	if len(sign) > 0 {
		c.ev = llm.Event{Kind: llm.Delta, Choice: ch.index, Block: ch.calls[at].block, Part: llm.ToolCallPart, Sign: sign, Origin: origin}
		emit(&c.ev)
	}
}

// known finds the call that an entry goes on with, or -1.
func (ch *choice) known(index int64, id llm.Escaped) int {
	hash := hashOf(id)
	for i := len(ch.calls) - 1; i >= 0; i-- {
		k := &ch.calls[i]
		if index >= 0 && k.index != index {
			continue
		}
		if hash == 0 || k.id == hash || k.id == 0 {
			return i
		}
	}
	return -1
}

// hashOf tells ids apart (FNV-1a) so that they need not be kept; 0 is no id.
func hashOf(id llm.Escaped) uint64 {
	if len(id) == 0 {
		return 0
	}
	h := uint64(14695981039346656037)
	for _, b := range id {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h | 1
}

// begin starts a tool call's block.
func (c *chunks) begin(ch *choice, index int64, k *llm.ToolCall, emit func(*llm.Event)) int {
	if len(ch.calls) == maxCalls {
		c.fail(dialect.Malformed("too many tool calls"), emit)
		return -1
	}
	c.close(ch, emit)
	ch.begin(llm.ToolCallPart, false)
	ch.calls = append(ch.calls, call{index, hashOf(k.ID), ch.blocks - 1})
	c.ev = llm.Event{Kind: llm.BlockStart, Choice: ch.index, Block: ch.blocks - 1, Part: llm.ToolCallPart, ID: k.ID, Name: k.Name}
	emit(&c.ev)
	return len(ch.calls) - 1
}

// arguments emits a piece of a call's arguments.
func (c *chunks) arguments(ch *choice, block int, k *llm.ToolCall, emit func(*llm.Event)) {
	if k.Input != nil {
		k.Arguments = dialect.AppendArguments(nil, k)
	}
	if len(k.Arguments) == 0 {
		return
	}
	if ch.open && block == ch.blocks-1 {
		ch.written = true
	}
	c.ev = llm.Event{Kind: llm.Delta, Choice: ch.index, Block: block, Part: llm.ToolCallPart, Text: k.Arguments}
	emit(&c.ev)
}

// function takes the deprecated function_call, of which there is one.
func (c *chunks) function(ch *choice, raw []byte, emit func(*llm.Event)) {
	var part llm.Part
	readFunction(&part, raw)
	if len(ch.calls) == 0 && c.begin(ch, -1, &part.Call, emit) < 0 {
		return
	}
	c.arguments(ch, ch.calls[0].block, &part.Call, emit)
}

// end ends a stream that came to its end.
func (c *chunks) end(emit func(*llm.Event)) {
	for i := range c.choices {
		c.close(&c.choices[i], emit)
	}
	c.ended = true
	c.ev = llm.Event{Kind: llm.End}
	emit(&c.ev)
}

// stop ends a stream whose bytes are over: some servers send no [DONE].
func (c *chunks) stop(emit func(*llm.Event)) {
	switch {
	case c.ended:
	case c.finished:
		c.end(emit)
	default:
		c.fail(dialect.Malformed("the stream ended too early"), emit)
	}
}

func (c *chunks) fail(err *llm.Error, emit func(*llm.Event)) {
	c.ended = true
	c.ev = llm.Event{Kind: llm.Failure, Err: err}
	emit(&c.ev)
}
