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
	alone := onlyInstructions(r.Messages)
	if !alone {
		e.instruction(r.Messages)
	}
	e.w.Array("contents")
	if alone {
		e.turn("user", func() int { return e.instructions(r.Messages) })
	}
	for i := 0; i < len(r.Messages); {
		if isInstruction(r.Messages[i].Role) {
			i++
			continue
		}
		i = e.run(r.Messages, i)
	}
	e.w.Close(']')
	e.tools(r)
}

func isInstruction(r llm.Role) bool { return r == llm.System || r == llm.Developer }

func onlyInstructions(list []llm.Message) bool {
	for i := range list {
		if !isInstruction(list[i].Role) {
			return false
		}
	}
	return true
}

func (e *encoder) instruction(list []llm.Message) {
	start := len(e.w.B)
	e.w.Object("systemInstruction")
	e.w.Array("parts")
	if e.instructions(list) == 0 {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.Close(']')
	e.w.Close('}')
}

// instructions writes the texts of system and developer messages as parts and
// returns how many.
func (e *encoder) instructions(list []llm.Message) int {
	n := 0
	for i := range list {
		if !isInstruction(list[i].Role) {
			continue
		}
		e.at = i
		for p := range list[i].Parts {
			part := &list[i].Parts[p]
			if part.Kind != llm.TextPart {
				e.refuse(e.param("content"), "An instruction that is not text")
			}
			n += e.part(part)
		}
	}
	return n
}

// turn writes a turn unless it comes out empty. content returns the number of parts.
func (e *encoder) turn(role string, content func() int) {
	start := len(e.w.B)
	e.called = false
	e.w.Open('{')
	e.w.Word("role", role)
	e.w.Array("parts")
	n := content()
	if n += e.release(); n == 0 {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.Close(']')
	e.w.Close('}')
}

// run writes the turns of one side from the i-th on as one turn, tool results
// first, and returns where the next begins.
func (e *encoder) run(list []llm.Message, i int) int {
	assistant := list[i].Role == llm.Assistant
	end := i + 1
	for end < len(list) && (isInstruction(list[end].Role) || (list[end].Role == llm.Assistant) == assistant) {
		end++
	}
	role := "user"
	if assistant {
		role = "model"
	}
	e.turn(role, func() int { return e.parts(list, i, end, true) + e.parts(list, i, end, false) })
	return end
}

// parts writes the tool results of the messages list[i:end], or all but them.
func (e *encoder) parts(list []llm.Message, i, end int, results bool) int {
	n := 0
	for ; i < end; i++ {
		m := &list[i]
		if isInstruction(m.Role) {
			continue
		}
		e.at = i
		if len(m.Name) > 0 && m.Role != llm.ToolRole {
			e.l.Drop("messages/*/name", "turns have no names")
		}
		for p := range m.Parts {
			if part := &m.Parts[p]; (part.Kind == llm.ToolResultPart) == results {
				n += e.part(part)
			}
		}
	}
	return n
}
