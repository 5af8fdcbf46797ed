package responses

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// item is an item of the input or of the output, with its members apart.
type item struct {
	kind, id, callID, name, arguments, encrypted llm.Escaped
	role, content, output, summary               []byte
	extra                                        []llm.Field
}

func readItem(raw []byte) item {
	var x item
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			x.kind = dialect.Text(&it)
		case "id":
			x.id = dialect.Text(&it)
		case "call_id":
			x.callID = dialect.Text(&it)
		case "name":
			x.name = dialect.Text(&it)
		case "arguments":
			x.arguments = dialect.Text(&it)
		case "encrypted_content":
			x.encrypted = dialect.Text(&it)
		case "role":
			x.role = dialect.Value(&it)
		case "content":
			x.content = dialect.Value(&it)
		case "output":
			x.output = dialect.Value(&it)
		case "summary":
			x.summary = dialect.Value(&it)
		case "status":
		default:
			x.extra = dialect.Keep(x.extra, &it)
		}
	}
	return x
}

// told are calls of tools that the provider ran: what they found stands in the
// text after them.
var told = [...]string{"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_list_tools"}

// addItem adds an item of the input to the turns. Items of the assistant that
// follow each other are one turn. An error's parameter begins behind the item.
func addItem(r *llm.Request, raw []byte) *llm.Error {
	x := readItem(raw)
	switch string(x.kind) {
	case "", "message":
		return x.message(r)
	case "function_call":
		x.spoken(r, llm.Part{Kind: llm.ToolCallPart, Call: x.call()})
	case "function_call_output":
		return x.result(r)
	case "reasoning":
		x.spoken(r, x.thoughts()...)
	default:
		for _, kind := range told {
			if string(x.kind) == kind {
				x.extra = []llm.Field{{Name: kind, Value: raw}}
				x.spoken(r)
				return nil
			}
		}
		return base.Unsupported("")
	}
	return nil
}

// spoken adds to the assistant's turn.
func (x *item) spoken(r *llm.Request, parts ...llm.Part) {
	n := len(r.Messages)
	if n == 0 || r.Messages[n-1].Role != llm.Assistant {
		r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant})
		n++
	}
	m := &r.Messages[n-1]
	m.Parts = append(m.Parts, parts...)
	m.Extra = append(m.Extra, x.extra...)
}

func (x *item) message(r *llm.Request) *llm.Error {
	if x.kind == nil && x.role == nil && x.id != nil {
		return base.Unsupported(".id") // a reference to an item, its type left out
	}
	switch jsonx.KindOf(x.content) {
	case jsonx.String, jsonx.Array:
	default:
		return dialect.Invalid("invalid_type", ".content", "Invalid type for 'content': expected a string or an array of parts.")
	}
	m := llm.Message{Parts: readContent(x.content), Extra: x.extra}
	switch string(jsonx.Interior(x.role)) {
	case "user":
	case "assistant":
		x.spoken(r, m.Parts...)
		return nil
	case "system":
		m.Role = llm.System
	case "developer":
		m.Role = llm.Developer
	default:
		return dialect.Invalid("invalid_value", ".role", "Invalid role: expected one of 'user', 'assistant', 'system' and 'developer'.")
	}
	r.Messages = append(r.Messages, m)
	return nil
}

func (x *item) call() llm.ToolCall {
	return llm.ToolCall{ID: x.callID, Name: x.name, Arguments: x.arguments}
}

func (x *item) result(r *llm.Request) *llm.Error {
	if len(x.callID) == 0 {
		return dialect.Invalid("missing_required_parameter", ".call_id", "Missing required parameter: 'call_id'.")
	}
	result := llm.ToolResult{ID: x.callID, Name: x.name, Parts: readContent(x.output)}
	r.Messages = append(r.Messages, llm.Message{Role: llm.ToolRole, Extra: x.extra,
		Parts: []llm.Part{{Kind: llm.ToolResultPart, Result: result}}})
	return nil
}

// thoughts is the reasoning of an item: its content if it shows that, else the
// summary.
func (x *item) thoughts() []llm.Part {
	p := llm.Part{Kind: llm.ReasoningPart, Text: joined(x.content)}
	if len(p.Text) == 0 {
		p.Text = joined(x.summary)
	}
	p.Signature, p.Origin, p.Redacted = unseal(x.id, x.encrypted, len(p.Text) == 0)
	if len(p.Text) == 0 && len(p.Signature) == 0 {
		return nil
	}
	return []llm.Part{p}
}

// joined is the texts of a list, with a blank line between them; a single one,
// as it comes, is not copied.
func joined(list []byte) llm.Escaped {
	var out llm.Escaped
	for it := jsonx.Elements(list); it.Next(); {
		raw, _ := jsonx.Lookup(it.Value(), "text")
		text := jsonx.Interior(raw)
		switch {
		case len(text) == 0:
		case out == nil:
			out = llm.Escaped(text)
		default:
			out = append(append(out[:len(out):len(out)], `\n\n`...), text...)
		}
	}
	return out
}

// own is the origin of the signatures that the provider makes.
const own = "openai"

// unseal reads encrypted_content: the provider's own together with the item's
// id, or a sealed one of another maker, where "~" marks what only that can read.
func unseal(id, encrypted llm.Escaped, bare bool) (signature llm.Escaped, origin string, redacted bool) {
	if len(encrypted) == 0 {
		return nil, "", false
	}
	if origin, signature = dialect.Unseal("", encrypted); origin != "" {
		rest, redacted := bytes.CutPrefix(signature, []byte("~"))
		return rest, origin, redacted
	}
	signature = make(llm.Escaped, 0, len(id)+1+len(encrypted))
	signature = append(append(append(signature, id...), ':'), encrypted...)
	return signature, own, bare
}

// writeSeal writes encrypted_content for a client.
func writeSeal(w *dialect.Writer, signature llm.Escaped, origin string, redacted bool) {
	if len(signature) == 0 {
		return
	}
	if origin == "" {
		origin = "unknown"
	}
	w.StartText("encrypted_content")
	if redacted {
		signature = append(llm.Escaped("~"), signature...)
	}
	w.B = dialect.AppendSeal(w.B, "", origin, signature)
	w.EndText()
}

// readContent reads content: a string, or an array of parts.
func readContent(raw []byte) []llm.Part {
	if jsonx.KindOf(raw) == jsonx.String {
		return []llm.Part{{Text: llm.Escaped(jsonx.Interior(raw))}}
	}
	var parts []llm.Part
	for it := jsonx.Elements(raw); it.Next(); {
		parts = append(parts, readPart(it.Value()))
	}
	return parts
}

// readPart reads one part. A part of an unknown type, or without what its type
// needs, is kept raw.
func readPart(raw []byte) llm.Part {
	var p llm.Part
	var kind llm.Escaped
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			kind = dialect.Text(&it)
		case "text", "refusal":
			p.Text = dialect.Text(&it)
		case "image_url", "file_url":
			p.Media.URL = base.ImageURL(it.Value())
		case "file_data":
			p.Media.Data = dialect.Text(&it)
		case "file_id":
			p.Media.File = dialect.Text(&it)
		case "filename":
			p.Media.Name = dialect.Text(&it)
		case "detail":
			p.Media.Detail = dialect.Text(&it)
		case "input_audio":
			p.Media = base.Audio(it.Value())
		case "annotations":
			p.Citations = readCitations(it.Value())
		case "prompt_cache_breakpoint":
			p.Cache = llm.Raw(dialect.Value(&it))
		case "logprobs":
		default:
			p.Extra = dialect.Keep(p.Extra, &it)
		}
	}
	if !complete(&p, kind) {
		return llm.Part{Kind: llm.OtherPart, Other: raw}
	}
	return p
}

// complete gives a part its kind and checks that it has what that needs.
func complete(p *llm.Part, kind llm.Escaped) bool {
	switch string(kind) {
	case "input_text", "output_text", "text", "summary_text":
		p.Kind = llm.TextPart
		return p.Text != nil
	case "refusal":
		p.Kind = llm.RefusalPart
		return p.Text != nil
	case "input_image":
		p.Kind = llm.ImagePart
		return byValue(&p.Media, &p.Media.URL, "")
	case "input_audio":
		p.Kind = llm.AudioPart
		return p.Media.Data != nil
	case "input_file":
		p.Kind = llm.DocumentPart
		return byValue(&p.Media, &p.Media.Data, "application/pdf")
	}
	return false
}

// byValue takes a data: URL apart and reports whether the media is there at all.
func byValue(m *llm.Media, url *llm.Escaped, bare string) bool {
	if mediaType, data, ok := dialect.DataURL(*url); ok {
		m.URL, m.Type, m.Data = nil, mediaType, data
	} else if m.Data != nil {
		m.Type = llm.Escaped(bare)
	}
	return len(m.URL) > 0 || len(m.Data) > 0 || len(m.File) > 0
}

func readCitations(list []byte) []llm.Citation {
	var all []llm.Citation
	for it := jsonx.Elements(list); it.Next(); {
		if c := base.ReadCitation(it.Value()); len(c.URL) > 0 {
			all = append(all, c)
		}
	}
	return all
}
