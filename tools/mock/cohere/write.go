package cohere

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/posterngw/postern/tools/mock/core"
)

func itoa(n int) string { return strconv.Itoa(n) }

// usageOf tells what is billed, and what was read and written.
func usageOf(u *core.Usage) object {
	out := object{
		"billed_units": object{"input_tokens": max(u.Input-template, 0), "output_tokens": u.Output},
		"tokens":       object{"input_tokens": u.Input, "output_tokens": u.Output},
	}
	if u.CacheRead > 0 {
		out["cached_tokens"] = u.CacheRead
	}
	return out
}

func finishWord(c *core.Choice) string {
	switch c.Finish {
	case core.FinishLength:
		return "MAX_TOKENS"
	case core.FinishSequence:
		return "STOP_SEQUENCE"
	case core.FinishCalls:
		return "TOOL_CALL"
	case core.FinishFiltered:
		return "ERROR_TOXIC"
	}
	return "COMPLETE"
}

// citations lead from the first words of an answer, or from what it quotes, to a
// source. Places are counted in characters.
func (t *turn) citations(text string) []object {
	var out []object
	if !t.cites || text == "" {
		return nil
	}
	for _, s := range t.sources {
		at, words := 0, core.Pieces(text)[0]
		if quoted := strings.Index(text, s.words); s.words != "" && quoted >= 0 {
			at, words = quoted, s.words
		}
		start := utf8.RuneCountInString(text[:at])
		out = append(out, object{"start": start, "end": start + utf8.RuneCountInString(words), "text": words,
			"content_index": 0, "type": "TEXT_CONTENT", "sources": []object{s.show}})
	}
	return out
}

// plan is what the model says before it calls.
func plan(c *core.Choice) string {
	names := make([]string, 0, len(c.Calls))
	for _, call := range c.Calls {
		names = append(names, call.Name)
	}
	return "I will use " + strings.Join(names, " and ") + "."
}

func callID(x *core.Exchange, name string) string {
	return x.World.NextID(name+"_", "abcdefghijklmnopqrstuvwxyz0123456789", 12)
}

func logprob(text string) object {
	return object{"text": text, "token_ids": []int{1000 + len(text)}, "logprobs": []float64{-0.25}}
}

// Whole implements core.Turn.
func (t *turn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	h := header(x, jsonType)
	message, out := object{"role": "assistant"}, object{"id": x.RequestID, "finish_reason": "COMPLETE"}
	out["message"] = message
	if len(a.Choices) > 0 {
		c := &a.Choices[0]
		out["finish_reason"] = finishWord(c)
		t.fill(x, message, c)
		if t.logprobs {
			var list []object
			for _, piece := range c.Text {
				list = append(list, logprob(piece))
			}
			out["logprobs"] = list
		}
	}
	if !x.Scenario.NoUsage {
		out["usage"] = usageOf(&a.Usage)
	}
	if x.Scenario.Unknown {
		out["x_mock_unknown"] = true
	}
	return core.Reply{Status: 200, Header: h, Body: encode(out), Reports: !x.Scenario.NoUsage}
}

func (t *turn) fill(x *core.Exchange, message object, c *core.Choice) {
	var content, calls []object
	if len(c.Thinking) > 0 {
		content = append(content, object{"type": "thinking", "thinking": strings.Join(c.Thinking, "")})
	}
	if text := strings.Join(c.Text, ""); text != "" {
		content = append(content, object{"type": "text", "text": text})
		if cites := t.citations(text); cites != nil {
			message["citations"] = cites
		}
	}
	for _, call := range c.Calls {
		calls = append(calls, object{"id": callID(x, call.Name), "type": "function", "function": object{"name": call.Name, "arguments": call.Args}})
	}
	if calls != nil {
		message["tool_plan"], message["tool_calls"] = plan(c), calls
	}
	if content != nil {
		message["content"] = content
	}
}

// streamer writes the events of one answer.
type streamer struct {
	contents int // index of the content in hand
	frames   []core.Frame
}

func event(kind core.FrameKind, v object) core.Frame {
	name, _ := v["type"].(string)
	return core.Frame{Kind: kind, Data: []byte("event: " + name + "\ndata: " + string(encode(v)) + "\n\n")}
}

func (s *streamer) add(kind core.FrameKind, v object) { s.frames = append(s.frames, event(kind, v)) }

func (s *streamer) start(id string) {
	s.add(core.Opening, object{"id": id, "type": "message-start", "delta": object{"message": object{
		"role": "assistant", "content": []int{}, "tool_plan": "", "tool_calls": []int{}, "citations": []int{}}}})
}

// message adds an event whose delta is a message's.
func (s *streamer) message(kind core.FrameKind, name string, index int, message object) {
	s.add(kind, object{"type": name, "index": index, "delta": object{"message": message}})
}

func (s *streamer) content(kind core.FrameKind, name string, c object) {
	s.message(kind, name, s.contents, object{"content": c})
}

func (s *streamer) indexed(kind core.FrameKind, name string, index int) {
	s.add(kind, object{"type": name, "index": index})
}

// end closes the message; usage may be nil.
func (s *streamer) end(word string, u *core.Usage) {
	delta := object{"finish_reason": word}
	if u != nil {
		delta["usage"] = usageOf(u)
	}
	s.add(core.Closing, object{"type": "message-end", "delta": delta})
	s.frames[len(s.frames)-1].Reports = u != nil
	s.frames = append(s.frames, core.Frame{Kind: core.Closing, Data: []byte("data: [DONE]\n\n")})
}

// Stream implements core.Turn.
func (t *turn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	h, s, word := header(x, eventType), &streamer{}, "COMPLETE"
	s.start(x.RequestID)
	for range x.Scenario.Pings {
		s.frames = append(s.frames, core.Frame{Kind: core.Opening, Data: []byte(": keep-alive\n\n")})
	}
	if x.Scenario.Unknown {
		s.add(core.Opening, object{"type": "x-mock-unknown", "delta": object{}})
	}
	if len(a.Choices) > 0 {
		c := &a.Choices[0]
		word = finishWord(c)
		s.pieces("thinking", c.Thinking, nil)
		if len(c.Calls) > 0 {
			s.calls(x, c)
		}
		text := core.Even(c.Text, x.World.ChunksOf(&x.Scenario))
		s.pieces("text", text, t)
	}
	usage := &a.Usage
	if x.Scenario.NoUsage {
		usage = nil
	}
	s.end(word, usage)
	return core.Reply{Status: 200, Header: h, Frames: s.frames}
}

// pieces writes one content; a text has the citations and logprobs of its turn.
func (s *streamer) pieces(kind string, list []string, t *turn) {
	if len(list) == 0 {
		return
	}
	s.content(core.Opening, "content-start", object{"type": kind, kind: ""})
	for _, piece := range list {
		v := object{"type": "content-delta", "index": s.contents, "delta": object{"message": object{"content": object{kind: piece}}}}
		if t != nil && t.logprobs {
			v["logprobs"] = logprob(piece)
		}
		s.add(core.Content, v)
	}
	if t != nil {
		for i, c := range t.citations(strings.Join(list, "")) {
			c["content_index"] = s.contents
			s.message(core.Content, "citation-start", i, object{"citations": c})
			s.indexed(core.Content, "citation-end", i)
		}
	}
	s.indexed(core.Content, "content-end", s.contents)
	s.contents++
}

func (s *streamer) calls(x *core.Exchange, c *core.Choice) {
	for _, piece := range core.Pieces(plan(c)) {
		s.add(core.Content, object{"type": "tool-plan-delta", "delta": object{"message": object{"tool_plan": piece}}})
	}
	for i, call := range c.Calls {
		s.message(core.Content, "tool-call-start", i, object{"tool_calls": object{"id": callID(x, call.Name), "type": "function",
			"function": object{"name": call.Name, "arguments": ""}}})
		for _, piece := range core.Bytewise(call.Args, 12) {
			s.message(core.Content, "tool-call-delta", i, object{"tool_calls": object{"function": object{"arguments": piece}}})
		}
		s.indexed(core.Content, "tool-call-end", i)
	}
}
