package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// wholeSame passes requests on whose answers are whole: it needs to know where
// the model stands in a request, and where an answer has its result and, in its
// meta, the usage.
type wholeSame struct {
	keys   *jsonx.Keys
	model  int
	answer *jsonx.Keys // its second is the result
	meta   int
}

// Request gives the request the target's name of the model.
func (s wholeSame) Request(e *jsonx.Edits, _ *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	setModel(e, doc, s.model, p.Target)
}

// Answer reads a whole answer's usage.
func (s wholeSame) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body, s.answer, answerResult, jsonx.Array); err != nil && jsonx.KindOf(doc.Raw(answerResult)) != jsonx.Object {
		return llm.Usage{}, llm.NotFinished, err
	}
	return usageOf(doc.Raw(s.meta)), llm.FinishStop, nil
}

// NewTap watches a stream that such an API does not have.
func (wholeSame) NewTap(f *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return chatSame{}.NewTap(f, lim, p)
}
