package ollama

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// operation implements core.Chat, for chat and for generate.
type operation struct{ chat bool }

// Catalogue implements core.Chat.
func (operation) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat.
func (o operation) Check(_ *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
	spec := generateSpec
	if o.chat {
		spec = chatSpec
	}
	if f := check(body, spec); f != nil {
		return f
	}
	think, format := body.Get("think"), body.Get("format")
	wanted := think.True() || think.Str() != ""
	switch {
	case think.Str() != "" && !slices.Contains([]string{"low", "medium", "high"}, think.Str()):
		return invalid("invalid think value: %q (must be \"high\", \"medium\", \"low\", true, or false)", think.Str())
	case !slices.Contains([]string{"", "json"}, format.Str()):
		return invalid("invalid format: %q; expected \"json\" or a valid JSON Schema object", format.Str())
	case m != nil && m.ID == toolless && len(body.Get("tools").List()) > 0:
		return invalid("registry.ollama.ai/library/%s does not support tools", m.ID)
	case m != nil && wanted && !m.Reasons:
		return invalid("%q does not support thinking", m.ID)
	}
	return nil
}

// turn is one text to make, understood.
type turn struct {
	prompt core.Prompt
	chat   bool
	load   bool // nothing is asked: the model is to be loaded
}

// Prompt implements core.Turn.
func (t *turn) Prompt() *core.Prompt { return &t.prompt }

// Read implements core.Chat.
func (o operation) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	t := &turn{chat: o.chat}
	p := &t.prompt
	x.Stream = !body.Get("stream").False()
	t.messages(body)
	t.load = p.Messages == 0 && body.Get("prompt").Str() == ""
	for _, tool := range body.Get("tools").List() {
		f := tool.Get("function")
		p.Tools = append(p.Tools, core.Tool{Name: f.Get("name").Str(), Schema: f.Get("parameters")})
		p.Input.Input += 20
	}
	if format := body.Get("format"); format.Str() == "json" || format != nil && format.Kind == strict.Object {
		p.JSON = true
		if format.Kind == strict.Object {
			p.Schema = format
		}
	}
	if think := body.Get("think"); m.Reasons && !think.False() {
		p.Thinking, p.Reasoning = true, 1024
	}
	p.Parallel, p.Preface = true, false
	options := body.Get("options")
	p.MaxTokens = max(options.Get("num_predict").Int(0), 0)
	for _, s := range options.Get("stop").List() {
		p.Stop = append(p.Stop, s.Str())
	}
	if seed := options.Get("seed"); seed != nil {
		p.Vary = seed.Text
	}
	p.Input.Input += 10 + core.CountTokens(p.System)
	return t, nil
}

// messages reads the turns of a chat, or the prompt of generate. The server takes
// results of calls that were never made, and turns in any order.
func (t *turn) messages(body *strict.Value) {
	p := &t.prompt
	p.System, p.Text = body.Get("system").Str(), body.Get("prompt").Str()
	p.Images = len(body.Get("images").List())
	p.Input.Input += core.CountTokens(p.Text)
	for _, m := range body.Get("messages").List() {
		text := m.Get("content").Str()
		p.Messages++
		p.Images += len(m.Get("images").List())
		p.Input.Input += core.CountTokens(text) + 3
		role := m.Get("role").Str()
		if role != "tool" {
			p.Results = nil
		}
		switch role {
		case "system":
			p.System += text
		case "user":
			p.Text = text
		case "tool":
			p.Results = append(p.Results, text)
		}
	}
}

// count writes the usage, and how long it took.
func count(v object, u *core.Usage) {
	v["total_duration"], v["load_duration"] = 1_078_043_917, 109_557_375
	v["prompt_eval_count"], v["prompt_eval_duration"] = u.Input, 153_401_750
	v["eval_count"], v["eval_duration"] = u.Output, 814_595_750
}

// said is an answer, or a line of one, with these members of what the model said.
func (t *turn) said(x *core.Exchange, message object) object {
	out := object{"model": t.prompt.Model.ID, "created_at": stamp(x), "done": false}
	if t.chat {
		message["role"] = "assistant"
		if message["content"] == nil {
			message["content"] = ""
		}
		out["message"] = message
		return out
	}
	out["response"] = ""
	for from, to := range map[string]string{"content": "response", "thinking": "thinking"} {
		if text, ok := message[from]; ok {
			out[to] = text
		}
	}
	return out
}

// finish makes the last line of an answer of one.
func (t *turn) finish(x *core.Exchange, v object, a *core.Answer) object {
	v["done"], v["done_reason"] = true, "stop"
	if len(a.Choices) > 0 && a.Choices[0].Finish == core.FinishLength {
		v["done_reason"] = "length"
	}
	if t.load {
		v["done_reason"] = "load"
	} else if !x.Scenario.NoUsage {
		count(v, &a.Usage)
	}
	return v
}

func calls(x *core.Exchange, list []core.Call) []object {
	var out []object
	for i, call := range list {
		arguments := json.RawMessage(call.Args)
		if !json.Valid(arguments) { // cut by num_predict
			arguments = json.RawMessage("{}")
		}
		out = append(out, object{"id": x.World.NextID("call_", "abcdefghijklmnopqrstuvwxyz0123456789", 8),
			"function": object{"index": i, "name": call.Name, "arguments": arguments}})
	}
	return out
}

// Whole implements core.Turn.
func (t *turn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	message := object{}
	if len(a.Choices) > 0 && !t.load {
		c := &a.Choices[0]
		message["content"] = strings.Join(c.Text, "")
		if len(c.Thinking) > 0 {
			message["thinking"] = strings.Join(c.Thinking, "")
		}
		if list := calls(x, c.Calls); list != nil {
			message["tool_calls"] = list
		}
	}
	r := whole(x, t.finish(x, t.said(x, message), a))
	r.Reports = !x.Scenario.NoUsage
	return r
}

func line(kind core.FrameKind, v object) core.Frame {
	return core.Frame{Kind: kind, Data: append(encode(v), '\n')}
}

// Stream implements core.Turn.
func (t *turn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	var frames []core.Frame
	add := func(message object) {
		v := t.said(x, message)
		if x.Scenario.Unknown {
			v["x_mock_unknown"] = true
		}
		frames = append(frames, line(core.Content, v))
	}
	if len(a.Choices) > 0 && !t.load {
		c := &a.Choices[0]
		for _, piece := range c.Thinking {
			add(object{"thinking": piece})
		}
		for _, piece := range core.Even(c.Text, x.World.ChunksOf(&x.Scenario)) {
			add(object{"content": piece})
		}
		for _, call := range calls(x, c.Calls) {
			add(object{"tool_calls": []object{call}})
		}
	}
	last := line(core.Closing, t.finish(x, t.said(x, object{}), a))
	last.Reports = !x.Scenario.NoUsage
	return core.Reply{Status: 200, Header: header(x, linesType), Frames: append(frames, last)}
}
