package openai

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// Encode writes a chat completions request. A stream always asks for usage.
func (*provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}, quirks: flavourOf(t)}
	e.w.Begin('{')
	e.w.Quote("model", t.Model)
	e.messages(r.Messages)
	e.options(r, t)
	e.tools(r)
	e.w.Close('}')
	return e.w.B, e.err
}

// encoder writes a request and keeps the first error.
type encoder struct {
	l      *dialect.Ledger
	w      dialect.Writer
	quirks flavour
	err    *llm.Error
	at     int // index of the message being written
}

func (e *encoder) refuse(param, what string) {
	if e.err == nil {
		e.err = dialect.Unsupported(param, what+" cannot be carried to the API that this model is served by.")
	}
}

func (e *encoder) messages(list []llm.Message) {
	e.w.Array("messages")
	for i := range list {
		e.at = i
		e.message(&list[i])
	}
	e.w.Close(']')
}

// message writes one turn; tool results are turns of their own, before the rest
// of the turn that they came in.
func (e *encoder) message(m *llm.Message) {
	rest := 0
	for i := range m.Parts {
		if p := &m.Parts[i]; p.Kind == llm.ToolResultPart {
			e.result(p)
		} else {
			rest++
		}
	}
	if rest == 0 && len(m.Parts) > 0 {
		return
	}
	e.w.Open('{')
	e.w.Word("role", roleName(m.Role))
	if len(m.Name) > 0 {
		e.w.Text("name", m.Name)
	}
	e.content(m.Parts, m.Role == llm.Assistant)
	if m.Role == llm.Assistant {
		e.spoken(m.Parts)
	}
	e.w.Close('}')
}

func roleName(r llm.Role) string {
	switch r {
	case llm.Assistant:
		return "assistant"
	case llm.System:
		return "system"
	case llm.Developer:
		return "developer"
	}
	return "user"
}

// result writes a tool's turn. OpenAI has no mark for an error, so the text
// alone tells.
func (e *encoder) result(p *llm.Part) {
	e.w.Open('{')
	e.w.Word("role", "tool")
	e.w.Text("tool_call_id", p.Result.ID)
	for i := range p.Result.Parts {
		if p.Result.Parts[i].Kind != llm.TextPart {
			e.refuse(e.param("content"), "A tool result that is not text")
		}
	}
	e.content(p.Result.Parts, false)
	e.w.Close('}')
}

func (e *encoder) param(member string) string {
	return "messages[" + strconv.Itoa(e.at) + "]." + member
}

// content writes the parts that belong into content: one plain text as a
// string, anything else as an array. In an assistant's turn that has none it
// is null.
func (e *encoder) content(parts []llm.Part, assistant bool) {
	n, last := 0, -1
	for i := range parts {
		if inContent(parts[i].Kind) {
			n, last = n+1, i
		}
	}
	switch {
	case n == 0 && assistant:
		e.w.Literal("content", "null")
	case n == 0:
		e.w.Word("content", "")
	case n == 1 && parts[last].Kind == llm.TextPart:
		e.w.Text("content", parts[last].Text)
	default:
		e.w.Array("content")
		for i := range parts {
			if inContent(parts[i].Kind) {
				e.part(&parts[i])
			}
		}
		e.w.Close(']')
	}
}

// inContent tells the parts of a content array from those with members or turns
// of their own.
func inContent(k llm.PartKind) bool {
	switch k {
	case llm.ToolCallPart, llm.ToolResultPart, llm.ReasoningPart, llm.RefusalPart:
		return false
	}
	return true
}

func (e *encoder) part(p *llm.Part) {
	e.w.Open('{')
	switch p.Kind {
	case llm.TextPart:
		e.w.Word("type", "text")
		e.w.Text("text", p.Text)
	case llm.ImagePart:
		e.image(&p.Media)
	case llm.AudioPart:
		e.audio(&p.Media)
	case llm.DocumentPart:
		e.file(&p.Media)
	default:
		e.refuse(e.param("content"), "A part of this type")
	}
	e.w.Close('}')
}

func (e *encoder) image(m *llm.Media) {
	e.w.Word("type", "image_url")
	e.w.Object("image_url")
	switch {
	case m.URL != nil:
		e.w.Text("url", m.URL)
	case m.Data != nil:
		e.dataURL("url", m, "image/png")
	default:
		e.refuse(e.param("content"), "An image by file id")
	}
	if m.Detail != nil {
		e.w.Text("detail", m.Detail)
	}
	e.w.Close('}')
}

func (e *encoder) dataURL(name string, m *llm.Media, fallback string) {
	mediaType := m.Type
	if len(mediaType) == 0 {
		mediaType = llm.Escaped(fallback)
	}
	e.w.StartText(name)
	e.w.B = append(e.w.B, "data:"...)
	e.w.B = append(e.w.B, mediaType...)
	e.w.B = append(e.w.B, ";base64,"...)
	e.w.B = append(e.w.B, m.Data...)
	e.w.EndText()
}

func (e *encoder) audio(m *llm.Media) {
	format := audioFormat(m.Type)
	if m.Data == nil || format == "" {
		e.refuse(e.param("content"), "Audio by reference or of this type")
	}
	e.w.Word("type", "input_audio")
	e.w.Object("input_audio")
	e.w.Text("data", m.Data)
	e.w.Word("format", format)
	e.w.Close('}')
}

func (e *encoder) file(m *llm.Media) {
	e.w.Word("type", "file")
	e.w.Object("file")
	if m.Data != nil {
		e.dataURL("file_data", m, "application/pdf")
		if len(m.Name) == 0 {
			e.w.Word("filename", "document.pdf")
		}
	} else {
		e.refuse(e.param("content"), "A document by reference")
	}
	if len(m.Name) > 0 {
		e.w.Text("filename", m.Name)
	}
	e.w.Close('}')
}

// spoken writes what an assistant's turn has besides content.
func (e *encoder) spoken(parts []llm.Part) {
	e.w.Joined("refusal", parts, llm.RefusalPart)
	if e.quirks.reasoning != "" {
		e.w.Joined(e.quirks.reasoning, parts, llm.ReasoningPart)
		writeDetails(&e.w, parts)
	}
	writeCalls(&e.w, parts)
}

// writeCalls writes tool_calls, if there are any.
func writeCalls(w *dialect.Writer, parts []llm.Part) {
	n := 0
	for i := range parts {
		if parts[i].Kind != llm.ToolCallPart {
			continue
		}
		if n == 0 {
			w.Array("tool_calls")
		}
		w.Open('{')
		writeCall(w, &parts[i].Call, n)
		w.Close('}')
		n++
	}
	if n > 0 {
		w.Close(']')
	}
}

// writeCall writes the members of a whole tool call. A call without an id gets
// one by its place n.
func writeCall(w *dialect.Writer, c *llm.ToolCall, n int) {
	if len(c.ID) > 0 {
		w.Text("id", c.ID)
	} else {
		w.Word("id", "call_"+strconv.Itoa(n))
	}
	w.Word("type", "function")
	w.Object("function")
	w.Text("name", c.Name)
	w.StartText("arguments")
	w.B = dialect.AppendArguments(w.B, c)
	w.EndText()
	w.Close('}')
}

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
	if t.Strict {
		e.w.Literal("strict", "true")
	}
	e.w.Close('}')
	e.w.Close('}')
}

func (e *encoder) choice(c *llm.ToolChoice) {
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
		e.w.Object("function")
		e.w.Text("name", c.Name)
		e.w.Close('}')
		e.w.Close('}')
	}
	if c.Parallel != nil {
		e.w.Literal("parallel_tool_calls", strconv.FormatBool(*c.Parallel))
	}
}

// options writes everything but messages and tools.
func (e *encoder) options(r *llm.Request, t *dialect.Target) {
	w := &e.w
	if n := r.MaxTokens; n > 0 {
		w.Int(e.quirks.maxTokens, int64(n))
	} else if t.MaxTokens > 0 {
		w.Int(e.quirks.maxTokens, int64(t.MaxTokens))
	}
	if r.Choices > 1 {
		w.Int("n", int64(r.Choices))
	}
	if r.Stream {
		w.Literal("stream", "true")
		w.Literal("stream_options", `{"include_usage":true}`)
	}
	e.sampling(&r.Sampling)
	if len(r.Stop) > 0 {
		w.Array("stop")
		for _, s := range r.Stop {
			w.Element(s)
		}
		w.Close(']')
	}
	e.format(r.Format)
	if effort := effort(r.Reasoning); len(effort) > 0 {
		w.Text("reasoning_effort", effort)
	}
	if r.Metadata != nil {
		w.Raw("metadata", r.Metadata)
	}
	if r.User != "" {
		w.Quote("user", r.User)
	}
}

func (e *encoder) sampling(s *llm.Sampling) {
	e.w.Number("temperature", s.Temperature)
	e.w.Number("top_p", s.TopP)
	if e.quirks.topK {
		e.w.Number("top_k", s.TopK)
	}
	e.w.Number("seed", s.Seed)
	e.w.Number("presence_penalty", s.PresencePenalty)
	e.w.Number("frequency_penalty", s.FrequencyPenalty)
}

func (e *encoder) format(f *llm.Format) {
	if f == nil {
		return
	}
	e.w.Object("response_format")
	if f.Schema == nil {
		e.w.Word("type", "json_object")
	} else {
		e.w.Word("type", "json_schema")
		e.w.Object("json_schema")
		if len(f.Name) > 0 {
			e.w.Text("name", f.Name)
		} else {
			e.w.Word("name", "answer")
		}
		e.w.Raw("schema", f.Schema)
		if f.Strict {
			e.w.Literal("strict", "true")
		}
		e.w.Close('}')
	}
	e.w.Close('}')
}

// effort is the effort asked for. A budget of tokens becomes the effort that
// comes nearest: up to 2,048 low, up to 12,288 medium, beyond high.
func effort(r *llm.Reasoning) llm.Escaped {
	switch {
	case r == nil:
		return nil
	case r.Off:
		return llm.Escaped("none")
	case len(r.Effort) > 0:
		return r.Effort
	case r.Budget <= 0:
		return nil
	case r.Budget <= 2048:
		return llm.Escaped("low")
	case r.Budget <= 12288:
		return llm.Escaped("medium")
	}
	return llm.Escaped("high")
}
