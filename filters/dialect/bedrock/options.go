package bedrock

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/thinking"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// inference writes inferenceConfig and returns the bound on the output, 0 when
// there is none.
func (e *encoder) inference(r *llm.Request, t *dialect.Target) int {
	limit := r.MaxTokens
	if limit == 0 {
		limit = t.MaxTokens
	}
	thinks := e.thinks(r, limit)
	start := len(e.w.B)
	e.w.Object("inferenceConfig")
	open := len(e.w.B)
	if limit > 0 {
		e.w.Int("maxTokens", int64(limit))
	}
	e.sampling(&r.Sampling, thinks)
	if n := len(r.Stop); n > 0 {
		e.w.Array("stopSequences")
		for _, s := range r.Stop {
			if len(s) > 0 {
				e.w.Element(s)
			}
		}
		e.w.Close(']')
	}
	if len(e.w.B) == open {
		e.w.B = e.w.B[:start]
		return limit
	}
	e.w.Close('}')
	return limit
}

// sampling writes the parameters that the API has. Claude takes none while it
// thinks, and either temperature or top_p.
func (e *encoder) sampling(s *llm.Sampling, thinks bool) {
	if thinks && e.claude() {
		for _, x := range []struct {
			n     llm.Number
			field string
		}{{s.Temperature, "temperature"}, {s.TopP, "top_p"}, {s.TopK, "top_k"}} {
			if x.n != "" {
				e.l.Drop(x.field, "the model takes none while it thinks")
			}
		}
		return
	}
	e.number("temperature", "temperature", s.Temperature)
	if s.TopP != "" && s.Temperature != "" && e.claude() {
		e.l.Drop("top_p", "the model takes a temperature or top_p")
	} else {
		e.w.Number("topP", s.TopP)
	}
	if e.native {
		e.w.Number("topK", s.TopK)
	}
}

// thinks reports whether the model is asked to think.
func (e *encoder) thinks(r *llm.Request, limit int) bool {
	q := r.Reasoning
	if q == nil || q.Off || e.claude() && thinking.Forced(r) {
		return false
	}
	if e.claude() && thinking.ByBudget(e.family) {
		return thinking.Budget(q, bound(limit)) > 0 && !thinking.Lost(r.Messages)
	}
	return true
}

// bound stands in for a bound on the output where there is none.
func bound(limit int) int {
	if limit == 0 {
		return 4096
	}
	return limit
}

// more writes what the model's own API has and this one lacks: top_k and how
// thinking is asked for, in the words of the model's family.
func (e *encoder) more(r *llm.Request, limit int) {
	start := len(e.w.B)
	e.w.Object("additionalModelRequestFields")
	open := len(e.w.B)
	thinks := e.thinks(r, limit)
	switch s := &r.Sampling; {
	case s.TopK == "" || thinks && e.claude():
	case e.claude(), e.is("mistral."):
		e.w.Number("top_k", s.TopK)
	case e.is("cohere."):
		e.w.Number("k", s.TopK)
	case e.is("amazon.nova"):
		e.w.Object("inferenceConfig")
		e.w.Number("topK", s.TopK)
		e.w.Close('}')
	default:
		e.l.Drop("top_k", "the model has no such parameter")
	}
	e.drop(r.Sampling.Seed != "", "seed")
	if r.Reasoning != nil {
		e.reasoning(r, limit, thinks)
	}
	if len(e.w.B) == open {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.Close('}')
}

func (e *encoder) reasoning(r *llm.Request, limit int, thinks bool) {
	q := r.Reasoning
	const field = "reasoning_effort"
	switch {
	case e.claude() && q.Off:
		e.w.Literal("thinking", `{"type":"disabled"}`)
	case !thinks && !q.Off:
		e.l.Drop(field, "the model cannot think here")
	case e.claude() && thinking.ByBudget(e.family):
		e.w.Object("thinking")
		e.w.Word("type", "enabled")
		e.w.Int("budget_tokens", int64(thinking.Budget(q, bound(limit))))
		e.w.Close('}')
	case e.claude():
		e.w.Literal("thinking", `{"type":"adaptive"}`)
		e.effort("output_config", "effort", q)
	case e.is("amazon.nova-2"):
		e.w.Object("reasoningConfig")
		if q.Off {
			e.w.Word("type", "disabled")
		} else {
			e.w.Word("type", "enabled")
			e.w.Text("maxReasoningEffort", novaEffort(q))
		}
		e.w.Close('}')
	case e.is("openai."):
		e.w.Text(field, thinking.Effort(q))
	default:
		e.l.Drop(field, "the model has no such parameter")
	}
}

func (e *encoder) effort(object, name string, q *llm.Reasoning) {
	e.w.Object(object)
	e.w.Text(name, thinking.Effort(q))
	e.w.Close('}')
}

// novaEffort is the effort in the words that Nova knows.
func novaEffort(q *llm.Reasoning) llm.Escaped {
	switch effort := thinking.Effort(q); string(effort) {
	case "low", "medium", "high":
		return effort
	}
	return llm.Escaped("high")
}

// output writes the form of the answer; its schema stands there as text.
func (e *encoder) output(f *llm.Format) {
	if f == nil || f.Schema == nil {
		return
	}
	e.w.Object("outputConfig")
	e.w.Object("textFormat")
	e.w.Word("type", "json_schema")
	e.w.Object("structure")
	e.w.Object("jsonSchema")
	e.w.Quote("schema", string(f.Schema))
	if len(f.Name) > 0 {
		e.w.Text("name", f.Name)
	}
	if len(f.Description) > 0 {
		e.w.Text("description", f.Description)
	}
	for range 4 {
		e.w.Close('}')
	}
}

// tier writes the service tier, if the API has it.
func (e *encoder) tier(tier llm.Escaped) {
	switch string(tier) {
	case "":
	case "default", "flex", "priority", "reserved":
		e.w.Object("serviceTier")
		e.w.Text("type", tier)
		e.w.Close('}')
	default:
		e.l.Drop("service_tier", "the API has no such tier")
	}
}

// metadata writes requestMetadata if the API takes all of it: at most 16 texts of
// at most 256 characters out of letters, digits, spaces and ":_@$#=/+,-.".
func (e *encoder) metadata(r *llm.Request) {
	if r.Metadata == nil {
		return
	}
	n := 0
	for it := jsonx.Members(r.Metadata); it.Next(); n++ {
		if !plainLabel(it.Key()) || it.Kind() != jsonx.String || !plainLabel(dialect.Text(&it)) {
			n = maxLabels + 1
			break
		}
	}
	if n > maxLabels {
		e.l.Drop("metadata", "the API takes no such labels")
		return
	}
	if n > 0 {
		e.w.Raw("requestMetadata", r.Metadata)
	}
}

const maxLabels = 16

func plainLabel(b []byte) bool {
	for _, c := range b {
		if ('a' > c|0x20 || c|0x20 > 'z') && ('0' > c || c > '9') && bytes.IndexByte([]byte(" :_@$#=/+,-."), c) < 0 {
			return false
		}
	}
	return len(b) <= 256
}

// tools writes the offered tools and the choice among them. The API has no choice
// "none", and wants the tools of a conversation's calls to be offered.
func (e *encoder) tools(r *llm.Request) {
	called := calledTools(r.Messages)
	tools := r.Tools
	if r.ToolChoice.Mode == llm.ToolsNone {
		if len(called) == 0 {
			return
		}
		e.l.Default("tool_choice", "the API cannot forbid calls while the conversation holds some")
	}
	if len(tools) == 0 && len(called) == 0 {
		return
	}
	e.w.Object("toolConfig")
	e.w.Array("tools")
	for i := range tools {
		e.tool(&tools[i])
	}
	if len(tools) == 0 {
		e.l.Default("tools", "the API wants the tools that the conversation called: they are offered without parameters")
		for _, name := range called {
			e.tool(&llm.Tool{Name: name})
		}
	}
	e.w.Close(']')
	e.choice(&r.ToolChoice)
	e.w.Close('}')
}

// calledTools are the names of the tools that a conversation called, each once.
func calledTools(list []llm.Message) []llm.Escaped {
	var names []llm.Escaped
	for i := range list {
		for p := range list[i].Parts {
			part := &list[i].Parts[p]
			if part.Kind == llm.ToolCallPart && !contains(names, part.Call.Name) {
				names = append(names, part.Call.Name)
			}
		}
	}
	return names
}

func contains(names []llm.Escaped, name llm.Escaped) bool {
	for _, n := range names {
		if bytes.Equal(n, name) {
			return true
		}
	}
	return false
}

func (e *encoder) tool(t *llm.Tool) {
	if t.Other != nil {
		e.serverTool(t)
		return
	}
	e.w.Open('{')
	e.w.Object("toolSpec")
	e.w.Text("name", t.Name)
	if len(t.Description) > 0 {
		e.w.Text("description", t.Description)
	}
	e.w.Object("inputSchema")
	e.schema(t.Schema)
	e.w.Close('}')
	if t.Strict {
		e.w.Literal("strict", "true")
	}
	e.w.Close('}')
	e.w.Close('}')
	e.cachePoint(t.Cache)
}

// serverTool writes a tool that the provider runs itself, where the model has it.
func (e *encoder) serverTool(t *llm.Tool) {
	if e.is("amazon.nova") {
		for _, s := range serverTools {
			if t.Server == s.kind {
				e.w.Open('{')
				e.w.Object("systemTool")
				e.w.Word("name", s.name)
				e.w.Close('}')
				e.w.Close('}')
				e.l.Default("tools/*", "the tool is the model's, with its own settings")
				return
			}
		}
	}
	e.refuse("tools", "A tool of this type")
}

// schema writes the schema of a tool's parameters, which must say that it is of an object.
func (e *encoder) schema(schema llm.Raw) {
	body := bytes.TrimSpace(schema)
	switch _, typed := jsonx.Lookup(body, "type"); {
	case len(body) == 0:
		e.w.Literal("json", `{"type":"object","properties":{}}`)
	case body[0] != '{':
		e.refuse("tools", "A tool whose parameters are not an object")
	case typed:
		e.w.Raw("json", body)
	default:
		e.w.Object("json")
		e.w.Word("type", "object")
		if !bytes.HasPrefix(bytes.TrimSpace(body[1:]), []byte("}")) {
			e.w.B = append(e.w.B, ',')
		}
		e.w.B = append(e.w.B, body[1:]...)
	}
}

func (e *encoder) choice(c *llm.ToolChoice) {
	if c.Parallel != nil && !*c.Parallel {
		e.l.Drop("parallel_tool_calls", "the API cannot forbid calls at once")
	}
	switch c.Mode {
	case llm.ToolsAuto:
		e.w.Literal("toolChoice", `{"auto":{}}`)
	case llm.ToolsRequired:
		e.w.Literal("toolChoice", `{"any":{}}`)
	case llm.ToolNamed:
		e.w.Object("toolChoice")
		e.w.Object("tool")
		e.w.Text("name", c.Name)
		e.w.Close('}')
		e.w.Close('}')
	}
}
