package gemini

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// form is one of the methods that make vectors: they differ in what the texts and
// the vectors stand in.
type form struct {
	method string
	// list holds the requests, "" where the body is one.
	list string
	// vectors holds the answers, "" where there is one.
	vectors string
}

var (
	single    = &form{method: "embedContent", vectors: ""}
	batch     = &form{method: "batchEmbedContents", list: "requests", vectors: "embeddings"}
	instances = &form{method: "predict", list: "instances", vectors: "predictions"}
)

func (f *form) api(takes func(*dialect.Target) bool) *dialect.API {
	return &dialect.API{Name: f.method, Operation: llm.Embed, Takes: takes,
		Client: &embedClient{form: f}, Provider: &embedProvider{form: f}, Same: &embedSame{form: f}}
}

// embed is embedContent, which is first among those whose bytes are kept only:
// other APIs' inputs are lists.
func embed() *dialect.API      { return single.api(onGemini) }
func batchEmbed() *dialect.API { return batch.api(onGemini) }
func predict() *dialect.API    { return instances.api(onVertex) }

func onGemini(t *dialect.Target) bool { return t.Flavour != vertex }
func onVertex(t *dialect.Target) bool { return t.Flavour == vertex }

type embedClient struct {
	client
	form *form
}

type embedProvider struct {
	provider
	form *form
}

type embedSame struct {
	same
	form *form
}

// Recognise knows the form's method.
func (c *embedClient) Recognise(l *dialect.Line) (dialect.Call, bool) {
	call, ok := called(l, llm.Embed, c.form.method)
	return call, ok && !strings.HasPrefix(call.Model, "imagen") // which makes images by predict
}

var embedKeys = jsonx.NewKeys("content", "requests", "instances", "parameters", "model", "taskType", "title",
	"outputDimensionality", "embedContentConfig",
	"content", "requests", "instances", "parameters", "model", "task_type", "title", "output_dimensionality", "embed_content_config")

// The members of embedKeys that are read by place.
const (
	eContent = iota
	eRequests
	eInstances
)

const embedSpellings = 9

// Inspected lists the members that must not occur twice.
func (*embedClient) Inspected() *jsonx.Keys { return embedKeys }

// Facts reads what deciding needs.
func (c *embedClient) Facts(call dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := &members{doc: doc, keys: embedKeys, half: embedSpellings}
	f := m.facts(call)
	switch c.form {
	case single:
		if m.object(eContent) == nil {
			m.missing("content")
		}
	case batch:
		if m.array(eRequests) == nil {
			m.missing("requests")
		}
	default:
		if m.array(eInstances) == nil {
			m.missing("instances")
		}
	}
	f.TextBytes = len(doc.Body())
	return f, m.err
}

func (m *members) missing(name string) {
	m.fail("missing_required_parameter", name, "The field '"+name+"' is required.")
}

// tasks pairs the API's words for what vectors are for with Cohere's.
var tasks = []struct{ own, word string }{
	{"RETRIEVAL_QUERY", "search_query"}, {"RETRIEVAL_DOCUMENT", "search_document"},
	{"CLASSIFICATION", "classification"}, {"CLUSTERING", "clustering"},
}

// Decode reads the whole request. What the inputs are for, and the size, are the
// first's: other APIs have them once.
func (c *embedClient) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	r := &llm.Request{Facts: f, Embed: &llm.EmbedRequest{}}
	for it := jsonx.Members(doc.Body()); it.Next(); {
		switch name := field(&it); {
		case name == c.form.list && name != "":
			for one := jsonx.Elements(it.Value()); one.Next(); {
				readInput(r, one.Value())
			}
		case name == "parameters" && c.form == instances:
			readInput(r, it.Value())
		case c.form != single:
			r.Extra = dialect.Keep(r.Extra, &it)
		}
	}
	if c.form == single {
		readInput(r, doc.Body())
	}
	if len(r.Embed.Inputs) == 0 {
		return nil, dialect.Invalid("invalid_value", c.form.list, "There is no text to embed.")
	}
	return r, nil
}

// readInput reads the members of one request, instance or parameters.
func readInput(r *llm.Request, raw []byte) {
	e := r.Embed
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "content":
			if it.Kind() == jsonx.String { // an instance of predict
				e.Inputs = append(e.Inputs, llm.Part{Text: dialect.Text(&it)})
				continue
			}
			e.Inputs = append(e.Inputs, joined(readParts(get(it.Value(), "parts"))))
		case "taskType":
			readTask(r, dialect.Text(&it))
		case "title":
			if e.Title == nil {
				e.Title = dialect.Text(&it)
			}
		case "outputDimensionality":
			if e.Dimensions == "" {
				e.Dimensions = number(dialect.Value(&it))
			}
		case "embedContentConfig":
			readInput(r, it.Value())
		case "model":
		default:
			r.Extra = dialect.Keep(r.Extra, &it)
		}
	}
}

// joined is a content as one input: its texts in one, or its first part of another kind.
func joined(parts []llm.Part) llm.Part {
	out := llm.Part{}
	for i := range parts {
		if parts[i].Kind != llm.TextPart {
			return parts[i]
		}
		if out.Text == nil {
			out.Text = parts[i].Text
		} else {
			out.Text = append(append(out.Text, `\n`...), parts[i].Text...)
		}
	}
	return out
}

func readTask(r *llm.Request, own llm.Escaped) {
	if r.Embed.Task != nil || len(own) == 0 {
		return
	}
	for _, t := range tasks {
		if jsonx.Equal(own, t.own) {
			r.Embed.Task = llm.Escaped(t.word)
			return
		}
	}
	r.Extra = append(r.Extra, llm.Field{Name: "taskType", Value: append(append([]byte{'"'}, own...), '"')})
}

// AppendAnswer writes the vectors.
func (c *embedClient) AppendAnswer(dst []byte, _ *llm.Facts, _ string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	if c.form == single {
		w.Object("embedding")
		if len(a.Vectors) > 0 {
			writeVector(&w, &a.Vectors[0])
		}
		w.Close('}')
	} else {
		w.Array(c.form.vectors)
		for i := range a.Vectors {
			c.vector(&w, &a.Vectors[i], a)
		}
		w.Close(']')
	}
	w.Close('}')
	l.Unknown("", a.Extra)
	return w.B
}

// vector writes one of several. predict tells each one's tokens; of answers that
// tell them all together the first has them.
func (c *embedClient) vector(w *dialect.Writer, v *llm.Vector, a *llm.Answer) {
	w.Open('{')
	if c.form == instances {
		w.Object("embeddings")
		w.Object("statistics")
		w.Literal("truncated", "false")
		if v == &a.Vectors[0] {
			w.Int("token_count", a.Usage.InputTotal())
		}
		w.Close('}')
	}
	writeVector(w, v)
	if c.form == instances {
		w.Close('}')
	}
	w.Close('}')
}

func writeVector(w *dialect.Writer, v *llm.Vector) {
	if v.Base64 == nil {
		w.Raw("values", v.Values)
		return
	}
	w.Array("values")
	raw, err := base64.StdEncoding.DecodeString(string(jsonx.Unescape(nil, v.Base64)))
	for ; err == nil && len(raw) >= 4; raw = raw[4:] {
		x := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			x = 0
		}
		if w.B[len(w.B)-1] != '[' {
			w.B = append(w.B, ',')
		}
		w.B = strconv.AppendFloat(w.B, x, 'g', -1, 32)
	}
	w.Close(']')
}

// Path is the form's method of the model.
func (p *embedProvider) Path(_ *llm.Facts, t *dialect.Target) string {
	return methodPath(t, p.form.method)
}

// Streams knows none.
func (*embedProvider) Streams(string) bool { return false }

// Encode writes the requests.
func (p *embedProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := newEncoder(dst, r, t, l)
	if r.Embed == nil || len(r.Embed.Inputs) == 0 {
		return dst, dialect.Invalid("invalid_value", "input", "There is no text to embed.")
	}
	e.w.Begin('{')
	if p.form == single {
		e.input(p.form, r.Embed, 0)
	} else {
		e.w.Array(p.form.list)
		for i := range r.Embed.Inputs {
			e.w.Open('{')
			e.input(p.form, r.Embed, i)
			e.w.Close('}')
		}
		e.w.Close(']')
	}
	if p.form == instances && r.Embed.Dimensions != "" {
		e.w.Object("parameters")
		e.w.Number("outputDimensionality", r.Embed.Dimensions)
		e.w.Close('}')
	}
	e.w.Close('}')
	if r.User != "" {
		l.Drop("user", "users have no names here")
	}
	if len(r.Embed.Truncate) > 0 {
		l.Drop("truncate", "the API has no such parameter")
	}
	if len(r.Embed.Task) > 0 && taskOf(r.Embed.Task) == "" {
		l.Drop("input_type", "the API has no such task")
	}
	return e.w.B, e.err
}

// taskOf is the API's word for what vectors are for, "" where it has none.
func taskOf(word llm.Escaped) string {
	for _, t := range tasks {
		if jsonx.Equal(word, t.word) {
			return t.own
		}
	}
	return ""
}

// input writes the members of one request or instance.
func (e *encoder) input(f *form, r *llm.EmbedRequest, i int) {
	in := &r.Inputs[i]
	task := "taskType"
	if f == instances {
		task = "task_type"
		if in.Kind != llm.TextPart {
			e.refuse("input", "An input that is not text")
		}
		e.w.Text("content", in.Text)
	} else {
		e.w.Quote("model", modelName(e.t))
		e.w.Object("content")
		e.w.Array("parts")
		if in.Kind == llm.OtherPart {
			e.refuse("input", "An input that is a list of tokens")
		} else {
			e.part(in)
		}
		e.w.Close(']')
		e.w.Close('}')
		e.w.Number("outputDimensionality", r.Dimensions)
	}
	if own := taskOf(r.Task); own != "" {
		e.w.Word(task, own)
	}
	if len(r.Title) > 0 {
		e.w.Text("title", r.Title)
	}
}

// vectorKeys has "error" where answerKeys has it.
var vectorKeys = jsonx.NewKeys("embedding", "embeddings", "predictions", "usageMetadata", "metadata", "deployedModelId", "error")

// The members of an answer with vectors.
const (
	vSingle = iota
	vBatch
	vPredict
	vUsage
)

// Decode reads the vectors.
func (p *embedProvider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanVectors(&doc, body, p.form); err != nil {
		return nil, err
	}
	a := &llm.Answer{Usage: vectorUsage(&doc)}
	add := func(raw []byte) {
		a.Vectors = append(a.Vectors, llm.Vector{Index: len(a.Vectors), Values: get(raw, "values")})
	}
	switch p.form {
	case single:
		add(doc.Raw(vSingle))
	case batch:
		for it := jsonx.Elements(doc.Raw(vBatch)); it.Next(); {
			add(it.Value())
		}
	default:
		for it := jsonx.Elements(doc.Raw(vPredict)); it.Next(); {
			add(get(it.Value(), "embeddings"))
		}
	}
	for i := range a.Vectors {
		if jsonx.KindOf(a.Vectors[i].Values) != jsonx.Array {
			return nil, dialect.Malformed("a vector without values")
		}
	}
	return a, nil
}

func scanVectors(doc *jsonx.Document, body []byte, f *form) *llm.Error {
	if err := doc.Scan(body, vectorKeys, jsonx.Limits{}); err != nil {
		return dialect.Malformed(err.Error())
	}
	if err := bodyError(doc); err != nil {
		return err
	}
	k := vPredict
	switch f {
	case single:
		k = vSingle
	case batch:
		k = vBatch
	}
	if doc.Raw(k) == nil {
		return dialect.Malformed("no vectors")
	}
	return nil
}

// vectorUsage is what the vectors cost: predict tells it with each, the others in
// usageMetadata, where they do.
func vectorUsage(doc *jsonx.Document) llm.Usage {
	var u llm.Usage
	if raw := doc.Raw(vUsage); raw != nil {
		var c counts
		c.read(raw)
		return c.usage()
	}
	for it := jsonx.Elements(doc.Raw(vPredict)); it.Next(); {
		raw := get(get(get(it.Value(), "embeddings"), "statistics"), "tokenCount")
		if n, ok := jsonx.Int([]byte(number(raw))); ok {
			u.Input, u.Known = u.Input+dialect.Tokens(n), true
		}
	}
	return u
}

// Request changes the model where the body names it as well.
func (s *embedSame) Request(e *jsonx.Edits, _ *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	replaceModel(e, doc.Body(), 0, p.Target)
	if v, ok := doc.Get(eRequests); ok && s.form == batch {
		for it := jsonx.Elements(v.Raw(doc.Body())); it.Next(); {
			replaceModel(e, it.Value(), v.Span.Start+it.Offset(), p.Target)
		}
	}
}

// Answer reads the usage.
func (s *embedSame) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	err := scanVectors(&doc, body, s.form)
	if err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	return vectorUsage(&doc), llm.NotFinished, nil
}
