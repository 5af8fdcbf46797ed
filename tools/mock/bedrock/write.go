package bedrock

import (
	"encoding/json"
	"strings"

	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// object is a JSON object; its members are written in the order of their names, as
// the API does.
type object map[string]any

// encode cannot fail: what it is given is made of strings and numbers.
func encode(v any) []byte {
	out, err := strict.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return []byte(strings.TrimSuffix(string(out), "\n"))
}

func usageOf(u core.Usage) object {
	out := object{"inputTokens": u.Input - u.CacheRead - u.CacheWrite, "outputTokens": u.Output, "totalTokens": u.Input + u.Output}
	if u.CacheRead+u.CacheWrite > 0 {
		out["cacheReadInputTokens"], out["cacheWriteInputTokens"] = u.CacheRead, u.CacheWrite
	}
	return out
}

func stopReason(c *core.Choice) string {
	switch c.Finish {
	case core.FinishLength:
		return "max_tokens"
	case core.FinishSequence:
		return "stop_sequence"
	case core.FinishCalls:
		return "tool_use"
	case core.FinishFiltered, core.FinishRefused:
		return "content_filtered"
	}
	return "end_turn"
}

// signature is the mock's own.
const signature = "bW9jaw=="

func callID(x *core.Exchange) string { return x.World.NextID("tooluse_", core.Base62, 22) }

// Whole implements core.Turn.
func (t *turn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	content, reason := []object{}, "end_turn"
	if len(a.Choices) > 0 {
		c := &a.Choices[0]
		content, reason = blocks(x, c), stopReason(c)
	}
	out := object{"metrics": object{"latencyMs": 512}, "stopReason": reason,
		"output": object{"message": object{"role": "assistant", "content": content}}}
	if !x.Scenario.NoUsage {
		out["usage"] = usageOf(a.Usage)
	}
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: encode(out), Reports: !x.Scenario.NoUsage}
}

func blocks(x *core.Exchange, c *core.Choice) []object {
	out := []object{}
	if len(c.Thinking) > 0 {
		out = append(out, object{"reasoningContent": object{"reasoningText": object{"text": strings.Join(c.Thinking, ""), "signature": signature}}})
	}
	if len(c.Text) > 0 {
		out = append(out, object{"text": strings.Join(c.Text, "")})
	}
	for _, call := range c.Calls {
		input := json.RawMessage(call.Args)
		if !json.Valid(input) { // cut by maxTokens
			input = json.RawMessage("{}")
		}
		out = append(out, object{"toolUse": object{"toolUseId": callID(x), "name": call.Name, "input": input}})
	}
	return out
}

// streamer writes the messages of one answer.
type streamer struct {
	r      *core.Rand
	index  int
	bare   bool // without framing, each event a member
	frames []core.Frame
}

// Stream implements core.Turn.
func (t *turn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	h := header(x, eventType)
	s := &streamer{r: x.World.Rand("stream", x.RequestID)}
	s.turn(x, a)
	return core.Reply{Status: 200, Header: h, Frames: s.frames}
}

// turn writes the whole answer.
func (s *streamer) turn(x *core.Exchange, a *core.Answer) {
	s.event(core.Opening, "messageStart", object{"role": "assistant"})
	reason := "end_turn"
	if len(a.Choices) > 0 {
		reason = stopReason(&a.Choices[0])
		s.content(x, &a.Choices[0])
	}
	s.event(core.Closing, "messageStop", object{"stopReason": reason})
	end := object{"metrics": object{"latencyMs": 512}}
	if !x.Scenario.NoUsage {
		end["usage"] = usageOf(a.Usage)
	}
	s.event(core.Closing, "metadata", end)
	s.frames[len(s.frames)-1].Reports = !x.Scenario.NoUsage
}

func (s *streamer) content(x *core.Exchange, c *core.Choice) {
	if len(c.Thinking) > 0 {
		for _, part := range core.Ragged(c.Thinking, s.r, 6) {
			s.delta(object{"reasoningContent": object{"text": part}})
		}
		s.delta(object{"reasoningContent": object{"signature": signature}})
		s.close()
	}
	if len(c.Text) > 0 {
		parts := core.Ragged(c.Text, s.r, 6)
		if n := x.World.ChunksOf(&x.Scenario); n > 0 {
			parts = core.Even(c.Text, n)
		}
		for _, part := range parts {
			s.delta(object{"text": part})
		}
		s.close()
	}
	for _, call := range c.Calls {
		s.event(core.Content, "contentBlockStart", object{"contentBlockIndex": s.index,
			"start": object{"toolUse": object{"name": call.Name, "toolUseId": callID(x)}}})
		for _, part := range append([]string{""}, core.Bytewise(call.Args, 12)...) {
			s.delta(object{"toolUse": object{"input": part}})
		}
		s.close()
	}
}

func (s *streamer) delta(d object) {
	s.event(core.Content, "contentBlockDelta", object{"contentBlockIndex": s.index, "delta": d})
}

func (s *streamer) close() {
	s.event(core.Content, "contentBlockStop", object{"contentBlockIndex": s.index})
	s.index++
}

const padding = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

// event adds a message; the API pads it with a member "p".
func (s *streamer) event(kind core.FrameKind, name string, v object) {
	if s.bare {
		s.frames = append(s.frames, core.Frame{Kind: kind, Data: encode(object{name: v})})
		return
	}
	v["p"] = padding[:1+s.r.Intn(len(padding))]
	s.frames = append(s.frames, core.Frame{Kind: kind, Data: frame("event", name, encode(v))})
}

func frame(kind, name string, payload []byte) []byte {
	var w eventstream.Writer
	w.Begin()
	w.Text(":"+kind+"-type", name)
	w.Text(":content-type", jsonType)
	w.Text(":message-type", kind)
	w.Body()
	w.B = append(w.B, payload...)
	w.End()
	return w.B
}
