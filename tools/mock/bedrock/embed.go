package bedrock

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// embedders lists the models that make vectors.
func embedders() []core.Model {
	return []core.Model{
		{ID: "amazon.titan-embed-text-v1", Window: 8192, Embedding: 1536},
		{ID: "amazon.titan-embed-text-v2:0", Window: 8192, Embedding: 1024},
		{ID: "cohere.embed-english-v3", Window: 512 * 96, Embedding: 1024},
		{ID: "cohere.embed-v4:0", Window: 128_000, Embedding: 1536},
	}
}

func embedSpec(model string) *strict.Spec {
	switch {
	case strings.HasPrefix(model, "cohere.embed-v4"):
		return cohereEmbedFourthSpec
	case strings.HasPrefix(model, "cohere."):
		return cohereEmbedSpec
	case strings.HasSuffix(model, "-v1"):
		return titanEmbedFirstSpec
	}
	return titanEmbedSpec
}

// embed answers InvokeModel of a model that makes vectors.
func (d Dialect) embed(x *core.Exchange) core.Reply {
	body, m, f := core.Open(x, d, embedders(), func(x *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
		return malformed(body, embedSpec(x.Model))
	})
	if f != nil {
		return d.Refuse(x, *f)
	}
	size := body.Get("dimensions").Int(body.Get("output_dimension").Int(m.Embedding))
	if !slices.Contains([]int{256, 384, 512, 1024, 1536}, size) {
		return d.Refuse(x, *invalid("Malformed input request: #/dimensions: %d is not a valid enum value, please reformat your input and try again.", size))
	}
	texts := []string{body.Get("inputText").Str()}
	if body.Has("texts") {
		texts = nil
		for _, t := range body.Get("texts").List() {
			texts = append(texts, t.Str())
		}
	}
	vectors, u := make([][]float32, len(texts)), core.Usage{}
	for i, t := range texts {
		vectors[i] = x.World.Vector(t, size)
		u.Input += core.CountTokens(t)
	}
	out := object{"embedding": vectors[0], "inputTextTokenCount": u.Input}
	if body.Has("texts") {
		out = object{"id": "mock", "texts": texts, "response_type": "embeddings_floats", "embeddings": vectors}
		if body.Has("embedding_types") {
			out["response_type"], out["embeddings"] = "embeddings_by_type", object{"float": vectors}
		}
	}
	h := header(x, jsonType)
	h.Set("x-amzn-bedrock-input-token-count", strconv.Itoa(u.Input))
	return core.Reply{Status: 200, Header: h, Body: encode(out), Usage: &u, Reports: true}
}
