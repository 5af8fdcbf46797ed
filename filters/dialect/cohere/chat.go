package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

const chatPath = "/v2/chat"

type (
	chatClient   struct{ endpoint }
	chatProvider struct{ endpoint }
)

// Chat returns version 2's chat.
func Chat() *dialect.API {
	at := endpoint{llm.Chat, chatPath}
	return &dialect.API{Name: "chat", Operation: llm.Chat, Client: chatClient{at}, Provider: chatProvider{at}, Same: chatSame{}}
}

// Streams knows server-sent events.
func (chatProvider) Streams(mediaType string) bool { return mediaType == sse.MediaType }

// The members of a chat that have a place in the vocabulary.
const (
	kModel = iota
	kMessages
	kStream
	kMaxTokens
	kTools
	kToolChoice
	kStrictTools
	kDocuments
	kFormat
	kTemperature
	kP
	kK
	kSeed
	kFrequency
	kPresence
	kStop
	kThinking
	kLogprobs
)

var chatKeys = jsonx.NewKeys("model", "messages", "stream", "max_tokens", "tools", "tool_choice", "strict_tools", "documents",
	"response_format", "temperature", "p", "k", "seed", "frequency_penalty", "presence_penalty", "stop_sequences", "thinking", "logprobs")

// Inspected lists the members that must not occur twice.
func (chatClient) Inspected() *jsonx.Keys { return chatKeys }

// Facts reads what deciding needs. TextBytes is the body without the data of
// images. Usage is in every answer.
func (chatClient) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: chatKeys}
	f := llm.Facts{Operation: c.Operation, Choices: 1, WantsUsage: true, Model: m.Required(kModel)}
	messages := m.Array(kMessages)
	if messages == nil {
		m.Fail("missing_required_parameter", "messages", "'messages' is required")
	}
	f.Stream, f.MaxTokens, f.Tools = m.Flag(kStream), m.Count(kMaxTokens), dialect.Elements(m.Array(kTools))
	data := 0
	for turn := jsonx.Elements(messages); turn.Next(); {
		content, _ := jsonx.Lookup(turn.Value(), "content")
		n, bytes := images(content)
		f.Images, data = f.Images+n, data+bytes
	}
	f.TextBytes, f.Opening = len(doc.Body())-data, dialect.Opening(messages, nil)
	f.Needs = needs(&m, &f)
	return f, m.Err
}

func needs(m *dialect.Members, f *llm.Facts) (n llm.Needs) {
	add := func(is bool, need llm.Needs) {
		if is {
			n |= need
		}
	}
	add(f.Tools > 0, llm.NeedTools)
	add(f.Images > 0, llm.NeedImages)
	add(f.Stream, llm.NeedStream)
	_, schema := jsonx.Lookup(m.Object(kFormat), "json_schema")
	add(schema, llm.NeedSchema)
	kind, _ := jsonx.Lookup(m.Object(kThinking), "type")
	add(jsonx.Equal(jsonx.Interior(kind), "enabled"), llm.NeedReasoning)
	return n
}

// images counts the images of a content, and the bytes of their data.
func images(content []byte) (n, data int) {
	for part := jsonx.Elements(content); part.Next(); {
		if raw, ok := jsonx.Lookup(part.Value(), "image_url"); ok {
			m := image(raw)
			n, data = n+1, data+len(m.Data)
		}
	}
	return n, data
}

// image reads {"url", "detail"}, or a bare URL.
func image(raw []byte) llm.Media {
	m := llm.Media{URL: llm.Escaped(jsonx.Interior(raw))}
	if url, ok := jsonx.Lookup(raw, "url"); ok {
		m.URL = llm.Escaped(jsonx.Interior(url))
	}
	if detail, ok := jsonx.Lookup(raw, "detail"); ok {
		m.Detail = llm.Escaped(jsonx.Interior(detail))
	}
	if kind, data, ok := dialect.DataURL(m.URL); ok {
		m.URL, m.Type, m.Data = nil, kind, data
	}
	return m
}
