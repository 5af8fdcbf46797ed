package ollama

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// encoder writes a request and keeps the first error.
type encoder struct {
	l   *dialect.Ledger
	w   dialect.Writer
	err *llm.Error
	at  int // index of the message being written
}

func (e *encoder) refuse(param, what string) {
	if e.err == nil {
		e.err = dialect.Unsupported(param, what+" cannot be carried to the API that this model is served by.")
	}
}

func (e *encoder) refuseContent(what string) {
	e.refuse("messages["+strconv.Itoa(e.at)+"].content", what)
}

// Encode writes a request.
func (p provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}}
	e.w.Begin('{')
	e.w.Quote("model", t.Model)
	switch p.op {
	case llm.Embed:
		e.inputs(r)
	case llm.Complete:
		e.prompt(r.Messages)
		e.options(r, t)
	default:
		e.messages(r.Messages)
		e.tools(r)
		e.options(r, t)
	}
	e.losses(r)
	e.w.Close('}')
	return e.w.B, e.err
}

// losses notes what the API has no place for.
func (e *encoder) losses(r *llm.Request) {
	for _, x := range []struct {
		field string
		lost  bool
	}{
		{"user", r.User != ""}, {"metadata", r.Metadata != nil}, {"service_tier", r.ServiceTier != nil},
		{"verbosity", r.Verbosity != nil}, {"logit_bias", r.LogitBias != nil}, {"logprobs", r.Logprobs},
		{"top_logprobs", r.TopLogprobs != ""}, {"parallel_tool_calls", r.ToolChoice.Parallel != nil},
	} {
		if x.lost {
			e.l.Drop(x.field, "the API has no such parameter")
		}
	}
}

func (e *encoder) messages(list []llm.Message) {
	names := toolNames(list)
	e.w.Array("messages")
	for i := range list {
		e.at = i
		e.message(&list[i], names)
	}
	e.w.Close(']')
}

// toolNames are the tools by the ids of their calls: a result names its tool.
func toolNames(list []llm.Message) map[string]llm.Escaped {
	names := map[string]llm.Escaped{}
	for i := range list {
		for p := range list[i].Parts {
			if part := &list[i].Parts[p]; part.Kind == llm.ToolCallPart {
				names[string(part.Call.ID)] = part.Call.Name
			}
		}
	}
	return names
}

// message writes one turn; tool results are turns of their own, before the rest.
func (e *encoder) message(m *llm.Message, names map[string]llm.Escaped) {
	if len(m.Name) > 0 {
		e.l.Drop("messages/*/name", "turns have no names")
	}
	rest := m.Parts[:0:0]
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Cache != nil {
			e.l.Drop("messages/*/content/*/cache_control", "the server caches by itself")
		}
		if len(p.Citations) > 0 {
			e.l.Drop("messages/*/content/*/citations", "turns have no citations")
		}
		switch {
		case p.Kind == llm.ToolResultPart:
			e.result(&p.Result, names)
		case p.Kind == llm.ReasoningPart && (len(p.Signature) > 0 || p.Redacted):
			e.l.Drop("messages/*/content/*/reasoning", "only its maker can read it")
		default:
			rest = append(rest, *p)
		}
	}
	if len(rest) == 0 && len(m.Parts) > 0 {
		return
	}
	e.w.Open('{')
	e.w.Word("role", role(m.Role))
	e.content(rest)
	e.w.Close('}')
}

func role(r llm.Role) string {
	switch r {
	case llm.Assistant:
		return "assistant"
	case llm.System, llm.Developer:
		return "system"
	}
	return "user"
}

func (e *encoder) result(r *llm.ToolResult, names map[string]llm.Escaped) {
	e.w.Open('{')
	e.w.Word("role", "tool")
	name := r.Name
	if len(name) == 0 {
		name = names[string(r.ID)]
	}
	if len(name) > 0 {
		e.w.Text("tool_name", name)
	}
	if r.Error {
		e.l.Drop("messages/*/content/*/is_error", "the API has no mark for it")
	}
	e.content(r.Parts)
	e.w.Close('}')
}

// content writes texts, joined, thinking, images and calls.
func (e *encoder) content(parts []llm.Part) {
	e.w.StartText("content")
	images, calls := 0, 0
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case llm.TextPart, llm.RefusalPart:
			e.w.B = append(e.w.B, p.Text...)
		case llm.ImagePart:
			images++
		case llm.ToolCallPart:
			calls++
		case llm.ReasoningPart:
		default:
			e.refuseContent("A part of this type")
		}
	}
	e.w.EndText()
	e.w.Joined("thinking", parts, llm.ReasoningPart)
	if images > 0 {
		e.images(parts)
	}
	if calls > 0 {
		e.calls(parts)
	}
}

func (e *encoder) images(parts []llm.Part) {
	e.w.Array("images")
	for i := range parts {
		if m := &parts[i].Media; parts[i].Kind == llm.ImagePart {
			if m.Data == nil {
				e.refuseContent("An image by reference")
			}
			if m.Detail != nil {
				e.l.Drop("messages/*/content/*/image_url/detail", "the API has no such parameter")
			}
			e.w.Element(m.Data)
		}
	}
	e.w.Close(']')
}

func (e *encoder) calls(parts []llm.Part) {
	e.w.Array("tool_calls")
	for i := range parts {
		if parts[i].Kind != llm.ToolCallPart {
			continue
		}
		e.w.Open('{')
		e.w.Object("function")
		e.w.Text("name", parts[i].Call.Name)
		e.w.Key("arguments")
		b, ok := dialect.AppendInput(e.w.B, &parts[i].Call)
		if e.w.B = b; !ok {
			e.refuse("messages["+strconv.Itoa(e.at)+"].tool_calls", "Arguments that are not a JSON object")
		}
		e.w.Close('}')
		e.w.Close('}')
	}
	e.w.Close(']')
}

// tools writes the offered tools. The API cannot force a choice.
func (e *encoder) tools(r *llm.Request) {
	if len(r.Tools) == 0 {
		return
	}
	switch r.ToolChoice.Mode {
	case llm.ToolsNone:
		e.l.Default("tool_choice", "the tools are not offered")
		return
	case llm.ToolsRequired, llm.ToolNamed:
		e.refuse("tool_choice", "A tool that must be called")
	}
	e.w.Array("tools")
	for i := range r.Tools {
		e.tool(&r.Tools[i])
	}
	e.w.Close(']')
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
	e.w.Text("description", t.Description)
	if t.Schema != nil {
		e.w.Raw("parameters", t.Schema)
	} else {
		e.w.Literal("parameters", `{"type":"object","properties":{}}`)
	}
	e.w.Close('}')
	e.w.Close('}')
	if t.Strict {
		e.l.Drop("tools/*/strict", "the API has no such parameter")
	}
	if t.Cache != nil {
		e.l.Drop("tools/*/cache_control", "the server caches by itself")
	}
}

// prompt writes the text to continue. The API has one, and no turns.
func (e *encoder) prompt(list []llm.Message) {
	if len(list) != 1 || len(list[0].Parts) == 0 {
		e.refuse("prompt", "Anything but one prompt")
		return
	}
	if !e.w.Joined("prompt", list[0].Parts, llm.TextPart) {
		e.refuse("prompt", "A prompt that is not text")
	}
}

// options writes everything but what is said.
func (e *encoder) options(r *llm.Request, t *dialect.Target) {
	if r.Choices > 1 {
		e.refuse("n", "More than one answer")
	}
	e.w.Literal("stream", strconv.FormatBool(r.Stream))
	switch f := r.Format; {
	case f == nil:
	case f.Schema == nil:
		e.w.Word("format", "json")
	default:
		e.w.Raw("format", f.Schema)
		e.l.Nameless(f)
	}
	e.think(r.Reasoning)
	e.w.Object("options")
	if limit := r.MaxTokens; limit > 0 {
		e.w.Int("num_predict", int64(limit))
	} else if t.MaxTokens > 0 {
		e.w.Int("num_predict", int64(t.MaxTokens))
	}
	s := &r.Sampling
	e.w.Number("temperature", s.Temperature)
	e.w.Number("top_p", s.TopP)
	e.w.Number("top_k", s.TopK)
	e.w.Number("seed", s.Seed)
	e.w.Number("presence_penalty", s.PresencePenalty)
	e.w.Number("frequency_penalty", s.FrequencyPenalty)
	if len(r.Stop) > 0 {
		e.w.Array("stop")
		for _, text := range r.Stop {
			e.w.Element(text)
		}
		e.w.Close(']')
	}
	e.w.Close('}')
}

// think asks for thinking: by effort, or at all.
func (e *encoder) think(q *llm.Reasoning) {
	switch {
	case q == nil:
	case q.Off || jsonx.Equal(q.Effort, "none"):
		e.w.Literal("think", "false")
	case jsonx.Equal(q.Effort, "low"), jsonx.Equal(q.Effort, "medium"), jsonx.Equal(q.Effort, "high"):
		e.w.Text("think", q.Effort)
	default:
		e.l.Default("reasoning", "thinking is asked for, without a bound")
		e.w.Literal("think", "true")
	}
}

// inputs writes the texts to embed.
func (e *encoder) inputs(r *llm.Request) {
	q := r.Embed
	if q == nil {
		q = &llm.EmbedRequest{}
	}
	e.w.Array("input")
	for i := range q.Inputs {
		if q.Inputs[i].Kind != llm.TextPart {
			e.refuse("input", "An input that is not text")
		}
		e.w.Element(q.Inputs[i].Text)
	}
	e.w.Close(']')
	e.w.Number("dimensions", q.Dimensions)
	if len(q.Truncate) > 0 {
		e.w.Literal("truncate", strconv.FormatBool(!jsonx.Equal(q.Truncate, "NONE")))
	}
	if len(q.Task) > 0 {
		e.l.Drop("input_type", "the API has no such parameter")
	}
	if len(q.Title) > 0 {
		e.l.Drop("title", "the API has no such parameter")
	}
}
