package anthropic

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// block writes a part as a content block and returns 1, or 0 for a part that has
// none: an empty text, or reasoning that the provider has not signed.
func (e *encoder) block(p *llm.Part) int {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		if len(p.Text) == 0 {
			return 0
		}
	case llm.ReasoningPart:
		if len(p.Signature) == 0 || !own(p.Origin) {
			e.forgotten()
			return 0
		}
	}
	e.w.Open('{')
	e.content(p)
	if p.Kind != llm.ReasoningPart { // the API takes no marker there
		e.cache(p.Cache)
	}
	e.w.Close('}')
	return 1
}

// plain reports whether a block is text without a marker or anything to drop.
func plain(p *llm.Part) bool {
	return (p.Kind == llm.TextPart || p.Kind == llm.RefusalPart) && p.Cache == nil && len(p.Citations) == 0
}

func (e *encoder) content(p *llm.Part) {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		e.w.Word("type", "text")
		e.w.Text("text", p.Text)
		if len(p.Citations) > 0 {
			e.l.Drop("messages/*/content/*/citations", "they are the model's to make")
		}
	case llm.ImagePart:
		if m := &p.Media; len(m.Detail) > 0 && !jsonx.Equal(m.Detail, "auto") {
			e.l.Drop("messages/*/content/*/image_url/detail", "the API has no levels of detail")
		}
		e.w.Word("type", "image")
		e.source(&p.Media, "image/png", "An image by file id")
	case llm.DocumentPart:
		e.document(&p.Media)
	case llm.ReasoningPart:
		e.reasoning(p)
	case llm.ToolCallPart:
		e.call(&p.Call)
	case llm.ToolResultPart:
		e.result(&p.Result)
	case llm.AudioPart:
		e.refuse(e.param("content"), "Audio")
	case llm.VideoPart:
		e.refuse(e.param("content"), "Video")
	default:
		e.refuse(e.param("content"), "A part of this type")
	}
}

// cache writes a prompt-cache marker. Of a client's marker in another dialect only
// that it is there counts, and a life of an hour.
func (e *encoder) cache(marker llm.Raw) {
	if marker == nil {
		return
	}
	e.w.Object("cache_control")
	e.w.Word("type", "ephemeral")
	ttl, _ := jsonx.Lookup(marker, "ttl")
	if jsonx.Equal(jsonx.Interior(ttl), "1h") {
		e.w.Word("ttl", "1h")
	}
	e.w.Close('}')
}

// source writes where a medium is.
func (e *encoder) source(m *llm.Media, fallback, byFile string) {
	e.w.Object("source")
	switch {
	case m.Data != nil:
		e.w.Word("type", "base64")
		if len(m.Type) > 0 {
			e.w.Text("media_type", m.Type)
		} else {
			e.w.Word("media_type", fallback)
		}
		e.w.Text("data", m.Data)
	case m.URL != nil:
		e.w.Word("type", "url")
		e.w.Text("url", m.URL)
	default:
		e.refuse(e.param("content"), byFile)
	}
	e.w.Close('}')
}

const pdf = "application/pdf"

func (e *encoder) document(m *llm.Media) {
	if m.Data != nil && len(m.Type) > 0 && !jsonx.Equal(m.Type, pdf) {
		e.refuse(e.param("content"), "A document that is not a PDF")
	}
	e.w.Word("type", "document")
	e.source(m, pdf, "A document by file id")
	if len(m.Name) > 0 {
		e.w.Text("title", m.Name)
	}
}

func (e *encoder) reasoning(p *llm.Part) {
	if p.Redacted {
		e.w.Word("type", "redacted_thinking")
		e.w.Text("data", p.Signature)
		return
	}
	e.w.Word("type", "thinking")
	e.w.Text("thinking", p.Text)
	e.w.Text("signature", p.Signature)
}

func (e *encoder) call(c *llm.ToolCall) {
	e.w.Word("type", "tool_use")
	e.id("id", c.ID)
	e.w.Text("name", c.Name)
	e.w.Key("input")
	b, ok := dialect.AppendInput(e.w.B, c)
	if !ok && e.err == nil {
		e.err = dialect.Invalid("invalid_value", e.param("tool_calls"), "The arguments of a tool call are not a JSON object.")
	}
	e.w.B = b
}

// id writes a tool call's id in the characters that the API takes
// (^[a-zA-Z0-9_-]+$), others as '_'.
func (e *encoder) id(name string, id llm.Escaped) {
	e.w.StartText(name)
	for _, c := range id {
		if !isIDByte(c) {
			c = '_'
		}
		e.w.B = append(e.w.B, c)
	}
	e.w.EndText()
}

func isIDByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func (e *encoder) result(r *llm.ToolResult) {
	e.w.Word("type", "tool_result")
	e.id("tool_use_id", r.ID)
	start := len(e.w.B)
	e.w.Array("content")
	n := 0
	for i := range r.Parts {
		n += e.block(&r.Parts[i])
	}
	if n == 0 {
		e.w.B = e.w.B[:start]
	} else {
		e.w.Close(']')
	}
	if r.Error {
		e.w.Literal("is_error", "true")
	}
}
