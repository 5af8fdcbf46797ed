package responses

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
)

func (e *encoder) tools(r *llm.Request) {
	if len(r.Tools) == 0 {
		return
	}
	e.w.Array("tools")
	for i := range r.Tools {
		e.tool(&r.Tools[i])
	}
	e.w.Close(']')
	c := &r.ToolChoice
	switch c.Mode {
	case llm.ToolsAuto:
		e.w.Word("tool_choice", "auto")
	case llm.ToolsNone:
		e.w.Word("tool_choice", "none")
	case llm.ToolsRequired:
		e.w.Word("tool_choice", "required")
	case llm.ToolNamed:
		e.w.Object("tool_choice")
		e.w.Word("type", "function")
		e.w.Text("name", c.Name)
		e.w.Close('}')
	}
	if c.Parallel != nil {
		e.w.Literal("parallel_tool_calls", strconv.FormatBool(*c.Parallel))
	}
}

// tool writes an offered tool. Unlike elsewhere functions are strict here unless
// they say otherwise.
func (e *encoder) tool(t *llm.Tool) {
	e.w.Open('{')
	switch {
	case t.Server == llm.WebSearch:
		e.w.Word("type", "web_search")
		e.l.Default("tools/*", "the options of the tool are the provider's own")
	case t.Server == llm.CodeExecution:
		e.w.Word("type", "code_interpreter")
		e.w.Literal("container", `{"type":"auto"}`)
		e.l.Default("tools/*", "the options of the tool are the provider's own")
	case t.Other != nil:
		e.refuse("tools", "A tool of this type")
	default:
		e.function(t)
	}
	e.w.Close('}')
}

func (e *encoder) function(t *llm.Tool) {
	e.w.Word("type", "function")
	e.w.Text("name", t.Name)
	if t.Description != nil {
		e.w.Text("description", t.Description)
	}
	if t.Schema != nil {
		e.w.Raw("parameters", t.Schema)
	} else {
		e.w.Literal("parameters", `{"type":"object","properties":{}}`)
	}
	e.w.Literal("strict", strconv.FormatBool(t.Strict))
	if t.Cache != nil {
		e.l.Drop("tools/*/cache_control", "caching is automatic")
	}
}

// options writes everything but the input and the tools.
func (e *encoder) options(r *llm.Request, t *dialect.Target) {
	w := &e.w
	if n := r.MaxTokens; n > 0 {
		w.Int("max_output_tokens", int64(n))
	} else if t.MaxTokens > 0 {
		w.Int("max_output_tokens", int64(t.MaxTokens))
	}
	if r.Stream {
		w.Literal("stream", "true")
	}
	w.Number("temperature", r.Sampling.Temperature)
	w.Number("top_p", r.Sampling.TopP)
	e.text(r)
	if effort := base.EffortOf(r.Reasoning); len(effort) > 0 {
		w.Object("reasoning")
		w.Text("effort", effort)
		w.Close('}')
		if r.Reasoning.Budget > 0 && len(r.Reasoning.Effort) == 0 {
			e.l.Default("reasoning/max_tokens", "the API knows efforts, no budget")
		}
	}
	e.include(r)
	if r.Metadata != nil {
		w.Raw("metadata", r.Metadata)
	}
	if r.User != "" {
		w.Quote("user", r.User)
	}
	if len(r.ServiceTier) > 0 {
		w.Text("service_tier", r.ServiceTier)
	}
}

// include asks for sealed reasoning where there is any: models that do not
// reason refuse to be asked.
func (e *encoder) include(r *llm.Request) {
	reasons := e.sealed || r.Reasoning != nil && !r.Reasoning.Off
	if !reasons && !r.Logprobs {
		return
	}
	e.w.Array("include")
	if reasons {
		e.w.Element(llm.Escaped("reasoning.encrypted_content"))
	}
	if r.Logprobs {
		e.w.Element(llm.Escaped("message.output_text.logprobs"))
	}
	e.w.Close(']')
	if r.Logprobs {
		e.w.Number("top_logprobs", r.TopLogprobs)
	}
}

func (e *encoder) text(r *llm.Request) {
	if r.Format == nil && len(r.Verbosity) == 0 {
		return
	}
	e.w.Object("text")
	if f := r.Format; f != nil {
		e.w.Object("format")
		if f.Schema == nil {
			e.w.Word("type", "json_object")
		} else {
			e.w.Word("type", "json_schema")
			base.WriteSchema(&e.w, f, e.l)
			if !f.Strict {
				e.w.Literal("strict", "false")
			}
		}
		e.w.Close('}')
	}
	if len(r.Verbosity) > 0 {
		e.w.Text("verbosity", r.Verbosity)
	}
	e.w.Close('}')
}

// untaken notes the options that the API lacks.
func (e *encoder) untaken(r *llm.Request) {
	for _, x := range [...]struct {
		present bool
		field   string
	}{
		{len(r.Stop) > 0, "stop"}, {r.Sampling.TopK != "", "top_k"}, {r.Sampling.Seed != "", "seed"},
		{r.Sampling.PresencePenalty != "", "presence_penalty"}, {r.Sampling.FrequencyPenalty != "", "frequency_penalty"},
		{r.LogitBias != nil, "logit_bias"},
	} {
		if x.present {
			e.l.Drop(x.field, "the API has no such option")
		}
	}
}
