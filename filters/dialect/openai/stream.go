package openai

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
)

// streamEncoder writes chat.completion.chunk events. For each choice: the role,
// then deltas, then one finish reason; then usage for a client that asked, and
// [DONE] once, last.
type streamEncoder struct {
	facts   *llm.Facts
	model   string
	head    []byte // of every chunk: id, object, created, model
	choices []outChoice
	usage   llm.Usage
	ended   bool
}

// outChoice is what must be known of a choice to keep the grammar.
type outChoice struct {
	index    int
	finished bool
	calls    []int // the block of each tool call, by its index in the chunks
	thoughts int   // reasoning blocks begun
}

// NewEncoder writes a streamed answer under the given model name.
func (*client) NewEncoder(f *llm.Facts, model string) dialect.Encoder {
	return &streamEncoder{facts: f, model: model}
}

// Append writes what an event becomes; events that have no place are left out.
func (s *streamEncoder) Append(dst []byte, ev *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch ev.Kind {
	case llm.Ping:
		if s.head != nil {
			dst = append(dst, ": ping\n\n"...)
		}
	case llm.Start:
		dst = s.start(dst, ev)
	case llm.BlockStart, llm.Delta, llm.FinishEvent:
		dst = s.choice(dst, ev)
	case llm.UsageEvent:
		s.usage = *ev.Usage
	case llm.End:
		dst = s.end(dst)
	case llm.Failure:
		s.ended = true
	}
	return dst
}

// start fixes the head and begins the first choice.
func (s *streamEncoder) start(dst []byte, ev *llm.Event) []byte {
	if s.head != nil {
		return dst
	}
	s.begin(ev.ID, ev.Created)
	_, dst = s.find(dst, 0)
	return dst
}

func (s *streamEncoder) begin(id llm.Escaped, at int64) {
	if len(id) == 0 {
		id = llm.Escaped("chatcmpl-postern")
	}
	w := dialect.Writer{B: append(make([]byte, 0, 192), "data: {"...)}
	w.Text("id", id)
	w.Word("object", "chat.completion.chunk")
	w.Int("created", created(s.facts, at))
	w.Quote("model", s.model)
	s.head = w.B
}

// find returns the state of a choice, beginning it with its role; nil when there
// can be no such choice.
func (s *streamEncoder) find(dst []byte, index int) (*outChoice, []byte) {
	for i := range s.choices {
		if s.choices[i].index == index {
			return &s.choices[i], dst
		}
	}
	if index < 0 || index >= base.MaxChoices {
		return nil, dst
	}
	if s.head == nil {
		s.begin(nil, 0)
		if index != 0 {
			_, dst = s.find(dst, 0)
		}
	}
	s.choices = append(s.choices, outChoice{index: index})
	dst = s.open(dst, index)
	dst = append(dst, `"role":"assistant","content":""`...)
	return &s.choices[len(s.choices)-1], s.close(dst)
}

// open writes a chunk up to its delta.
func (s *streamEncoder) open(dst []byte, index int) []byte {
	dst = append(dst, s.head...)
	dst = append(dst, `,"choices":[{"index":`...)
	dst = strconv.AppendInt(dst, int64(index), 10)
	return append(dst, `,"delta":{`...)
}

// close ends a chunk behind its delta.
func (s *streamEncoder) close(dst []byte) []byte {
	return s.finish(append(dst, `},"finish_reason":null`...))
}

// finish ends a chunk behind its finish reason.
func (s *streamEncoder) finish(dst []byte) []byte {
	if s.facts.WantsUsage {
		return append(dst, "}],\"usage\":null}\n\n"...)
	}
	return append(dst, "}]}\n\n"...)
}

func (s *streamEncoder) choice(dst []byte, ev *llm.Event) []byte {
	c, dst := s.find(dst, ev.Choice)
	if c == nil || c.finished {
		return dst
	}
	switch ev.Kind {
	case llm.FinishEvent:
		return s.finished(dst, c, ev.Finish)
	case llm.BlockStart:
		return s.block(dst, c, ev)
	}
	return s.delta(dst, c, ev)
}

func (s *streamEncoder) finished(dst []byte, c *outChoice, f llm.Finish) []byte {
	c.finished = true
	dst = s.open(dst, c.index)
	dst = append(dst, `},"finish_reason":"`...)
	dst = append(dst, finishName(f)...)
	return s.finish(append(dst, '"'))
}

// block begins a tool call; other blocks need no word of their own.
func (s *streamEncoder) block(dst []byte, c *outChoice, ev *llm.Event) []byte {
	switch ev.Part {
	case llm.ReasoningPart:
		c.thoughts++
	case llm.ToolCallPart:
		if c.call(ev.Block) < 0 && len(c.calls) < maxCalls {
			c.calls = append(c.calls, ev.Block)
			return s.call(dst, c, ev)
		}
	}
	return dst
}

// call returns the index of the tool call whose block this is, or -1.
func (c *outChoice) call(block int) int {
	for i := len(c.calls) - 1; i >= 0; i-- {
		if c.calls[i] == block {
			return i
		}
	}
	return -1
}

func (s *streamEncoder) call(dst []byte, c *outChoice, ev *llm.Event) []byte {
	n := len(c.calls) - 1
	dst = s.open(dst, c.index)
	dst = append(dst, `"tool_calls":[{"index":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `,"id":"`...)
	if len(ev.ID) > 0 {
		dst = append(dst, ev.ID...)
	} else {
		dst = strconv.AppendInt(append(dst, "call_"...), int64(n), 10)
	}
	dst = append(dst, `","type":"function","function":{"name":"`...)
	dst = append(dst, ev.Name...)
	return s.close(append(dst, `","arguments":""}}]`...))
}

func (s *streamEncoder) delta(dst []byte, c *outChoice, ev *llm.Event) []byte {
	switch ev.Part {
	case llm.TextPart:
		if ev.Cite != nil {
			dst = s.cite(dst, c, ev.Cite)
		}
		return s.text(dst, c, `"content":"`, ev.Text)
	case llm.RefusalPart:
		return s.text(dst, c, `"refusal":"`, ev.Text)
	case llm.ReasoningPart:
		return s.thought(dst, c, ev)
	case llm.ToolCallPart:
		return s.arguments(dst, c, ev)
	}
	return dst
}

func (s *streamEncoder) cite(dst []byte, c *outChoice, note *llm.Citation) []byte {
	if len(note.URL) == 0 {
		return dst
	}
	w := dialect.Writer{B: s.open(dst, c.index)}
	w.Array("annotations")
	writeAnnotation(&w, note)
	w.Close(']')
	return s.close(w.B)
}

func (s *streamEncoder) text(dst []byte, c *outChoice, member string, text llm.Escaped) []byte {
	if len(text) == 0 {
		return dst
	}
	dst = append(s.open(dst, c.index), member...)
	dst = append(dst, text...)
	return s.close(append(dst, '"'))
}

// arguments writes a piece of a call's arguments. A piece of a call that was
// never begun has no name to go by.
func (s *streamEncoder) arguments(dst []byte, c *outChoice, ev *llm.Event) []byte {
	n := c.call(ev.Block)
	if n < 0 || len(ev.Text) == 0 && len(ev.Sign) == 0 {
		return dst
	}
	dst = append(s.open(dst, c.index), `"tool_calls":[{"index":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `,"function":{"arguments":"`...)
	w := dialect.Writer{B: append(append(dst, ev.Text...), `"}`...)}
	if len(ev.Sign) > 0 {
		writeThoughtSignature(&w, ev.Sign)
	}
	return s.close(append(w.B, `}]`...))
}

// thought writes reasoning for both kinds of readers: as text, and as a detail
// that a client can send back with its signature.
func (s *streamEncoder) thought(dst []byte, c *outChoice, ev *llm.Event) []byte {
	if len(ev.Text) == 0 && len(ev.Sign) == 0 {
		return dst
	}
	w := dialect.Writer{B: s.open(dst, c.index)}
	if len(ev.Text) > 0 {
		w.Text("reasoning_content", ev.Text)
	}
	w.Array("reasoning_details")
	writeDetail(&w, ev.Text, ev.Sign, ev.Origin, ev.Redacted, max(c.thoughts-1, 0))
	w.Close(']')
	return s.close(w.B)
}

// end finishes what was not, and ends the stream.
func (s *streamEncoder) end(dst []byte) []byte {
	s.ended = true
	if len(s.choices) == 0 {
		_, dst = s.find(dst, 0)
	}
	for i := range s.choices {
		if !s.choices[i].finished {
			dst = s.finished(dst, &s.choices[i], llm.FinishStop)
		}
	}
	if s.facts.WantsUsage && (s.usage.Known || s.usage.Estimated) {
		w := dialect.Writer{B: append(dst, s.head...)}
		w.Literal("choices", "[]")
		base.WriteUsage(&w, &s.usage)
		dst = append(w.B, "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}
