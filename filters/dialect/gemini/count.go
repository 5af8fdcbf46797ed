package gemini

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// CountTokens returns countTokens, whose body is a conversation or a whole request
// for generateContent. Of Vertex's form the conversation is read as well.
func CountTokens() *dialect.API {
	return &dialect.API{Name: "countTokens", Operation: llm.CountTokens,
		Client: &countClient{}, Provider: &countProvider{}, Same: &countSame{}}
}

type countClient struct{ client }
type countProvider struct{ provider }
type countSame struct{ same }

// Recognise knows countTokens.
func (*countClient) Recognise(l *dialect.Line) (dialect.Call, bool) {
	return called(l, llm.CountTokens, "countTokens")
}

// inner is the document that holds the conversation: the body, or the request in it.
func inner(doc *jsonx.Document) (*jsonx.Document, *llm.Error) {
	raw := chatMembers(doc).object(kGenerate)
	if raw == nil {
		return doc, nil
	}
	var in jsonx.Document
	if err := in.Scan(raw, inspected, jsonx.Limits{Depth: jsonx.MaxDepth}); err != nil {
		return nil, dialect.Invalid("invalid_json", "generateContentRequest", "Invalid value at 'generate_content_request': "+err.Error()+".")
	}
	return &in, nil
}

// Facts reads those of the conversation.
func (c *countClient) Facts(call dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	in, err := inner(doc)
	if err != nil {
		return llm.Facts{}, err
	}
	return c.client.Facts(call, in)
}

// Decode reads the conversation.
func (c *countClient) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	in, err := inner(doc)
	if err != nil {
		return nil, err
	}
	return c.client.Decode(f, in)
}

// AppendAnswer writes a CountTokensResponse.
func (*countClient) AppendAnswer(dst []byte, _ *llm.Facts, _ string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Int("totalTokens", a.Size)
	w.Close('}')
	l.Unknown("", a.Extra)
	return w.B
}

// Path is countTokens of the model.
func (*countProvider) Path(_ *llm.Facts, t *dialect.Target) string {
	return methodPath(t, "countTokens")
}

// Encode writes a request for generateContent within, on Vertex the conversation.
func (*countProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := newEncoder(dst, r, t, l)
	e.w.Begin('{')
	if t.Flavour != vertex {
		e.w.Object("generateContentRequest")
		e.w.Quote("model", modelName(t))
	}
	e.conversation(r)
	if t.Flavour != vertex {
		e.w.Close('}')
	}
	e.w.Close('}')
	const alone = "the conversation alone is counted"
	if r.Reasoning != nil {
		l.Drop("reasoning", alone)
	}
	if r.Format != nil {
		l.Drop("response_format", alone)
	}
	return e.w.B, e.err
}

// Decode reads totalTokens.
func (*countProvider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	n, err := scanCount(&doc, body)
	if err != nil {
		return nil, err
	}
	return &llm.Answer{Size: n}, nil
}

// Streams knows none.
func (*countProvider) Streams(string) bool { return false }

// countKeys has the other members where answerKeys has them.
var countKeys = jsonx.NewKeys("candidates", "promptFeedback", "totalTokens", "modelVersion", "responseId", "createTime", "error")

// aTotal is totalTokens among countKeys.
const aTotal = aUsage

func scanCount(doc *jsonx.Document, body []byte) (int64, *llm.Error) {
	if err := doc.Scan(body, countKeys, jsonx.Limits{}); err != nil {
		return 0, dialect.Malformed(err.Error())
	}
	if err := bodyError(doc); err != nil {
		return 0, err
	}
	n, ok := jsonx.Int([]byte(number(doc.Raw(aTotal))))
	if !ok || n < 0 {
		return 0, dialect.Malformed("no totalTokens")
	}
	return n, nil
}

// Request changes the model that the request within names.
func (*countSame) Request(e *jsonx.Edits, _ *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	setModel(e, doc, p.Target)
	for _, k := range []int{kGenerate, kGenerate + spellings} {
		if v, ok := doc.Get(k); ok {
			replaceModel(e, v.Raw(doc.Body()), v.Span.Start, p.Target)
		}
	}
}

// replaceModel replaces the model that an object at an offset of the body names.
func replaceModel(e *jsonx.Edits, object []byte, at int, t *dialect.Target) {
	for it := jsonx.Members(object); it.Next(); {
		if it.KeyIs("model") && it.Kind() == jsonx.String && t.Model != "" {
			from := at + it.Offset()
			e.Replace(jsonx.Span{Start: from, End: from + len(it.Value())}, jsonx.Quote(nil, modelName(t)))
		}
	}
}

// Answer checks that there is a count: counting costs no tokens.
func (*countSame) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	_, err := scanCount(&doc, body)
	return llm.Usage{Known: true}, llm.NotFinished, err
}
