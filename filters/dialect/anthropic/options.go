package anthropic

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/schema"
	"github.com/posterngw/postern/filters/dialect/thinking"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// tools writes the offered tools and the choice among them.
func (e *encoder) tools(r *llm.Request) {
	if len(r.Tools) == 0 {
		return
	}
	e.w.Array("tools")
	for i := range r.Tools {
		e.tool(&r.Tools[i])
	}
	e.w.Close(']')
	e.choice(&r.ToolChoice)
}

func (e *encoder) tool(t *llm.Tool) {
	if t.Other != nil {
		if !e.serverTool(t) {
			e.refuse("tools", "A tool of this type")
		}
		return
	}
	e.w.Open('{')
	e.w.Text("name", t.Name)
	if len(t.Description) > 0 {
		e.w.Text("description", t.Description)
	}
	e.schema(t.Schema)
	if t.Strict {
		e.w.Literal("strict", "true")
	}
	e.cache(t.Cache)
	e.w.Close('}')
}

// schema writes input_schema, which must say that it is of an object.
func (e *encoder) schema(schema llm.Raw) {
	body := bytes.TrimSpace(schema)
	switch _, typed := jsonx.Lookup(body, "type"); {
	case len(body) == 0:
		e.w.Literal("input_schema", `{"type":"object","properties":{}}`)
	case body[0] != '{':
		e.refuse("tools", "A tool whose parameters are not an object")
	case typed:
		e.w.Raw("input_schema", body)
	default:
		e.w.Object("input_schema")
		e.w.Word("type", "object")
		if !bytes.HasPrefix(bytes.TrimSpace(body[1:]), []byte("}")) {
			e.w.B = append(e.w.B, ',')
		}
		e.w.B = append(e.w.B, body[1:]...)
	}
}

// choice writes tool_choice. "none" cannot be parallel.
func (e *encoder) choice(c *llm.ToolChoice) {
	serial := c.Parallel != nil && !*c.Parallel
	if c.Mode == llm.ToolsDefault && !serial {
		return
	}
	e.w.Object("tool_choice")
	switch c.Mode {
	case llm.ToolsNone:
		e.w.Word("type", "none")
		serial = false
	case llm.ToolsRequired:
		e.w.Word("type", "any")
	case llm.ToolNamed:
		e.w.Word("type", "tool")
		e.w.Text("name", c.Name)
	default:
		e.w.Word("type", "auto")
	}
	if serial {
		e.w.Literal("disable_parallel_tool_use", "true")
	}
	e.w.Close('}')
}

// thinking writes thinking and output_config and reports whether the model thinks.
func (e *encoder) thinking(r *llm.Request, t *dialect.Target, limit int) bool {
	effort, budget := llm.Escaped(nil), 0
	if q := r.Reasoning; q != nil && !q.Off {
		if byBudget(t) {
			budget = thinking.Budget(q, limit)
		} else {
			effort = thinking.Effort(q)
		}
	}
	thinks := false
	switch {
	case r.Reasoning == nil:
	case r.Reasoning.Off:
		e.w.Raw("thinking", []byte(`{"type":"disabled"}`))
	case thinking.Forced(r):
		e.l.Drop("reasoning_effort", "the model cannot think next to a tool that it must call")
	case effort != nil:
		e.w.Raw("thinking", []byte(`{"type":"adaptive"}`))
		thinks = true
	case budget > 0 && thinking.Lost(r.Messages):
		e.l.Drop("reasoning_effort", "the conversation lacks what the model thought before it called a tool")
	case budget > 0:
		e.w.Object("thinking")
		e.w.Word("type", "enabled")
		e.w.Int("budget_tokens", int64(budget))
		e.w.Close('}')
		thinks = true
	default:
		e.l.Drop("reasoning_effort", "the bound on the output leaves no room to think")
	}
	e.output(r.Format, effort)
	return thinks
}

// output writes output_config: the effort and the schema of the answer.
func (e *encoder) output(f *llm.Format, effort llm.Escaped) {
	form := f != nil && f.Schema != nil
	if !form && effort == nil {
		return
	}
	e.w.Object("output_config")
	if effort != nil {
		e.w.Text("effort", effort)
	}
	if form {
		e.w.Object("format")
		e.w.Word("type", "json_schema")
		e.w.Key("schema")
		b, err := schema.Claude.Lower(e.w.B, f.Schema, "response_format/json_schema/schema", e.l)
		if e.w.B = b; err != nil && e.err == nil {
			e.err = err
		}
		e.w.Close('}')
	}
	e.w.Close('}')
}

// sampling writes the parameters that the API has. A thinking model takes none.
func (e *encoder) sampling(s *llm.Sampling, thinks bool) {
	if thinks {
		for _, x := range [...]struct{ field, value string }{{"temperature", string(s.Temperature)}, {"top_p", string(s.TopP)}, {"top_k", string(s.TopK)}} {
			if x.value != "" {
				e.l.Drop(x.field, "the model takes none while it thinks")
			}
		}
		return
	}
	capped := capOne(s.Temperature)
	if capped != s.Temperature {
		e.l.Default("temperature", "the API takes at most 1")
	}
	e.w.Number("temperature", capped)
	switch {
	case s.Temperature == "":
		e.w.Number("top_p", s.TopP)
	case s.TopP != "":
		e.l.Drop("top_p", "the model takes a temperature or top_p")
	}
	e.w.Number("top_k", s.TopK)
}

// capOne caps a temperature at 1.
func capOne(n llm.Number) llm.Number {
	if v, ok := jsonx.Float([]byte(n)); ok && v > 1 {
		return "1"
	}
	return n
}

func (e *encoder) stop(list []llm.Escaped) {
	if len(list) == 0 {
		return
	}
	e.w.Array("stop_sequences")
	for _, s := range list {
		if len(s) > 0 {
			e.w.Element(s)
		} else {
			e.l.Drop("stop/*", "an empty one stops nothing")
		}
	}
	e.w.Close(']')
}
