package openai

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
)

// Encode writes a chat completions request. A stream always asks for usage.
func (*provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}, quirks: base.FlavourOf(t)}
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
	quirks *base.Flavour
	err    *llm.Error
	at     int // index of the message being written
}

func (e *encoder) refuse(param, what string) {
	if e.err == nil {
		e.err = dialect.Unsupported(param, what+" cannot be carried to the API that this model is served by.")
	}
}

// takes reports whether the server has a feature; what is present and has no
// place there is noted.
func (e *encoder) takes(x base.Feature, present bool, field string) bool {
	if present && !e.quirks.Has(x) {
		e.l.Drop(field, noPlace)
		return false
	}
	return present
}

const noPlace = "the server does not take it"

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
		p := &m.Parts[i]
		if p.Cache != nil {
			e.l.Drop("messages/*/content/*/cache_control", "caching is automatic")
		}
		if p.Kind == llm.ToolResultPart {
			e.result(p)
		} else {
			rest++
		}
	}
	if rest == 0 && len(m.Parts) > 0 {
		return
	}
	e.w.Open('{')
	e.w.Word("role", e.role(m.Role))
	if e.takes(base.Names, len(m.Name) > 0, "messages/*/name") {
		e.w.Text("name", m.Name)
	}
	e.content(m.Parts, m.Role == llm.Assistant)
	if m.Role == llm.Assistant {
		e.spoken(m.Parts)
	}
	e.w.Close('}')
}

func (e *encoder) role(r llm.Role) string {
	switch {
	case r == llm.Assistant:
		return "assistant"
	case r == llm.Developer && e.quirks.Has(base.Developer):
		return "developer"
	case r == llm.Developer:
		e.l.Default("messages/*/role", "the server knows system only")
		return "system"
	case r == llm.System:
		return "system"
	}
	return "user"
}

// result writes a tool's turn. OpenAI has no mark for an error, so the text
// alone tells.
func (e *encoder) result(p *llm.Part) {
	e.w.Open('{')
	e.w.Word("role", "tool")
	e.w.Text("tool_call_id", p.Result.ID)
	if p.Result.Error {
		e.l.Drop("messages/*/content/*/is_error", "the text alone tells of the error")
	}
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
		e.cited(&parts[last])
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

func (e *encoder) cited(p *llm.Part) {
	if len(p.Citations) > 0 {
		e.l.Drop("messages/*/content/*/citations", "the API takes no citations")
	}
}

func (e *encoder) part(p *llm.Part) {
	e.w.Open('{')
	switch p.Kind {
	case llm.TextPart:
		e.w.Word("type", "text")
		e.w.Text("text", p.Text)
		e.cited(p)
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
	case m.URL != nil && !e.quirks.Has(base.Links):
		e.refuse(e.param("content"), "An image by reference")
	case m.URL != nil:
		e.w.Text("url", m.URL)
	case m.Data != nil:
		base.WriteDataURL(&e.w, "url", m, "image/png")
	default:
		e.refuse(e.param("content"), "An image by file id")
	}
	if m.Detail != nil {
		e.w.Text("detail", m.Detail)
	}
	e.w.Close('}')
}

func (e *encoder) audio(m *llm.Media) {
	format := base.AudioFormat(m.Type)
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
		base.WriteDataURL(&e.w, "file_data", m, "application/pdf")
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
	if e.quirks.Reasoning != "" {
		e.w.Joined(e.quirks.Reasoning, parts, llm.ReasoningPart)
	}
	details := e.quirks.Has(base.Details)
	if details {
		writeDetails(&e.w, parts)
	}
	for i := range parts {
		p := &parts[i]
		switch {
		case details:
		case p.Kind == llm.ToolCallPart && len(p.Signature) > 0:
			e.l.Drop("messages/*/tool_calls/*/extra_content", "only its maker can read a signature")
		case p.Kind != llm.ReasoningPart:
		case e.quirks.Reasoning == "" || p.Redacted:
			e.l.Drop("messages/*/reasoning_content", "the server takes no reasoning back")
		case len(p.Signature) > 0:
			e.l.Drop("messages/*/reasoning_details", "only its maker can read a signature")
		}
	}
	writeCalls(&e.w, parts, details)
}

// writeCalls writes tool_calls, if there are any, with their signatures or
// without.
func writeCalls(w *dialect.Writer, parts []llm.Part, signed bool) {
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
		if signed && len(parts[i].Signature) > 0 {
			writeThoughtSignature(w, parts[i].Signature)
		}
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
