package anthropic

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// CountTokens returns the API that sizes a conversation. Its request is a
// message's without what bounds and shapes the answer.
func CountTokens() *dialect.API {
	return &dialect.API{Name: "count_tokens", Operation: llm.CountTokens, Client: &sizeClient{}, Provider: &sizeProvider{}, Same: &sizeSame{},
		Takes: func(t *dialect.Target) bool { return cloudOf(t) == nil }}
}

type (
	sizeClient   struct{ client }
	sizeProvider struct{ provider }
	sizeSame     struct{ same }
)

const sizePath = "/v1/messages/count_tokens"

// Recognise knows the counting of tokens.
func (*sizeClient) Recognise(l *dialect.Line) (dialect.Call, bool) {
	return dialect.Call{Operation: llm.CountTokens}, l.Method == "POST" && l.Path == sizePath
}

// AppendAnswer writes the size.
func (*sizeClient) AppendAnswer(dst []byte, _ *llm.Facts, _ string, a *llm.Answer, _ *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Int("input_tokens", a.Size)
	w.Close('}')
	return w.B
}

// Encode writes the conversation alone.
func (p *sizeProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}}
	e.w.Begin('{')
	e.w.Quote("model", t.Model)
	e.system(r)
	e.messages(r.Messages)
	e.tools(r)
	e.w.Close('}')
	return e.w.B, e.err
}

// Path is that of messages, and below.
func (p *sizeProvider) Path(f *llm.Facts, t *dialect.Target) string {
	return strings.TrimSuffix(t.BasePath, "/v1") + sizePath
}

// Decode reads the size.
func (*sizeProvider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	size, err := readSize(body)
	if err != nil {
		return nil, err
	}
	return &llm.Answer{Size: size}, nil
}

func readSize(body []byte) (int64, *llm.Error) {
	var doc jsonx.Document
	if err := doc.Scan(body, sizeKeys, jsonx.Limits{}); err != nil {
		return 0, dialect.Malformed(err.Error())
	}
	n, ok := jsonx.Int(doc.Raw(0))
	if !ok {
		return 0, dialect.Malformed("no input_tokens")
	}
	return n, nil
}

var sizeKeys = jsonx.NewKeys("input_tokens")

// Request names the model. There is no bound on an output that is not asked for.
func (s *sizeSame) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	t := *p.Target
	t.MaxTokens = 0
	bare := *p
	bare.Target = &t
	s.same.Request(e, f, doc, &bare)
}

// Answer checks that the answer is a size. Nobody is charged for it.
func (*sizeSame) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	_, err := readSize(body)
	return llm.Usage{}, llm.NotFinished, err
}
