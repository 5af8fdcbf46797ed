package cohere

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
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

// Encode writes a chat request.
func (chatProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}}
	if r.Choices > 1 {
		e.refuse("n", "More than one answer")
	}
	e.w.Begin('{')
	e.w.Quote("model", t.Model)
	e.w.Array("messages")
	for i := range r.Messages {
		e.at = i
		e.message(&r.Messages[i])
	}
	e.w.Close(']')
	e.tools(r)
	e.options(r, t)
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
		{"verbosity", r.Verbosity != nil}, {"logit_bias", r.LogitBias != nil}, {"top_logprobs", r.TopLogprobs != ""},
		{"parallel_tool_calls", r.ToolChoice.Parallel != nil},
	} {
		if x.lost {
			e.l.Drop(x.field, "the API has no such parameter")
		}
	}
}

// message writes one turn; tool results are turns of their own, before the rest
// of the turn that they came in.
func (e *encoder) message(m *llm.Message) {
	if len(m.Name) > 0 {
		e.l.Drop("messages/*/name", "turns have no names")
	}
	rest := 0
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Cache != nil {
			e.l.Drop("messages/*/content/*/cache_control", "the API caches by itself")
		}
		if p.Kind == llm.ToolResultPart {
			e.result(&p.Result)
		} else {
			rest++
		}
	}
	if rest == 0 && len(m.Parts) > 0 {
		return
	}
	e.w.Open('{')
	switch m.Role {
	case llm.Assistant:
		e.w.Word("role", "assistant")
		e.spoken(m.Parts)
	case llm.System, llm.Developer:
		e.w.Word("role", "system")
		e.content(m.Parts, false)
	default:
		e.w.Word("role", "user")
		e.content(m.Parts, false)
	}
	e.w.Close('}')
}

func (e *encoder) result(r *llm.ToolResult) {
	e.w.Open('{')
	e.w.Word("role", "tool")
	e.w.Text("tool_call_id", r.ID)
	for i := range r.Parts {
		if r.Parts[i].Kind != llm.TextPart {
			e.refuseContent("A tool result that is not text")
		}
	}
	e.content(r.Parts, false)
	e.w.Close('}')
	if r.Error {
		e.l.Drop("messages/*/content/*/is_error", "the API has no mark for it")
	}
}

// spoken writes an assistant's turn. Reasoning is the plan of calls where there
// are any, else thinking.
func (e *encoder) spoken(parts []llm.Part) {
	calls, texts := 0, 0
	kept := make([]llm.Part, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case llm.ToolCallPart:
			calls++
		case llm.ReasoningPart:
			if len(p.Signature) > 0 && p.Origin != name || p.Redacted {
				e.l.Drop("messages/*/content/*/reasoning", "only its maker can read it")
				continue
			}
		default:
			texts++
		}
		if len(p.Citations) > 0 {
			e.l.Drop("messages/*/content/*/citations", "they are the model's to make")
		}
		kept = append(kept, *p)
	}
	if calls > 0 {
		e.w.Joined("tool_plan", kept, llm.ReasoningPart)
	}
	if texts > 0 || calls == 0 {
		e.content(kept, calls == 0)
	}
	writeCalls(&e.w, kept)
}

// content writes the parts that belong there: one plain text as a string,
// anything else as a list.
func (e *encoder) content(parts []llm.Part, thinking bool) {
	n, last := 0, 0
	for i := range parts {
		if p := &parts[i]; inContent(p, thinking) {
			n, last = n+1, i
		}
	}
	if n == 0 || n == 1 && isText(&parts[last]) {
		var text llm.Escaped
		if n > 0 {
			text = parts[last].Text
		}
		e.w.Text("content", text)
		return
	}
	e.w.Array("content")
	for i := range parts {
		if p := &parts[i]; inContent(p, thinking) {
			e.part(p)
		}
	}
	e.w.Close(']')
}

func isText(p *llm.Part) bool { return p.Kind == llm.TextPart || p.Kind == llm.RefusalPart }

func inContent(p *llm.Part, thinking bool) bool {
	switch p.Kind {
	case llm.ToolCallPart, llm.ToolResultPart:
		return false
	case llm.ReasoningPart:
		return thinking
	}
	return true
}

func (e *encoder) part(p *llm.Part) {
	e.w.Open('{')
	switch {
	case isText(p):
		e.w.Word("type", "text")
		e.w.Text("text", p.Text)
	case p.Kind == llm.ReasoningPart:
		writeThinking(&e.w, p)
	case p.Kind == llm.ImagePart:
		e.w.Word("type", "image_url")
		e.image(&p.Media)
	default:
		e.refuseContent("A part of this type")
	}
	e.w.Close('}')
}

// image writes image_url; an image by value is a data: URL.
func (e *encoder) image(m *llm.Media) {
	e.w.Object("image_url")
	if m.File != nil {
		e.refuseContent("An image by file id")
	}
	writeURL(&e.w, "url", m)
	if m.Detail != nil {
		e.w.Text("detail", m.Detail)
	}
	e.w.Close('}')
}

func writeURL(w *dialect.Writer, name string, m *llm.Media) {
	if m.Data == nil {
		w.Text(name, m.URL)
		return
	}
	w.StartText(name)
	w.B = appendDataURL(w.B, m)
	w.EndText()
}

func appendDataURL(dst []byte, m *llm.Media) []byte {
	dst = append(dst, "data:"...)
	if len(m.Type) > 0 {
		dst = append(dst, m.Type...)
	} else {
		dst = append(dst, "image/png"...)
	}
	return append(append(dst, ";base64,"...), m.Data...)
}
