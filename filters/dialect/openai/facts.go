package openai

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// maxUser bounds the end user's name that the facts keep, in bytes.
const maxUser = 256

// Facts reads what deciding needs. TextBytes is the body without the data of
// images, and with a 64th of the data of audio: the thinnest audio encoding has
// more than a hundred bytes for each token.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	f := llm.Facts{Operation: c.Operation, Model: c.Model, Choices: 1}
	m := members{doc: doc}
	f.Model = m.model(c.Model)
	messages := m.array(kMessages)
	if messages == nil && m.err == nil {
		m.err = missing("messages")
	}
	f.Stream, _ = m.flag(kStream)
	f.WantsUsage = m.wantsUsage()
	f.MaxTokens = m.maxTokens()
	f.Choices = m.choices()
	f.Tools = length(m.array(kTools)) + length(m.array(kFunctions))
	f.User = m.user()
	images, data := media(messages)
	f.Images = images
	f.TextBytes = len(doc.Body()) - data
	return f, m.err
}

func missing(name string) *llm.Error {
	return dialect.Invalid("missing_required_parameter", name, "Missing required parameter: '"+name+"'.")
}

func (m *members) model(path string) string {
	v := m.text(kModel)
	if len(v) == 0 {
		if path == "" && m.err == nil {
			m.err = missing("model")
		}
		return path
	}
	return dialect.Plain(v, len(v))
}

func (m *members) wantsUsage() bool {
	raw, _ := jsonx.Lookup(m.object(kStreamOptions), "include_usage")
	wants, _ := jsonx.Bool(raw)
	return wants
}

// maxTokens is the larger of the two bounds; servers that take both differ in
// which one counts. Zero and less bound nothing.
func (m *members) maxTokens() int {
	return max(m.count(kMaxTokens), m.count(kMaxCompletionTokens), 0)
}

func (m *members) choices() int {
	if _, _, ok := m.get(kN); !ok {
		return 1
	}
	n := m.count(kN)
	if (n < 1 || n > maxChoices) && m.err == nil {
		m.err = dialect.Invalid("invalid_value", "n", "Invalid 'n': expected an integer from 1 to 128.")
	}
	return min(max(n, 1), maxChoices)
}

func (m *members) user() string {
	v := m.text(kUser)
	if id := m.text(kSafetyID); len(v) == 0 {
		v = id
	}
	if len(v) == 0 {
		return ""
	}
	return dialect.Plain(v, maxUser)
}

// media counts the images of a conversation and the bytes of it that are no text.
func media(messages []byte) (images, data int) {
	for turn := jsonx.Elements(messages); turn.Next(); {
		for it := jsonx.Members(turn.Value()); it.Next(); {
			if it.Kind() == jsonx.Array && it.KeyIs("content") {
				n, d := partsMedia(it.Value())
				images += n
				data += d
			}
		}
	}
	return images, data
}

func partsMedia(parts []byte) (images, data int) {
	for part := jsonx.Elements(parts); part.Next(); {
		for it := jsonx.Members(part.Value()); it.Next(); {
			switch {
			case it.KeyIs("image_url"):
				images++
				_, d, _ := dialect.DataURL(imageURL(it.Value()))
				data += len(d)
			case it.KeyIs("input_audio"):
				d, _ := jsonx.Lookup(it.Value(), "data")
				data += len(d) - len(d)/64
			}
		}
	}
	return images, data
}

// imageURL reads both forms: {"url": …}, and a bare string, which some servers take.
func imageURL(raw []byte) llm.Escaped {
	if jsonx.KindOf(raw) == jsonx.Object {
		raw, _ = jsonx.Lookup(raw, "url")
	}
	return llm.Escaped(jsonx.Interior(raw))
}
