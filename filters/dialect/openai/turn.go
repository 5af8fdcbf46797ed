package openai

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// turn is one message, of a request or of an answer, with its members apart. Of
// equal members the last counts, as with nearly every decoder.
type turn struct {
	role, content, name, calls, callID, refusal []byte
	reasoning, details, cache, function, notes  []byte
	extra                                       []llm.Field
}

func readTurn(raw []byte) turn {
	var t turn
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "role":
			t.role = dialect.Value(&it)
		case "content":
			t.content = dialect.Value(&it)
		case "name":
			t.name = dialect.Value(&it)
		case "tool_calls":
			t.calls = dialect.Value(&it)
		case "tool_call_id":
			t.callID = dialect.Value(&it)
		case "refusal":
			t.refusal = dialect.Value(&it)
		case "reasoning_content":
			t.reasoning = dialect.Value(&it)
		case "reasoning":
			if t.reasoning == nil {
				t.reasoning = dialect.Value(&it)
			}
		case "reasoning_details":
			t.details = dialect.Value(&it)
		case "cache_control":
			t.cache = dialect.Value(&it)
		case "function_call":
			t.function = dialect.Value(&it)
		case "annotations":
			t.notes = dialect.Value(&it)
		default:
			t.extra = dialect.Keep(t.extra, &it)
		}
	}
	return t
}

// assistant is what a model said: reasoning, text, refusal, then calls.
func (t *turn) assistant() []llm.Part {
	parts := t.thoughts(make([]llm.Part, 0, 2))
	parts = appendContent(parts, t.content)
	cite(parts, t.notes)
	if text := jsonx.Interior(t.refusal); len(text) > 0 {
		parts = append(parts, llm.Part{Kind: llm.RefusalPart, Text: llm.Escaped(text)})
	}
	for it := jsonx.Elements(t.calls); it.Next(); {
		parts = append(parts, readCall(it.Value()))
	}
	if t.function != nil {
		part := llm.Part{Kind: llm.ToolCallPart}
		readFunction(&part, t.function)
		parts = append(parts, part)
	}
	return parts
}

// readCall reads one entry of tool_calls. One that is no function is kept raw.
func readCall(raw []byte) llm.Part {
	part := llm.Part{Kind: llm.ToolCallPart}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "id":
			part.Call.ID = dialect.Text(&it)
		case "function":
			readFunction(&part, it.Value())
		case "type":
			if kind := dialect.Text(&it); len(kind) > 0 && !jsonx.Equal(kind, "function") {
				return llm.Part{Kind: llm.OtherPart, Other: raw}
			}
		case "index":
		case "cache_control":
			part.Cache = dialect.Value(&it)
		case "extra_content":
			part.Signature, part.Origin = thoughtSignature(it.Value())
		default:
			part.Extra = dialect.Keep(part.Extra, &it)
		}
	}
	return part
}

// readFunction reads a call's name and arguments, which some servers send as an
// object instead of its text.
func readFunction(part *llm.Part, raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "name":
			part.Call.Name = dialect.Text(&it)
		case "arguments":
			part.Call.Arguments, part.Call.Input = dialect.Text(&it), nil
			if it.Kind() == jsonx.Object {
				part.Call.Input = it.Value()
			}
		default:
			part.Extra = dialect.Keep(part.Extra, &it)
		}
	}
}

// appendContent reads content: a string, or an array of parts.
func appendContent(parts []llm.Part, content []byte) []llm.Part {
	if jsonx.KindOf(content) == jsonx.String {
		if text := jsonx.Interior(content); len(text) > 0 {
			parts = append(parts, llm.Part{Text: llm.Escaped(text)})
		}
		return parts
	}
	for it := jsonx.Elements(content); it.Next(); {
		parts = append(parts, readPart(it.Value()))
	}
	return parts
}

// readPart reads one part of a content array. A part of an unknown type, or
// without what its type needs, is kept raw.
func readPart(raw []byte) llm.Part {
	part := llm.Part{Kind: llm.OtherPart}
	var kind llm.Escaped
	var body []byte
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			kind = dialect.Text(&it)
		case "text", "refusal", "image_url", "input_audio", "file", "thinking":
			body = it.Value()
		case "cache_control", "prompt_cache_breakpoint":
			part.Cache = dialect.Value(&it)
		default:
			part.Extra = dialect.Keep(part.Extra, &it)
		}
	}
	if !fill(&part, kind, body) {
		return llm.Part{Kind: llm.OtherPart, Other: raw, Cache: part.Cache}
	}
	return part
}
