package gemini

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

// maxArguments bounds what is kept of calls whose pieces are still coming, in bytes.
const maxArguments = 1 << 20

// streamEncoder writes a streamed answer: each chunk is an answer that holds what is
// new. Calls are whole objects here, so their pieces are gathered. Finish reasons
// wait for the usage, which goes with them, and both for the end.
type streamEncoder struct {
	framing
	tail     []byte // of every chunk: modelVersion, responseId
	model    string
	choices  []outChoice
	usage    llm.Usage
	gathered int // bytes of the arguments of all calls
	ended    bool
}

// outChoice is what must be known of a candidate.
type outChoice struct {
	index    int
	finished bool
	finish   llm.Finish
	calls    []outCall
}

// outCall is a call that is being gathered; one that was written has no name.
type outCall struct {
	block  int
	id     []byte
	name   []byte
	args   []byte
	sign   []byte
	origin string
	told   bool
}

// framing writes what stands around the chunks of a stream.
type framing struct {
	array bool
	began bool
}

func (f *framing) open(dst []byte) []byte {
	began := f.began
	f.began = true
	switch {
	case !f.array:
		return append(dst, "data: "...)
	case began:
		return append(dst, ",\r\n"...)
	}
	return append(dst, '[')
}

func (f *framing) close(dst []byte) []byte {
	if f.array {
		return dst
	}
	return append(dst, "\n\n"...)
}

// end ends the stream; an array without elements is begun first.
func (f *framing) end(dst []byte) []byte {
	if !f.array {
		return dst
	}
	if !f.began {
		dst = append(dst, '[')
	}
	return append(dst, ']')
}

// StreamType is that of server-sent events.
func (*client) StreamType(*llm.Facts) string { return sse.MediaType }

// NewEncoder writes a streamed answer under the given model name.
func (*client) NewEncoder(_ *llm.Facts, model string) dialect.Encoder {
	return &streamEncoder{model: model}
}

// Append writes what an event becomes; events that have no place are left out.
func (s *streamEncoder) Append(dst []byte, ev *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch ev.Kind {
	case llm.Ping:
		if !s.array && s.began {
			dst = append(dst, ": ping\n\n"...)
		}
	case llm.Start:
		s.start(ev.ID)
	case llm.BlockStart, llm.Delta, llm.BlockStop, llm.FinishEvent:
		dst = s.choice(dst, ev)
	case llm.UsageEvent:
		s.usage = *ev.Usage
	case llm.End:
		dst = s.end(dst)
	case llm.Failure:
		s.ended = true
		if s.array { // the error is one more element
			dst = s.open(dst)
		}
	}
	return dst
}

// start fixes what every chunk ends in.
func (s *streamEncoder) start(id llm.Escaped) {
	if s.tail != nil {
		return
	}
	w := dialect.Writer{B: make([]byte, 0, 128)}
	w.Begin('{')
	w.Quote("modelVersion", s.model)
	w.Text("responseId", answerID(id))
	s.tail = append(w.B[1:], '}')
}

// find returns the state of a candidate; nil when there can be no such one.
func (s *streamEncoder) find(index int) *outChoice {
	for i := range s.choices {
		if s.choices[i].index == index {
			return &s.choices[i]
		}
	}
	if index < 0 || index >= maxChoices {
		return nil
	}
	s.choices = append(s.choices, outChoice{index: index})
	return &s.choices[len(s.choices)-1]
}

func (s *streamEncoder) choice(dst []byte, ev *llm.Event) []byte {
	c := s.find(ev.Choice)
	if c == nil || c.finished {
		return dst
	}
	switch {
	case ev.Kind == llm.FinishEvent:
		c.finished, c.finish = true, ev.Finish
		return s.flush(dst, c)
	case ev.Part == llm.ToolCallPart:
		return s.call(dst, c, ev)
	case ev.Kind == llm.Delta:
		return s.delta(dst, c, ev)
	}
	return dst
}

// delta writes a piece of text or of a thought, or a source.
func (s *streamEncoder) delta(dst []byte, c *outChoice, ev *llm.Event) []byte {
	thought := ev.Part == llm.ReasoningPart
	if !thought && ev.Part != llm.TextPart && ev.Part != llm.RefusalPart {
		return dst
	}
	if len(ev.Text) > 0 || len(ev.Sign) > 0 {
		w := s.begin(dst)
		w.Open('{')
		if !ev.Redacted || len(ev.Sign) == 0 {
			w.Text("text", ev.Text)
		}
		if thought {
			w.Literal("thought", "true")
		}
		writeSignature(&w, ev.Origin, ev.Sign, ev.Redacted)
		w.Close('}')
		dst = s.finishChunk(&w, c.index)
	}
	if ev.Cite != nil {
		w := s.begin(dst)
		w.Close(']')
		w.Word("role", "model")
		w.Close('}')
		part := llm.Part{Citations: []llm.Citation{*ev.Cite}}
		part.Citations[0].Start, part.Citations[0].End = 0, 0
		writeGrounding(&w, []llm.Part{part}, func(int) int { return 0 })
		dst = s.endChunk(&w, c.index)
	}
	return dst
}

// begin opens a chunk up to the parts of its candidate.
func (s *streamEncoder) begin(dst []byte) dialect.Writer {
	s.start(nil)
	return dialect.Writer{B: append(s.open(dst), `{"candidates":[{"content":{"parts":[`...)}
}

func (s *streamEncoder) finishChunk(w *dialect.Writer, index int) []byte {
	w.B = append(w.B, `],"role":"model"}`...)
	return s.endChunk(w, index)
}

func (s *streamEncoder) endChunk(w *dialect.Writer, index int) []byte {
	w.Int("index", int64(index))
	w.B = append(w.B, "}],"...)
	w.B = append(w.B, s.tail...)
	return s.close(w.B)
}

// call gathers the pieces of a call, and writes it once it is whole.
func (s *streamEncoder) call(dst []byte, c *outChoice, ev *llm.Event) []byte {
	k := c.find(ev.Block)
	switch {
	case ev.Kind == llm.BlockStart && k == nil && len(c.calls) < maxCalls:
		c.calls = append(c.calls, outCall{block: ev.Block, id: clone(ev.ID), name: clone(ev.Name), sign: clone(ev.Sign), origin: ev.Origin})
	case k == nil || k.told:
	case ev.Kind == llm.Delta:
		if s.gathered+len(ev.Text) <= maxArguments {
			k.args = append(k.args, ev.Text...)
			s.gathered += len(ev.Text)
		}
		if len(ev.Sign) > 0 {
			k.sign, k.origin = clone(ev.Sign), ev.Origin
		}
	case ev.Kind == llm.BlockStop:
		if whole(k) {
			return s.tell(dst, c, k)
		}
	}
	return dst
}

func clone(text llm.Escaped) []byte { return append([]byte(nil), text...) }

func (c *outChoice) find(block int) *outCall {
	for i := len(c.calls) - 1; i >= 0; i-- {
		if c.calls[i].block == block {
			return &c.calls[i]
		}
	}
	return nil
}

// whole reports whether the arguments of a call spell an object: more pieces of it
// may come after its block has ended.
func whole(k *outCall) bool {
	_, ok := dialect.AppendInput(nil, &llm.ToolCall{Arguments: k.args})
	return ok && len(k.args) > 0
}

// tell writes a call. Of what was gathered nothing is kept.
func (s *streamEncoder) tell(dst []byte, c *outChoice, k *outCall) []byte {
	w := s.begin(dst)
	writePart(&w, &llm.Part{Kind: llm.ToolCallPart, Origin: k.origin, Signature: k.sign,
		Call: llm.ToolCall{ID: k.id, Name: k.name, Arguments: k.args}})
	s.gathered -= len(k.args)
	*k = outCall{block: k.block, told: true}
	return s.finishChunk(&w, c.index)
}

// flush writes the calls that did not come whole.
func (s *streamEncoder) flush(dst []byte, c *outChoice) []byte {
	for i := range c.calls {
		if !c.calls[i].told {
			dst = s.tell(dst, c, &c.calls[i])
		}
	}
	return dst
}

// end writes the finish reasons and the usage, and ends the stream.
func (s *streamEncoder) end(dst []byte) []byte {
	s.ended = true
	if len(s.choices) == 0 {
		s.find(0)
	}
	for i := range s.choices {
		dst = s.flush(dst, &s.choices[i])
	}
	s.start(nil)
	w := dialect.Writer{B: s.open(dst)}
	w.Begin('{')
	w.Array("candidates")
	for i := range s.choices {
		c := &s.choices[i]
		if !c.finished {
			c.finish = llm.FinishStop
		}
		w.Open('{')
		w.Literal("content", `{"parts":[{"text":""}],"role":"model"}`)
		w.Word("finishReason", finishName(c.finish))
		w.Int("index", int64(c.index))
		w.Close('}')
	}
	w.Close(']')
	if s.usage.Known || s.usage.Estimated {
		writeUsage(&w, &s.usage)
	}
	w.B = append(append(w.B, ','), s.tail...)
	return s.framing.end(s.close(w.B))
}
