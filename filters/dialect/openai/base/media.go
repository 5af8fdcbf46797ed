package base

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/schema"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// ImageURL reads both forms: {"url": …}, and a bare string, which some servers take.
func ImageURL(raw []byte) llm.Escaped {
	if jsonx.KindOf(raw) == jsonx.Object {
		raw, _ = jsonx.Lookup(raw, "url")
	}
	return llm.Escaped(jsonx.Interior(raw))
}

// Image reads {"url", "detail"}, or a bare URL.
func Image(body []byte) llm.Media {
	var m llm.Media
	m.URL = ImageURL(body)
	if detail, ok := jsonx.Lookup(body, "detail"); ok {
		m.Detail = llm.Escaped(jsonx.Interior(detail))
	}
	if mediaType, data, ok := dialect.DataURL(m.URL); ok {
		m.URL, m.Type, m.Data = nil, mediaType, data
	}
	return m
}

// audioTypes pairs OpenAI's names of audio formats with media types.
var audioTypes = []struct{ format, mediaType string }{
	{"wav", "audio/wav"},
	{"mp3", "audio/mpeg"},
	{"flac", "audio/flac"},
	{"opus", "audio/opus"},
	{"pcm16", "audio/pcm"},
	{"aac", "audio/aac"},
	{"ogg", "audio/ogg"},
	{"m4a", "audio/mp4"},
}

// Audio reads {"data", "format"}.
func Audio(body []byte) llm.Media {
	var m llm.Media
	for it := jsonx.Members(body); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "data":
			m.Data = dialect.Text(&it)
		case "format":
			m.Type = audioType(dialect.Text(&it))
		}
	}
	return m
}

func audioType(format llm.Escaped) llm.Escaped {
	for _, t := range audioTypes {
		if jsonx.Equal(format, t.format) {
			return llm.Escaped(t.mediaType)
		}
	}
	return append(llm.Escaped("audio/"), format...)
}

// AudioFormat is OpenAI's name of a media type; empty when it has none.
func AudioFormat(mediaType llm.Escaped) string {
	for _, t := range audioTypes {
		if jsonx.Equal(mediaType, t.mediaType) {
			return t.format
		}
	}
	return ""
}

// File reads {"file_data", "file_id", "filename"}; the data is a data: URL, or
// bare base64 of a PDF.
func File(body []byte) llm.Media {
	var m llm.Media
	for it := jsonx.Members(body); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "file_data":
			m.Data = dialect.Text(&it)
		case "file_id":
			m.File = dialect.Text(&it)
		case "filename":
			m.Name = dialect.Text(&it)
		}
	}
	if mediaType, data, ok := dialect.DataURL(m.Data); ok {
		m.Type, m.Data = mediaType, data
	} else if m.Data != nil {
		m.Type = llm.Escaped("application/pdf")
	}
	return m
}

// WriteDataURL appends the media as a data: URL; fallback is its type when that
// is not known.
//
//go:noinline
func WriteDataURL(w *dialect.Writer, name string, m *llm.Media, fallback string) {
	mediaType := m.Type
	if len(mediaType) == 0 {
		mediaType = llm.Escaped(fallback)
	}
	w.StartText(name)
	w.B = append(w.B, "data:"...)
	w.B = append(w.B, mediaType...)
	w.B = append(w.B, ";base64,"...)
	w.B = append(w.B, m.Data...)
	w.EndText()
}

// WriteSchema appends the members that the two forms of a JSON schema have in
// common.
func WriteSchema(w *dialect.Writer, f *llm.Format, l *dialect.Ledger) {
	if len(f.Name) > 0 {
		w.Text("name", f.Name)
	} else {
		w.Word("name", "answer")
	}
	if len(f.Description) > 0 {
		w.Text("description", f.Description)
	}
	own, strict := strictly(f)
	w.Raw("schema", own)
	switch {
	case strict:
		w.Literal("strict", "true")
	case f.Strict:
		l.Default("response_format/json_schema/strict", "the schema is none that strict mode takes")
	}
}

// strictly is the schema as strict mode takes it, where it does without a loss: other
// APIs keep to schemas that leave objects open. One with references is what its client
// says it is.
func strictly(f *llm.Format) (own []byte, strict bool) {
	if !f.Strict || bytes.Contains(f.Schema, []byte(`"$ref"`)) {
		return f.Schema, f.Strict
	}
	var losses dialect.Ledger
	closed, err := schema.Strict.Lower(nil, f.Schema, "", &losses)
	if err != nil || len(losses.Entries) > 0 {
		return f.Schema, false
	}
	return closed, true
}

// ReadSchema reads what the two forms of a JSON schema have in common.
func ReadSchema(raw []byte) *llm.Format {
	f := &llm.Format{}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "name":
			f.Name = dialect.Text(&it)
		case "description":
			f.Description = dialect.Text(&it)
		case "schema":
			f.Schema = llm.Raw(dialect.Value(&it))
		case "strict":
			f.Strict, _ = jsonx.Bool(it.Value())
		}
	}
	return f
}
