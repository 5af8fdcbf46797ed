package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// tools writes the offered tools and the choice among them.
func (e *encoder) tools(r *llm.Request) {
	only := r.ToolChoice.Mode == llm.ToolNamed
	n, strict := 0, 0
	for i := range r.Tools {
		t := &r.Tools[i]
		if only && string(t.Name) != string(r.ToolChoice.Name) {
			continue
		}
		if t.Other != nil {
			e.refuse("tools", "A tool of this type")
		}
		if n == 0 {
			e.w.Array("tools")
		}
		if n++; t.Strict {
			strict++
		}
		e.tool(t)
	}
	if n == 0 {
		return
	}
	e.w.Close(']')
	switch strict {
	case 0:
	case n:
		e.w.Literal("strict_tools", "true")
	default:
		e.l.Drop("tools/*/strict", "the API is strict with all tools or with none")
	}
	e.choice(r.ToolChoice.Mode)
}

func (e *encoder) choice(mode llm.ToolMode) {
	switch mode {
	case llm.ToolNamed:
		e.l.Default("tool_choice", "the tool is offered alone, and one is required")
		fallthrough
	case llm.ToolsRequired:
		e.w.Word("tool_choice", "REQUIRED")
	case llm.ToolsNone:
		e.w.Word("tool_choice", "NONE")
	}
}

func (e *encoder) tool(t *llm.Tool) {
	e.w.Open('{')
	e.w.Word("type", "function")
	e.w.Object("function")
	e.w.Text("name", t.Name)
	if len(t.Description) > 0 {
		e.w.Text("description", t.Description)
	}
	if t.Schema != nil {
		e.w.Raw("parameters", t.Schema)
	} else {
		e.w.Literal("parameters", `{"type":"object","properties":{}}`)
	}
	e.w.Close('}')
	e.w.Close('}')
	if t.Cache != nil {
		e.l.Drop("tools/*/cache_control", "the API caches by itself")
	}
}

// options writes everything but messages and tools.
func (e *encoder) options(r *llm.Request, t *dialect.Target) {
	if n := r.MaxTokens; n > 0 {
		e.w.Int("max_tokens", int64(n))
	} else if t.MaxTokens > 0 {
		e.w.Int("max_tokens", int64(t.MaxTokens))
	}
	if r.Stream {
		e.w.Literal("stream", "true")
	}
	if len(r.Stop) > 0 {
		e.w.Array("stop_sequences")
		for _, s := range r.Stop {
			e.w.Element(s)
		}
		e.w.Close(']')
	}
	e.sampling(&r.Sampling)
	e.format(r.Format)
	e.thinking(r.Reasoning)
	if r.Logprobs {
		e.w.Literal("logprobs", "true")
	}
}

func (e *encoder) sampling(s *llm.Sampling) {
	e.within("temperature", "temperature", s.Temperature, 0, 1, "0", "1")
	e.within("p", "top_p", s.TopP, 0.01, 0.99, "0.01", "0.99")
	e.within("k", "top_k", s.TopK, 0, 500, "0", "500")
	e.w.Number("seed", s.Seed)
	e.within("frequency_penalty", "frequency_penalty", s.FrequencyPenalty, 0, 1, "0", "1")
	if s.FrequencyPenalty != "" && s.PresencePenalty != "" {
		e.l.Drop("presence_penalty", "the API takes one penalty")
		return
	}
	e.within("presence_penalty", "presence_penalty", s.PresencePenalty, 0, 1, "0", "1")
}

// within writes a number, or the nearest that the API takes.
func (e *encoder) within(name, field string, n llm.Number, least, most float64, low, high string) {
	v, ok := jsonx.Float([]byte(n))
	switch {
	case ok && v < least:
		n = llm.Number(low)
	case ok && v > most:
		n = llm.Number(high)
	default:
		e.w.Number(name, n)
		return
	}
	e.l.Default(field, "the nearest value that the API takes")
	e.w.Number(name, n)
}

func (e *encoder) format(f *llm.Format) {
	if f == nil {
		return
	}
	e.w.Object("response_format")
	e.w.Word("type", "json_object")
	if f.Schema != nil {
		e.w.Raw("json_schema", f.Schema)
	}
	e.w.Close('}')
	e.l.Nameless(f)
}

// budgets are what an effort is in tokens; any other is not bounded.
var budgets = []struct {
	effort string
	tokens int64
}{{"none", 0}, {"minimal", 512}, {"low", 2048}, {"medium", 8192}}

func (e *encoder) thinking(q *llm.Reasoning) {
	if q == nil {
		return
	}
	kind, budget := "enabled", int64(q.Budget)
	for _, b := range budgets {
		if jsonx.Equal(q.Effort, b.effort) && budget == 0 {
			budget = b.tokens
			e.l.Default("reasoning_effort", "a budget of tokens")
		}
	}
	if q.Off || jsonx.Equal(q.Effort, "none") {
		kind, budget = "disabled", 0
	}
	e.w.Object("thinking")
	e.w.Word("type", kind)
	if budget > 0 {
		e.w.Int("token_budget", budget)
	}
	e.w.Close('}')
}
