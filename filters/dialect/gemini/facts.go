package gemini

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// maxChoices is the most candidates that one request may ask for.
const maxChoices = 128

// Facts reads what deciding needs. TextBytes is the body without the data of
// media, but for a 64th of audio's: the thinnest encoding has more than a hundred
// bytes for each token. Usage is in every answer.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := chatMembers(doc)
	f := m.facts(c)
	contents := m.array(kContents)
	if contents == nil {
		m.fail("missing_required_parameter", "contents", "* GenerateContentRequest.contents: contents is not specified")
	}
	m.options(&f, m.object(kGeneration))
	f.TextBytes, f.Opening = len(doc.Body())-weigh(&f, contents), dialect.Opening(contents, doc.Raw(kSystem))
	if m.array(kTools) != nil {
		f.Tools = countTools(m.array(kTools))
		f.Needs |= llm.NeedTools
	}
	if m.raw(kCached, jsonx.String) != nil {
		f.Needs |= llm.NeedState
	}
	return f, m.err
}

func (m *members) facts(c dialect.Call) llm.Facts {
	f := llm.Facts{Operation: c.Operation, Model: c.Model, Stream: c.Stream, Form: c.Form, Choices: 1, WantsUsage: true}
	if f.Stream {
		f.Needs |= llm.NeedStream
	}
	return f
}

func (m *members) options(f *llm.Facts, generation []byte) {
	for it := jsonx.Members(generation); it.Next(); {
		switch field(&it) {
		case "maxOutputTokens":
			f.MaxTokens = max(count(it.Value()), 0)
			if it.Kind() != jsonx.Null && number(it.Value()) == "" {
				m.fail("invalid_type", "generationConfig.maxOutputTokens", "Invalid value at 'generation_config.max_output_tokens': expected a number.")
			}
		case "candidateCount":
			if it.Kind() == jsonx.Null {
				continue
			}
			if f.Choices = count(it.Value()); f.Choices < 1 || f.Choices > maxChoices {
				m.fail("invalid_value", "generationConfig.candidateCount", "Invalid value at 'generation_config.candidate_count': expected an integer from 1 to 128.")
				f.Choices = 1
			}
		case "responseSchema", "responseJsonSchema":
			f.Needs |= llm.NeedSchema
		case "thinkingConfig":
			if count(get(it.Value(), "thinkingBudget")) > 0 || getText(it.Value(), "thinkingLevel") != nil {
				f.Needs |= llm.NeedReasoning
			}
		}
	}
}

func countTools(tools []byte) int {
	n := 0
	for it := jsonx.Elements(tools); it.Next(); {
		for member := jsonx.Members(it.Value()); member.Next(); {
			if field(&member) != "functionDeclarations" {
				n++
				continue
			}
			for d := jsonx.Elements(member.Value()); d.Next(); {
				n++
			}
		}
	}
	return n
}

// weigh notes the media of a conversation, and returns the bytes of it that are no text.
func weigh(f *llm.Facts, contents []byte) (data int) {
	for turn := jsonx.Elements(contents); turn.Next(); {
		for part := jsonx.Elements(get(turn.Value(), "parts")); part.Next(); {
			data += weighPart(f, part.Value())
		}
	}
	return data
}

func weighPart(f *llm.Facts, part []byte) (data int) {
	for it := jsonx.Members(part); it.Next(); {
		switch field(&it) {
		case "inlineData", "fileData":
			size := len(getText(it.Value(), "data"))
			switch kind := mediaKind(getText(it.Value(), "mimeType")); kind {
			case llm.ImagePart:
				f.Images++
				f.Needs |= llm.NeedImages
			case llm.AudioPart:
				f.Needs |= llm.NeedAudio
				size -= size / 64
			case llm.VideoPart:
				f.Needs |= llm.NeedVideo
			default:
				f.Needs |= llm.NeedDocuments
				size = 0 // text may be among it
			}
			data += size
			if uri := getText(it.Value(), "fileUri"); bytes.Contains(uri, host) && bytes.Contains(uri, files) {
				f.Needs |= llm.NeedState
			}
		case "functionResponse":
			for in := jsonx.Elements(get(it.Value(), "parts")); in.Next(); {
				data += weighPart(f, in.Value())
			}
		}
	}
	return data
}

// A file that was sent to the API before is at one of its own URIs.
var host, files = []byte("generativelanguage.googleapis.com"), []byte("files")

// mediaKind is what a medium of a type is; what is neither image, audio nor video
// is a document.
func mediaKind(mediaType llm.Escaped) llm.PartKind {
	major, _, _ := bytes.Cut(mediaType, []byte("/"))
	switch string(bytes.TrimSuffix(major, []byte(`\`))) {
	case "image":
		return llm.ImagePart
	case "audio":
		return llm.AudioPart
	case "video":
		return llm.VideoPart
	}
	return llm.DocumentPart
}
