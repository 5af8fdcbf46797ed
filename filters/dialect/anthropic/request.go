package anthropic

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
	m.system(r)
	m.messages(r)
	for it := jsonx.Elements(m.array(kTools)); it.Next(); {
		r.Tools = append(r.Tools, readTool(it.Value()))
	}
	m.toolChoice(&r.ToolChoice)
	r.Sampling = llm.Sampling{Temperature: m.number(kTemperature), TopP: m.number(kTopP), TopK: m.number(kTopK)}
	for it := jsonx.Elements(m.array(kStop)); it.Next(); {
		r.Stop = append(r.Stop, dialect.Text(&it))
	}
	m.thinking(r)
	r.ServiceTier = serviceTier(m.raw(kServiceTier, "a valid string", jsonx.String))
	r.Extra = m.labels(r.Extra)
	for it := jsonx.Members(doc.Body()); it.Next(); {
		if k := inspected.Find(it.Key()); k < 0 || k == kContainer {
			r.Extra = dialect.Keep(r.Extra, &it)
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	return r, nil
}

// serviceTier reads service_tier in OpenAI's words.
func serviceTier(raw []byte) llm.Escaped {
	word := llm.Escaped(jsonx.Interior(raw))
	if string(word) == "standard_only" {
		return llm.Escaped("default")
	}
	return word
}

// labels keeps what metadata has besides the user's id.
func (m *members) labels(extra []llm.Field) []llm.Field {
	for it := jsonx.Members(m.object(kMetadata)); it.Next(); {
		if !it.KeyIs("user_id") && it.Kind() != jsonx.Null {
			extra = append(extra, llm.Field{Name: "metadata/" + string(dialect.Name(&it)), Value: it.Value()})
		}
	}
	return extra
}

func (m *members) system(r *llm.Request) {
	raw := m.raw(kSystem, "a valid string or list", jsonx.String, jsonx.Array)
	if parts := readContent(raw); len(parts) > 0 {
		r.Messages = append(r.Messages, llm.Message{Role: llm.System, Parts: parts})
	}
}

func (m *members) messages(r *llm.Request) {
	n := 0
	for it := jsonx.Elements(m.array(kMessages)); it.Next(); n++ {
		var msg llm.Message
		var role, content []byte
		for member := jsonx.Members(it.Value()); member.Next(); {
			switch string(dialect.Name(&member)) {
			case "role":
				role = jsonx.Interior(member.Value())
			case "content":
				content = member.Value()
			default:
				msg.Extra = dialect.Keep(msg.Extra, &member)
			}
		}
		switch {
		case jsonx.Equal(role, "assistant"):
			msg.Role = llm.Assistant
		case jsonx.Equal(role, "system"):
			msg.Role = llm.System
		case !jsonx.Equal(role, "user"):
			at := "messages." + strconv.Itoa(n)
			m.fail("invalid_value", at+".role", at+".role: Input should be 'user' or 'assistant'")
			return
		}
		msg.Parts = readContent(content)
		r.Messages = append(r.Messages, msg)
	}
}

// readContent reads a string, or a list of blocks.
func readContent(content []byte) []llm.Part {
	if text := jsonx.Interior(content); len(text) > 0 {
		return []llm.Part{{Text: llm.Escaped(text)}}
	}
	var parts []llm.Part
	for it := jsonx.Elements(content); it.Next(); {
		parts = append(parts, readInput(it.Value()))
	}
	return parts
}

// readInput reads a block of a request. A medium in a form that the vocabulary
// lacks (plain text, blocks) is kept raw.
func readInput(raw []byte) llm.Part {
	kind, _ := jsonx.Lookup(raw, "type")
	var part llm.Part
	switch string(jsonx.Interior(kind)) {
	case "image":
		part.Kind = llm.ImagePart
	case "document":
		part.Kind = llm.DocumentPart
	case "tool_result":
		part = llm.Part{Kind: llm.ToolResultPart, Result: readResult(raw)}
	default:
		part = readBlock(raw)
	}
	if part.Kind == llm.ImagePart || part.Kind == llm.DocumentPart {
		part.Media = readSource(raw)
		if part.Media.Data == nil && part.Media.URL == nil && part.Media.File == nil {
			part = llm.Part{Kind: llm.OtherPart, Other: raw}
		}
		part.Extra = mediaExtra(raw)
	}
	if cache, ok := jsonx.Lookup(raw, "cache_control"); ok && jsonx.KindOf(cache) == jsonx.Object {
		part.Cache = cache
	}
	return part
}

// mediaExtra keeps what a medium's block has beside the medium.
func mediaExtra(block []byte) (extra []llm.Field) {
	for it := jsonx.Members(block); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type", "source", "title", "cache_control":
		default:
			extra = dialect.Keep(extra, &it)
		}
	}
	return extra
}

// readSource reads where a medium is: base64, url or file.
func readSource(block []byte) llm.Media {
	var m llm.Media
	title, _ := jsonx.Lookup(block, "title")
	m.Name = llm.Escaped(jsonx.Interior(title))
	source, _ := jsonx.Lookup(block, "source")
	kind, _ := jsonx.Lookup(source, "type")
	base64 := jsonx.Equal(jsonx.Interior(kind), "base64")
	for it := jsonx.Members(source); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "media_type":
			m.Type = dialect.Text(&it)
		case "data":
			if base64 {
				m.Data = dialect.Text(&it)
			}
		case "url":
			m.URL = dialect.Text(&it)
		case "file_id":
			m.File = dialect.Text(&it)
		}
	}
	return m
}

func readResult(block []byte) llm.ToolResult {
	var r llm.ToolResult
	for it := jsonx.Members(block); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "tool_use_id":
			r.ID = dialect.Text(&it)
		case "content":
			r.Parts = readContent(it.Value())
		case "is_error":
			r.Error, _ = jsonx.Bool(it.Value())
		}
	}
	return r
}

// readTool reads one offered tool. One that the provider runs is kept raw.
func readTool(raw []byte) llm.Tool {
	var t llm.Tool
	kind := llm.Escaped("custom")
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			if word := dialect.Text(&it); word != nil {
				kind = word
			}
		case "name":
			t.Name = dialect.Text(&it)
		case "description":
			t.Description = dialect.Text(&it)
		case "input_schema":
			t.Schema = dialect.Value(&it)
		case "strict":
			t.Strict, _ = jsonx.Bool(it.Value())
		case "cache_control":
			t.Cache = dialect.Value(&it)
		default:
			t.Extra = dialect.Keep(t.Extra, &it)
		}
	}
	if string(kind) != "custom" || t.Name == nil {
		return llm.Tool{Other: raw, Server: serverKind(kind)}
	}
	return t
}

func (m *members) toolChoice(c *llm.ToolChoice) {
	var kind llm.Escaped
	for it := jsonx.Members(m.object(kToolChoice)); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			kind = dialect.Text(&it)
		case "name":
			c.Name = dialect.Text(&it)
		case "disable_parallel_tool_use":
			if serial, ok := jsonx.Bool(it.Value()); ok && serial {
				parallel := false
				c.Parallel = &parallel
			}
		}
	}
	switch string(kind) {
	case "auto":
		c.Mode = llm.ToolsAuto
	case "any":
		c.Mode = llm.ToolsRequired
	case "tool":
		c.Mode = llm.ToolNamed
	case "none":
		c.Mode = llm.ToolsNone
	}
}

// thinking reads thinking and output_config.
func (m *members) thinking(r *llm.Request) {
	output := m.object(kOutput)
	raw, _ := jsonx.Lookup(output, "effort")
	effort := llm.Escaped(jsonx.Interior(raw))
	asked := m.object(kThinking)
	if display, ok := jsonx.Lookup(asked, "display"); ok {
		r.Extra = append(r.Extra, llm.Field{Name: "thinking/display", Value: display})
	}
	kind, _ := jsonx.Lookup(asked, "type")
	switch string(jsonx.Interior(kind)) {
	case "disabled":
		r.Reasoning = &llm.Reasoning{Off: true}
	case "enabled":
		raw, _ := jsonx.Lookup(asked, "budget_tokens")
		budget, _ := jsonx.Int(raw)
		r.Reasoning = &llm.Reasoning{Budget: int(min(max(budget, thinking.MinBudget), 1<<31-1)), Effort: effort}
	case "adaptive":
		if effort == nil {
			effort = llm.Escaped("high") // the API's own default
		}
		r.Reasoning = &llm.Reasoning{Effort: effort}
	default:
		if effort != nil {
			r.Reasoning = &llm.Reasoning{Effort: effort}
		}
	}
	if schema, ok := m.schema(); ok {
		r.Format = &llm.Format{Schema: schema, Strict: true}
	}
}
