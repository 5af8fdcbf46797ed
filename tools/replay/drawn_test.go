package replay

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// object is a JSON object in the making.
type object = map[string]any

func encode(t require.TestingT, v any) []byte {
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return out
}

// nasty are texts that codecs get wrong: quotes, escapes, controls, characters
// beyond the basic plane, what looks like JSON or like an event.
var nasty = rapid.OneOf(rapid.StringN(1, 12, -1), rapid.SampledFrom([]string{
	"hi", `"`, `\`, `\"`, `\u0041`, "\x00\x1f", "\u2028\u2029", "😀", "\ufffd", "a\nb\r\nc", "data: [DONE]", "\n\nevent: x\ndata: {}",
	`{"a":1}`, `{"output":"x"}`, `[1]`, "null", " ", "</script>&<>", strings.Repeat("x", 300), "ünïcödé", "\u0301", "\u202e",
}))

var numbers = rapid.OneOf(rapid.SampledFrom([]string{"0", "-0", "1e3", "1E-2", "9007199254740993", "-1.5e-7", "123456789012345678901234567890"}),
	rapid.Map(rapid.Int(), func(n int) string { return fmt.Sprint(n) }))

// anyJSON draws the arguments of a call.
func anyJSON(t *rapid.T) json.RawMessage {
	o := object{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		name := nasty.Draw(t, "member")
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			o[name] = nasty.Draw(t, "text")
		case 1:
			o[name] = json.Number(numbers.Draw(t, "number"))
		case 2:
			o[name] = []any{nil, true, object{name: "x"}}
		case 3:
			o[name] = object{}
		default:
			o[name] = nil
		}
	}
	return encode(t, o)
}

// step is a turn of a drawn conversation.
type step struct {
	role  string
	texts []string
	image string
	calls []drawnCall
}

type drawnCall struct {
	id, name, arguments, result string
}

func drawSteps(t *rapid.T) (list []step) {
	n := 0
	for range rapid.IntRange(1, 5).Draw(t, "turns") {
		s := step{role: rapid.SampledFrom([]string{"user", "assistant", "user"}).Draw(t, "role")}
		s.texts = rapid.SliceOfN(nasty, 1, 3).Draw(t, "texts")
		if s.role == "user" && rapid.Bool().Draw(t, "image") {
			s.image = rapid.SampledFrom([]string{"data:image/png;base64,AAAA", "https://example.com/a.png?x=1&y=\"2\""}).Draw(t, "url")
		}
		if s.role == "assistant" {
			for range rapid.IntRange(0, 3).Draw(t, "calls") {
				n++
				s.calls = append(s.calls, drawnCall{fmt.Sprint("call_", n), "f" + fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "name")),
					rapid.SampledFrom([]string{string(anyJSON(t)), ""}).Draw(t, "arguments"), nasty.Draw(t, "result")})
			}
		}
		list = append(list, s)
	}
	return append(list, step{role: "user", texts: []string{"end"}})
}

// drawChat draws a request of the chat completions, drawResponse one of responses.
func drawChat(t *rapid.T) []byte {
	var messages []any
	if rapid.Bool().Draw(t, "system") {
		messages = append(messages, object{"role": rapid.SampledFrom([]string{"system", "developer"}).Draw(t, "by"), "content": nasty.Draw(t, "instruction")})
	}
	for _, s := range drawSteps(t) {
		m := object{"role": s.role, "content": strings.Join(s.texts, "")}
		if parts := contents(s, "text", func(url string) any { return object{"type": "image_url", "image_url": object{"url": url}} }); s.image != "" || len(s.texts) > 1 {
			m["content"] = parts
		}
		var calls, results []any
		for _, c := range s.calls {
			calls = append(calls, object{"id": c.id, "type": "function", "function": object{"name": c.name, "arguments": c.arguments}})
			results = append(results, object{"role": "tool", "tool_call_id": c.id, "content": c.result})
		}
		if calls != nil {
			m["tool_calls"] = calls
			if rapid.Bool().Draw(t, "calls alone") {
				m["content"] = nil
			}
		}
		messages = append(append(messages, m), results...)
	}
	r := object{"model": "m", "messages": messages}
	options(t, r, "max_completion_tokens", func(f object) any { return object{"type": "function", "function": f} },
		func(name string) any { return object{"type": "function", "function": object{"name": name}} })
	if rapid.Bool().Draw(t, "stop") {
		r["stop"] = []string{nasty.Draw(t, "word") + "x"}
	}
	return encode(t, r)
}

func drawResponse(t *rapid.T) []byte {
	var input []any
	for _, s := range drawSteps(t) {
		kind := map[string]string{"user": "input_text", "assistant": "output_text"}[s.role]
		input = append(input, object{"role": s.role, "type": "message", "content": contents(s, kind, func(url string) any { return object{"type": "input_image", "image_url": url} })})
		for _, c := range s.calls {
			input = append(input, object{"type": "function_call", "call_id": c.id, "name": c.name, "arguments": c.arguments})
		}
		for _, c := range s.calls {
			input = append(input, object{"type": "function_call_output", "call_id": c.id, "output": c.result})
		}
	}
	r := object{"model": "m", "input": input}
	if rapid.Bool().Draw(t, "system") {
		r["instructions"] = nasty.Draw(t, "instruction")
	}
	options(t, r, "max_output_tokens", func(f object) any { f["type"] = "function"; return f },
		func(name string) any { return object{"type": "function", "name": name} })
	return encode(t, r)
}

func contents(s step, kind string, image func(url string) any) (parts []any) {
	for _, text := range s.texts {
		parts = append(parts, object{"type": kind, "text": text})
	}
	if s.image != "" {
		parts = append(parts, image(s.image))
	}
	return parts
}

// options draws what stands beside the conversation.
func options(t *rapid.T, r object, limit string, tool func(object) any, named func(string) any) {
	var tools []any
	for i := range 3 { // every call's tool is offered
		tools = append(tools, tool(object{"name": fmt.Sprint("f", i), "description": nasty.Draw(t, "description"),
			"parameters": object{"type": "object", "properties": object{nasty.Draw(t, "property"): object{"type": "string", "description": nasty.Draw(t, "about")}}}}))
	}
	r["tools"] = tools
	r[limit] = rapid.IntRange(16, 5000).Draw(t, "limit")
	switch rapid.IntRange(0, 3).Draw(t, "choice") {
	case 0:
		r["tool_choice"] = "auto"
	case 1:
		r["tool_choice"] = "required"
	case 2:
		r["tool_choice"] = named("f1")
	}
	if rapid.Bool().Draw(t, "temperature") {
		r["temperature"] = json.Number(rapid.SampledFrom([]string{"0", "0.5", "1", "7e-1"}).Draw(t, "degrees"))
	}
}

// drawn is an answer before it is written in a provider's words.
type drawn struct {
	texts      []string
	calls      []drawnCall
	input, out int
	finish     string // stop, length, tool_calls or content_filter
	thoughts   string
	cached     int
	callsFirst bool
}

func drawAnswer(t *rapid.T) *drawn {
	d := &drawn{texts: rapid.SliceOfN(nasty, 0, 4).Draw(t, "texts"), input: rapid.IntRange(0, 1<<40).Draw(t, "input"),
		out: rapid.IntRange(1, 1<<40).Draw(t, "output"), cached: rapid.IntRange(0, 9).Draw(t, "cached")}
	if rapid.Bool().Draw(t, "thinks") {
		d.thoughts = nasty.Draw(t, "thoughts")
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "calls") {
		d.calls = append(d.calls, drawnCall{id: fmt.Sprint("c", i), name: fmt.Sprint("f", i), arguments: string(anyJSON(t))})
	}
	d.finish = rapid.SampledFrom([]string{"stop", "length", "content_filter"}).Draw(t, "finish")
	if d.calls != nil && d.finish != "length" {
		d.finish = "tool_calls"
	}
	if len(d.texts)+len(d.calls) == 0 {
		d.texts = []string{"x"}
	}
	d.callsFirst = rapid.Bool().Draw(t, "calls first")
	return d
}

// event writes a server-sent event.
func sent(t require.TestingT, name string, v any) string {
	data := string(encode(t, v))
	if name != "" {
		return "event: " + name + "\ndata: " + data + "\n\n"
	}
	return "data: " + data + "\n\n"
}

// asClaude writes the answer as Anthropic does, asGemini as Google does.
func (d *drawn) asClaude(t require.TestingT, stream bool) []byte {
	reason := map[string]string{"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}[d.finish]
	usage := object{"input_tokens": d.input, "cache_read_input_tokens": d.cached, "output_tokens": d.out}
	var blocks []any
	if d.thoughts != "" {
		blocks = append(blocks, object{"type": "thinking", "thinking": d.thoughts, "signature": "s"})
	}
	var texts, calls []any
	if len(d.texts) > 0 {
		texts = append(texts, object{"type": "text", "text": strings.Join(d.texts, "")})
	}
	for _, c := range d.calls {
		calls = append(calls, object{"type": "tool_use", "id": c.id, "name": c.name, "input": json.RawMessage(c.arguments)})
	}
	blocks = d.ordered(blocks, texts, calls)
	message := object{"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": blocks, "stop_reason": reason, "stop_sequence": nil, "usage": usage}
	if !stream {
		return encode(t, message)
	}
	message["content"], message["stop_reason"] = []any{}, nil
	message["usage"] = object{"input_tokens": d.input, "cache_read_input_tokens": d.cached, "output_tokens": 1}
	out := sent(t, "message_start", object{"type": "message_start", "message": message})
	for i, b := range blocks {
		out += d.claudeBlock(t, i, b.(object))
	}
	out += sent(t, "message_delta", object{"type": "message_delta", "delta": object{"stop_reason": reason, "stop_sequence": nil}, "usage": object{"output_tokens": d.out}})
	return []byte(out + sent(t, "message_stop", object{"type": "message_stop"}))
}

func (d *drawn) claudeBlock(t require.TestingT, i int, b object) string {
	var deltas []object
	first := object{"type": b["type"]}
	switch b["type"] {
	case "thinking":
		first["thinking"], first["signature"] = "", ""
		deltas = append(deltas, object{"type": "thinking_delta", "thinking": d.thoughts}, object{"type": "signature_delta", "signature": "s"})
	case "text":
		first["text"] = ""
		for _, text := range d.texts {
			deltas = append(deltas, object{"type": "text_delta", "text": text})
		}
	default:
		first["id"], first["name"], first["input"] = b["id"], b["name"], object{}
		for _, piece := range halves(string(b["input"].(json.RawMessage))) {
			deltas = append(deltas, object{"type": "input_json_delta", "partial_json": piece})
		}
	}
	out := sent(t, "content_block_start", object{"type": "content_block_start", "index": i, "content_block": first})
	for _, delta := range deltas {
		out += sent(t, "content_block_delta", object{"type": "content_block_delta", "index": i, "delta": delta})
	}
	return out + sent(t, "content_block_stop", object{"type": "content_block_stop", "index": i})
}

// ordered puts texts and calls in the order that was drawn.
func (d *drawn) ordered(list, texts, calls []any) []any {
	if d.callsFirst {
		texts, calls = calls, texts
	}
	return append(append(list, texts...), calls...)
}

// halves cuts a text between two characters.
func halves(text string) []string {
	runes := []rune(text)
	return []string{string(runes[:len(runes)/2]), string(runes[len(runes)/2:])}
}

func (d *drawn) asGemini(t require.TestingT, stream bool) []byte {
	reason := map[string]string{"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}[d.finish]
	var parts []any
	if d.thoughts != "" {
		parts = append(parts, object{"text": d.thoughts, "thought": true})
	}
	var texts, calls []any
	for _, text := range d.texts {
		texts = append(texts, object{"text": text})
	}
	for _, c := range d.calls {
		calls = append(calls, object{"functionCall": object{"id": c.id, "name": c.name, "args": json.RawMessage(c.arguments)}})
	}
	parts = d.ordered(parts, texts, calls)
	usage := object{"promptTokenCount": d.input + d.cached, "cachedContentTokenCount": d.cached, "candidatesTokenCount": d.out, "totalTokenCount": d.input + d.cached + d.out}
	piece := func(parts []any, reason any) object {
		candidate := object{"content": object{"role": "model", "parts": parts}, "index": 0}
		if reason != nil {
			candidate["finishReason"] = reason
		}
		return object{"candidates": []any{candidate}, "usageMetadata": usage, "modelVersion": "m", "responseId": "r"}
	}
	if !stream {
		return encode(t, piece(parts, reason))
	}
	out := ""
	for _, p := range parts {
		out += sent(t, "", piece([]any{p}, nil))
	}
	return []byte(out + sent(t, "", piece([]any{object{"text": ""}}, reason)))
}
