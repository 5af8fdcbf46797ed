package openai

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Request adds what must change: the model's name, the option that asks for
// usage, the bound on the output.
func (*same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	t := p.Target
	patchModel(e, doc, t)
	patchUsage(e, f, doc, p)
	if f.MaxTokens == 0 && t.MaxTokens > 0 {
		capTokens(e, doc, t)
	}
}

func patchModel(e *jsonx.Edits, doc *jsonx.Document, t *dialect.Target) {
	if t.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(kModel)), t.Model) {
		e.SetMember(doc, kModel, "model", jsonx.Quote(nil, t.Model))
	}
}

// patchUsage asks for usage in a stream where that must be asked for; a server
// that does not know the option is not sent it.
func patchUsage(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	if !base.FlavourOf(p.Target).Has(base.StreamOptions) {
		if _, ok := doc.Get(kStreamOptions); ok {
			e.RemoveMember(doc, kStreamOptions)
		}
		return
	}
	if f.Stream && p.Usage && !f.WantsUsage {
		askUsage(e, doc)
	}
}

// askUsage sets stream_options.include_usage and keeps the other options.
func askUsage(e *jsonx.Edits, doc *jsonx.Document) {
	v, ok := doc.Get(kStreamOptions)
	if !ok || v.Kind != jsonx.Object {
		e.SetMember(doc, kStreamOptions, "stream_options", []byte(`{"include_usage":true}`))
		return
	}
	members, found := 0, false
	for it := jsonx.Members(v.Raw(doc.Body())); it.Next(); members++ {
		if it.KeyIs("include_usage") {
			found = true
			at := v.Span.Start + it.Offset()
			e.Replace(jsonx.Span{Start: at, End: at + len(it.Value())}, []byte("true"))
		}
	}
	switch {
	case found:
	case members == 0:
		e.Insert(v.Span.End-1, []byte(`"include_usage":true`))
	default:
		e.Insert(v.Span.End-1, []byte(`,"include_usage":true`))
	}
}

// capTokens writes the target's bound where the client gave none, or one that
// bounds nothing (null, zero, less).
func capTokens(e *jsonx.Edits, doc *jsonx.Document, t *dialect.Target) {
	key, other := kMaxCompletionTokens, kMaxTokens
	name := base.FlavourOf(t).MaxTokens
	if name == inspected.Name(kMaxTokens) {
		key, other = other, key
	}
	if _, ok := doc.Get(other); ok {
		e.RemoveMember(doc, other)
	}
	e.SetMember(doc, key, name, strconv.AppendInt(nil, int64(t.MaxTokens), 10))
}

// Answer reads a whole answer's usage and its first choice's finish reason, and
// gives it the model's name to show.
func (*same) Answer(e *jsonx.Edits, _ *llm.Facts, body []byte, p *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body); err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	usage, _ := usageOf(&doc)
	finish := llm.NotFinished
	if reason, ok := jsonx.Lookup(doc.Raw(aChoices), "0", "finish_reason"); ok {
		finish = finishOf(reason)
	}
	if p.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(aModel)), p.Model) {
		e.SetMember(&doc, aModel, "model", jsonx.Quote(nil, p.Model))
	}
	return usage, finish, nil
}
