package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

type (
	embedClient   struct{ endpoint }
	embedProvider struct{ endpoint }
)

// Embed returns version 2's embed.
func Embed() *dialect.API { return embed("embed", "/v2/embed") }

// EmbedV1 returns version 1's embed, whose answer is a list of vectors unless
// types were asked for.
func EmbedV1() *dialect.API { return embed("v1.embed", embedV1) }

const embedV1 = "/v1/embed"

func embed(name, path string) *dialect.API {
	at := endpoint{llm.Embed, path}
	return &dialect.API{Name: name, Operation: llm.Embed, Client: embedClient{at}, Provider: embedProvider{at},
		Same: wholeSame{vKeys, vModel, embedAnswerKeys, answerMeta}}
}

// The members of a request for vectors.
const (
	vModel = iota
	vTexts
	vImages
	vInputs
	vTask
	vTypes
	vDimension
	vTruncate
)

var vKeys = jsonx.NewKeys("model", "texts", "images", "inputs", "input_type", "embedding_types", "output_dimension", "truncate")

// Inspected lists the members that must not occur twice.
func (embedClient) Inspected() *jsonx.Keys { return vKeys }

// Facts reads what deciding needs. TextBytes is the body without the data of images.
func (c embedClient) Facts(call dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: vKeys}
	f := llm.Facts{Operation: call.Operation, Choices: 1, Model: m.Required(vModel)}
	if m.Array(vTexts) == nil && m.Array(vImages) == nil && m.Array(vInputs) == nil {
		m.Fail("missing_required_parameter", "texts", "one of 'texts', 'images' and 'inputs' is required")
	}
	data := 0
	for it := jsonx.Elements(m.Array(vImages)); it.Next(); {
		f.Images, data = f.Images+1, data+len(it.Value())
	}
	for it := jsonx.Elements(m.Array(vInputs)); it.Next(); {
		content, _ := jsonx.Lookup(it.Value(), "content")
		n, bytes := images(content)
		f.Images, data = f.Images+n, data+bytes
	}
	if f.Images > 0 {
		f.Needs = llm.NeedImages
	}
	f.TextBytes = len(doc.Body()) - data
	types := m.Array(vTypes)
	first, _ := jsonx.Lookup(types, "0")
	f.Base64 = dialect.Elements(types) == 1 && jsonx.Equal(jsonx.Interior(first), "base64")
	return f, m.Err
}

// Decode reads the whole request. Types of numbers that only this API makes, and
// more than one type at a time, are refused.
func (embedClient) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: vKeys}
	e := &llm.EmbedRequest{Dimensions: m.Number(vDimension), Task: m.Text(vTask), Truncate: m.Text(vTruncate)}
	for _, text := range m.Texts(vTexts) {
		e.Inputs = append(e.Inputs, llm.Part{Text: text})
	}
	for it := jsonx.Elements(m.Array(vImages)); it.Next(); {
		e.Inputs = append(e.Inputs, llm.Part{Kind: llm.ImagePart, Media: image(it.Value())})
	}
	for it := jsonx.Elements(m.Array(vInputs)); it.Next(); {
		content, _ := jsonx.Lookup(it.Value(), "content")
		parts := appendContent(nil, content)
		if len(parts) != 1 {
			m.Err = dialect.Unsupported("inputs", "An input of several parts cannot be carried to the API that this model is served by.")
			break
		}
		e.Inputs = append(e.Inputs, parts[0])
	}
	types := m.Array(vTypes)
	first, _ := jsonx.Lookup(types, "0")
	if n := dialect.Elements(types); n > 1 || n == 1 && !f.Base64 && !jsonx.Equal(jsonx.Interior(first), "float") {
		m.Err = dialect.Unsupported("embedding_types", "These embedding_types cannot be carried to the API that this model is served by.")
	}
	if m.Err != nil {
		return nil, m.Err
	}
	return &llm.Request{Facts: f, Embed: e, Extra: m.Extra()}, nil
}

// Encode writes a request for vectors. Texts and images go in one list each if
// there are only such, else as inputs. The API requires a task.
func (embedProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}}
	q := r.Embed
	if q == nil {
		q = &llm.EmbedRequest{}
	}
	e.w.Begin('{')
	e.w.Quote("model", t.Model)
	task := q.Task
	if len(task) == 0 {
		task = llm.Escaped("search_document")
		l.Default("input_type", "the API requires one: search_document")
	}
	e.w.Text("input_type", task)
	e.inputs(q.Inputs)
	kind := `["float"]`
	if r.Base64 {
		kind = `["base64"]`
	}
	e.w.Literal("embedding_types", kind)
	e.w.Number("output_dimension", q.Dimensions)
	if len(q.Truncate) > 0 {
		e.w.Text("truncate", q.Truncate)
	}
	e.w.Close('}')
	if len(q.Title) > 0 {
		l.Drop("title", "inputs have no titles")
	}
	if r.User != "" {
		l.Drop("user", "the API has no such parameter")
	}
	return e.w.B, e.err
}

func (e *encoder) inputs(list []llm.Part) {
	texts := 0
	for i := range list {
		switch list[i].Kind {
		case llm.TextPart:
			texts++
		case llm.ImagePart:
			if list[i].Media.File != nil {
				e.refuse("input", "An image by file id")
			}
		default:
			e.refuse("input", "An input that is neither text nor an image")
		}
	}
	member := "inputs"
	switch texts {
	case len(list):
		member = "texts"
	case 0:
		member = "images"
	}
	e.w.Array(member)
	for i := range list {
		e.input(member, &list[i])
	}
	e.w.Close(']')
}

func (e *encoder) input(member string, p *llm.Part) {
	switch member {
	case "texts":
		e.w.Element(p.Text)
	case "images":
		url := p.Media.URL
		if p.Media.Data != nil {
			url = appendDataURL(nil, &p.Media)
		}
		e.w.Element(url)
	default:
		e.w.Open('{')
		e.w.Array("content")
		e.part(p)
		e.w.Close(']')
		e.w.Close('}')
	}
}

// The members of an answer with vectors or ranks.
const (
	answerID = iota
	answerResult
	answerMeta
)

var embedAnswerKeys = jsonx.NewKeys("id", "embeddings", "meta")

// Decode reads a whole answer: vectors by type, or version 1's list of vectors.
func (embedProvider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	err := scanAnswer(&doc, body, embedAnswerKeys, answerResult, jsonx.Object)
	raw := doc.Raw(answerResult)
	if err != nil && jsonx.KindOf(raw) != jsonx.Array {
		return nil, err
	}
	a := &llm.Answer{ID: jsonx.Interior(doc.Raw(answerID)), Usage: usageOf(doc.Raw(answerMeta))}
	packed := false
	if list, ok := jsonx.Lookup(raw, "float"); ok {
		raw = list
	} else if list, ok := jsonx.Lookup(raw, "base64"); ok {
		raw, packed = list, true
	}
	for it := jsonx.Elements(raw); it.Next(); {
		v := llm.Vector{Index: len(a.Vectors)}
		if packed {
			v.Base64 = dialect.Text(&it)
		} else if it.Kind() == jsonx.Array {
			v.Values = it.Value()
		}
		if v.Values == nil && v.Base64 == nil {
			return nil, dialect.Malformed("vectors of a type that was not asked for")
		}
		a.Vectors = append(a.Vectors, v)
	}
	return a, nil
}

// AppendAnswer writes the vectors by type; version 1's clients get numbers in one
// list, as they do where no types were asked for.
func (c embedClient) AppendAnswer(dst []byte, f *llm.Facts, _ string, a *llm.Answer, _ *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	writeID(&w, a.ID)
	list := c.path == embedV1 && !f.Base64
	member, kind := "float", "embeddings_by_type"
	switch {
	case list:
		member, kind = "embeddings", "embeddings_floats"
	case f.Base64:
		member = "base64"
	}
	if !list {
		w.Object("embeddings")
	}
	w.Array(member)
	for i := range a.Vectors {
		w.AppendVector(&a.Vectors[i], f.Base64)
	}
	w.Close(']')
	if !list {
		w.Close('}')
	}
	writeMeta(&w, &a.Usage)
	w.Word("response_type", kind)
	w.Close('}')
	return w.B
}

func writeMeta(w *dialect.Writer, u *llm.Usage) {
	w.Object("meta")
	w.Object("api_version")
	w.Word("version", "2")
	w.Close('}')
	if u.Known {
		writeUsage(w, u)
	}
	w.Close('}')
}
