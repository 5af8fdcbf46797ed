package openai

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// plainDepth is how deep messages nest whose contents are all strings: only
// deeper ones are looked through for media.
const plainDepth = 2

// Facts reads what deciding needs. TextBytes is the body without the data of
// images, and with a 64th of the data of audio: the thinnest audio encoding has
// more than a hundred bytes for each token.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	f := llm.Facts{Operation: c.Operation, Model: c.Model, Choices: 1}
	m := read(doc)
	f.Model = m.Model(kModel, c.Model)
	messages := m.Array(kMessages)
	if messages == nil {
		m.Fail(base.Missing("messages"))
	}
	f.Stream, _ = m.Flag(kStream)
	f.WantsUsage = m.wantsUsage()
	f.MaxTokens = m.maxTokens()
	f.Choices = m.choices(kN)
	f.Tools = base.Length(m.Array(kTools)) + base.Length(m.Array(kFunctions))
	f.User = m.User(kUser, kSafetyID)
	f.TextBytes, f.Opening = len(doc.Body()), dialect.Opening(messages, nil)
	if doc.Depth(kMessages) > plainDepth {
		f.TextBytes -= media(messages, &f)
	}
	m.needs(&f)
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
	if kind, _ := jsonx.Lookup(m.Object(kFormat), "type"); jsonx.Equal(jsonx.Interior(kind), "json_schema") {
		f.Needs |= llm.NeedSchema
	}
	if effort := m.Text(kEffort); len(effort) > 0 && !jsonx.Equal(effort, "none") {
		f.Needs |= llm.NeedReasoning
	}
}

func (m *members) wantsUsage() bool {
	raw, _ := jsonx.Lookup(m.Object(kStreamOptions), "include_usage")
	wants, _ := jsonx.Bool(raw)
	return wants
}

// maxTokens is the larger of the two bounds; servers that take both differ in
// which one counts. Zero and less bound nothing.
func (m *members) maxTokens() int {
	return max(m.Count(kMaxTokens), m.Count(kMaxCompletionTokens), 0)
}

func (m *members) choices(k int) int {
	if _, _, ok := m.Get(k); !ok {
		return 1
	}
	n := m.Count(k)
	if n < 1 || n > base.MaxChoices {
		m.Fail(dialect.Invalid("invalid_value", "n", "Invalid 'n': expected an integer from 1 to 128."))
	}
	return min(max(n, 1), base.MaxChoices)
}

// media notes the media of a conversation and returns the bytes of it that are
// no text.
func media(messages []byte, f *llm.Facts) (data int) {
	for turn := jsonx.Elements(messages); turn.Next(); {
		for it := jsonx.Members(turn.Value()); it.Next(); {
			if it.Kind() == jsonx.Array && it.KeyIs("content") {
				data += partsMedia(it.Value(), f)
			}
		}
	}
	return data
}

func partsMedia(parts []byte, f *llm.Facts) (data int) {
	for part := jsonx.Elements(parts); part.Next(); {
		for it := jsonx.Members(part.Value()); it.Next(); {
			switch {
			case it.KeyIs("image_url"):
				f.Images++
				f.Needs |= llm.NeedImages
				_, d, _ := dialect.DataURL(base.ImageURL(it.Value()))
				data += len(d)
			case it.KeyIs("input_audio"):
				f.Needs |= llm.NeedAudio
				d, _ := jsonx.Lookup(it.Value(), "data")
				data += len(d) - len(d)/64
			case it.KeyIs("file"):
				f.Needs |= llm.NeedDocuments
				if _, ok := jsonx.Lookup(it.Value(), "file_id"); ok {
					f.Needs |= llm.NeedState
				}
			}
		}
	}
	return data
}
