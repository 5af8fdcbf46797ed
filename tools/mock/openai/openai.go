// Package openai is the OpenAI dialect of the mock: POST /v1/chat/completions,
// POST /v1/responses and POST /v1/completions (whole and streamed),
// GET and DELETE /v1/responses/{id}, POST /v1/embeddings, GET /v1/models and
// GET /v1/models/{model}.
//
// A response is kept unless store is false, so that a later one can go on from
// it; each mock keeps its own, as each provider does.
//
// Fields and bounds follow OpenAI's API reference as its Go client publishes it
// (github.com/openai/openai-go v3); error texts, headers and the order of
// members follow answers that the API was seen to give.
//
// It does not speak audio, nor the tools that OpenAI runs itself (they are
// accepted in the Responses API, and never called), nor conversations, prompts
// by id and responses in the background, which it refuses.
package openai

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

// Dialect implements core.Dialect.
type Dialect struct{}

// Name implements core.Dialect.
func (Dialect) Name() string { return "openai" }

// Endpoints implements core.Dialect.
func (d Dialect) Endpoints() []core.Endpoint {
	return []core.Endpoint{
		{Method: "POST", Path: "/v1/chat/completions", Serve: func(x *core.Exchange) core.Reply {
			return core.ServeChat(x, d, chat{})
		}},
		{Method: "POST", Path: responsesPath, Serve: func(x *core.Exchange) core.Reply {
			return core.ServeChat(x, d, responses{})
		}},
		{Method: "GET", Path: responsesPath + "/*", Serve: d.response},
		{Method: "DELETE", Path: responsesPath + "/*", Serve: d.response},
		{Method: "POST", Path: "/v1/completions", Serve: func(x *core.Exchange) core.Reply {
			return core.ServeChat(x, d, legacy{})
		}},
		{Method: "POST", Path: "/v1/embeddings", Serve: d.embed},
		{Method: "GET", Path: "/v1/models", Serve: d.models},
		{Method: "GET", Path: "/v1/models/*", Serve: d.model},
	}
}

// Claims implements core.Dialect.
func (Dialect) Claims(h http.Header) bool { return h.Get("authorization") != "" }

// Key implements core.Dialect.
func (Dialect) Key(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// header builds the headers that the API adds to every answer.
func header(x *core.Exchange, contentType string) http.Header {
	if x.RequestID == "" {
		x.RequestID = x.World.NextID("req_", core.Hex, 32)
	}
	r := x.World.Rand("header", x.RequestID)
	h := http.Header{}
	set := func(k, v string) { h[http.CanonicalHeaderKey(k)] = []string{v} }
	set("content-type", contentType)
	set("access-control-expose-headers", "X-Request-ID")
	set("openai-organization", "org-mock")
	set("openai-processing-ms", strconv.Itoa(20+r.Intn(900)))
	set("openai-project", "proj_mock")
	set("openai-version", "2020-10-01")
	set("x-ratelimit-limit-requests", "10000")
	set("x-ratelimit-limit-tokens", "2000000")
	set("x-ratelimit-remaining-requests", "9999")
	set("x-ratelimit-remaining-tokens", strconv.Itoa(2000000-1-len(x.Body)/4))
	set("x-ratelimit-reset-requests", "6ms")
	set("x-ratelimit-reset-tokens", "0s")
	set("x-request-id", x.RequestID)
	set("strict-transport-security", "max-age=31536000; includeSubDomains; preload")
	set("cf-cache-status", "DYNAMIC")
	set("set-cookie", "__cf_bm="+r.String(core.Base62, 43)+"; path=/; HttpOnly; Secure; SameSite=None")
	set("x-content-type-options", "nosniff")
	set("server", "cloudflare")
	set("cf-ray", r.String(core.Hex, 16)+"-AMS")
	return h
}

const (
	jsonType  = "application/json"
	eventType = "text/event-stream; charset=utf-8"
)

// catalogue lists the models; the mock-* models have no counterpart.
func catalogue() []core.Model {
	return []core.Model{
		{ID: "gpt-4o", Snapshot: "gpt-4o-2024-08-06", Created: 1715367049, Window: 128_000},
		{ID: "gpt-4o-mini", Snapshot: "gpt-4o-mini-2024-07-18", Created: 1721172741, Window: 128_000},
		{ID: "gpt-4.1", Snapshot: "gpt-4.1-2025-04-14", Created: 1744316542, Window: 1_047_576},
		{ID: "gpt-4.1-mini", Snapshot: "gpt-4.1-mini-2025-04-14", Created: 1744318173, Window: 1_047_576},
		{ID: "gpt-4.1-nano", Snapshot: "gpt-4.1-nano-2025-04-14", Created: 1744321707, Window: 1_047_576},
		{ID: "gpt-3.5-turbo", Snapshot: "gpt-3.5-turbo-0125", Created: 1677610602, Window: 16_385},
		{ID: "gpt-5", Snapshot: "gpt-5-2025-08-07", Created: 1754425777, Window: 400_000, Reasons: true},
		{ID: "gpt-5-mini", Snapshot: "gpt-5-mini-2025-08-07", Created: 1754425928, Window: 400_000, Reasons: true},
		{ID: "gpt-5-nano", Snapshot: "gpt-5-nano-2025-08-07", Created: 1754426384, Window: 400_000, Reasons: true},
		{ID: "o3", Snapshot: "o3-2025-04-16", Created: 1744225308, Window: 200_000, Reasons: true},
		{ID: "o4-mini", Snapshot: "o4-mini-2025-04-16", Created: 1744225351, Window: 200_000, Reasons: true},
		{ID: "mock", Created: 1700000000, Window: 128_000},
		{ID: "mock-small", Created: 1700000001, Window: 4096},
		{ID: "mock-large", Created: 1700000002, Window: 1_000_000},
		{ID: "mock-reason", Created: 1700000003, Window: 128_000, Reasons: true},
	}
}

// embedders lists the embedding models.
func embedders() []core.Model {
	return []core.Model{
		{ID: "text-embedding-3-small", Created: 1705948997, Window: 8192, Embedding: 1536},
		{ID: "text-embedding-3-large", Created: 1705953180, Window: 8192, Embedding: 3072},
		{ID: "text-embedding-ada-002", Created: 1671217299, Window: 8192, Embedding: 1536},
		{ID: "mock-embedding", Created: 1700000004, Window: 8192, Embedding: 64},
	}
}

func streamHeader(x *core.Exchange) http.Header {
	h := header(x, eventType)
	h.Set("cache-control", "no-cache, must-revalidate")
	return h
}
