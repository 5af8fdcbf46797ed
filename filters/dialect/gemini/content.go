package gemini

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// unsigned stands for a thought signature that was lost on the way from another
// API (documentation, thought signatures, FAQ).
const unsigned = "skip_thought_signature_validator"

// part writes a part and returns how many of the API it became.
func (e *encoder) part(p *llm.Part) int {
	n := 0
	if p.Kind == llm.ReasoningPart {
		return e.reasoning(p)
	}
	if len(e.carry) > 0 && (p.Kind != llm.ToolCallPart || own(p) != nil) {
		n = e.release()
	}
	if p.Cache != nil {
		e.l.Drop("messages/*/content/*/cache_control", "caching is the provider's own")
	}
	if len(p.Citations) > 0 {
		e.l.Drop("messages/*/content/*/citations", "turns cite nothing")
	}
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		if len(p.Text) == 0 && own(p) == nil {
			return n
		}
		e.w.Open('{')
		e.w.Text("text", p.Text)
		e.sign(own(p))
		e.w.Close('}')
	case llm.ToolCallPart:
		e.call(p)
	case llm.ToolResultPart:
		return n + e.result(&p.Result)
	case llm.ImagePart, llm.AudioPart, llm.VideoPart, llm.DocumentPart:
		e.w.Open('{')
		e.media(p.Kind, &p.Media)
		e.w.Close('}')
	default:
		e.refuse(e.param("content"), "A part of this type")
	}
	return n + 1
}

// own is a part's signature if this API made it.
func own(p *llm.Part) llm.Escaped {
	if p.Origin != name || len(p.Signature) == 0 {
		return nil
	}
	return p.Signature
}

func (e *encoder) sign(sign llm.Escaped) {
	if len(sign) > 0 {
		e.w.Text("thoughtSignature", sign)
	}
}

// reasoning writes the API's own thoughts. An opaque one is the signature of the
// part behind it, which had to travel apart.
func (e *encoder) reasoning(p *llm.Part) int {
	sign := own(p)
	switch {
	case sign == nil:
		e.l.Drop("messages/*/content/*/reasoning", "only its maker can read it")
		return 0
	case p.Redacted:
		n := e.release()
		e.carry = sign
		return n
	}
	n := e.release()
	e.w.Open('{')
	e.w.Text("text", p.Text)
	e.w.Literal("thought", "true")
	e.sign(sign)
	e.w.Close('}')
	return n + 1
}

// release writes a signature that no call came for as a part of its own, as the
// API ends its streams.
func (e *encoder) release() int {
	if len(e.carry) == 0 {
		return 0
	}
	e.w.Open('{')
	e.w.Word("text", "")
	e.sign(e.carry)
	e.w.Close('}')
	e.carry = nil
	return 1
}

// call writes a functionCall. Of parallel calls the first is signed.
func (e *encoder) call(p *llm.Part) {
	sign := own(p)
	if sign == nil {
		sign, e.carry = e.carry, nil
	}
	if sign == nil && !e.called && e.model.levels {
		sign = llm.Escaped(unsigned)
	}
	e.called = true
	e.w.Open('{')
	e.w.Object("functionCall")
	e.id(p.Call.ID)
	e.w.Text("name", p.Call.Name)
	e.w.Key("args")
	b, ok := dialect.AppendInput(e.w.B, &p.Call)
	if !ok && e.err == nil {
		e.err = dialect.Invalid("invalid_value", e.param("tool_calls"), "The arguments of a tool call are not a JSON object.")
	}
	e.w.B = b
	e.w.Close('}')
	e.sign(sign)
	e.w.Close('}')
}

// id writes the id of a call. Vertex pairs by order, and knows ids only since Gemini 3.
func (e *encoder) id(id llm.Escaped) {
	if len(id) > 0 && (e.t.Flavour != vertex || e.model.levels) {
		e.w.Text("id", id)
	}
}

// result writes a functionResponse, and returns the number of parts. Its media are
// parts within it since Gemini 3, and come behind it for the models before.
func (e *encoder) result(r *llm.ToolResult) int {
	name, known := e.names[string(r.ID)]
	if !known {
		name = r.Name
	}
	if len(name) == 0 && e.err == nil {
		e.err = dialect.Invalid("invalid_value", e.param("tool_call_id"), "The tool result has no call that it answers.")
	}
	e.w.Open('{')
	e.w.Object("functionResponse")
	e.id(r.ID)
	e.w.Text("name", name)
	e.response(r)
	if e.model.levels && hasMedia(r.Parts) {
		e.w.Array("parts")
		e.resultMedia(r.Parts)
		e.w.Close(']')
	}
	e.w.Close('}')
	e.w.Close('}')
	if e.model.levels || !hasMedia(r.Parts) {
		return 1
	}
	e.l.Default("messages/*/content/*/tool_result/media", "they stand behind the result")
	return 1 + e.resultMedia(r.Parts)
}

func hasMedia(parts []llm.Part) bool {
	for i := range parts {
		if parts[i].Kind != llm.TextPart {
			return true
		}
	}
	return false
}

func (e *encoder) resultMedia(parts []llm.Part) int {
	n := 0
	for i := range parts {
		if p := &parts[i]; p.Kind != llm.TextPart {
			n += e.part(p)
		}
	}
	return n
}

// response writes what a tool gave as an object.
func (e *encoder) response(r *llm.ToolResult) {
	e.w.Key("response")
	start := len(e.w.B)
	texts := 0
	for i := range r.Parts {
		if p := &r.Parts[i]; p.Kind == llm.TextPart {
			e.w.B = jsonx.Unescape(e.w.B, p.Text)
			texts++
		}
	}
	raw := bytes.TrimSpace(e.w.B[start:])
	if !r.Error && texts == 1 && len(raw) > 0 && raw[0] == '{' && jsonx.Valid(raw, jsonx.Limits{}) == nil {
		e.w.B = append(e.w.B[:start], raw...)
		return
	}
	e.w.B = append(e.w.B[:start], '{')
	member := "output"
	if r.Error {
		member = "error"
	}
	if !e.w.Joined(member, r.Parts, llm.TextPart) {
		e.w.Word(member, "")
	}
	e.w.Close('}')
}

// media writes inlineData or fileData.
func (e *encoder) media(kind llm.PartKind, m *llm.Media) {
	if len(m.Detail) > 0 {
		e.l.Drop("messages/*/content/*/image_url/detail", "resolution is set for the whole request here")
	}
	if len(m.Name) > 0 && e.t.Flavour != vertex {
		e.l.Drop("messages/*/content/*/file/filename", "media have no names")
	}
	uri := m.URL
	if m.Data != nil {
		e.w.Object("inlineData")
		e.mime(kind, m, nil)
		e.w.Text("data", m.Data)
	} else {
		if uri == nil && bytes.Contains(m.File, []byte("//")) {
			uri = m.File
		}
		if uri == nil {
			e.refuse(e.param("content"), "A medium by another provider's file id")
		}
		e.w.Object("fileData")
		e.mime(kind, m, uri)
		e.w.Text("fileUri", uri)
	}
	if len(m.Name) > 0 && e.t.Flavour == vertex {
		e.w.Text("displayName", m.Name)
	}
	e.w.Close('}')
}

// mediaTypes are those of names of files, and the one of each kind that stands in
// where nothing tells.
var mediaTypes = []struct{ suffix, mediaType string }{
	{".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".webp", "image/webp"}, {".gif", "image/gif"},
	{".heic", "image/heic"}, {".mp3", "audio/mp3"}, {".wav", "audio/wav"}, {".flac", "audio/flac"}, {".ogg", "audio/ogg"},
	{".mp4", "video/mp4"}, {".mov", "video/mov"}, {".webm", "video/webm"}, {".pdf", "application/pdf"},
	{".txt", "text/plain"}, {".html", "text/html"}, {".csv", "text/csv"}, {".md", "text/markdown"},
}

// mime writes the type of a medium, which the API requires.
func (e *encoder) mime(kind llm.PartKind, m *llm.Media, uri llm.Escaped) {
	if len(m.Type) > 0 {
		e.w.Text("mimeType", m.Type)
		return
	}
	path, _, _ := bytes.Cut(uri, []byte("?"))
	for _, t := range mediaTypes {
		if n := len(path) - len(t.suffix); n > 0 && bytes.EqualFold(path[n:], []byte(t.suffix)) {
			e.w.Word("mimeType", t.mediaType)
			return
		}
	}
	e.l.Default("messages/*/content/*/media_type", "it is guessed")
	switch kind {
	case llm.AudioPart:
		e.w.Word("mimeType", "audio/mp3")
	case llm.VideoPart:
		e.w.Word("mimeType", "video/mp4")
	case llm.DocumentPart:
		e.w.Word("mimeType", "application/pdf")
	default:
		e.w.Word("mimeType", "image/jpeg")
	}
}
