// Package ranker is the dialect that docs/adding-a-dialect.md builds: an imagined
// provider that ranks documents and does nothing else. It is built and tested so
// that the walk-through stays true; the module does not have it.
package ranker

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// New returns the dialect.
func New() *dialect.Dialect {
	return &dialect.Dialect{Name: "ranker", APIs: []*dialect.API{Rank()}}
}

// Rank returns its one API. It has no client side: applications ask in another
// dialect's words.
func Rank() *dialect.API {
	return &dialect.API{Name: "rank", Operation: llm.Rerank, Provider: provider{}}
}

type provider struct{}

// Path is below the base URL of the configuration.
func (provider) Path(_ *llm.Facts, t *dialect.Target) string { return t.BasePath + "/rank" }

// Headers is empty: the provider needs none.
func (provider) Headers(*dialect.Target) [][2]string { return nil }

// Credential is a header of the provider's own.
func (provider) Credential(_ *dialect.Target, key string) (name, value string) {
	return "x-ranker-key", key
}

// Encode writes {"model", "question", "texts"}. The provider ranks all that it is
// given, so a bound is noted.
func (provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	if r.Rerank.Top != "" {
		l.Drop("top_n", "the API ranks all documents")
	}
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Quote("model", t.Model)
	w.Text("question", r.Rerank.Query)
	w.Array("texts")
	for _, text := range r.Rerank.Documents {
		w.Element(text)
	}
	w.Close(']')
	w.Close('}')
	return w.B, nil
}

// The members of an answer.
const (
	mOrder = iota
	mTokens
	mError
)

var answerKeys = jsonx.NewKeys("order", "tokens", "error")

// Decode reads {"order": [{"text": 1, "score": 0.9}, …], "tokens": 12}.
func (provider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := doc.Scan(body, answerKeys, jsonx.Limits{}); err != nil {
		return nil, dialect.Malformed(err.Error())
	}
	order := doc.Raw(mOrder)
	if jsonx.KindOf(order) != jsonx.Array {
		return nil, dialect.Malformed("no order")
	}
	a := &llm.Answer{}
	for it := jsonx.Elements(order); it.Next(); {
		index, _ := jsonx.Lookup(it.Value(), "text")
		score, _ := jsonx.Lookup(it.Value(), "score")
		n, ok := jsonx.Int(index)
		if !ok || jsonx.KindOf(score) != jsonx.Number {
			return nil, dialect.Malformed("an entry without text or score")
		}
		a.Ranks = append(a.Ranks, llm.Rank{Index: int(n), Score: llm.Number(score)})
	}
	a.Usage.Input, a.Usage.Known = jsonx.Int(doc.Raw(mTokens))
	return a, nil
}

// Streams is false: there is nothing to stream.
func (provider) Streams(string) bool { return false }

// NewDecoder is never asked for.
func (provider) NewDecoder(*llm.Facts, *dialect.Target, dialect.Limits) dialect.Decoder { return nil }

// Classify reads {"error": "…"}: the provider says in words that a text is too long.
func (provider) Classify(status int, _ dialect.Header, body []byte) *llm.Error {
	e := dialect.StatusError(status)
	var doc jsonx.Document
	if e.Class != llm.ClientError || doc.Scan(body, answerKeys, jsonx.Limits{}) != nil {
		return e
	}
	said := dialect.Plain(jsonx.Interior(doc.Raw(mError)), maxMessage)
	if dialect.Says(said, []string{"too long"}) {
		e.Class, e.Code = llm.ContextLength, "context_length_exceeded"
	}
	if said != "" {
		e.Message = "The provider answered " + strconv.Quote(said) + "."
	}
	return e
}

// maxMessage bounds what a client is told of a provider's words, in bytes.
const maxMessage = 500
