// Package bedrock is the Amazon Bedrock dialect of the mock: Converse and
// ConverseStream, POST /model/{model}/converse and …/converse-stream, and
// InvokeModel and InvokeModelWithResponseStream, …/invoke and
// …/invoke-with-response-stream, with the bodies of Claude, Nova, Llama 3, Mistral
// 7B, Titan, Command R, and of Titan's and Cohere's models that make vectors.
//
// Fields and bounds follow the API reference as its Go client publishes it
// (github.com/aws/aws-sdk-go-v2/service/bedrockruntime v1.63); error texts, the
// order of members and the padding of events follow answers that the API was seen
// to give.
//
// It takes an API key, and any signature without verifying it. It does not speak
// guardrails, prompts or asynchronous calls.
package bedrock

import (
	"net/http"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

// Dialect implements core.Dialect.
type Dialect struct{}

// Name implements core.Dialect.
func (Dialect) Name() string { return "bedrock" }

// Endpoints implements core.Dialect.
func (d Dialect) Endpoints() []core.Endpoint {
	serve := func(stream bool) func(x *core.Exchange) core.Reply {
		return func(x *core.Exchange) core.Reply {
			x.Stream = stream
			x.Model = modelOf(x)
			return core.ServeChat(x, d, converse{})
		}
	}
	invoke := func(stream bool) func(x *core.Exchange) core.Reply {
		return func(x *core.Exchange) core.Reply { return d.invoke(x, stream) }
	}
	return []core.Endpoint{
		{Method: "POST", Path: "/model/*/invoke", Serve: invoke(false)},
		{Method: "POST", Path: "/model/*/invoke-with-response-stream", Serve: invoke(true)},
		{Method: "POST", Path: "/model/*/converse", Serve: serve(false)},
		{Method: "POST", Path: "/model/*/converse-stream", Serve: serve(true)},
	}
}

// modelOf is the model that the path names.
func modelOf(x *core.Exchange) string {
	return core.LastSegment(x.Path[:strings.LastIndexByte(x.Path, '/')])
}

// Claims implements core.Dialect.
func (Dialect) Claims(h http.Header) bool {
	return strings.HasPrefix(h.Get("authorization"), "AWS4-HMAC-SHA256 ")
}

// Key implements core.Dialect.
func (Dialect) Key(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "bearer"):
		return strings.TrimSpace(key)
	case scheme == "AWS4-HMAC-SHA256":
		id, _, _ := strings.Cut(strings.TrimPrefix(key, "Credential="), "/")
		return id
	}
	return ""
}

const (
	jsonType  = "application/json"
	eventType = "application/vnd.amazon.eventstream"
)

// header builds the headers that the API adds to every answer.
func header(x *core.Exchange, contentType string) http.Header {
	if x.RequestID == "" {
		id := x.World.NextID("", core.Hex, 32)
		x.RequestID = id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
	}
	h := http.Header{}
	h.Set("content-type", contentType)
	h.Set("date", x.World.Now().UTC().Format(http.TimeFormat))
	h.Set("x-amzn-requestid", x.RequestID)
	return h
}

// catalogue lists the models; the mock-* models have no counterpart.
func catalogue() []core.Model {
	return []core.Model{
		{ID: "anthropic.claude-3-7-sonnet-20250219-v1:0", Snapshot: "claude-3-7-sonnet-20250219", Window: 200_000, Output: 64_000, Reasons: true},
		{ID: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Snapshot: "claude-sonnet-4-5-20250929", Window: 200_000, Output: 64_000, Reasons: true},
		{ID: "amazon.nova-micro-v1:0", Window: 128_000, Output: 10_000},
		{ID: "amazon.nova-lite-v1:0", Window: 300_000, Output: 10_000},
		{ID: "meta.llama3-70b-instruct-v1:0", Window: 8192},
		{ID: "mistral.mistral-7b-instruct-v0:2", Window: 32_000},
		{ID: "amazon.titan-text-express-v1", Window: 8192},
		{ID: "cohere.command-r-v1:0", Window: 128_000},
		{ID: "mock", Window: 200_000},
		{ID: "mock-small", Window: 4096},
		{ID: "mock-large", Window: 1_000_000},
		{ID: "mock-reason", Window: 200_000, Reasons: true},
	}
}
