package gemini

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// Encode writes a generateContent request.
func (*provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := newEncoder(dst, r, t, l)
	e.w.Begin('{')
	e.conversation(r)
	e.options(r)
	e.remarks(r)
	e.w.Close('}')
	return e.w.B, e.err
}

// encoder writes a request and keeps the first error.
type encoder struct {
	w      dialect.Writer
	l      *dialect.Ledger
	t      *dialect.Target
	model  generation
	names  map[string]llm.Escaped // of the calls, by id
	err    *llm.Error
	at     int         // index of the message being written
	carry  llm.Escaped // a signature that waits for its part
	called bool        // the turn being written has a call
}

func newEncoder(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) *encoder {
	e := &encoder{w: dialect.Writer{B: dst}, l: l, t: t, model: generationOf(t.Model), names: map[string]llm.Escaped{}}
	for i := range r.Messages {
		for p := range r.Messages[i].Parts {
			if part := &r.Messages[i].Parts[p]; part.Kind == llm.ToolCallPart {
				e.names[string(part.Call.ID)] = part.Call.Name
			}
		}
	}
	return e
}

func (e *encoder) refuse(param, what string) {
	if e.err == nil {
		e.err = dialect.Unsupported(param, what+" cannot be carried to the API that this model is served by.")
	}
}

func (e *encoder) param(member string) string {
	return "messages[" + strconv.Itoa(e.at) + "]." + member
}

// conversation writes instructions, turns and tools.
func (e *encoder) conversation(r *llm.Request) {
	turns := &dialect.Turns{W: &e.w, Inner: "parts", Assistant: "model", Part: e.part, Visit: e.visit,
		NotText: func() { e.refuse(e.param("content"), "An instruction that is not text") },
		Begin:   func() { e.called = false }, End: e.release}
	if !dialect.OnlyInstructions(r.Messages) {
		e.instruction(turns, r.Messages)
	}
	e.w.Array("contents")
	turns.Write(r.Messages)
	e.w.Close(']')
	e.tools(r)
}

func (e *encoder) instruction(turns *dialect.Turns, list []llm.Message) {
	start := len(e.w.B)
	e.w.Object("systemInstruction")
	e.w.Array("parts")
	if turns.Instructions(list) == 0 {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.Close(']')
	e.w.Close('}')
}

// visit notes what of a message has no place.
func (e *encoder) visit(i int, m *llm.Message, _ bool) {
	e.at = i
	if len(m.Name) > 0 && m.Role != llm.ToolRole && !dialect.IsInstruction(m.Role) {
		e.l.Drop("messages/*/name", "turns have no names")
	}
}
