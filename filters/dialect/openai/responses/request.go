package responses

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
	r := &llm.Request{Facts: f}
	m.refusals()
	m.instructions(r)
	m.input(r)
	m.tools(r)
	m.toolChoice(r)
	r.Sampling.Temperature, r.Sampling.TopP = m.Number(kTemperature), m.Number(kTopP)
	r.TopLogprobs = m.Number(kTopLogprobs)
	r.Logprobs = r.TopLogprobs != "" && r.TopLogprobs != "0"
	r.ServiceTier = m.Text(kTier)
	r.Metadata = llm.Raw(m.Object(kMetadata))
	m.text(r)
	m.reasoning(r)
	m.include(r)
	m.rest(r)
	if m.Err != nil {
		return nil, m.Err
	}
	return r, nil
}

// refusals finds what only the provider that has the state can serve.
func (m *members) refusals() {
	for _, k := range [...]int{kPrevious, kConversation, kPrompt} {
		if _, _, ok := m.Get(k); ok {
			m.Fail(base.Unsupported(inspected.Name(k)))
		}
	}
	if later, _ := m.Flag(kBackground); later {
		m.Fail(base.Unsupported("background"))
	}
}

// rest keeps what has no canonical place.
func (m *members) rest(r *llm.Request) {
	if stored, _ := m.Flag(kStore); stored {
		r.Extra = m.Keep(r.Extra, kStore)
	}
	if !jsonx.Equal(m.Text(kTruncation), "disabled") {
		r.Extra = m.Keep(r.Extra, kTruncation)
	}
	r.Extra = m.Rest(r.Extra)
}

// instructions are the first turn: a text, or items.
func (m *members) instructions(r *llm.Request) {
	v, raw, ok := m.Get(kInstructions)
	switch {
	case !ok:
	case v.Kind == jsonx.String:
		r.Messages = append(r.Messages, llm.Message{Role: llm.System, Parts: []llm.Part{{Text: llm.Escaped(jsonx.Interior(raw))}}})
	default:
		m.items(r, m.Raw(kInstructions, jsonx.Array, "a string or an array of items"), "instructions")
	}
}

func (m *members) input(r *llm.Request) {
	v, raw, ok := m.Get(kInput)
	switch {
	case !ok:
	case v.Kind == jsonx.String:
		r.Messages = append(r.Messages, llm.Message{Parts: []llm.Part{{Text: llm.Escaped(jsonx.Interior(raw))}}})
	default:
		m.items(r, raw, "input")
	}
}

func (m *members) items(r *llm.Request, list []byte, name string) {
	n := 0
	for it := jsonx.Elements(list); it.Next() && m.Err == nil; n++ {
		if err := addItem(r, it.Value()); err != nil {
			err.Param = name + "[" + strconv.Itoa(n) + "]" + err.Param
			m.Fail(err)
		}
	}
}

// include tells what the answer is to hold beyond its usual. Reasoning is always
// given back sealed.
func (m *members) include(r *llm.Request) {
	for it := jsonx.Elements(m.Array(kInclude)); it.Next(); {
		switch word := dialect.Text(&it); {
		case jsonx.Equal(word, "reasoning.encrypted_content"):
		case jsonx.Equal(word, "message.output_text.logprobs"):
			r.Logprobs = true
		default:
			r.Extra = append(r.Extra, llm.Field{Name: "include", Value: it.Value()})
		}
	}
}

// text reads text: the format and the verbosity.
func (m *members) text(r *llm.Request) {
	for it := jsonx.Members(m.Object(kText)); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "format":
			r.Format = m.format(dialect.Value(&it))
		case "verbosity":
			r.Verbosity = dialect.Text(&it)
		default:
			r.Extra = dialect.Keep(r.Extra, &it)
		}
	}
}

func (m *members) format(raw []byte) *llm.Format {
	if raw == nil {
		return nil
	}
	kind, _ := jsonx.Lookup(raw, "type")
	switch word := jsonx.Interior(kind); {
	case jsonx.Equal(word, "text"):
		return nil
	case jsonx.Equal(word, "json_object"):
		return &llm.Format{}
	case jsonx.Equal(word, "json_schema"):
		f := base.ReadSchema(raw)
		if f.Schema == nil {
			m.Fail(base.Missing("text.format.schema"))
		}
		return f
	}
	m.Fail(dialect.Invalid("invalid_value", "text.format.type", "Invalid 'text.format.type': expected 'text', 'json_object' or 'json_schema'."))
	return nil
}

// reasoning reads the effort; how the reasoning is told is kept.
func (m *members) reasoning(r *llm.Request) {
	var q llm.Reasoning
	for it := jsonx.Members(m.Object(kReasoning)); it.Next(); {
		if it.KeyIs("effort") {
			q.Effort = dialect.Text(&it)
		} else if it.Kind() != jsonx.Null {
			r.Extra = append(r.Extra, llm.Field{Name: "reasoning/" + string(dialect.Name(&it)), Value: it.Value()})
		}
	}
	if jsonx.Equal(q.Effort, "none") {
		q.Off, q.Effort = true, nil
	}
	if q.Off || len(q.Effort) > 0 {
		r.Reasoning = &q
	}
}

// tools reads the offered tools. Of those that the provider runs the kind is told.
func (m *members) tools(r *llm.Request) {
	for it := jsonx.Elements(m.Array(kTools)); it.Next(); {
		r.Tools = append(r.Tools, readTool(it.Value()))
	}
}

func readTool(raw []byte) llm.Tool {
	var t llm.Tool
	var kind llm.Escaped
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			kind = dialect.Text(&it)
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
	if jsonx.Equal(kind, "function") && t.Name != nil {
		return t
	}
	return llm.Tool{Other: llm.Raw(raw), Server: serverTool(kind)}
}

func serverTool(kind llm.Escaped) llm.ServerTool {
	switch string(kind) {
	case "web_search", "web_search_preview", "web_search_2025_08_26", "web_search_preview_2025_03_11":
		return llm.WebSearch
	case "code_interpreter":
		return llm.CodeExecution
	}
	return llm.NoServerTool
}

func (m *members) toolChoice(r *llm.Request) {
	if parallel, ok := m.Flag(kParallel); ok {
		r.ToolChoice.Parallel = &parallel
	}
	v, raw, ok := m.Get(kToolChoice)
	if !ok {
		return
	}
	word := jsonx.Interior(raw)
	switch {
	case v.Kind == jsonx.Object:
		kind, _ := jsonx.Lookup(raw, "type")
		name, named := jsonx.Lookup(raw, "name")
		if !named || !jsonx.Equal(jsonx.Interior(kind), "function") {
			m.Fail(base.Unsupported("tool_choice"))
		}
		r.ToolChoice.Mode, r.ToolChoice.Name = llm.ToolNamed, llm.Escaped(jsonx.Interior(name))
	case jsonx.Equal(word, "auto"):
		r.ToolChoice.Mode = llm.ToolsAuto
	case jsonx.Equal(word, "none"):
		r.ToolChoice.Mode = llm.ToolsNone
	case jsonx.Equal(word, "required"):
		r.ToolChoice.Mode = llm.ToolsRequired
	default:
		m.Fail(dialect.Invalid("invalid_value", "tool_choice", "Invalid 'tool_choice': expected 'none', 'auto', 'required' or a tool."))
	}
}
