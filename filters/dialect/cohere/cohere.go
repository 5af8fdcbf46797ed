// Package cohere is the codec of Cohere's API: chat, embed and rerank of version
// 2, and of version 1 what clients still send: chat, generate, embed and rerank
// (source: the API reference, and the cohere-go types v2.15).
//
// It stands on both sides and serves requests that keep the API with the
// client's own bytes. Version 1's chat and generate are read, for usage and
// events, but not translated: a request that would have to be is refused. Their
// streams are lines of JSON. Classify, tokenize, data sets, jobs and connectors are
// passed on as they are, see others. It does no HTTP and decides nothing.
//
// # What a request of another dialect becomes
//
//   - Instructions stay where they stood. Names of speakers are left out.
//   - Reasoning without a signature is text, and goes: as tool_plan in a turn
//     that calls tools, else as thinking. What another maker signed is left out.
//   - A named tool is asked for by offering that tool alone, and requiring it.
//   - Parameters out of the API's range take the nearest value in it:
//     temperature up to 1, top_p from 0.01 to 0.99, penalties from 0 to 1, of
//     which the API takes one: the frequency's.
//   - An effort becomes a budget of tokens; a high one is no bound.
//   - Audio, files, several answers (n) and tools that a provider runs are refused.
//
// # What a request becomes elsewhere
//
// Documents become text before the last turn of the user. citation_options,
// safety_mode, priority and raw_prompting have no place and are left out.
//
// # What the answer of another dialect becomes
//
// Of several answers the first is told; a refusal is text. Signatures travel in
// a member of ours, "signature", of thinking and of tool calls.
package cohere

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

const name = "cohere"

// New returns the dialect.
func New() *dialect.Dialect {
	chat := Chat()
	return &dialect.Dialect{Name: name, Kept: kept,
		APIs: []*dialect.API{chat, Embed(), Rerank(), ChatV1(), Generate(), EmbedV1(), RerankV1(), others(chat)}}
}

// endpoint is where an API is, and what all of them share as clients and as
// providers.
type endpoint struct {
	op   llm.Operation
	path string
}

// Recognise knows the API's path. The chat also knows the list of models, by the
// name that the official clients give themselves: its path is that of others.
func (p endpoint) Recognise(l *dialect.Line) (dialect.Call, bool) {
	if l.Method == "GET" && p.path == chatPath && strings.Contains(l.Header("x-fern-sdk-name"), name) {
		if model, ok := strings.CutPrefix(l.Path+"/", "/v1/models/"); ok {
			return dialect.Call{Operation: llm.Models, Model: strings.TrimSuffix(model, "/")}, true
		}
	}
	return dialect.Call{Operation: p.op}, l.Method == "POST" && l.Path == p.path
}

// Token is a bearer token.
func (endpoint) Token(l *dialect.Line) (token, header string) {
	if token = dialect.Bearer(l.Header); token != "" {
		header = "authorization"
	}
	return token, header
}

// Path appends the call to the provider's base path, whatever version that names.
func (p endpoint) Path(_ *llm.Facts, t *dialect.Target) string {
	base := strings.TrimSuffix(strings.TrimSuffix(t.BasePath, "/v1"), "/v2")
	return base + p.path
}

// Headers is empty: the API needs none.
func (endpoint) Headers(*dialect.Target) [][2]string { return nil }

// Credential is a bearer token.
func (endpoint) Credential(_ *dialect.Target, key string) (name, value string) {
	return "authorization", "Bearer " + key
}

// Streams knows none: most of the APIs answer whole.
func (endpoint) Streams(string) bool { return false }

// StreamType is that of server-sent events.
func (endpoint) StreamType(*llm.Facts) string { return sse.MediaType }

// NewDecoder reads the only stream that an API without any can have: none.
func (endpoint) NewDecoder(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return newDecoder(lim)
}

// NewEncoder writes a stream as chat does.
func (endpoint) NewEncoder(*llm.Facts, string) dialect.Encoder { return &streamEncoder{source: -1} }
