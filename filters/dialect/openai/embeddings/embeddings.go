// Package embeddings is the codec of OpenAI's embeddings API (source: the OpenAI
// API reference, embeddings). It stands on both sides and keeps the bytes of
// requests that keep the API. Vectors are asked for in the form that the client
// wants: numbers, or base64 of little-endian float32.
package embeddings

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// API returns the embeddings API.
func API() *dialect.API {
	return &dialect.API{Name: "embeddings", Operation: llm.Embed, Client: &client{}, Provider: &provider{}, Same: &same{},
		Takes: base.Takes(base.Embeddings)}
}

type client struct{ base.Client }
type provider struct{ base.Provider }
type same struct{}

const (
	kModel = iota
	kInput
	kFormat
	kDimensions
	kUser
	kSafetyID
)

var inspected = jsonx.NewKeys("model", "input", "encoding_format", "dimensions", "user", "safety_identifier")

// Inspected lists the members that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

// Recognise knows the embedding of inputs.
func (*client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	model, ok := base.Posts(l, "embeddings")
	if !ok {
		return dialect.Call{}, false
	}
	return dialect.Call{Operation: llm.Embed, Model: model}, true
}

// Path appends the call to the provider's base path.
func (*provider) Path(_ *llm.Facts, t *dialect.Target) string { return base.URL(t, "embeddings") }

func read(doc *jsonx.Document) *base.Members { return &base.Members{Doc: doc, Keys: inspected} }

// Facts reads what deciding needs.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	f := llm.Facts{Operation: c.Operation, Choices: 1, TextBytes: len(doc.Body())}
	m := read(doc)
	f.Model = m.Model(kModel, c.Model)
	switch v, _, ok := m.Get(kInput); {
	case !ok:
		m.Fail(base.Missing("input"))
	case v.Kind != jsonx.String && v.Kind != jsonx.Array:
		m.Wrong(kInput, "a string or an array")
	}
	switch word := m.Text(kFormat); {
	case jsonx.Equal(word, "base64"):
		f.Base64 = true
	case len(word) > 0 && !jsonx.Equal(word, "float"):
		m.Fail(dialect.Invalid("invalid_value", "encoding_format", "Invalid 'encoding_format': expected 'float' or 'base64'."))
	}
	f.User = m.User(kUser, kSafetyID)
	return f, m.Err
}

// Decode reads the whole request.
func (*client) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	m := read(doc)
	r := &llm.Request{Facts: f, Embed: &llm.EmbedRequest{Dimensions: m.Number(kDimensions)}}
	_, input, _ := m.Get(kInput)
	r.Embed.Inputs = inputs(input)
	if r.Extra = m.Rest(nil); m.Err != nil {
		return nil, m.Err
	}
	return r, nil
}

// inputs are a text, texts, a list of tokens, or lists of them.
func inputs(raw []byte) []llm.Part {
	if jsonx.KindOf(raw) == jsonx.String {
		return []llm.Part{input(raw)}
	}
	var list []llm.Part
	for it := jsonx.Elements(raw); it.Next(); {
		if it.Kind() == jsonx.Number {
			return []llm.Part{{Kind: llm.OtherPart, Other: llm.Raw(raw)}}
		}
		list = append(list, input(it.Value()))
	}
	return list
}

func input(raw []byte) llm.Part {
	if jsonx.KindOf(raw) == jsonx.String {
		return llm.Part{Text: llm.Escaped(jsonx.Interior(raw))}
	}
	return llm.Part{Kind: llm.OtherPart, Other: llm.Raw(raw)}
}

// Encode writes an embeddings request.
func (*provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Quote("model", t.Model)
	if err := writeInputs(&w, r.Embed.Inputs); err != nil {
		return nil, err
	}
	w.Number("dimensions", r.Embed.Dimensions)
	if r.Base64 {
		w.Word("encoding_format", "base64")
	} else {
		w.Word("encoding_format", "float")
	}
	if r.User != "" && base.FlavourOf(t).Has(base.User) {
		w.Quote("user", r.User)
	} else if r.User != "" {
		l.Drop("user", "the server does not take it")
	}
	w.Close('}')
	for _, x := range [...]struct {
		text  llm.Escaped
		field string
	}{{r.Embed.Task, "task"}, {r.Embed.Title, "title"}, {r.Embed.Truncate, "truncate"}} {
		if len(x.text) > 0 {
			l.Drop(x.field, "the API has no such option")
		}
	}
	return w.B, nil
}

func writeInputs(w *dialect.Writer, list []llm.Part) *llm.Error {
	w.Array("input")
	for i := range list {
		switch p := &list[i]; {
		case p.Kind == llm.TextPart:
			w.Element(p.Text)
		case p.Kind == llm.OtherPart && jsonx.KindOf(p.Other) == jsonx.Array:
			w.Open('[')
			w.B = append(w.B[:len(w.B)-1], p.Other...)
		default:
			return dialect.Unsupported("input", "An input that is neither text nor tokens cannot be carried to the API that this model is served by.")
		}
	}
	w.Close(']')
	return nil
}
