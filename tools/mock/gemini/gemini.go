// Package gemini is the dialect of the mock for Google's Gemini API and the same
// methods on Vertex AI: generateContent, streamGenerateContent (as events and as a
// JSON array), countTokens, embedContent, batchEmbedContents, predict for
// embeddings, and the list of models.
//
// Fields and bounds follow the API reference as its Go client publishes it
// (google.golang.org/genai v1.77); error texts, the order of members and the
// framing of streams follow answers that the API was seen to give. As the API does
// it takes names of members in both spellings, inlineData and inline_data.
//
// A thought signature that comes back is checked to be one that was given for that
// call or text; models of Gemini 3 want one with the first call of each step of the
// current turn.
//
// It takes keys and bearer tokens of headers, not the key of a query. It keeps no
// caches and files, searches nothing and runs no code.
package gemini

import (
	"net/http"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

// Dialect implements core.Dialect.
type Dialect struct{}

// Name implements core.Dialect.
func (Dialect) Name() string { return "gemini" }

const (
	developerModels = "/v1*/models"
	vertexModels    = "/v1*/projects/*/locations/*/publishers/google/models"
)

// Endpoints implements core.Dialect.
func (d Dialect) Endpoints() []core.Endpoint {
	all := []core.Endpoint{
		{Method: "POST", Path: developerModels + "/*:embedContent", Serve: named(d.embed)},
		{Method: "POST", Path: developerModels + "/*:batchEmbedContents", Serve: named(d.batchEmbed)},
		{Method: "POST", Path: vertexModels + "/*:predict", Serve: named(d.predict)},
		{Method: "GET", Path: "/v1*/models", Serve: d.models},
		{Method: "GET", Path: "/v1*/models/*", Serve: d.model},
	}
	for _, at := range []string{developerModels, vertexModels} {
		all = append(all,
			core.Endpoint{Method: "POST", Path: at + "/*:generateContent", Serve: named(d.generate)},
			core.Endpoint{Method: "POST", Path: at + "/*:streamGenerateContent", Serve: named(d.stream)},
			core.Endpoint{Method: "POST", Path: at + "/*:countTokens", Serve: named(d.count)})
	}
	return all
}

// named serves a method of the model that the path names.
func named(serve func(*core.Exchange) core.Reply) func(*core.Exchange) core.Reply {
	return func(x *core.Exchange) core.Reply {
		x.Model, _ = target(x)
		return serve(x)
	}
}

// target is the model and the method that a path names.
func target(x *core.Exchange) (model, method string) {
	last := core.LastSegment(x.Path)
	if colon := strings.LastIndexByte(last, ':'); colon >= 0 {
		return last[:colon], last[colon+1:]
	}
	return last, ""
}

func (d Dialect) generate(x *core.Exchange) core.Reply { return core.ServeChat(x, d, content{}) }

func (d Dialect) stream(x *core.Exchange) core.Reply {
	x.Stream = true
	return core.ServeChat(x, d, content{})
}

// Claims implements core.Dialect.
func (Dialect) Claims(h http.Header) bool { return h.Get("x-goog-api-key") != "" }

// Key implements core.Dialect.
func (Dialect) Key(h http.Header) string {
	if key := h.Get("x-goog-api-key"); key != "" {
		return key
	}
	scheme, token, _ := strings.Cut(h.Get("authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// vertex says whether a request is one for Vertex AI.
func vertex(x *core.Exchange) bool { return strings.Contains(x.Path, "/projects/") }

// events says whether a stream is asked for as events.
func events(x *core.Exchange) bool { return strings.HasPrefix(x.Query.Get("alt"), "sse") }

const (
	jsonType  = "application/json; charset=UTF-8"
	eventType = "text/event-stream"
)

// header builds the headers that the API adds to every answer.
func header(x *core.Exchange, contentType string) http.Header {
	if x.RequestID == "" {
		x.RequestID = x.World.NextID("", core.Base62, 22)
	}
	h := http.Header{}
	h.Set("content-type", contentType)
	h.Set("date", x.World.Now().UTC().Format(http.TimeFormat))
	h.Set("vary", "Origin, X-Origin, Referer")
	h.Set("server", "scaffolding on HTTPServer2")
	h.Set("x-content-type-options", "nosniff")
	return h
}

// catalogue lists the models; the mock-* models have no counterpart.
func catalogue() []core.Model {
	const window, output = 1_048_576, 65_536
	return []core.Model{
		{ID: "gemini-2.0-flash", Snapshot: "gemini-2.0-flash-001", Display: "Gemini 2.0 Flash", Window: window, Output: 8192},
		{ID: "gemini-2.5-flash", Display: "Gemini 2.5 Flash", Window: window, Output: output, Reasons: true},
		{ID: "gemini-2.5-flash-lite", Display: "Gemini 2.5 Flash-Lite", Window: window, Output: output, Reasons: true},
		{ID: "gemini-2.5-pro", Display: "Gemini 2.5 Pro", Window: window, Output: output, Reasons: true},
		{ID: "gemini-3-flash-preview", Display: "Gemini 3 Flash Preview", Window: window, Output: output, Reasons: true},
		{ID: "gemini-3-pro-preview", Display: "Gemini 3 Pro Preview", Window: window, Output: output, Reasons: true},
		{ID: "mock", Display: "Mock", Window: 128_000},
		{ID: "mock-small", Display: "Mock Small", Window: 4096},
		{ID: "mock-large", Display: "Mock Large", Window: 1_000_000},
		{ID: "mock-reason", Display: "Mock Reason", Window: 128_000, Reasons: true},
	}
}

// embedders lists the embedding models.
func embedders() []core.Model {
	return []core.Model{
		{ID: "gemini-embedding-001", Display: "Gemini Embedding 001", Window: 2048, Embedding: 3072},
		{ID: "text-embedding-004", Display: "Text Embedding 004", Window: 2048, Embedding: 768},
		{ID: "text-embedding-005", Display: "Text Embedding 005", Window: 2048, Embedding: 768},
		{ID: "mock-embedding", Display: "Mock Embedding", Window: 8192, Embedding: 64},
	}
}
