package openai

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Decode reads the whole request.
func (*client) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	m := read(doc)
	m.refusals()
	r := &llm.Request{Facts: f}
	m.messages(r)
	m.tools(r)
	m.toolChoice(r)
	m.sampling(&r.Sampling)
	r.Stop = m.stop()
	r.Format = m.format()
	r.Reasoning = m.reasoning()
	r.Metadata = llm.Raw(m.Object(kMetadata))
	r.Logprobs, _ = m.Flag(kLogprobs)
	r.TopLogprobs = m.Number(kTopLogprobs)
	r.LogitBias = llm.Raw(m.Object(kLogitBias))
	r.ServiceTier, r.Verbosity = m.Text(kTier), m.Text(kVerbosity)
	r.Extra = m.Keep(m.Rest(nil), kPrompt, kSuffix, kEcho, kBestOf) // the last are of completions
	if m.Err != nil {
		return nil, m.Err
	}
	return r, nil
}

// refusals finds what no other API can be asked for in this vocabulary and what
// the answer would visibly lack.
func (m *members) refusals() {
	for it := jsonx.Elements(m.Array(kModalities)); it.Next(); {
		if !jsonx.Equal(dialect.Text(&it), "text") {
			m.Fail(base.Unsupported("modalities"))
		}
	}
	for _, k := range []int{kFunctions, kFunctionCall} {
		if _, _, ok := m.Get(k); ok {
			m.Fail(base.Unsupported(inspected.Name(k)))
		}
	}
}

func (m *members) messages(r *llm.Request) {
	raw := m.Array(kMessages)
	r.Messages = make([]llm.Message, 0, base.Length(raw))
	for it := jsonx.Elements(raw); it.Next() && m.Err == nil; {
		msg, err := readMessage(it.Value())
		if err != nil {
			err.Param = "messages[" + strconv.Itoa(len(r.Messages)) + "]." + err.Param
			m.Err = err
			return
		}
		r.Messages = append(r.Messages, msg)
	}
}

// readMessage reads one message of a request. An error names the member.
func readMessage(raw []byte) (llm.Message, *llm.Error) {
	t := readTurn(raw)
	msg := llm.Message{Name: llm.Escaped(jsonx.Interior(t.name))}
	role := jsonx.Interior(t.role)
	switch {
	case jsonx.Equal(role, "assistant"):
		msg.Role, msg.Parts = llm.Assistant, t.assistant()
	case jsonx.Equal(role, "tool"):
		msg.Role, msg.Parts = llm.ToolRole, t.result()
	case jsonx.Equal(role, "user"):
		msg.Parts = appendContent(nil, t.content)
	case jsonx.Equal(role, "system"):
		msg.Role, msg.Parts = llm.System, appendContent(nil, t.content)
	case jsonx.Equal(role, "developer"):
		msg.Role, msg.Parts = llm.Developer, appendContent(nil, t.content)
	case jsonx.Equal(role, "function"):
		return msg, dialect.Unsupported("role", "The role 'function' cannot be carried to the API that this model is served by.")
	default:
		return msg, dialect.Invalid("invalid_value", "role", "Invalid role: expected one of 'system', 'developer', 'user', 'assistant' and 'tool'.")
	}
	if err := t.check(msg.Role); err != nil {
		return msg, err
	}
	markLast(msg.Parts, t.cache)
	msg.Extra = t.extra
	return msg, nil
}

// check finds members of a type that cannot be read.
func (t *turn) check(role llm.Role) *llm.Error {
	switch jsonx.KindOf(t.content) {
	case jsonx.String, jsonx.Array, jsonx.Invalid:
	default:
		return dialect.Invalid("invalid_type", "content", "Invalid type for 'content': expected a string or an array of parts.")
	}
	if role == llm.ToolRole && len(jsonx.Interior(t.callID)) == 0 {
		return dialect.Invalid("missing_required_parameter", "tool_call_id", "Missing required parameter: 'tool_call_id'.")
	}
	if t.calls != nil && jsonx.KindOf(t.calls) != jsonx.Array {
		return dialect.Invalid("invalid_type", "tool_calls", "Invalid type for 'tool_calls': expected an array.")
	}
	return nil
}

// result is the content of a tool's turn.
func (t *turn) result() []llm.Part {
	return []llm.Part{{Kind: llm.ToolResultPart, Result: llm.ToolResult{
		ID: llm.Escaped(jsonx.Interior(t.callID)), Name: llm.Escaped(jsonx.Interior(t.name)),
		Parts: appendContent(nil, t.content),
	}}}
}

// markLast puts a message's prompt-cache marker on its last part.
func markLast(parts []llm.Part, cache []byte) {
	if n := len(parts); n > 0 && cache != nil && parts[n-1].Cache == nil {
		parts[n-1].Cache = llm.Raw(cache)
	}
}

func (m *members) tools(r *llm.Request) {
	for it := jsonx.Elements(m.Array(kTools)); it.Next(); {
		r.Tools = append(r.Tools, readTool(it.Value()))
	}
	if raw := m.Object(kWebSearch); raw != nil {
		r.Tools = append(r.Tools, llm.Tool{Server: llm.WebSearch, Other: llm.Raw(raw)})
	}
}

// readTool reads one offered tool. One that is no function is kept raw.
func readTool(raw []byte) llm.Tool {
	var t llm.Tool
	function := false
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			function = jsonx.Equal(dialect.Text(&it), "function")
		case "function":
			readDefinition(&t, it.Value())
		case "cache_control":
			t.Cache = llm.Raw(dialect.Value(&it))
		default:
			t.Extra = dialect.Keep(t.Extra, &it)
		}
	}
	if !function || t.Name == nil {
		return llm.Tool{Other: llm.Raw(raw)}
	}
	return t
}

func readDefinition(t *llm.Tool, raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "name":
			t.Name = dialect.Text(&it)
		case "description":
			t.Description = dialect.Text(&it)
		case "parameters":
			t.Schema = llm.Raw(dialect.Value(&it))
		case "strict":
			t.Strict, _ = jsonx.Bool(it.Value())
		default:
			t.Extra = dialect.Keep(t.Extra, &it)
		}
	}
}
