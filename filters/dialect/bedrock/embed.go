package bedrock

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Embed returns the provider side of embeddings by InvokeModel: Titan's and Cohere's.
func Embed() *dialect.API {
	return &dialect.API{Name: "embed", Operation: llm.Embed, Provider: &embedProvider{}}
}

type embedProvider struct{ runtime }

// Path names the model.
func (*embedProvider) Path(_ *llm.Facts, t *dialect.Target) string {
	return aws.ModelPath(t.BasePath, t.Model, whole)
}

func isCohere(t *dialect.Target) bool {
	return t != nil && strings.HasPrefix(aws.Family(t.Model), "cohere.")
}

// Encode writes the body of the model's family. Titan takes one input at a time.
func (*embedProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := &encoder{l: l, w: dialect.Writer{B: dst}, family: aws.Family(t.Model)}
	if r.Embed == nil || len(r.Embed.Inputs) == 0 {
		e.refuse("input", "A request without input")
		return dst, e.err
	}
	for i := range r.Embed.Inputs {
		if r.Embed.Inputs[i].Kind != llm.TextPart {
			e.refuse("input", "Input that is not text")
		}
	}
	if r.Base64 {
		l.Default("encoding_format", "the model gives numbers: they are encoded here")
	}
	e.drop(r.User != "", "user")
	e.drop(len(r.Embed.Title) > 0, "title")
	e.w.Begin('{')
	if isCohere(t) {
		e.cohereInput(r.Embed)
	} else {
		e.titanInput(r.Embed)
	}
	e.w.Close('}')
	return e.w.B, e.err
}

func (e *encoder) cohereInput(r *llm.EmbedRequest) {
	e.w.Array("texts")
	for i := range r.Inputs {
		e.w.Element(r.Inputs[i].Text)
	}
	e.w.Close(']')
	if len(r.Task) > 0 {
		e.w.Text("input_type", r.Task)
	} else {
		e.w.Word("input_type", "search_document")
		e.l.Default("input_type", "the API wants one: search_document")
	}
	if len(r.Truncate) > 0 {
		e.w.Text("truncate", r.Truncate)
	}
	if e.is("cohere.embed-v4") {
		e.w.Number("output_dimension", r.Dimensions)
	} else {
		e.drop(r.Dimensions != "", "dimensions")
	}
}

func (e *encoder) titanInput(r *llm.EmbedRequest) {
	if len(r.Inputs) > 1 {
		e.refuse("input", "More than one input")
	}
	e.w.Text("inputText", r.Inputs[0].Text)
	if e.is("amazon.titan-embed-text-v1") || e.is("amazon.titan-embed-g1") {
		e.drop(r.Dimensions != "", "dimensions")
	} else {
		e.w.Number("dimensions", r.Dimensions)
	}
	e.drop(len(r.Task) > 0, "input_type")
	e.drop(len(r.Truncate) > 0, "truncate")
}

// Decode reads the vectors: one of Titan's, a list of Cohere's, which may be within
// the type of its numbers.
func (*embedProvider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	if err := jsonx.Valid(body, jsonx.Limits{}); err != nil {
		return nil, dialect.Malformed(err.Error())
	}
	a := &llm.Answer{ID: textAt(body, "id")}
	if one, ok := jsonx.Lookup(body, "embedding"); ok && jsonx.KindOf(one) == jsonx.Array {
		a.Vectors = []llm.Vector{{Values: one}}
		raw, _ := jsonx.Lookup(body, "inputTextTokenCount")
		if n, ok := jsonx.Int(raw); ok {
			a.Usage = llm.Usage{Input: dialect.Tokens(n), Known: true}
		}
		return a, nil
	}
	list, _ := jsonx.Lookup(body, "embeddings")
	if floats, ok := jsonx.Lookup(list, "float"); ok {
		list = floats
	}
	for it := jsonx.Elements(list); it.Next(); {
		if it.Kind() != jsonx.Array {
			return nil, dialect.Malformed("a vector is no list")
		}
		a.Vectors = append(a.Vectors, llm.Vector{Index: len(a.Vectors), Values: it.Value()})
	}
	if len(a.Vectors) == 0 {
		return nil, dialect.Malformed("no vectors")
	}
	return a, nil
}

// Streams reports false: vectors come at once.
func (*embedProvider) Streams(string) bool { return false }

// NewDecoder reads a stream that does not come: it ends too early.
func (*embedProvider) NewDecoder(_ *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return newDecoder(t, lim)
}
