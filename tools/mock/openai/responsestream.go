package openai

import (
	"github.com/posterngw/postern/tools/mock/core"
)

// brokenNumber is the sequence number of an error that breaks a stream off
// anywhere: higher than any before.
const brokenNumber = 1_000_000

// responseEvent is one event of a streamed response; members in the order in
// which the API writes them.
type responseEvent struct {
	Type        string       `json:"type"`
	Number      int          `json:"sequence_number"`
	ItemID      string       `json:"item_id,omitempty"`
	Output      *int         `json:"output_index,omitempty"`
	Content     *int         `json:"content_index,omitempty"`
	Summary     *int         `json:"summary_index,omitempty"`
	Delta       *string      `json:"delta,omitempty"`
	Text        *string      `json:"text,omitempty"`
	Refusal     *string      `json:"refusal,omitempty"`
	Arguments   *string      `json:"arguments,omitempty"`
	Input       *string      `json:"input,omitempty"`
	Logprobs    *[]logprob   `json:"logprobs,omitempty"`
	Item        *item        `json:"item,omitempty"`
	Part        *contentPart `json:"part,omitempty"`
	Response    *response    `json:"response,omitempty"`
	Obfuscation *string      `json:"obfuscation,omitempty"`
	Unknown     string       `json:"x_mock_unknown,omitempty"`
}

// responseStreamer writes the events of one response.
type responseStreamer struct {
	x      *core.Exchange
	t      *responseTurn
	pad    *core.Rand
	frames []core.Frame
	number int
}

// Stream implements core.Turn.
func (t *responseTurn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	r := t.begun(x)
	s := &responseStreamer{x: x, t: t, pad: x.World.Rand("obfuscation", r.ID)}
	for range x.Scenario.Pings {
		s.frames = append(s.frames, core.Frame{Kind: core.Opening, Data: []byte(": keep-alive\n\n")})
	}
	begun := *r
	s.emit(core.Opening, responseEvent{Type: "response.created", Response: &begun})
	s.emit(core.Opening, responseEvent{Type: "response.in_progress", Response: &begun})
	t.finish(x, r, a)
	for i, it := range r.Output {
		s.item(i, it)
	}
	s.emit(core.Closing, responseEvent{Type: "response." + r.Status, Response: r})
	s.frames[len(s.frames)-1].Reports = r.Usage != nil
	return core.Reply{Status: 200, Header: streamHeader(x), Frames: s.frames}
}

// item writes an item: as it begins, in pieces, as it is.
func (s *responseStreamer) item(i int, it *item) {
	opening := *it
	switch it.Type {
	case "message":
		opening.Content = &[]contentPart{}
	case "reasoning":
		opening.Summary = &[]contentPart{}
	default:
		s.call(i, it)
		return
	}
	if opening.Status != "" {
		opening.Status = "in_progress"
	}
	kind := core.Opening
	s.emit(kind, responseEvent{Type: "response.output_item.added", Output: &i, Item: &opening})
	if parts := it.Content; parts != nil && len(*parts) > 0 {
		s.part(i, it, &(*parts)[0])
	}
	if parts := it.Summary; parts != nil && len(*parts) > 0 {
		s.summary(i, it, &(*parts)[0])
	}
	s.emit(core.Content, responseEvent{Type: "response.output_item.done", Output: &i, Item: it})
}

// call writes a call; it begins without arguments.
func (s *responseStreamer) call(i int, it *item) {
	opening, none := *it, ""
	opening.Status = "in_progress"
	word := "function_call_arguments"
	if it.Input != nil {
		word, opening.Input = "custom_tool_call_input", &none
	} else {
		opening.Arguments = &none
	}
	s.emit(core.Content, responseEvent{Type: "response.output_item.added", Output: &i, Item: &opening})
	for _, piece := range it.pieces {
		s.delta(responseEvent{Type: "response." + word + ".delta", ItemID: it.ID, Output: &i, Delta: &piece})
	}
	s.emit(core.Content, responseEvent{Type: "response." + word + ".done", ItemID: it.ID, Output: &i, Arguments: it.Arguments, Input: it.Input})
	s.emit(core.Content, responseEvent{Type: "response.output_item.done", Output: &i, Item: it})
}

// part writes the one part of a message.
func (s *responseStreamer) part(i int, it *item, part *contentPart) {
	first, none, empty := 0, "", *part
	word := "output_text"
	if empty.Text != nil {
		empty.Text, empty.Logprobs = &none, &[]logprob{}
	} else {
		word, empty.Refusal = "refusal", &none
	}
	at := responseEvent{ItemID: it.ID, Output: &i, Content: &first}
	s.emit(core.Opening, with(at, "response.content_part.added", func(e *responseEvent) { e.Part = &empty }))
	for _, piece := range it.pieces {
		s.delta(with(at, "response."+word+".delta", func(e *responseEvent) {
			if e.Delta = &piece; part.Text != nil {
				e.Logprobs = s.t.probabilities(s.x, []string{piece})
			}
		}))
	}
	s.emit(core.Content, with(at, "response."+word+".done", func(e *responseEvent) {
		e.Text, e.Refusal, e.Logprobs = part.Text, part.Refusal, part.Logprobs
	}))
	s.emit(core.Content, with(at, "response.content_part.done", func(e *responseEvent) { e.Part = part }))
}

// summary writes the one part of a summary of reasoning.
func (s *responseStreamer) summary(i int, it *item, part *contentPart) {
	first, none := 0, ""
	at := responseEvent{ItemID: it.ID, Output: &i, Summary: &first}
	empty := contentPart{Type: part.Type, Text: &none}
	s.emit(core.Opening, with(at, "response.reasoning_summary_part.added", func(e *responseEvent) { e.Part = &empty }))
	for _, piece := range it.pieces {
		s.delta(with(at, "response.reasoning_summary_text.delta", func(e *responseEvent) { e.Delta = &piece }))
	}
	s.emit(core.Content, with(at, "response.reasoning_summary_text.done", func(e *responseEvent) { e.Text = part.Text }))
	s.emit(core.Content, with(at, "response.reasoning_summary_part.done", func(e *responseEvent) { e.Part = part }))
}

func with(e responseEvent, kind string, set func(*responseEvent)) responseEvent {
	e.Type = kind
	set(&e)
	return e
}

func (s *responseStreamer) delta(e responseEvent) {
	if s.t.obfuscation {
		pad := s.pad.String(core.Base62, s.pad.Intn(16))
		e.Obfuscation = &pad
	}
	s.emit(core.Content, e)
}

func (s *responseStreamer) emit(kind core.FrameKind, e responseEvent) {
	e.Number = s.number
	s.number++
	if s.x.Scenario.Unknown {
		e.Unknown = "a member that no client knows"
	}
	s.frames = append(s.frames, namedEvent(kind, e.Type, e))
}

// namedEvent is an event with a name.
func namedEvent(kind core.FrameKind, name string, v any) core.Frame {
	f := event(kind, v)
	f.Data = append([]byte("event: "+name+"\n"), f.Data...)
	return f
}
