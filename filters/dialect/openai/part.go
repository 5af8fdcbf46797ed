package openai

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// fill gives a part its kind and its content.
func fill(part *llm.Part, kind llm.Escaped, body []byte) bool {
	switch string(kind) {
	case "text":
		part.Kind, part.Text = llm.TextPart, llm.Escaped(jsonx.Interior(body))
		return part.Text != nil
	case "refusal":
		part.Kind, part.Text = llm.RefusalPart, llm.Escaped(jsonx.Interior(body))
		return part.Text != nil
	case "thinking":
		part.Kind, part.Text = llm.ReasoningPart, thinking(body)
		return part.Text != nil
	case "image_url":
		part.Kind, part.Media = llm.ImagePart, image(body)
	case "input_audio":
		part.Kind, part.Media = llm.AudioPart, audio(body)
	case "file":
		part.Kind, part.Media = llm.DocumentPart, file(body)
	default:
		return false
	}
	return part.Media.URL != nil || part.Media.Data != nil || part.Media.File != nil
}

// thinking joins the texts of Mistral's thinking part; a part with one text, as
// it comes, is not copied.
func thinking(body []byte) llm.Escaped {
	if jsonx.KindOf(body) == jsonx.String {
		return llm.Escaped(jsonx.Interior(body))
	}
	var out llm.Escaped
	for it := jsonx.Elements(body); it.Next(); {
		raw, _ := jsonx.Lookup(it.Value(), "text")
		if text := jsonx.Interior(raw); out == nil {
			out = llm.Escaped(text)
		} else {
			out = append(out[:len(out):len(out)], text...)
		}
	}
	return out
}

// image reads {"url", "detail"}, or a bare URL.
func image(body []byte) llm.Media {
	var m llm.Media
	m.URL = imageURL(body)
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

// audio reads {"data", "format"}.
func audio(body []byte) llm.Media {
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

func audioFormat(mediaType llm.Escaped) string {
	for _, t := range audioTypes {
		if jsonx.Equal(mediaType, t.mediaType) {
			return t.format
		}
	}
	return ""
}

// file reads {"file_data", "file_id", "filename"}; the data is a data: URL, or
// bare base64 of a PDF.
func file(body []byte) llm.Media {
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
