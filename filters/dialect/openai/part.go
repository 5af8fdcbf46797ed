package openai

import (
	"github.com/posterngw/postern/filters/dialect/openai/base"
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
		part.Kind, part.Media = llm.ImagePart, base.Image(body)
	case "input_audio":
		part.Kind, part.Media = llm.AudioPart, base.Audio(body)
	case "file":
		part.Kind, part.Media = llm.DocumentPart, base.File(body)
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
