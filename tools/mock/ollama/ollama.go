// Package ollama is the Ollama dialect of the mock: chat, generate and embed as
// the server has them under /api, its list of models and its version.
//
// Fields and texts follow the server's routes and its Go types (version 0.12). In
// one point it is stricter than any server: a member that the API does not know is
// refused, so that nobody relies on one. It takes any credential, and none.
//
// It pulls, makes and unloads no models, keeps no context, and does not speak the
// OpenAI API that the server has, too: that is the other dialect's.
package ollama

import (
	"net/http"
	"strings"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// Dialect implements core.Dialect.
type Dialect struct{}

// Name implements core.Dialect.
func (Dialect) Name() string { return "ollama" }

// Endpoints implements core.Dialect.
func (d Dialect) Endpoints() []core.Endpoint {
	serve := func(o operation) func(*core.Exchange) core.Reply {
		return func(x *core.Exchange) core.Reply { return core.ServeChat(x, d, o) }
	}
	return []core.Endpoint{
		{Method: "POST", Path: "/api/chat", Serve: serve(operation{chat: true})},
		{Method: "POST", Path: "/api/generate", Serve: serve(operation{})},
		{Method: "POST", Path: "/api/embed", Serve: d.embed},
		{Method: "GET", Path: "/api/tags", Serve: d.tags},
		{Method: "GET", Path: "/api/version", Serve: func(x *core.Exchange) core.Reply {
			return whole(x, object{"version": "0.12.6"})
		}},
	}
}

// Claims implements core.Dialect: no path of the API is another's.
func (Dialect) Claims(http.Header) bool { return false }

// Key implements core.Dialect. The server needs none.
func (Dialect) Key(h http.Header) string {
	if _, key, ok := strings.Cut(h.Get("authorization"), " "); ok {
		return key
	}
	return "none"
}

const (
	jsonType  = "application/json; charset=utf-8"
	linesType = "application/x-ndjson"
)

func header(x *core.Exchange, contentType string) http.Header {
	h := http.Header{}
	h.Set("content-type", contentType)
	h.Set("date", x.World.Now().UTC().Format(http.TimeFormat))
	return h
}

// object is a JSON object.
type object map[string]any

// encode cannot fail: what it is given is made of strings and numbers.
func encode(v any) []byte {
	out, err := strict.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return out
}

func whole(x *core.Exchange, v object) core.Reply {
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: encode(v)}
}

func stamp(x *core.Exchange) string { return x.World.Now().UTC().Format(time.RFC3339Nano) }

// catalogue lists the models; each is its latest, too. The mock-* models have no
// counterpart.
func catalogue() []core.Model {
	list := []core.Model{
		{ID: "llama3.2", Window: 131_072},
		{ID: "llama3", Window: 8192},
		{ID: toolless, Window: 32_768},
		{ID: "qwen3", Window: 40_960, Reasons: true},
		{ID: "gpt-oss", Window: 131_072, Reasons: true},
		{ID: "mock", Window: 128_000},
		{ID: "mock-small", Window: 4096},
		{ID: "mock-large", Window: 1_000_000},
		{ID: "mock-reason", Window: 128_000, Reasons: true},
	}
	return latest(list)
}

// toolless is a model that cannot call tools.
const toolless = "gemma3:1b"

// embedders lists the models of vectors.
func embedders() []core.Model {
	return latest([]core.Model{{ID: "nomic-embed-text", Window: 2048, Embedding: 768}, {ID: "mock-embedding", Window: 8192, Embedding: 64}})
}

func latest(list []core.Model) []core.Model {
	for i := range list {
		if !strings.Contains(list[i].ID, ":") {
			list[i].Snapshot = list[i].ID + ":latest"
		}
	}
	return list
}

// tags answers GET /api/tags.
func (d Dialect) tags(x *core.Exchange) core.Reply {
	if f := x.Fails(d); f != nil {
		return d.Refuse(x, *f)
	}
	var out []object
	for _, m := range append(catalogue(), embedders()...) {
		name := m.ID
		if m.Snapshot != "" {
			name = m.Snapshot
		}
		out = append(out, object{"name": name, "model": name, "modified_at": stamp(x), "size": 2_019_393_189,
			"digest":  x.World.Rand("digest", name).String(core.Hex, 64),
			"details": object{"parent_model": "", "format": "gguf", "family": "mock", "families": []string{"mock"}, "parameter_size": "3.2B", "quantization_level": "Q4_K_M"}})
	}
	return whole(x, object{"models": out})
}

// embed answers POST /api/embed.
func (d Dialect) embed(x *core.Exchange) core.Reply {
	body, m, f := core.Open(x, d, embedders(), func(_ *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
		return check(body, embedSpec)
	})
	if f != nil {
		return d.Refuse(x, *f)
	}
	var texts []string
	if input := body.Get("input"); input.Kind == strict.String {
		texts = []string{input.Text}
	} else {
		for _, v := range input.List() {
			texts = append(texts, v.Str())
		}
	}
	size, tokens := body.Get("dimensions").Int(0), 0
	if size == 0 {
		size = max(m.Embedding, 64)
	}
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		n := core.CountTokens(text)
		if n > m.Window && body.Get("truncate").False() {
			return d.Refuse(x, d.Fault(core.ContextLength, x))
		}
		vectors[i] = x.World.Vector(text, size)
		tokens += min(n, m.Window)
	}
	r := whole(x, object{"model": x.Model, "embeddings": vectors, "total_duration": 14_143_917, "load_duration": 1_019_500, "prompt_eval_count": tokens})
	r.Usage, r.Reports = &core.Usage{Input: tokens}, true
	return r
}
