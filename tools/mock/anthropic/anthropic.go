// Package anthropic is the Anthropic dialect of the mock: POST /v1/messages
// (whole and streamed), POST /v1/messages/count_tokens, GET /v1/models and
// GET /v1/models/{model}.
//
// Fields and bounds follow the Messages API as its Go client publishes it
// (github.com/anthropics/anthropic-sdk-go), version 2023-06-01; error texts,
// headers, the order of members and the padding of events follow answers that
// the API was seen to give. Signatures of thinking blocks are the mock's own,
// and it refuses any that it did not make.
//
// It does not run server tools (web search, code execution), batches or files.
package anthropic

import (
	"net/http"
	"strconv"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
)

// Dialect implements core.Dialect.
type Dialect struct{}

// Name implements core.Dialect.
func (Dialect) Name() string { return "anthropic" }

// Endpoints implements core.Dialect.
func (d Dialect) Endpoints() []core.Endpoint {
	return []core.Endpoint{
		{Method: "POST", Path: "/v1/messages", Serve: d.versioned(func(x *core.Exchange) core.Reply {
			return core.ServeChat(x, d, messages{})
		})},
		{Method: "POST", Path: "/v1/messages/count_tokens", Serve: d.versioned(d.countTokens)},
		{Method: "GET", Path: "/v1/models", Serve: d.versioned(d.models)},
		{Method: "GET", Path: "/v1/models/*", Serve: d.versioned(d.model)},
	}
}

// versioned refuses requests without a version that the API knows.
func (d Dialect) versioned(serve func(*core.Exchange) core.Reply) func(*core.Exchange) core.Reply {
	return func(x *core.Exchange) core.Reply {
		switch v := x.Header.Get("anthropic-version"); v {
		case "":
			return d.Refuse(x, *invalid("anthropic-version: header is required"))
		case "2023-06-01", "2023-01-01":
			return serve(x)
		default:
			return d.Refuse(x, *invalid("anthropic-version: %q is not a valid version", v))
		}
	}
}

// Claims implements core.Dialect.
func (Dialect) Claims(h http.Header) bool {
	return h.Get("anthropic-version") != "" || h.Get("x-api-key") != ""
}

// Key implements core.Dialect.
func (Dialect) Key(h http.Header) string { return h.Get("x-api-key") }

const (
	jsonType  = "application/json"
	eventType = "text/event-stream; charset=utf-8"
)

// header builds the headers that the API adds to every answer.
func header(x *core.Exchange, contentType string) http.Header {
	if x.RequestID == "" {
		x.RequestID = x.World.NextID("req_011C", core.Base58, 20)
	}
	r := x.World.Rand("header", x.RequestID)
	reset := x.World.Now().UTC().Truncate(time.Second).Format(time.RFC3339)
	h := http.Header{}
	set := func(k, v string) { h[http.CanonicalHeaderKey(k)] = []string{v} }
	set("content-type", contentType)
	set("request-id", x.RequestID)
	set("anthropic-organization-id", "00000000-0000-4000-8000-00006d6f636b")
	limits := []struct {
		what        string
		limit, left int
	}{
		{"requests", 4000, 3999},
		{"input-tokens", 400000, 400000 - len(x.Body)/4},
		{"output-tokens", 80000, 80000},
		{"tokens", 480000, 480000 - len(x.Body)/4},
	}
	for _, l := range limits {
		set("anthropic-ratelimit-"+l.what+"-limit", strconv.Itoa(l.limit))
		set("anthropic-ratelimit-"+l.what+"-remaining", strconv.Itoa(l.left))
		set("anthropic-ratelimit-"+l.what+"-reset", reset)
	}
	set("strict-transport-security", "max-age=31536000; includeSubDomains; preload")
	set("via", "1.1 google")
	set("cf-cache-status", "DYNAMIC")
	set("x-robots-tag", "none")
	set("server", "cloudflare")
	set("cf-ray", r.String(core.Hex, 16)+"-AMS")
	if contentType == eventType {
		set("cache-control", "no-cache")
	}
	return h
}

// catalogue lists the models; the mock-* models have no counterpart.
func catalogue() []core.Model {
	return []core.Model{
		{ID: "claude-opus-4-5", Snapshot: "claude-opus-4-5-20251101", Display: "Claude Opus 4.5", Created: 1761955200, Window: 200_000, Output: 64_000, Reasons: true},
		{ID: "claude-sonnet-4-5", Snapshot: "claude-sonnet-4-5-20250929", Display: "Claude Sonnet 4.5", Created: 1759104000, Window: 200_000, Output: 64_000, Reasons: true},
		{ID: "claude-haiku-4-5", Snapshot: "claude-haiku-4-5-20251001", Display: "Claude Haiku 4.5", Created: 1759276800, Window: 200_000, Output: 64_000, Reasons: true},
		{ID: "claude-sonnet-4-0", Snapshot: "claude-sonnet-4-20250514", Display: "Claude Sonnet 4", Created: 1747180800, Window: 200_000, Output: 64_000, Reasons: true},
		{ID: "claude-3-7-sonnet-latest", Snapshot: "claude-3-7-sonnet-20250219", Display: "Claude Sonnet 3.7", Created: 1739923200, Window: 200_000, Output: 64_000, Reasons: true},
		{ID: "claude-3-5-haiku-latest", Snapshot: "claude-3-5-haiku-20241022", Display: "Claude Haiku 3.5", Created: 1729555200, Window: 200_000, Output: 8192},
		{ID: "mock", Display: "Mock", Created: 1700000000, Window: 200_000},
		{ID: "mock-small", Display: "Mock, small", Created: 1700000001, Window: 4096},
		{ID: "mock-large", Display: "Mock, large", Created: 1700000002, Window: 1_000_000},
		{ID: "mock-reason", Display: "Mock, reasoning", Created: 1700000003, Window: 200_000, Reasons: true},
	}
}
