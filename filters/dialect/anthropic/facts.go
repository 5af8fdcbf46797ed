package anthropic

import (
	"math"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of a request that have a place in the vocabulary.
// Having one of them twice is refused.
const (
	kModel = iota
	kMessages
	kSystem
	kMaxTokens
	kStream
	kTools
	kToolChoice
	kMetadata
	kTemperature
	kTopP
	kTopK
	kStop
	kThinking
	kOutput
	kServiceTier
	kVersion
	kContainer
	kFormat
)

var inspected = jsonx.NewKeys("model", "messages", "system", "max_tokens", "stream", "tools", "tool_choice", "metadata",
	"temperature", "top_p", "top_k", "stop_sequences", "thinking", "output_config", "service_tier", "anthropic_version", "container", "output_format")

// Recognise knows messages, on Vertex too, and the list of models when the request names a
// version of this API: its line is OpenAI's, too.
func (*client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	switch {
	case l.Method == "POST" && l.Path == "/v1/messages":
		return dialect.Call{Operation: llm.Chat}, true
	case l.Method == "GET" && l.Header("anthropic-version") != "":
		return models(l.Path)
	}
	return onVertex(l)
}

// models reads the path of the list of models, or of one of them.
func models(path string) (dialect.Call, bool) {
	const root = "/v1/models"
	call := dialect.Call{Operation: llm.Models, Bare: true}
	if path == root {
		return call, true
	}
	var below bool
	call.Model, below = strings.CutPrefix(path, root+"/")
	return call, below && call.Model != ""
}

// Token reads x-api-key, and a bearer token, which the SDKs send where a user has
// a token instead of a key.
func (*client) Token(l *dialect.Line) (token, header string) {
	if key := l.Header("x-api-key"); key != "" {
		return key, "x-api-key"
	}
	if token = dialect.Bearer(l.Header); token != "" {
		return token, "authorization"
	}
	return "", ""
}

// Inspected lists the members that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

// plainDepth is how deep messages nest that are made of strings and of blocks of
// text: only deeper ones are looked through for images.
const plainDepth = 4

// members reads top-level members and keeps the first error.
type members struct {
	doc *jsonx.Document
	err *llm.Error
}

// raw returns a value of one of the given kinds; nil when it is absent or null.
func (m *members) raw(k int, want string, kinds ...jsonx.Kind) []byte {
	v, ok := m.doc.Get(k)
	if !ok || v.Kind == jsonx.Null {
		return nil
	}
	for _, kind := range kinds {
		if v.Kind == kind {
			return v.Raw(m.doc.Body())
		}
	}
	m.fail("invalid_type", inspected.Name(k), inspected.Name(k)+": Input should be "+want)
	return nil
}

func (m *members) fail(code, param, message string) {
	if m.err == nil {
		m.err = dialect.Invalid(code, param, message)
	}
}

func (m *members) array(k int) []byte  { return m.raw(k, "a valid list", jsonx.Array) }
func (m *members) object(k int) []byte { return m.raw(k, "an object", jsonx.Object) }

func (m *members) number(k int) llm.Number {
	return llm.Number(m.raw(k, "a valid number", jsonx.Number))
}

// Facts reads what deciding needs. TextBytes is the body without the data of
// images. Usage is in every answer, asked for or not.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := members{doc: doc}
	f := llm.Facts{Operation: c.Operation, Choices: 1, WantsUsage: true}
	if c.Model != "" {
		f.Model = c.Model
	} else if model := jsonx.Interior(m.raw(kModel, "a valid string", jsonx.String)); len(model) > 0 {
		f.Model = dialect.Plain(model, len(model))
	} else {
		m.fail("missing_required_parameter", "model", "model: Field required")
	}
	messages := m.array(kMessages)
	if messages == nil {
		m.fail("missing_required_parameter", "messages", "messages: Field required")
	}
	f.Stream, _ = jsonx.Bool(m.raw(kStream, "a valid boolean", jsonx.Boolean))
	f.Stream = f.Stream || c.Stream
	f.MaxTokens = m.maxTokens()
	for it := jsonx.Elements(m.array(kTools)); it.Next(); {
		f.Tools++
	}
	user, _ := jsonx.Lookup(m.object(kMetadata), "user_id")
	f.User = dialect.Plain(jsonx.Interior(user), maxUser)
	data := 0
	if doc.Depth(kMessages) > plainDepth {
		f.Images, data = media(messages, &f)
	}
	f.TextBytes, f.Opening = len(doc.Body())-data, dialect.Opening(messages, doc.Raw(kSystem))
	f.Needs = m.needs(&f)
	return f, m.err
}

// maxUser bounds the end user's name that the facts keep, in bytes.
const maxUser = 256

func (m *members) maxTokens() int {
	raw := m.raw(kMaxTokens, "a valid integer", jsonx.Number)
	if raw == nil {
		return 0
	}
	n, ok := jsonx.Int(raw)
	if !ok {
		m.fail("invalid_type", "max_tokens", "max_tokens: Input should be a valid integer")
	}
	return int(min(max(n, 0), math.MaxInt32))
}

// media counts the images of a conversation, in tool results too, and the bytes
// of their data. It notes what is given by the id of a file.
func media(turns []byte, f *llm.Facts) (images, data int) {
	for turn := jsonx.Elements(turns); turn.Next(); {
		for it := jsonx.Members(turn.Value()); it.Next(); {
			switch {
			case it.Kind() == jsonx.Array && it.KeyIs("content"):
				n, d := media(it.Value(), f)
				images, data = images+n, data+d
			case it.Kind() == jsonx.Object && it.KeyIs("source"):
				n, d := imageData(turn.Value(), it.Value())
				images, data = images+n, data+d
				if _, kept := jsonx.Lookup(it.Value(), "file_id"); kept {
					f.Needs |= llm.NeedState
				}
			}
		}
	}
	return images, data
}

func imageData(block, source []byte) (images, data int) {
	kind, _ := jsonx.Lookup(block, "type")
	if !jsonx.Equal(jsonx.Interior(kind), "image") {
		return 0, 0
	}
	raw, _ := jsonx.Lookup(source, "data")
	return 1, len(jsonx.Interior(raw))
}

// needs are the abilities that a request asks for, documents and schemas by a
// look at what it holds.
func (m *members) needs(f *llm.Facts) llm.Needs {
	n := f.Needs
	for _, x := range [...]struct {
		there bool
		need  llm.Needs
	}{
		{f.Tools > 0, llm.NeedTools}, {f.Images > 0, llm.NeedImages}, {f.Stream, llm.NeedStream},
		{m.object(kThinking) != nil, llm.NeedReasoning},
		{holds(m.array(kMessages), "document"), llm.NeedDocuments},
		{holds(m.array(kMessages), "container_upload") || m.container(), llm.NeedState},
	} {
		if x.there {
			n |= x.need
		}
	}
	if _, ok := m.schema(); ok {
		n |= llm.NeedSchema
	}
	return n
}

// schema is that of the answer: in output_config, or under the name that it had in
// the beta of structured outputs.
func (m *members) schema() ([]byte, bool) {
	if schema, ok := jsonx.Lookup(m.object(kOutput), "format", "schema"); ok {
		return schema, true
	}
	return jsonx.Lookup(m.object(kFormat), "schema")
}

// container reports whether a container is used that an earlier answer named.
func (m *members) container() bool {
	v, ok := m.doc.Get(kContainer)
	if !ok || v.Kind == jsonx.String {
		return ok
	}
	id, ok := jsonx.Lookup(v.Raw(m.doc.Body()), "id")
	return ok && jsonx.KindOf(id) == jsonx.String
}

// holds reports whether a conversation holds blocks of a type.
func holds(turns []byte, word string) bool {
	for turn := jsonx.Elements(turns); turn.Next(); {
		content, _ := jsonx.Lookup(turn.Value(), "content")
		for it := jsonx.Elements(content); it.Next(); {
			if kind, _ := jsonx.Lookup(it.Value(), "type"); jsonx.Equal(jsonx.Interior(kind), word) {
				return true
			}
		}
	}
	return false
}
