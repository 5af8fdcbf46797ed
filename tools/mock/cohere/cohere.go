// Package cohere is the Cohere dialect of the mock: chat, embed and rerank of
// version 2, and the list of models, which is the same path as others have it at
// and answers only clients that name themselves Cohere's.
//
// Fields follow the API as its Go client publishes it
// (github.com/cohere-ai/cohere-go/v2 v2.15), error texts and events those that the
// API was seen to send. Answers cite the documents of a request, and the results of
// tools.
//
// It does not speak version 1, data sets, fine-tuning or audio, and truncates no
// text.
package cohere

import (
	"net/http"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// Dialect implements core.Dialect.
type Dialect struct{}

// Name implements core.Dialect.
func (Dialect) Name() string { return "cohere" }

// Endpoints implements core.Dialect.
func (d Dialect) Endpoints() []core.Endpoint {
	return []core.Endpoint{
		{Method: "POST", Path: "/v2/chat", Serve: func(x *core.Exchange) core.Reply { return core.ServeChat(x, d, chat{}) }},
		{Method: "POST", Path: "/v2/embed", Serve: d.embed},
		{Method: "POST", Path: "/v2/rerank", Serve: d.rerank},
		{Method: "GET", Path: "/v1/models", Serve: d.models},
		{Method: "GET", Path: "/v1/models/*", Serve: d.model},
	}
}

// Claims implements core.Dialect.
func (Dialect) Claims(h http.Header) bool {
	return strings.Contains(h.Get("x-fern-sdk-name"), "cohere")
}

// Key implements core.Dialect.
func (Dialect) Key(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

const (
	jsonType  = "application/json"
	eventType = "text/event-stream"
)

// header builds the headers that the API adds to every answer.
func header(x *core.Exchange, contentType string) http.Header {
	if x.RequestID == "" {
		x.RequestID = newID(x)
	}
	h := http.Header{}
	h.Set("content-type", contentType)
	h.Set("x-debug-trace-id", x.World.Rand("trace", x.RequestID).String(core.Hex, 32))
	h.Set("date", x.World.Now().UTC().Format(http.TimeFormat))
	return h
}

// newID is a UUID by its form.
func newID(x *core.Exchange) string {
	id := x.World.NextID("", core.Hex, 32)
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
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

// catalogue lists the chat models; the mock-* models have no counterpart.
func catalogue() []core.Model {
	return []core.Model{
		{ID: "command-a-03-2025", Window: 256_000, Output: 8_000},
		{ID: "command-a-reasoning-08-2025", Window: 256_000, Output: 32_000, Reasons: true},
		{ID: "command-a-vision-07-2025", Window: 128_000, Output: 8_000},
		{ID: "command-r7b-12-2024", Window: 128_000, Output: 4_000},
		{ID: "command-r-08-2024", Window: 128_000, Output: 4_000},
		{ID: "command-r-plus-08-2024", Window: 128_000, Output: 4_000},
		{ID: "mock", Window: 128_000},
		{ID: "mock-small", Window: 4096},
		{ID: "mock-large", Window: 1_000_000},
		{ID: "mock-reason", Window: 128_000, Reasons: true},
	}
}

// embedders lists the models of vectors.
func embedders() []core.Model {
	return []core.Model{
		{ID: "embed-v4.0", Window: 128_000, Embedding: 1536},
		{ID: "embed-english-v3.0", Window: 512, Embedding: 1024},
		{ID: "embed-multilingual-v3.0", Window: 512, Embedding: 1024},
		{ID: "embed-english-light-v3.0", Window: 512, Embedding: 384},
		{ID: "mock-embedding", Window: 8192, Embedding: 64},
	}
}

// rerankers lists the models that put documents in order.
func rerankers() []core.Model {
	return []core.Model{{ID: "rerank-v3.5", Window: 4096}, {ID: "rerank-english-v3.0", Window: 4096},
		{ID: "rerank-multilingual-v3.0", Window: 4096}, {ID: "mock-rerank", Window: 4096}}
}
