package cohere

import (
	"math"
	"slices"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// Bounds of one request.
const (
	maxTexts     = 96
	maxDocuments = 10_000
)

// meta is what answers without a message tell of their costs.
func meta(unit string, n int) object {
	return object{"api_version": object{"version": "2"}, "billed_units": object{unit: n}}
}

// embed answers POST /v2/embed.
func (d Dialect) embed(x *core.Exchange) core.Reply {
	body, m, f := core.Open(x, d, embedders(), func(_ *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
		return checkEmbed(body, m)
	})
	if f != nil {
		return d.Refuse(x, *f)
	}
	size := body.Get("output_dimension").Int(max(m.Embedding, 64))
	inputs := embedInputs(body)
	if len(inputs) == 0 {
		return d.Refuse(x, *invalid("at least one of texts, images or inputs must not be empty"))
	}
	vectors, tokens := make([][]float32, len(inputs)), 0
	for i, text := range inputs {
		vectors[i] = x.World.Vector(text, size)
		tokens += core.CountTokens(text)
	}
	byType := object{}
	types := body.Get("embedding_types").List()
	for _, t := range types {
		byType[t.Str()] = as(t.Str(), vectors)
	}
	if len(types) == 0 {
		byType["float"] = vectors
	}
	out := object{"embeddings": byType, "texts": []string{}, "meta": meta("input_tokens", tokens), "response_type": "embeddings_by_type"}
	if body.Has("texts") {
		out["texts"] = inputs
	}
	h := header(x, jsonType)
	out["id"] = x.RequestID
	return core.Reply{Status: 200, Header: h, Body: encode(out), Usage: &core.Usage{Input: tokens}, Reports: true}
}

func checkEmbed(body *strict.Value, m *core.Model) *core.Fault {
	if f := check(body, embedSpec); f != nil {
		return f
	}
	given := 0
	for _, name := range []string{"texts", "images", "inputs"} {
		if body.Has(name) {
			given++
		}
	}
	size, sized := body.Get("output_dimension").Int(0), body.Has("output_dimension")
	switch n := len(body.Get("texts").List()) + len(body.Get("inputs").List()); {
	case given != 1:
		return invalid("exactly one of texts, images or inputs must be provided")
	case n > maxTexts:
		return invalid("total number of texts must be at most %d - received %d", maxTexts, n)
	case !body.Has("input_type"):
		return invalid("valid input_type must be provided with the provided model")
	case sized && m != nil && !strings.HasPrefix(m.ID, "embed-v4") && !strings.HasPrefix(m.ID, "mock"):
		return invalid("output_dimension is not supported by the provided model")
	case sized && m != nil && m.ID == "embed-v4.0" && !slices.Contains([]int{256, 512, 1024, 1536}, size):
		return invalid("output_dimension must be one of 256, 512, 1024, 1536")
	}
	return nil
}

// embedInputs are the texts to embed; an image is its own text.
func embedInputs(body *strict.Value) (texts []string) {
	for _, name := range []string{"texts", "images"} {
		for _, v := range body.Get(name).List() {
			texts = append(texts, v.Str())
		}
	}
	for _, v := range body.Get("inputs").List() {
		var all []string
		for _, part := range v.Get("content").List() {
			all = append(all, part.Get("text").Str()+part.Get("image_url").Get("url").Str())
		}
		texts = append(texts, strings.Join(all, " "))
	}
	return texts
}

// as writes vectors in another type of number.
func as(kind string, vectors [][]float32) any {
	var out []any
	for _, v := range vectors {
		switch kind {
		case "float":
			out = append(out, v)
		case "base64":
			out = append(out, core.PackVector(v))
		case "int8":
			out = append(out, scaled(v, 0))
		case "uint8":
			out = append(out, scaled(v, 128))
		case "binary":
			out = append(out, bits(v, -128))
		default:
			out = append(out, bits(v, 0))
		}
	}
	return out
}

func scaled(v []float32, offset int) []int {
	out := make([]int, len(v))
	for i, f := range v {
		out[i] = int(math.Round(float64(f)*127)) + offset
	}
	return out
}

// bits are the signs of numbers, eight in one.
func bits(v []float32, offset int) []int {
	out := make([]int, len(v)/8)
	for i := range out {
		for _, f := range v[8*i : 8*i+8] {
			out[i] *= 2
			if f > 0 {
				out[i]++
			}
		}
		out[i] += offset
	}
	return out
}

// rerank answers POST /v2/rerank: documents that share words with the query come
// first.
func (d Dialect) rerank(x *core.Exchange) core.Reply {
	body, _, f := core.Open(x, d, rerankers(), func(_ *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
		return checkRerank(body)
	})
	if f != nil {
		return d.Refuse(x, *f)
	}
	query := x.World.Vector(body.Get("query").Str(), 64)
	var results []result
	for i, doc := range body.Get("documents").List() {
		results = append(results, result{i, relevance(query, x.World.Vector(doc.Str(), 64))})
	}
	slices.SortStableFunc(results, func(a, b result) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	units := (len(results) + 99) / 100
	results = results[:min(body.Get("top_n").Int(len(results)), len(results))]
	h := header(x, jsonType)
	return core.Reply{Status: 200, Header: h, Body: encode(object{"id": x.RequestID, "results": results, "meta": meta("search_units", units)})}
}

// result is a document's place in the order.
type result struct {
	Index int     `json:"index"`
	Score float64 `json:"relevance_score"`
}

func checkRerank(body *strict.Value) *core.Fault {
	if f := check(body, rerankSpec); f != nil {
		return f
	}
	switch n := len(body.Get("documents").List()); {
	case n == 0:
		return invalid("list of documents must not be empty")
	case n > maxDocuments:
		return invalid("number of documents must be at most %d - received %d", maxDocuments, n)
	case strings.TrimSpace(body.Get("query").Str()) == "":
		return invalid("query must not be empty")
	}
	return nil
}

func relevance(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return math.Round((sum+1)/2*1e7) / 1e7
}

// entry is one model of the list.
func entry(m core.Model, endpoints ...string) object {
	return object{"name": m.ID, "endpoints": endpoints, "finetuned": false, "context_length": m.Window, "default_endpoints": []string{}}
}

func allModels(x *core.Exchange) []object {
	var out []object
	for _, m := range catalogue() {
		out = append(out, entry(m, "chat"))
	}
	for _, m := range embedders() {
		out = append(out, entry(m, "embed"))
	}
	for _, m := range rerankers() {
		out = append(out, entry(m, "rerank"))
	}
	for _, name := range x.World.Models {
		if !strings.HasSuffix(name, "*") {
			out = append(out, entry(core.Model{ID: name, Window: 128_000}, "chat"))
		}
	}
	return out
}

// models answers GET /v1/models.
func (d Dialect) models(x *core.Exchange) core.Reply {
	if f := x.Fails(d); f != nil {
		return d.Refuse(x, *f)
	}
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: encode(object{"models": allModels(x)})}
}

// model answers GET /v1/models/{model}.
func (d Dialect) model(x *core.Exchange) core.Reply {
	x.Model = core.LastSegment(x.Path)
	for _, m := range allModels(x) {
		if m["name"] == x.Model {
			return core.Reply{Status: 200, Header: header(x, jsonType), Body: encode(m)}
		}
	}
	return d.Refuse(x, d.Fault(core.NoModel, x))
}
