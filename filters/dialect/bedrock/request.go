package bedrock

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/thinking"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Decode reads the whole request.
func (*client) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	m := &members{doc: doc}
	r := &llm.Request{Facts: f}
	system := blocks{origin: claudeOrigin}
	if system.read(m.get(kSystem, jsonx.Array)); len(system.parts) > 0 {
		r.Messages = append(r.Messages, llm.Message{Role: llm.System, Parts: system.parts})
	}
	m.turns(r)
	m.inference(r)
	m.tools(r)
	m.more(r)
	m.output(r)
	tier, _ := jsonx.Lookup(m.get(kTier, jsonx.Object), "type")
	r.ServiceTier = llm.Escaped(jsonx.Interior(tier))
	r.Metadata = m.get(kMetadata, jsonx.Object)
	for it := jsonx.Members(doc.Body()); it.Next(); {
		if inspected.Find(it.Key()) < 0 {
			r.Extra = dialect.Keep(r.Extra, &it)
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	return r, nil
}

func (m *members) turns(r *llm.Request) {
	n := 0
	for it := jsonx.Elements(m.get(kMessages, jsonx.Array)); it.Next(); n++ {
		var msg llm.Message
		var role []byte
		content := blocks{origin: claudeOrigin}
		for member := jsonx.Members(it.Value()); member.Next(); {
			switch string(dialect.Name(&member)) {
			case "role":
				role = jsonx.Interior(member.Value())
			case "content":
				content.read(member.Value())
			default:
				msg.Extra = dialect.Keep(msg.Extra, &member)
			}
		}
		msg.Parts = content.parts
		switch {
		case jsonx.Equal(role, "assistant"):
			msg.Role = llm.Assistant
		case jsonx.Equal(role, "system"):
			msg.Role = llm.System
		case !jsonx.Equal(role, "user"):
			at := "messages." + strconv.Itoa(n) + ".role"
			m.err = dialect.Invalid("invalid_value", at, "The value at "+at+" must be user or assistant.")
			return
		}
		r.Messages = append(r.Messages, msg)
	}
}

func (m *members) inference(r *llm.Request) {
	for it := jsonx.Members(m.get(kInference, jsonx.Object)); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "maxTokens":
		case "temperature":
			r.Sampling.Temperature = number(&it)
		case "topP":
			r.Sampling.TopP = number(&it)
		case "stopSequences":
			for s := jsonx.Elements(it.Value()); s.Next(); {
				r.Stop = append(r.Stop, dialect.Text(&s))
			}
		default:
			r.Extra = keepUnder(r.Extra, "inferenceConfig/", &it)
		}
	}
}

func number(it *jsonx.Iter) llm.Number {
	if it.Kind() != jsonx.Number {
		return ""
	}
	return llm.Number(it.Value())
}

// keepUnder keeps a member of an object within the request.
func keepUnder(extra []llm.Field, at string, it *jsonx.Iter) []llm.Field {
	n := len(extra)
	if extra = dialect.Keep(extra, it); len(extra) > n {
		extra[n].Name = at + extra[n].Name
	}
	return extra
}

func (m *members) tools(r *llm.Request) {
	config := m.get(kTools, jsonx.Object)
	list, _ := jsonx.Lookup(config, "tools")
	for it := jsonx.Elements(list); it.Next(); {
		for member := jsonx.Members(it.Value()); member.Next(); {
			switch n := len(r.Tools); string(dialect.Name(&member)) {
			case "toolSpec":
				r.Tools = append(r.Tools, readTool(member.Value()))
			case "cachePoint":
				if n > 0 {
					r.Tools[n-1].Cache = member.Value()
				}
			default:
				r.Tools = append(r.Tools, readServerTool(it.Value(), member.Value()))
			}
		}
	}
	choice, _ := jsonx.Lookup(config, "toolChoice")
	for it := jsonx.Members(choice); it.Next(); {
		if it.Kind() == jsonx.Null {
			continue
		}
		switch string(dialect.Name(&it)) {
		case "auto":
			r.ToolChoice.Mode = llm.ToolsAuto
		case "any":
			r.ToolChoice.Mode = llm.ToolsRequired
		case "tool":
			name, _ := jsonx.Lookup(it.Value(), "name")
			r.ToolChoice.Mode, r.ToolChoice.Name = llm.ToolNamed, llm.Escaped(jsonx.Interior(name))
		}
	}
}

func readTool(raw []byte) llm.Tool {
	var t llm.Tool
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "name":
			t.Name = dialect.Text(&it)
		case "description":
			t.Description = dialect.Text(&it)
		case "inputSchema":
			t.Schema, _ = jsonx.Lookup(it.Value(), "json")
		case "strict":
			t.Strict, _ = jsonx.Bool(it.Value())
		default:
			t.Extra = dialect.Keep(t.Extra, &it)
		}
	}
	return t
}

// serverTools are the tools that Nova runs itself.
var serverTools = []struct {
	name string
	kind llm.ServerTool
}{{"nova_grounding", llm.WebSearch}, {"nova_code_interpreter", llm.CodeExecution}}

func readServerTool(raw, inner []byte) llm.Tool {
	t := llm.Tool{Other: raw}
	name, _ := jsonx.Lookup(inner, "name")
	for _, s := range serverTools {
		if jsonx.Equal(jsonx.Interior(name), s.name) {
			t.Server = s.kind
		}
	}
	return t
}

// more reads what the request says to the model beside the API: thinking, top_k
// and effort have a place, whichever model they are meant for.
func (m *members) more(r *llm.Request) {
	raw := m.get(kMore, jsonx.Object)
	r.Reasoning = thinkingOf(raw)
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "thinking", "reasoning_config", "reasoningConfig", "output_config", "reasoning_effort":
		case "top_k", "k":
			r.Sampling.TopK = number(&it)
		case "seed":
			r.Sampling.Seed = number(&it)
		case "inferenceConfig":
			m.nova(r, it.Value())
		default:
			r.Extra = keepUnder(r.Extra, "additionalModelRequestFields/", &it)
		}
	}
}

// nova reads the parameters of Nova that the API has no place for.
func (m *members) nova(r *llm.Request, raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		if it.KeyIs("topK") {
			r.Sampling.TopK = number(&it)
		} else {
			r.Extra = keepUnder(r.Extra, "additionalModelRequestFields/inferenceConfig/", &it)
		}
	}
}

// thinkingOf reads how thinking is asked for: by Claude's thinking (also named
// reasoning_config) and output_config, by Nova's reasoningConfig, or by
// reasoning_effort; nil when it is not.
func thinkingOf(more []byte) *llm.Reasoning {
	var kind, effort llm.Escaped
	budget := int64(0)
	for it := jsonx.Members(more); it.Next(); {
		raw := it.Value()
		switch string(dialect.Name(&it)) {
		case "thinking", "reasoning_config":
			kind = textAt(raw, "type")
			n, _ := jsonx.Lookup(raw, "budget_tokens")
			budget, _ = jsonx.Int(n)
		case "reasoningConfig":
			kind, effort = textAt(raw, "type"), textAt(raw, "maxReasoningEffort")
		case "output_config":
			effort = textAt(raw, "effort")
		case "reasoning_effort":
			effort = dialect.Text(&it)
		}
	}
	switch {
	case string(kind) == "disabled":
		return &llm.Reasoning{Off: true}
	case budget > 0:
		return &llm.Reasoning{Budget: int(min(max(budget, thinking.MinBudget), 1<<31-1)), Effort: effort}
	case effort == nil && (string(kind) == "enabled" || string(kind) == "adaptive"):
		return &llm.Reasoning{Effort: llm.Escaped("high")} // the default of the models' own APIs
	case effort != nil:
		return &llm.Reasoning{Effort: effort}
	}
	return nil
}

// textAt is the string at a path; nil when there is none.
func textAt(raw []byte, path ...string) llm.Escaped {
	value, _ := jsonx.Lookup(raw, path...)
	return llm.Escaped(jsonx.Interior(value))
}

// output reads the form of the answer; the schema stands there as text.
func (m *members) output(r *llm.Request) {
	raw := m.get(kOutput, jsonx.Object)
	if effort := textAt(raw, "effort"); effort != nil && r.Reasoning == nil {
		r.Reasoning = &llm.Reasoning{Effort: effort}
	}
	form, ok := jsonx.Lookup(raw, "textFormat")
	if !ok || jsonx.KindOf(form) != jsonx.Object {
		return
	}
	at, _ := jsonx.Lookup(form, "structure", "jsonSchema")
	r.Format = &llm.Format{Name: textAt(at, "name"), Description: textAt(at, "description"), Strict: true}
	schema := jsonx.Unescape(nil, textAt(at, "schema"))
	if bad := jsonx.Valid(schema, jsonx.Limits{}); bad != nil {
		m.err = dialect.Invalid("invalid_value", "outputConfig.textFormat.structure.jsonSchema.schema", "The schema is not JSON.")
		return
	}
	r.Format.Schema = schema
}
