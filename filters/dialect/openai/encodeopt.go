package openai

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// tools writes the offered tools; a search of the web is no tool here, but a member of
// its own, once.
func (e *encoder) tools(r *llm.Request) {
	var search *llm.Tool
	n := 0
	for i := range r.Tools {
		t := &r.Tools[i]
		if t.Server == llm.WebSearch {
			search = t
			continue
		}
		if n++; n == 1 {
			e.w.Array("tools")
		}
		e.tool(t)
	}
	if n > 0 {
		e.w.Close(']')
		e.choice(&r.ToolChoice)
	}
	if search != nil {
		e.search(search)
	}
}

// search asks for a search of the web. Only OpenAI's own options are kept.
func (e *encoder) search(t *llm.Tool) {
	if !e.quirks.Has(base.Search) {
		e.refuse("tools", "A search of the web")
	}
	options := []byte("{}")
	if _, other := jsonx.Lookup(t.Other, "type"); !other && t.Other != nil {
		options = t.Other
	} else if t.Other != nil {
		e.l.Default("tools/*", "the options of the web search are the server's own")
	}
	e.w.Raw("web_search_options", options)
}

func (e *encoder) tool(t *llm.Tool) {
	if t.Other != nil {
		e.refuse("tools", "A tool of this type")
		return
	}
	e.w.Open('{')
	e.w.Word("type", "function")
	e.w.Object("function")
	e.w.Text("name", t.Name)
	if t.Description != nil {
		e.w.Text("description", t.Description)
	}
	if t.Schema != nil {
		e.w.Raw("parameters", t.Schema)
	}
	if e.takes(base.Strict, t.Strict, "tools/*/strict") {
		e.w.Literal("strict", "true")
	}
	if t.Cache != nil {
		e.l.Drop("tools/*/cache_control", "caching is automatic")
	}
	e.w.Close('}')
	e.w.Close('}')
}

func (e *encoder) choice(c *llm.ToolChoice) {
	if e.takes(base.ToolChoice, c.Mode != llm.ToolsDefault, "tool_choice") {
		e.mode(c)
	}
	if e.takes(base.Parallel, c.Parallel != nil, "parallel_tool_calls") {
		e.w.Literal("parallel_tool_calls", strconv.FormatBool(*c.Parallel))
	}
}

func (e *encoder) mode(c *llm.ToolChoice) {
	switch c.Mode {
	case llm.ToolsAuto:
		e.w.Word("tool_choice", "auto")
	case llm.ToolsNone:
		e.w.Word("tool_choice", "none")
	case llm.ToolsRequired:
		e.w.Word("tool_choice", e.quirks.Required)
	case llm.ToolNamed:
		e.w.Object("tool_choice")
		e.w.Word("type", "function")
		e.w.Object("function")
		e.w.Text("name", c.Name)
		e.w.Close('}')
		e.w.Close('}')
	}
}

// options writes everything but messages and tools.
func (e *encoder) options(r *llm.Request, t *dialect.Target) {
	w := &e.w
	if n := r.MaxTokens; n > 0 {
		w.Int(e.quirks.MaxTokens, int64(n))
	} else if t.MaxTokens > 0 {
		w.Int(e.quirks.MaxTokens, int64(t.MaxTokens))
	}
	e.count(r)
	e.streamed(r)
	e.sampling(&r.Sampling)
	e.stops(r.Stop)
	e.format(r.Format)
	e.reasoning(r.Reasoning)
	e.rest(r)
}

// count writes how many answers are wanted.
func (e *encoder) count(r *llm.Request) {
	if r.Choices > 1 {
		if !e.quirks.Has(base.Many) {
			e.refuse("n", "More than one answer")
		}
		e.w.Int("n", int64(r.Choices))
	}
}

// streamed asks for a stream with its usage.
func (e *encoder) streamed(r *llm.Request) {
	if r.Stream {
		e.w.Literal("stream", "true")
		if e.quirks.Has(base.StreamOptions) {
			e.w.Literal("stream_options", `{"include_usage":true}`)
		}
	}
}

func (e *encoder) stops(list []llm.Escaped) {
	if len(list) == 0 {
		return
	}
	e.w.Array("stop")
	for _, s := range list {
		e.w.Element(s)
	}
	e.w.Close(']')
}

// rest writes what only some servers take.
func (e *encoder) rest(r *llm.Request) {
	w := &e.w
	if e.takes(base.Metadata, r.Metadata != nil, "metadata") {
		w.Raw("metadata", r.Metadata)
	}
	if e.takes(base.User, r.User != "", "user") {
		w.Quote("user", r.User)
	}
	if e.takes(base.Logprobs, r.Logprobs, "logprobs") {
		w.Literal("logprobs", "true")
		w.Number("top_logprobs", r.TopLogprobs)
	} else if r.TopLogprobs != "" {
		e.l.Drop("top_logprobs", noPlace)
	}
	if e.takes(base.LogitBias, r.LogitBias != nil, "logit_bias") {
		w.Raw("logit_bias", r.LogitBias)
	}
	if e.takes(base.Tier, len(r.ServiceTier) > 0, "service_tier") {
		w.Text("service_tier", r.ServiceTier)
	}
	if e.takes(base.Verbosity, len(r.Verbosity) > 0, "verbosity") {
		w.Text("verbosity", r.Verbosity)
	}
}

func (e *encoder) sampling(s *llm.Sampling) {
	e.w.Number("temperature", s.Temperature)
	e.w.Number("top_p", s.TopP)
	if e.takes(base.TopK, s.TopK != "", "top_k") {
		e.w.Number("top_k", s.TopK)
	}
	switch {
	case s.Seed == "":
	case e.quirks.Seed == "":
		e.l.Drop("seed", noPlace)
	default:
		e.w.Number(e.quirks.Seed, s.Seed)
	}
	e.w.Number("presence_penalty", s.PresencePenalty)
	e.w.Number("frequency_penalty", s.FrequencyPenalty)
}

func (e *encoder) format(f *llm.Format) {
	if f == nil {
		return
	}
	e.w.Object("response_format")
	switch {
	case f.Schema != nil && e.quirks.Has(base.Schema):
		e.w.Word("type", "json_schema")
		e.w.Object("json_schema")
		base.WriteSchema(&e.w, f, e.l)
		e.w.Close('}')
	case f.Schema != nil:
		e.l.Default("response_format", "the server promises JSON, not the schema")
		fallthrough
	default:
		e.w.Word("type", "json_object")
	}
	e.w.Close('}')
}

// reasoning writes the effort, or OpenRouter's object, which has a budget too.
func (e *encoder) reasoning(r *llm.Reasoning) {
	effort := base.EffortOf(r)
	switch {
	case len(effort) == 0:
	case r.Off && e.quirks.Has(base.Thinking):
		e.w.Literal("thinking", `{"type":"disabled"}`)
	case e.quirks.Has(base.EffortObject):
		e.w.Object("reasoning")
		if r.Budget > 0 && !r.Off {
			e.w.Int("max_tokens", int64(r.Budget))
		} else {
			e.w.Text("effort", effort)
		}
		e.w.Close('}')
	case e.takes(base.Effort, true, "reasoning_effort"):
		e.w.Text("reasoning_effort", effort)
		if r.Budget > 0 && len(r.Effort) == 0 {
			e.l.Default("reasoning/max_tokens", "the server knows efforts, no budget")
		}
	}
}
