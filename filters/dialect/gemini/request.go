package gemini

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/schema"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Decode reads the whole request.
func (*client) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	return chatMembers(doc).chat(f, inspected)
}

func (m *members) chat(f llm.Facts, known *jsonx.Keys) (*llm.Request, *llm.Error) {
	r := &llm.Request{Facts: f}
	m.instruction(r)
	m.contents(r)
	m.tools(r)
	m.choice(r)
	m.generation(r)
	m.rest(r)
	for it := jsonx.Members(m.doc.Body()); it.Next(); {
		if known.Find(it.Key()) < 0 {
			r.Extra = dialect.Keep(r.Extra, &it)
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	return r, nil
}

// rest reads what is neither conversation nor tools nor options.
func (m *members) rest(r *llm.Request) {
	r.Metadata = m.object(kLabels)
	r.ServiceTier = jsonx.Interior(m.raw(kTier, jsonx.String))
	for _, x := range []struct {
		k    int
		kind jsonx.Kind
	}{{kSafety, jsonx.Array}, {kCached, jsonx.String}} {
		if raw := m.raw(x.k, x.kind); raw != nil {
			r.Extra = append(r.Extra, llm.Field{Name: m.keys.Name(x.k), Value: raw})
		}
	}
}

func (m *members) instruction(r *llm.Request) {
	raw := m.object(kSystem)
	if parts := readParts(get(raw, "parts")); len(parts) > 0 {
		r.Messages = append(r.Messages, llm.Message{Role: llm.System, Parts: parts})
	}
}

// readParts reads parts: a list, or a single one, as the API takes it too.
func readParts(raw []byte) []llm.Part {
	if jsonx.KindOf(raw) == jsonx.Object {
		return []llm.Part{readPart(raw)}
	}
	var parts []llm.Part
	for it := jsonx.Elements(raw); it.Next(); {
		parts = append(parts, readPart(it.Value()))
	}
	return parts
}

func (m *members) contents(r *llm.Request) {
	var ids pairing
	n := 0
	for it := jsonx.Elements(m.array(kContents)); it.Next() && m.err == nil; n++ {
		msg := llm.Message{}
		for member := jsonx.Members(it.Value()); member.Next(); {
			switch field(&member) {
			case "role":
				msg.Role = m.role(&member)
			case "parts":
				msg.Parts = readParts(member.Value())
			default:
				msg.Extra = dialect.Keep(msg.Extra, &member)
			}
		}
		ids.pair(&msg)
		r.Messages = appendTurn(r.Messages, msg)
	}
}

// appendTurn adds a turn. Chats of the SDKs keep each piece of a streamed answer as
// a turn of its own: those of the model that follow each other are one.
func appendTurn(list []llm.Message, m llm.Message) []llm.Message {
	if m.Role != llm.Assistant {
		return append(list, m)
	}
	if n := len(list) - 1; n < 0 || list[n].Role != llm.Assistant {
		list = append(list, llm.Message{Role: llm.Assistant})
	}
	last := &list[len(list)-1]
	last.Extra = append(last.Extra, m.Extra...)
	for i := range m.Parts {
		last.Parts = appendPiece(last.Parts, m.Parts[i])
	}
	return list
}

// appendPiece adds a part of the model's turn, joining pieces of one text and of one
// thought. A piece ends in the signature of the whole.
func appendPiece(parts []llm.Part, p llm.Part) []llm.Part {
	n := len(parts) - 1
	if n < 0 || parts[n].Kind != p.Kind || p.Kind != llm.TextPart && p.Kind != llm.ReasoningPart ||
		parts[n].Redacted || p.Redacted || len(parts[n].Signature) > 0 || len(p.Extra) > 0 {
		return append(parts, p)
	}
	q := &parts[n]
	q.Text = append(q.Text, p.Text...)
	q.Signature, q.Origin = p.Signature, p.Origin
	return parts
}

func (m *members) role(it *jsonx.Iter) llm.Role {
	word := dialect.Text(it)
	switch string(word) {
	case "model":
		return llm.Assistant
	case "function", "tool":
		return llm.ToolRole
	case "system":
		return llm.System
	}
	if it.Kind() != jsonx.Null && !jsonx.Equal(word, "user") && len(word) > 0 {
		m.fail("invalid_value", "contents.role", "Please use a valid role: user, model.")
	}
	return llm.User
}

// maxPending bounds the calls of a turn that wait for results without ids.
const maxPending = 256

// pairing gives calls and results that came without ids the ids by which other
// APIs pair them: by the order of the calls, and of a result by its name.
type pairing struct {
	calls   int
	pending []llm.ToolCall // of the last turn that called
}

func (p *pairing) pair(m *llm.Message) {
	fresh := true
	for i := range m.Parts {
		part := &m.Parts[i]
		switch part.Kind {
		case llm.ToolCallPart:
			if fresh {
				p.pending, fresh = p.pending[:0], false
			}
			p.call(&part.Call)
		case llm.ToolResultPart:
			if len(part.Result.ID) == 0 {
				part.Result.ID = p.take(part.Result.Name)
			}
		}
	}
}

func (p *pairing) call(c *llm.ToolCall) {
	if p.calls++; len(c.ID) == 0 {
		c.ID = strconv.AppendInt(llm.Escaped("call_"), int64(p.calls), 10)
	}
	if len(p.pending) < maxPending {
		p.pending = append(p.pending, *c)
	}
}

// take returns the id of the first call of that name that has no result yet.
func (p *pairing) take(name llm.Escaped) llm.Escaped {
	for i := range p.pending {
		if string(p.pending[i].Name) == string(name) {
			id := p.pending[i].ID
			p.pending = append(p.pending[:i], p.pending[i+1:]...)
			return id
		}
	}
	p.calls++
	return strconv.AppendInt(llm.Escaped("call_"), int64(p.calls), 10)
}

func (m *members) tools(r *llm.Request) {
	for it := jsonx.Elements(m.array(kTools)); it.Next(); {
		for member := jsonx.Members(it.Value()); member.Next(); {
			if member.Kind() == jsonx.Null {
				continue
			}
			switch field(&member) {
			case "functionDeclarations":
				for d := jsonx.Elements(member.Value()); d.Next(); {
					r.Tools = append(r.Tools, m.declaration(d.Value()))
				}
			case "googleSearch", "googleSearchRetrieval", "enterpriseWebSearch":
				r.Tools = append(r.Tools, llm.Tool{Other: it.Value(), Server: llm.WebSearch})
			case "codeExecution":
				r.Tools = append(r.Tools, llm.Tool{Other: it.Value(), Server: llm.CodeExecution})
			default:
				r.Tools = append(r.Tools, llm.Tool{Other: it.Value()})
			}
		}
	}
}

func (m *members) declaration(raw []byte) llm.Tool {
	var t llm.Tool
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "name":
			t.Name = dialect.Text(&it)
		case "description":
			t.Description = dialect.Text(&it)
		case "parameters":
			if t.Schema == nil {
				t.Schema = m.plain(dialect.Value(&it), "tools.parameters")
			}
		case "parametersJsonSchema":
			t.Schema = dialect.Value(&it)
		default:
			t.Extra = dialect.Keep(t.Extra, &it)
		}
	}
	return t
}

// plain is JSON Schema of what came in the API's own Schema.
func (m *members) plain(raw []byte, at string) llm.Raw {
	if raw == nil {
		return nil
	}
	out, err := schema.Plain.Lower(nil, raw, at, nil)
	if err != nil && m.err == nil {
		m.err = err
	}
	return out
}

// choice reads toolConfig. Several allowed names are the tools that are offered:
// no other API's choice has a list. VALIDATED lets the model choose.
func (m *members) choice(r *llm.Request) {
	for it := jsonx.Members(m.object(kToolConfig)); it.Next(); {
		if field(&it) == "functionCallingConfig" {
			readChoice(r, it.Value())
		} else if it.Kind() != jsonx.Null {
			r.Extra = append(r.Extra, llm.Field{Name: "toolConfig." + field(&it), Value: it.Value()})
		}
	}
}

func readChoice(r *llm.Request, raw []byte) {
	var mode, allowed []byte
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "mode":
			mode = dialect.Text(&it)
		case "allowedFunctionNames":
			allowed = it.Value()
		default:
			if it.Kind() != jsonx.Null {
				r.Extra = append(r.Extra, llm.Field{Name: "toolConfig.functionCallingConfig." + field(&it), Value: it.Value()})
			}
		}
	}
	c := &r.ToolChoice
	switch string(mode) {
	case "NONE":
		c.Mode = llm.ToolsNone
	case "AUTO":
		c.Mode = llm.ToolsAuto
	case "VALIDATED":
		c.Mode = llm.ToolsAuto
		r.Extra = append(r.Extra, llm.Field{Name: "toolConfig.functionCallingConfig.mode", Value: llm.Raw(`"VALIDATED"`)})
	case "ANY":
		c.Mode = llm.ToolsRequired
	default:
		return
	}
	if c.Mode == llm.ToolsNone {
		return
	}
	allow(r, allowed)
}

// maxAllowed bounds the names that are compared with the tools.
const maxAllowed = 512

// allow offers only the tools that are named.
func allow(r *llm.Request, allowed []byte) {
	var names []llm.Escaped
	for it := jsonx.Elements(allowed); it.Next() && len(names) < maxAllowed; {
		names = append(names, dialect.Text(&it))
	}
	if len(names) == 1 && r.ToolChoice.Mode == llm.ToolsRequired {
		r.ToolChoice.Mode, r.ToolChoice.Name = llm.ToolNamed, names[0]
		return
	}
	if len(names) == 0 {
		return
	}
	kept := r.Tools[:0]
	for _, t := range r.Tools {
		for _, n := range names {
			if t.Other == nil && string(t.Name) == string(n) {
				kept = append(kept, t)
				break
			}
		}
	}
	r.Tools = kept
}
