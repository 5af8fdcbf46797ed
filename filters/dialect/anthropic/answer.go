package anthropic

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of a message, of an event and of an error body.
const (
	mID = iota
	mModel
	mType
	mRole
	mContent
	mStopReason
	mStopSequence
	mUsage
	mError
	mIndex
	mBlock
	mDelta
	mMessage
)

var messageKeys = jsonx.NewKeys("id", "model", "type", "role", "content", "stop_reason", "stop_sequence", "usage",
	"error", "index", "content_block", "delta", "message")

// Decode reads a whole answer.
func (*provider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanMessage(&doc, body); err != nil {
		return nil, err
	}
	a := &llm.Answer{ID: interior(&doc, mID), Model: interior(&doc, mModel)}
	var c counts
	c.read(doc.Raw(mUsage))
	a.Usage = c.usage()
	choice := llm.Choice{Finish: stopReason(interior(&doc, mStopReason)), StopSequence: interior(&doc, mStopSequence)}
	for it := jsonx.Elements(doc.Raw(mContent)); it.Next(); {
		choice.Parts = append(choice.Parts, readBlock(it.Value()))
	}
	a.Choices = []llm.Choice{choice}
	for it := jsonx.Members(body); it.Next(); {
		if messageKeys.Find(it.Key()) < 0 {
			a.Extra = dialect.Keep(a.Extra, &it)
		}
	}
	return a, nil
}

func interior(doc *jsonx.Document, k int) llm.Escaped {
	return llm.Escaped(jsonx.Interior(doc.Raw(k)))
}

// scanMessage validates an answer that came with a status of success, and finds
// the error that it may be nevertheless.
func scanMessage(doc *jsonx.Document, body []byte) *llm.Error {
	if err := doc.Scan(body, messageKeys, jsonx.Limits{}); err != nil {
		return dialect.Malformed(err.Error())
	}
	if err := bodyError(doc); err != nil {
		return err
	}
	if jsonx.KindOf(doc.Raw(mContent)) != jsonx.Array {
		return dialect.Malformed("no content")
	}
	return nil
}

// readBlock reads a content block. Blocks of the provider's own tools, and
// unknown ones, are kept raw.
func readBlock(raw []byte) llm.Part {
	b := fields{keep: true}
	b.read(raw)
	part := llm.Part{Extra: b.extra}
	switch string(b.kind) {
	case "text":
		part.Kind, part.Text, part.Citations = llm.TextPart, b.text, readCitations(b.citations)
	case "thinking":
		part.Kind, part.Text = llm.ReasoningPart, b.thinking
		part.Origin, part.Signature = dialect.Unseal(dialectName, b.signature)
	case "redacted_thinking":
		part.Kind, part.Redacted = llm.ReasoningPart, true
		part.Origin, part.Signature = dialect.Unseal(dialectName, b.data)
	case "tool_use":
		part.Kind = llm.ToolCallPart
		part.Call = llm.ToolCall{ID: b.id, Name: b.name, Input: b.input}
	default:
		return llm.Part{Kind: llm.OtherPart, Other: raw}
	}
	return part
}

// fields are the members of a content block, or of a delta.
type fields struct {
	kind, text, thinking, signature, data, id, name, partial llm.Escaped
	input, citations, citation                               llm.Raw
	keep                                                     bool // extra is wanted
	extra                                                    []llm.Field
}

func (b *fields) read(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		if to := b.place(dialect.Name(&it)); to != nil {
			*to = dialect.Text(&it)
		} else if it.KeyIs("input") {
			b.input = it.Value()
		} else if it.KeyIs("citations") {
			b.citations = it.Value()
		} else if it.KeyIs("citation") {
			b.citation = it.Value()
		} else if b.keep && !it.KeyIs("cache_control") { // see readInput
			b.extra = dialect.Keep(b.extra, &it)
		}
	}
}

// place is where a member that is a string belongs; nil when it has no place.
func (b *fields) place(name []byte) *llm.Escaped {
	switch string(name) {
	case "type":
		return &b.kind
	case "text":
		return &b.text
	case "thinking":
		return &b.thinking
	case "signature":
		return &b.signature
	case "data":
		return &b.data
	case "id":
		return &b.id
	case "name":
		return &b.name
	case "partial_json":
		return &b.partial
	}
	return nil
}

// stopReason reads stop_reason; absent is NotFinished.
func stopReason(word llm.Escaped) llm.Finish {
	switch string(word) {
	case "":
		return llm.NotFinished
	case "end_turn", "stop_sequence":
		return llm.FinishStop
	case "max_tokens", "model_context_window_exceeded":
		return llm.FinishLength
	case "tool_use":
		return llm.FinishTool
	case "refusal":
		return llm.FinishRefusal
	case "pause_turn":
		return llm.FinishPause
	}
	return llm.FinishOther
}
