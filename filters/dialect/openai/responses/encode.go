package responses

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
)

// Encode writes a request that leaves no state at the provider.
func (*provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}}
	if r.Choices > 1 {
		e.refuse("n", "More than one answer")
	}
	e.w.Begin('{')
	e.w.Quote("model", t.Model)
	e.w.Array("input")
	for i := range r.Messages {
		e.at = i
		e.message(&r.Messages[i])
	}
	e.w.Close(']')
	e.options(r, t)
	e.tools(r)
	e.untaken(r)
	e.w.Literal("store", "false")
	e.w.Close('}')
	return e.w.B, e.err
}

// encoder writes a request and keeps the first error.
type encoder struct {
	l      *dialect.Ledger
	w      dialect.Writer
	err    *llm.Error
	at     int  // index of the message being written
	sealed bool // the input has reasoning of the provider
}

func (e *encoder) refuse(param, what string) {
	if e.err == nil {
		e.err = dialect.Unsupported(param, what+" cannot be carried to the API that this model is served by.")
	}
}

func (e *encoder) param() string { return "messages[" + strconv.Itoa(e.at) + "].content" }

// message writes the items of a turn: what is neither a call, a result nor
// reasoning stands in one message as long as it is together.
func (e *encoder) message(m *llm.Message) {
	if len(m.Name) > 0 {
		e.l.Drop("messages/*/name", "the API has no names")
	}
	open := len(m.Parts) == 0
	if open {
		e.begin(m.Role)
	}
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Cache != nil {
			e.l.Drop("messages/*/content/*/cache_control", "caching is automatic")
		}
		switch p.Kind {
		case llm.ToolCallPart, llm.ToolResultPart, llm.ReasoningPart:
			if open {
				e.end()
			}
			open = false
			e.item(p)
		default:
			if !open {
				e.begin(m.Role)
			}
			open = true
			e.part(p, m.Role == llm.Assistant)
		}
	}
	if open {
		e.end()
	}
}

func (e *encoder) begin(role llm.Role) {
	e.w.Open('{')
	e.w.Word("type", "message")
	e.w.Word("role", roleName(role))
	e.w.Array("content")
}

func (e *encoder) end() {
	e.w.Close(']')
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

// item writes a part that is an item of its own.
func (e *encoder) item(p *llm.Part) {
	if p.Kind == llm.ReasoningPart {
		e.reasoning(p)
		return
	}
	e.w.Open('{')
	if p.Kind == llm.ToolCallPart {
		if len(p.Signature) > 0 {
			e.l.Drop("messages/*/tool_calls/*/extra_content", "only its maker can read a signature")
		}
		writeCall(&e.w, &p.Call)
	} else {
		e.result(&p.Result)
	}
	e.w.Close('}')
}

func writeCall(w *dialect.Writer, c *llm.ToolCall) {
	w.Word("type", "function_call")
	w.Text("call_id", c.ID)
	w.Text("name", c.Name)
	w.StartText("arguments")
	w.B = dialect.AppendArguments(w.B, c)
	w.EndText()
}

// result writes a tool's result. The API has no mark for an error, so the text
// alone tells.
func (e *encoder) result(r *llm.ToolResult) {
	e.w.Word("type", "function_call_output")
	e.w.Text("call_id", r.ID)
	if r.Error {
		e.l.Drop("messages/*/content/*/is_error", "the text alone tells of the error")
	}
	switch {
	case len(r.Parts) == 0:
		e.w.Word("output", "")
	case len(r.Parts) == 1 && r.Parts[0].Kind == llm.TextPart:
		e.w.Text("output", r.Parts[0].Text)
	default:
		e.w.Array("output")
		for i := range r.Parts {
			e.part(&r.Parts[i], false)
		}
		e.w.Close(']')
	}
}

// reasoning writes what the provider itself has made; it takes no other.
func (e *encoder) reasoning(p *llm.Part) {
	id, encrypted, ok := bytes.Cut(p.Signature, []byte(":"))
	if p.Origin != own || !ok {
		e.l.Drop("messages/*/reasoning_content", "only signed reasoning of this provider is taken back")
		return
	}
	e.sealed = true
	e.w.Open('{')
	e.w.Word("type", "reasoning")
	e.w.Text("id", id)
	writeSummary(&e.w, p.Text)
	e.w.Text("encrypted_content", encrypted)
	e.w.Close('}')
}

func writeSummary(w *dialect.Writer, text llm.Escaped) {
	w.Array("summary")
	if len(text) > 0 {
		w.Open('{')
		w.Word("type", "summary_text")
		w.Text("text", text)
		w.Close('}')
	}
	w.Close(']')
}

func (e *encoder) part(p *llm.Part, assistant bool) {
	e.w.Open('{')
	switch {
	case p.Kind == llm.TextPart && assistant:
		e.w.Word("type", "output_text")
		e.w.Text("text", p.Text)
		writeAnnotations(&e.w, p.Citations)
		for i := range p.Citations {
			if len(p.Citations[i].URL) == 0 {
				e.l.Drop("messages/*/content/*/citations", "the API cites web pages only")
			}
		}
	case p.Kind == llm.TextPart:
		e.w.Word("type", "input_text")
		e.w.Text("text", p.Text)
		if len(p.Citations) > 0 {
			e.l.Drop("messages/*/content/*/citations", "the input takes no citations")
		}
	case p.Kind == llm.RefusalPart && assistant:
		e.w.Word("type", "refusal")
		e.w.Text("refusal", p.Text)
	case p.Kind == llm.ImagePart && !assistant:
		e.image(&p.Media)
	case p.Kind == llm.DocumentPart && !assistant:
		e.file(&p.Media)
	case p.Kind == llm.AudioPart && !assistant:
		e.audio(&p.Media)
	default:
		e.refuse(e.param(), "A part of this type")
	}
	e.w.Close('}')
}

func (e *encoder) image(m *llm.Media) {
	e.w.Word("type", "input_image")
	switch {
	case m.URL != nil:
		e.w.Text("image_url", m.URL)
	case m.Data != nil:
		base.WriteDataURL(&e.w, "image_url", m, "image/png")
	default:
		e.refuse(e.param(), "An image by file id")
	}
	if m.Detail != nil {
		e.w.Text("detail", m.Detail)
	} else {
		e.w.Word("detail", "auto")
	}
}

func (e *encoder) file(m *llm.Media) {
	e.w.Word("type", "input_file")
	switch {
	case m.URL != nil:
		e.w.Text("file_url", m.URL)
		return
	case m.Data != nil:
		base.WriteDataURL(&e.w, "file_data", m, "application/pdf")
	default:
		e.refuse(e.param(), "A document by file id")
	}
	if len(m.Name) > 0 {
		e.w.Text("filename", m.Name)
	} else {
		e.w.Word("filename", "document.pdf")
	}
}

func (e *encoder) audio(m *llm.Media) {
	format := base.AudioFormat(m.Type)
	if m.Data == nil || format == "" {
		e.refuse(e.param(), "Audio by reference or of this type")
	}
	e.w.Word("type", "input_audio")
	e.w.Object("input_audio")
	e.w.Text("data", m.Data)
	e.w.Word("format", format)
	e.w.Close('}')
}

func writeAnnotations(w *dialect.Writer, list []llm.Citation) {
	w.Array("annotations")
	for i := range list {
		if len(list[i].URL) > 0 {
			w.Open('{')
			writeAnnotation(w, &list[i])
			w.Close('}')
		}
	}
	w.Close(']')
}

func writeAnnotation(w *dialect.Writer, c *llm.Citation) {
	w.Word("type", "url_citation")
	base.WriteCitation(w, c)
}
