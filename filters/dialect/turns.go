package dialect

import "github.com/posterngw/postern/filters/llm"

// Turns writes a conversation for APIs in which two sides take turns: neighbouring
// messages of a side are one turn, tool results first in it. Instructions have
// another place there, unless there is nothing else: then they are a user's turn.
type Turns struct {
	W         *Writer
	Inner     string // the member of a turn that holds its parts
	Assistant string // the assistant's role
	// Part writes a part, and returns how many came out.
	Part func(p *llm.Part) int
	// Plain reports whether a part comes out as text and nothing else; what one such
	// part says is written as a string, which every server of the API takes. nil:
	// the API has no such form.
	Plain func(p *llm.Part) bool
	// Visit is told of each message before its parts; again when the parts that are
	// no tool results follow.
	Visit func(i int, m *llm.Message, again bool)
	// NotText is told of an instruction's part that is not text.
	NotText func()
	// Begin and End stand around the parts of a turn; End returns how many it wrote.
	// nil: nothing does.
	Begin func()
	End   func() int
}

// IsInstruction reports whether a role gives instructions.
func IsInstruction(r llm.Role) bool { return r == llm.System || r == llm.Developer }

// OnlyInstructions reports whether a conversation has nothing else.
func OnlyInstructions(list []llm.Message) bool {
	for i := range list {
		if !IsInstruction(list[i].Role) {
			return false
		}
	}
	return true
}

// Instructions writes the parts of the instructions and returns how many.
func (t *Turns) Instructions(list []llm.Message) (n int) {
	for i := range list {
		if !IsInstruction(list[i].Role) {
			continue
		}
		t.Visit(i, &list[i], false)
		for p := range list[i].Parts {
			part := &list[i].Parts[p]
			if part.Kind != llm.TextPart {
				t.NotText()
			}
			n += t.Part(part)
		}
	}
	return n
}

// Single is the text of the instructions where they are one plain text; nil
// otherwise.
func (t *Turns) Single(list []llm.Message) llm.Escaped { return t.single(list, true) }

// single is the text of the messages that are instructions, or of those that are
// not, where it is one plain text.
func (t *Turns) single(list []llm.Message, instructions bool) llm.Escaped {
	var only *llm.Part
	for i := range list {
		parts := list[i].Parts
		if IsInstruction(list[i].Role) != instructions || len(parts) == 0 {
			continue
		}
		if only != nil || len(parts) > 1 {
			return nil
		}
		only = &parts[0]
	}
	if only == nil || t.Plain == nil || !t.Plain(only) {
		return nil
	}
	for i := range list {
		if IsInstruction(list[i].Role) == instructions {
			t.Visit(i, &list[i], false)
		}
	}
	return only.Text
}

// Write writes the turns.
func (t *Turns) Write(list []llm.Message) {
	if OnlyInstructions(list) {
		t.turn("user", func() int { return t.Instructions(list) })
		return
	}
	for i := 0; i < len(list); {
		if IsInstruction(list[i].Role) {
			i++
			continue
		}
		i = t.run(list, i)
	}
}

// turn writes a turn unless it comes out empty. content returns the number of parts.
func (t *Turns) turn(role string, content func() int) {
	start := len(t.W.B)
	if t.Begin != nil {
		t.Begin()
	}
	t.W.Open('{')
	t.W.Word("role", role)
	t.W.Array(t.Inner)
	n := content()
	if t.End != nil {
		n += t.End()
	}
	if n == 0 {
		t.W.B = t.W.B[:start]
		return
	}
	t.W.Close(']')
	t.W.Close('}')
}

// run writes the messages of one side from the i-th on as one turn and returns
// where the next begins.
func (t *Turns) run(list []llm.Message, i int) int {
	assistant := list[i].Role == llm.Assistant
	end := i + 1
	for end < len(list) && (IsInstruction(list[end].Role) || (list[end].Role == llm.Assistant) == assistant) {
		end++
	}
	role := "user"
	if assistant {
		role = t.Assistant
	}
	if text := t.single(list[i:end], false); len(text) > 0 {
		t.W.Open('{')
		t.W.Word("role", role)
		t.W.Text(t.Inner, text)
		t.W.Close('}')
		return end
	}
	t.turn(role, func() int { return t.parts(list, i, end, true) + t.parts(list, i, end, false) })
	return end
}

// parts writes the tool results of the messages list[i:end], or all but them.
func (t *Turns) parts(list []llm.Message, i, end int, results bool) (n int) {
	for ; i < end; i++ {
		if IsInstruction(list[i].Role) {
			continue
		}
		t.Visit(i, &list[i], !results)
		for p := range list[i].Parts {
			if part := &list[i].Parts[p]; (part.Kind == llm.ToolResultPart) == results {
				n += t.Part(part)
			}
		}
	}
	return n
}
