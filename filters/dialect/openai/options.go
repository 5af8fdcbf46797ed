package openai

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// toolChoice reads tool_choice and parallel_tool_calls.
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
		m.namedTool(r, raw)
	case jsonx.Equal(word, "auto"):
		r.ToolChoice.Mode = llm.ToolsAuto
	case jsonx.Equal(word, "none"):
		r.ToolChoice.Mode = llm.ToolsNone
	case jsonx.Equal(word, "required"), jsonx.Equal(word, "any"): // Mistral's word
		r.ToolChoice.Mode = llm.ToolsRequired
	default:
		m.Fail(dialect.Invalid("invalid_value", "tool_choice", "Invalid 'tool_choice': expected 'none', 'auto', 'required' or a tool."))
	}
}

func (m *members) namedTool(r *llm.Request, raw []byte) {
	name, ok := jsonx.Lookup(raw, "function", "name")
	if !ok {
		m.Fail(base.Unsupported("tool_choice"))
		return
	}
	r.ToolChoice.Mode, r.ToolChoice.Name = llm.ToolNamed, llm.Escaped(jsonx.Interior(name))
}

func (m *members) sampling(s *llm.Sampling) {
	s.Temperature = m.Number(kTemperature)
	s.TopP = m.Number(kTopP)
	s.TopK = m.Number(kTopK)
	if s.Seed = m.Number(kSeed); s.Seed == "" {
		s.Seed = m.Number(kRandomSeed) // Mistral
	}
	s.PresencePenalty = m.Number(kPresence)
	s.FrequencyPenalty = m.Number(kFrequency)
}

// stop is a string or an array of strings.
func (m *members) stop() []llm.Escaped {
	v, raw, ok := m.Get(kStop)
	if !ok {
		return nil
	}
	if v.Kind == jsonx.String {
		return []llm.Escaped{llm.Escaped(jsonx.Interior(raw))}
	}
	var list []llm.Escaped
	for it := jsonx.Elements(m.Raw(kStop, jsonx.Array, "a string or an array of strings")); it.Next(); {
		if it.Kind() != jsonx.String {
			m.Wrong(kStop, "an array of strings")
			return nil
		}
		list = append(list, dialect.Text(&it))
	}
	return list
}

// format reads response_format; plain text is no format.
func (m *members) format() *llm.Format {
	raw := m.Object(kFormat)
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
		schema, _ := jsonx.Lookup(raw, "json_schema")
		return m.schema(schema)
	}
	m.Fail(dialect.Invalid("invalid_value", "response_format.type", "Invalid 'response_format.type': expected 'text', 'json_object' or 'json_schema'."))
	return nil
}

func (m *members) schema(raw []byte) *llm.Format {
	f := base.ReadSchema(raw)
	if f.Schema == nil {
		m.Fail(base.Missing("response_format.json_schema.schema"))
	}
	return f
}

// reasoning reads reasoning_effort, and OpenRouter's reasoning object.
func (m *members) reasoning() *llm.Reasoning {
	r := &llm.Reasoning{Effort: m.Text(kEffort)}
	if raw := m.Object(kReasoning); raw != nil {
		readReasoning(r, raw)
	}
	if jsonx.Equal(r.Effort, "none") {
		r.Off, r.Effort = true, nil
	}
	if len(r.Effort) == 0 && r.Budget == 0 && !r.Off {
		return nil
	}
	return r
}

func readReasoning(r *llm.Reasoning, raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "effort":
			r.Effort = dialect.Text(&it)
		case "max_tokens":
			n, _ := jsonx.Int(it.Value())
			r.Budget = int(min(max(n, 0), 1<<31-1))
		case "enabled":
			on, ok := jsonx.Bool(it.Value())
			r.Off = ok && !on
		}
	}
}
