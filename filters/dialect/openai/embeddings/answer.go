package embeddings

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

const (
	aModel = iota
	aData
	aUsage
	aError
	aObject
	aID
)

var answerKeys = jsonx.NewKeys("model", "data", "usage", "error", "object", "id")

// scanAnswer validates an answer, and finds the error that it may be.
func scanAnswer(doc *jsonx.Document, body []byte) *llm.Error {
	if err := doc.Scan(body, answerKeys, jsonx.Limits{}); err != nil {
		return dialect.Malformed(err.Error())
	}
	if err := base.Fault(doc.Raw(aError), doc.Raw(aObject), body); err != nil {
		return err
	}
	if jsonx.KindOf(doc.Raw(aData)) != jsonx.Array {
		return dialect.Malformed("no data")
	}
	return nil
}

// usageOf reads usage, which has no output.
func usageOf(doc *jsonx.Document) llm.Usage {
	u, _ := base.ReadUsage(doc.Raw(aUsage), nil)
	return u
}

// Decode reads a whole answer.
func (*provider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body); err != nil {
		return nil, err
	}
	a := &llm.Answer{
		ID:    llm.Escaped(jsonx.Interior(doc.Raw(aID))),
		Model: llm.Escaped(jsonx.Interior(doc.Raw(aModel))), Usage: usageOf(&doc),
	}
	for it := jsonx.Elements(doc.Raw(aData)); it.Next(); {
		v, ok := readVector(it.Value(), len(a.Vectors))
		if !ok {
			return nil, dialect.Malformed("no vector")
		}
		a.Vectors = append(a.Vectors, v)
	}
	return a, nil
}

// readVector reads one element of data, the n-th where it does not say.
func readVector(raw []byte, n int) (llm.Vector, bool) {
	v := llm.Vector{Index: n}
	for it := jsonx.Members(raw); it.Next(); {
		switch {
		case it.KeyIs("index"):
			if at, ok := jsonx.Int(it.Value()); ok && at >= 0 && at < 1<<20 {
				v.Index = int(at)
			}
		case it.KeyIs("embedding") && it.Kind() == jsonx.String:
			v.Base64, v.Values = dialect.Text(&it), nil
		case it.KeyIs("embedding") && it.Kind() == jsonx.Array:
			v.Base64, v.Values = nil, llm.Raw(it.Value())
		}
	}
	return v, v.Base64 != nil || v.Values != nil
}

// AppendAnswer writes a list of embedding objects.
func (*client) AppendAnswer(dst []byte, f *llm.Facts, model string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Word("object", "list")
	w.Array("data")
	for i := range a.Vectors {
		v := &a.Vectors[i]
		w.Open('{')
		w.Word("object", "embedding")
		w.Int("index", int64(v.Index))
		w.Key("embedding")
		if !w.AppendVector(v, f.Base64) {
			l.Drop("data/*/embedding", "it cannot be read as numbers")
		}
		w.Close('}')
	}
	w.Close(']')
	w.Quote("model", model)
	w.Object("usage")
	w.Int("prompt_tokens", a.Usage.InputTotal())
	w.Int("total_tokens", a.Usage.Total())
	w.Close('}')
	w.Close('}')
	return w.B
}

// NewEncoder writes nothing: vectors are not streamed.
func (*client) NewEncoder(*llm.Facts, string) dialect.Encoder { return silent{} }

type silent struct{}

func (silent) Append(dst []byte, _ *llm.Event) []byte { return dst }

// Streams reports that no answer is a stream.
func (*provider) Streams(string) bool { return false }

// NewDecoder refuses whatever comes.
func (*provider) NewDecoder(*llm.Facts, *dialect.Target, dialect.Limits) dialect.Decoder {
	return none{}
}

type none struct{}

func (none) Write([]byte, func(*llm.Event)) {}

// Close ends a stream that cannot be.
func (none) Close(emit func(*llm.Event)) {
	emit(&llm.Event{Kind: llm.Failure, Err: dialect.Malformed("vectors are not streamed")})
}

func (none) Overflowed() int { return 0 }

// Request adds the model's name.
func (*same) Request(e *jsonx.Edits, _ *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	if m := p.Target.Model; m != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(kModel)), m) {
		e.SetMember(doc, kModel, "model", jsonx.Quote(nil, m))
	}
}

// Answer reads the usage, and gives the answer the model's name to show.
func (*same) Answer(e *jsonx.Edits, _ *llm.Facts, body []byte, p *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body); err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	if p.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(aModel)), p.Model) {
		e.SetMember(&doc, aModel, "model", jsonx.Quote(nil, p.Model))
	}
	return usageOf(&doc), llm.FinishStop, nil
}

// NewTap passes on what cannot be a stream, and says that it is none.
func (*same) NewTap(*llm.Facts, dialect.Limits, *dialect.Patch) dialect.Tap { return passing{} }

type passing struct{ none }

func (passing) Write(chunk []byte, _ func(*llm.Event)) []byte { return chunk }

func (p passing) Close(emit func(*llm.Event)) []byte {
	p.none.Close(emit)
	return nil
}

func (passing) Seen() int64 { return 0 }
