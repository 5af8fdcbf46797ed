package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

type (
	rerankClient   struct{ endpoint }
	rerankProvider struct{ endpoint }
)

// Rerank returns version 2's rerank.
func Rerank() *dialect.API { return rerank("rerank", "/v2/rerank") }

// RerankV1 returns version 1's rerank, whose documents may be objects, and come
// back on demand.
func RerankV1() *dialect.API { return rerank("v1.rerank", rerankV1) }

const rerankV1 = "/v1/rerank"

func rerank(name, path string) *dialect.API {
	at := endpoint{llm.Rerank, path}
	return &dialect.API{Name: name, Operation: llm.Rerank, Client: rerankClient{at}, Provider: rerankProvider{at},
		Same: wholeSame{rKeys, rModel, rerankAnswerKeys, answerMeta}}
}

// The members of a request for an order.
const (
	rModel = iota
	rQuery
	rDocuments
	rTop
	rReturn
)

var rKeys = jsonx.NewKeys("model", "query", "documents", "top_n", "return_documents")

// Inspected lists the members that must not occur twice.
func (rerankClient) Inspected() *jsonx.Keys { return rKeys }

// Facts reads what deciding needs.
func (rerankClient) Facts(call dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: rKeys}
	f := llm.Facts{Operation: call.Operation, Choices: 1, Model: m.Required(rModel), TextBytes: len(doc.Body())}
	m.Required(rQuery)
	if m.Array(rDocuments) == nil {
		m.Fail("missing_required_parameter", "documents", "'documents' is required")
	}
	return f, m.Err
}

// Decode reads the whole request. A document that is an object is its text, else
// its JSON.
func (rerankClient) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: rKeys}
	q := &llm.RerankRequest{Query: m.Text(rQuery), Top: m.Number(rTop), Return: m.Flag(rReturn)}
	for it := jsonx.Elements(m.Array(rDocuments)); it.Next(); {
		raw := it.Value()
		if text, ok := jsonx.Lookup(raw, "text"); ok {
			raw = text
		}
		q.Documents = append(q.Documents, documentText(nil, raw))
	}
	if m.Err != nil {
		return nil, m.Err
	}
	return &llm.Request{Facts: f, Rerank: q, Extra: m.Extra()}, nil
}

// Encode writes a request for an order.
func (p rerankProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	w := dialect.Writer{B: dst}
	q := r.Rerank
	if q == nil {
		q = &llm.RerankRequest{}
	}
	w.Begin('{')
	w.Quote("model", t.Model)
	w.Text("query", q.Query)
	w.Array("documents")
	for _, d := range q.Documents {
		w.Element(d)
	}
	w.Close(']')
	w.Number("top_n", q.Top)
	switch {
	case !q.Return:
	case p.path == rerankV1:
		w.Literal("return_documents", "true")
	default:
		l.Drop("return_documents", "the answer has indexes alone")
	}
	w.Close('}')
	return w.B, nil
}

var rerankAnswerKeys = jsonx.NewKeys("id", "results", "meta")

// Decode reads a whole answer. What it costs is counted in searches, not tokens.
func (rerankProvider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body, rerankAnswerKeys, answerResult, jsonx.Array); err != nil {
		return nil, err
	}
	a := &llm.Answer{ID: jsonx.Interior(doc.Raw(answerID)), Usage: usageOf(doc.Raw(answerMeta))}
	for it := jsonx.Elements(doc.Raw(answerResult)); it.Next(); {
		var k llm.Rank
		for in := jsonx.Members(it.Value()); in.Next(); {
			switch string(dialect.Name(&in)) {
			case "index":
				n, _ := jsonx.Int(in.Value())
				k.Index = int(min(max(n, 0), 1<<31-1))
			case "relevance_score":
				k.Score = llm.Number(in.Value())
			case "document":
				text, _ := jsonx.Lookup(in.Value(), "text")
				k.Text = jsonx.Interior(text)
			}
		}
		a.Ranks = append(a.Ranks, k)
	}
	return a, nil
}

// AppendAnswer writes the ranks.
func (rerankClient) AppendAnswer(dst []byte, _ *llm.Facts, _ string, a *llm.Answer, _ *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	writeID(&w, a.ID)
	w.Array("results")
	for i := range a.Ranks {
		k := &a.Ranks[i]
		w.Open('{')
		w.Int("index", int64(k.Index))
		w.Number("relevance_score", k.Score)
		if k.Text != nil {
			w.Object("document")
			w.Text("text", k.Text)
			w.Close('}')
		}
		w.Close('}')
	}
	w.Close(']')
	writeMeta(&w, &a.Usage)
	w.Close('}')
	return w.B
}
