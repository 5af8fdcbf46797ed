package cohere

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Decode reads the whole request.
func (chatClient) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: chatKeys}
	r := &llm.Request{Facts: f, Logprobs: m.Flag(kLogprobs), Stop: m.Texts(kStop), Extra: m.Extra()}
	for it := jsonx.Elements(m.Array(kMessages)); it.Next() && m.Err == nil; {
		r.Messages = append(r.Messages, readMessage(&m, it.Value(), len(r.Messages)))
	}
	addDocuments(r, m.Array(kDocuments))
	strict := m.Flag(kStrictTools)
	for it := jsonx.Elements(m.Array(kTools)); it.Next(); {
		t := readTool(it.Value())
		t.Strict = strict
		r.Tools = append(r.Tools, t)
	}
	switch string(m.Text(kToolChoice)) {
	case "REQUIRED":
		r.ToolChoice.Mode = llm.ToolsRequired
	case "NONE":
		r.ToolChoice.Mode = llm.ToolsNone
	}
	r.Sampling = llm.Sampling{Temperature: m.Number(kTemperature), TopP: m.Number(kP), TopK: m.Number(kK), Seed: m.Number(kSeed),
		FrequencyPenalty: m.Number(kFrequency), PresencePenalty: m.Number(kPresence)}
	r.Format = readFormat(m.Object(kFormat))
	r.Reasoning = readThinking(m.Object(kThinking))
	if m.Err != nil {
		return nil, m.Err
	}
	return r, nil
}

// readFormat reads response_format: text, or JSON, with or without a schema.
func readFormat(raw []byte) *llm.Format {
	kind, _ := jsonx.Lookup(raw, "type")
	if !jsonx.Equal(jsonx.Interior(kind), "json_object") {
		return nil
	}
	f := &llm.Format{}
	for _, name := range []string{"schema", "json_schema"} {
		if schema, ok := jsonx.Lookup(raw, name); ok && jsonx.KindOf(schema) == jsonx.Object {
			f.Schema, f.Strict = schema, true
		}
	}
	return f
}

func readThinking(raw []byte) *llm.Reasoning {
	kind, _ := jsonx.Lookup(raw, "type")
	switch string(jsonx.Interior(kind)) {
	case "disabled":
		return &llm.Reasoning{Off: true}
	case "enabled":
		budget, _ := jsonx.Lookup(raw, "token_budget")
		if n, ok := jsonx.Int(budget); ok && n > 0 {
			return &llm.Reasoning{Budget: int(min(n, 1<<31-1))}
		}
		return &llm.Reasoning{Effort: llm.Escaped("high")}
	}
	return nil
}

// readMessage reads the n-th turn.
func readMessage(m *dialect.Members, raw []byte, n int) llm.Message {
	t := readTurn(raw)
	msg := llm.Message{Extra: t.extra}
	switch string(t.role) {
	case "user":
		msg.Parts = appendContent(nil, t.content)
	case "system", "developer":
		msg.Role, msg.Parts = llm.System, appendContent(nil, t.content)
	case "assistant", "chatbot":
		msg.Role, msg.Parts = llm.Assistant, t.assistant()
	case "tool":
		msg.Role = llm.ToolRole
		msg.Parts = []llm.Part{{Kind: llm.ToolResultPart, Result: llm.ToolResult{ID: t.callID, Parts: appendContent(nil, t.content)}}}
	default:
		at := "messages[" + strconv.Itoa(n) + "].role"
		m.Fail("invalid_value", at, "invalid value for '"+at+"': expected 'user', 'assistant', 'system' or 'tool'")
	}
	return msg
}

// turn is one message, of a request or of an answer, with its members apart.
type turn struct {
	role, plan, callID        llm.Escaped
	content, calls, citations []byte
	extra                     []llm.Field
}

func readTurn(raw []byte) turn {
	var t turn
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "role":
			t.role = dialect.Text(&it)
		case "content":
			t.content = dialect.Value(&it)
		case "tool_plan":
			t.plan = dialect.Text(&it)
		case "tool_call_id":
			t.callID = dialect.Text(&it)
		case "tool_calls":
			t.calls = dialect.Value(&it)
		case "citations":
			t.citations = dialect.Value(&it)
		default:
			t.extra = dialect.Keep(t.extra, &it)
		}
	}
	return t
}

// assistant is what a model said: its plan, its thinking and text, then calls.
func (t *turn) assistant() []llm.Part {
	var parts []llm.Part
	if len(t.plan) > 0 {
		parts = append(parts, llm.Part{Kind: llm.ReasoningPart, Text: t.plan})
	}
	parts = appendContent(parts, t.content)
	cite(parts, t.citations)
	for it := jsonx.Elements(t.calls); it.Next(); {
		parts = append(parts, readCall(it.Value()))
	}
	return parts
}

// appendContent reads content: a string, or a list of parts.
func appendContent(parts []llm.Part, content []byte) []llm.Part {
	if text := jsonx.Interior(content); len(text) > 0 {
		return append(parts, llm.Part{Text: text})
	}
	for it := jsonx.Elements(content); it.Next(); {
		parts = append(parts, readPart(it.Value()))
	}
	return parts
}

// readPart reads one part of a content; a document is the text of its data.
func readPart(raw []byte) llm.Part {
	var p llm.Part
	var kind llm.Escaped
	var body []byte
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			kind = dialect.Text(&it)
		case "text", "thinking", "image_url", "document":
			body = it.Value()
		case "signature":
			p.Origin, p.Signature = dialect.Unseal(name, dialect.Text(&it))
		case "redacted":
			p.Redacted, _ = jsonx.Bool(it.Value())
		default:
			p.Extra = dialect.Keep(p.Extra, &it)
		}
	}
	switch string(kind) {
	case "text":
		p.Text = jsonx.Interior(body)
	case "thinking":
		p.Kind, p.Text = llm.ReasoningPart, jsonx.Interior(body)
	case "image_url":
		p.Kind, p.Media = llm.ImagePart, image(body)
	case "document":
		p.Text = documentText(nil, body)
	default:
		return llm.Part{Kind: llm.OtherPart, Other: raw}
	}
	return p
}

// documentText appends what a document says: a string itself, data as JSON.
func documentText(dst, raw []byte) []byte {
	if data, ok := jsonx.Lookup(raw, "data"); ok {
		raw = data
	}
	if jsonx.KindOf(raw) == jsonx.String {
		return append(dst, jsonx.Interior(raw)...)
	}
	return jsonx.Escape(dst, string(raw))
}

// addDocuments puts the documents before what the user said last: no other API
// has a place for them.
func addDocuments(r *llm.Request, documents []byte) {
	var list []llm.Part
	for it := jsonx.Elements(documents); it.Next(); {
		text := llm.Escaped("Document")
		if id, ok := jsonx.Lookup(it.Value(), "id"); ok {
			text = append(append(text, ' '), jsonx.Interior(id)...)
		}
		text = documentText(append(text, `:\n`...), it.Value())
		list = append(list, llm.Part{Text: append(text, `\n\n`...)})
	}
	if list == nil {
		return
	}
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if m := &r.Messages[i]; m.Role == llm.User {
			m.Parts = append(list, m.Parts...)
			return
		}
	}
	r.Messages = append(r.Messages, llm.Message{Parts: list})
}

// readCall reads one entry of tool_calls.
func readCall(raw []byte) llm.Part {
	p := llm.Part{Kind: llm.ToolCallPart}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "id":
			p.Call.ID = dialect.Text(&it)
		case "function":
			readFunction(&p.Call, it.Value())
		case "signature":
			p.Origin, p.Signature = dialect.Unseal(name, dialect.Text(&it))
		case "type":
		default:
			p.Extra = dialect.Keep(p.Extra, &it)
		}
	}
	return p
}

func readFunction(c *llm.ToolCall, raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "name":
			c.Name = dialect.Text(&it)
		case "arguments":
			c.Arguments = dialect.Text(&it)
			if it.Kind() == jsonx.Object {
				c.Input = it.Value()
			}
		}
	}
}

// readTool reads one offered tool; one that is no function is kept raw.
func readTool(raw []byte) llm.Tool {
	var t llm.Tool
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
		case "function":
			for in := jsonx.Members(it.Value()); in.Next(); {
				switch string(dialect.Name(&in)) {
				case "name":
					t.Name = dialect.Text(&in)
				case "description":
					t.Description = dialect.Text(&in)
				case "parameters":
					t.Schema = dialect.Value(&in)
				default:
					t.Extra = dialect.Keep(t.Extra, &in)
				}
			}
		default:
			t.Extra = dialect.Keep(t.Extra, &it)
		}
	}
	if t.Name == nil {
		return llm.Tool{Other: raw}
	}
	return t
}
