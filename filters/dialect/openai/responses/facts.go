package responses

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of a request that have a place in the vocabulary or
// that must be looked at.
const (
	kModel = iota
	kInput
	kInstructions
	kStream
	kMaxOutput
	kTools
	kToolChoice
	kParallel
	kTemperature
	kTopP
	kTopLogprobs
	kText
	kReasoning
	kMetadata
	kTier
	kInclude
	kUser
	kSafetyID
	kPrevious
	kConversation
	kPrompt
	kBackground
	kStore
	kTruncation
)

var inspected = jsonx.NewKeys(
	"model", "input", "instructions", "stream", "max_output_tokens", "tools", "tool_choice", "parallel_tool_calls",
	"temperature", "top_p", "top_logprobs", "text", "reasoning", "metadata", "service_tier", "include", "user",
	"safety_identifier", "previous_response_id", "conversation", "prompt", "background", "store", "truncation",
)

// Inspected lists the members that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

type members struct{ base.Members }

func read(doc *jsonx.Document) *members {
	return &members{base.Members{Doc: doc, Keys: inspected}}
}

// Facts reads what deciding needs. TextBytes is the body without the data of
// images, and with a 64th of the data of audio.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	f := llm.Facts{Operation: c.Operation, Choices: 1, WantsUsage: true}
	m := read(doc)
	f.Model = m.Model(kModel, c.Model)
	f.Stream, _ = m.Flag(kStream)
	f.MaxTokens = max(m.Count(kMaxOutput), 0)
	f.Tools = base.Length(m.Array(kTools))
	f.User = m.User(kUser, kSafetyID)
	v, input, ok := m.Get(kInput)
	if ok && v.Kind != jsonx.String && v.Kind != jsonx.Array {
		m.Wrong(kInput, "a string or an array of items")
	}
	f.TextBytes, f.Opening = len(doc.Body())-media(input, &f), dialect.Opening(input, doc.Raw(kInstructions))
	m.needs(&f)
	if !ok && f.Needs&llm.NeedState == 0 {
		m.Fail(base.Missing("input"))
	}
	return f, m.Err
}

// needs are the abilities that the options ask for.
func (m *members) needs(f *llm.Facts) {
	if f.Tools > 0 {
		f.Needs |= llm.NeedTools
	}
	if f.Stream {
		f.Needs |= llm.NeedStream
	}
	if kind, _ := jsonx.Lookup(m.Object(kText), "format", "type"); jsonx.Equal(jsonx.Interior(kind), "json_schema") {
		f.Needs |= llm.NeedSchema
	}
	if m.Object(kReasoning) != nil {
		f.Needs |= llm.NeedReasoning
	}
	for _, k := range [...]int{kPrevious, kConversation, kPrompt} {
		if _, _, ok := m.Get(k); ok {
			f.Needs |= llm.NeedState
		}
	}
}

// media notes the media and the references of the input, and returns the bytes
// of it that are no text.
func media(input []byte, f *llm.Facts) (data int) {
	for item := jsonx.Elements(input); item.Next(); {
		for it := jsonx.Members(item.Value()); it.Next(); {
			switch {
			case it.Kind() == jsonx.Array && (it.KeyIs("content") || it.KeyIs("output")):
				data += contentMedia(it.Value(), f)
			case it.KeyIs("type") && jsonx.Equal(dialect.Text(&it), "item_reference"):
				f.Needs |= llm.NeedState
			}
		}
	}
	return data
}

func contentMedia(parts []byte, f *llm.Facts) (data int) {
	for part := jsonx.Elements(parts); part.Next(); {
		for it := jsonx.Members(part.Value()); it.Next(); {
			switch {
			case it.Kind() == jsonx.Null:
			case it.KeyIs("type"):
				f.Needs |= needOf(dialect.Text(&it))
				if jsonx.Equal(dialect.Text(&it), "input_image") {
					f.Images++
				}
			case it.KeyIs("image_url"):
				_, d, _ := dialect.DataURL(base.ImageURL(it.Value()))
				data += len(d)
			case it.KeyIs("file_id"):
				f.Needs |= llm.NeedState
			case it.KeyIs("input_audio"):
				d, _ := jsonx.Lookup(it.Value(), "data")
				data += len(d) - len(d)/64
			}
		}
	}
	return data
}

func needOf(kind llm.Escaped) llm.Needs {
	switch string(kind) {
	case "input_image":
		return llm.NeedImages
	case "input_audio":
		return llm.NeedAudio
	case "input_file":
		return llm.NeedDocuments
	}
	return 0
}
