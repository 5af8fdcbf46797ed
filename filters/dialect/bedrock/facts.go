package bedrock

import (
	"math"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of a request that have a place in the vocabulary.
// Having one of them twice is refused.
const (
	kMessages = iota
	kSystem
	kInference
	kTools
	kMore
	kOutput
	kTier
	kMetadata
)

var inspected = jsonx.NewKeys("messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields",
	"outputConfig", "serviceTier", "requestMetadata")

// Recognise knows Converse and ConverseStream, and the list of models, which AWS
// answers on another host.
func (*client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	if l.Method == "GET" && l.Path == "/foundation-models" {
		return dialect.Call{Operation: llm.Models}, true
	}
	model, action, ok := aws.Action(l.Path)
	call := dialect.Call{Operation: llm.Chat, Model: model, Stream: action == "converse-stream"}
	return call, ok && l.Method == "POST" && (call.Stream || action == "converse")
}

// Inspected lists the members that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

// members reads top-level members and keeps the first error.
type members struct {
	doc *jsonx.Document
	err *llm.Error
}

// get returns a value of the given kind; nil when it is absent or null.
func (m *members) get(k int, kind jsonx.Kind) []byte {
	v, ok := m.doc.Get(k)
	if !ok || v.Kind == jsonx.Null {
		return nil
	}
	if v.Kind != kind && m.err == nil {
		name := inspected.Name(k)
		m.err = dialect.Invalid("invalid_type", name, "The value at "+name+" must be an "+kind.String()+".")
	}
	if v.Kind != kind {
		return nil
	}
	return v.Raw(m.doc.Body())
}

// Facts reads what deciding needs. TextBytes is the body without the bytes of
// media. Usage is in every answer, asked for or not.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := members{doc: doc}
	f := llm.Facts{Operation: c.Operation, Model: c.Model, Stream: c.Stream, Choices: 1, WantsUsage: true}
	if f.Model == "" {
		return f, dialect.Invalid("missing_required_parameter", "modelId", "The path names no model.")
	}
	if m.get(kMessages, jsonx.Array) == nil && m.err == nil {
		m.err = dialect.Invalid("missing_required_parameter", "messages", "A conversation needs at least one message.")
	}
	f.MaxTokens = maxTokens(m.get(kInference, jsonx.Object))
	tools, _ := jsonx.Lookup(m.get(kTools, jsonx.Object), "tools")
	for it := jsonx.Elements(tools); it.Next(); {
		if _, point := jsonx.Lookup(it.Value(), "cachePoint"); !point {
			f.Tools++
		}
	}
	s := survey{facts: &f}
	s.turns(m.get(kMessages, jsonx.Array))
	f.TextBytes, f.Opening = len(doc.Body())-s.data, dialect.Opening(doc.Raw(kMessages), doc.Raw(kSystem))
	m.needs(&f)
	return f, m.err
}

func (m *members) needs(f *llm.Facts) {
	if f.Tools > 0 {
		f.Needs |= llm.NeedTools
	}
	if f.Images > 0 {
		f.Needs |= llm.NeedImages
	}
	if f.Stream {
		f.Needs |= llm.NeedStream
	}
	if _, ok := jsonx.Lookup(m.get(kOutput, jsonx.Object), "textFormat"); ok {
		f.Needs |= llm.NeedSchema
	}
	if asked := thinkingOf(m.get(kMore, jsonx.Object)); asked != nil && !asked.Off {
		f.Needs |= llm.NeedReasoning
	}
}

func maxTokens(inference []byte) int {
	raw, _ := jsonx.Lookup(inference, "maxTokens")
	n, _ := jsonx.Int(raw)
	return int(min(max(n, 0), math.MaxInt32))
}

// survey counts the media of a conversation, in tool results too, and their bytes.
type survey struct {
	facts *llm.Facts
	data  int
}

func (s *survey) turns(list []byte) {
	for it := jsonx.Elements(list); it.Next(); {
		content, _ := jsonx.Lookup(it.Value(), "content")
		s.blocks(content)
	}
}

func (s *survey) blocks(list []byte) {
	for it := jsonx.Elements(list); it.Next(); {
		for m := jsonx.Members(it.Value()); m.Next(); {
			switch string(dialect.Name(&m)) {
			case "image":
				s.facts.Images++
			case "document":
				s.facts.Needs |= llm.NeedDocuments
			case "video":
				s.facts.Needs |= llm.NeedVideo
			case "audio":
				s.facts.Needs |= llm.NeedAudio
			case "toolResult":
				content, _ := jsonx.Lookup(m.Value(), "content")
				s.blocks(content)
				continue
			default:
				continue
			}
			data, _ := jsonx.Lookup(m.Value(), "source", "bytes")
			s.data += len(jsonx.Interior(data))
		}
	}
}
