// Package openai is the codec of OpenAI's chat completions API, which many
// other providers and servers speak too (source: the OpenAI API reference, chat
// completions and streaming, as of the openai-go types v3.96).
//
// It stands on both sides and serves requests that keep the dialect with the
// client's own bytes. It holds no other API of OpenAI yet (responses,
// embeddings, audio), does no HTTP, and decides nothing: what it cannot carry
// to a target of another dialect it refuses, and unknown fields it keeps in
// Extra.
//
// # What a change of dialect does to a request
//
// Refused, because the answer would lack what was asked for: logprobs, audio
// output, web_search_options, the deprecated functions, custom and allowed
// tools. Kept in Extra, and so not sent to another dialect: logit_bias,
// service_tier, store, verbosity, prediction, prompt_cache_*, and whatever is
// unknown here.
//
// # Reasoning
//
// OpenAI's own chat completions never show reasoning. Other servers do, as
// reasoning_content (DeepSeek, vLLM, xAI) or reasoning (OpenRouter, Groq); both
// are read, reasoning_content is written. Signatures and redacted blocks of
// Anthropic models travel in OpenRouter's reasoning_details, format
// "anthropic-claude-v1", to the client and back; details of other formats are
// kept raw.
//
// # Streams that keep the dialect
//
// A client that did not ask for usage does not get the extra chunk (choices
// empty, usage set). The "usage":null that include_usage adds to every other
// chunk stays: the schema allows it, every official SDK reads it, and cutting it
// would mean a copy of every chunk. Usage that rides in a chunk with choices
// stays for the same reason.
package openai

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// New returns the dialect.
func New() *dialect.Dialect {
	return &dialect.Dialect{Name: "openai", APIs: []*dialect.API{Chat()}, Flavours: []string{"compatible"}}
}

// Chat returns the chat completions API.
func Chat() *dialect.API {
	return &dialect.API{Name: "chat", Operation: llm.Chat, Client: &client{}, Provider: &provider{}, Same: &same{}}
}

type client struct{}
type provider struct{}
type same struct{}

// maxChoices is the most answers that one request may ask for.
const maxChoices = 128

// Recognise knows the chat completions and the list of models.
func (*client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	switch {
	case l.Method == "POST" && l.Path == "/v1/chat/completions":
		return dialect.Call{Operation: llm.Chat}, true
	case l.Method == "GET" && l.Path == "/v1/models":
		return dialect.Call{Operation: llm.Models}, true
	}
	return dialect.Call{}, false
}

// Token reads "authorization: Bearer …" (RFC 6750, section 2.1).
func (*client) Token(l *dialect.Line) (token, header string) {
	const scheme = "bearer "
	v := l.Header("authorization")
	if len(v) <= len(scheme) || !isFold(v[:len(scheme)], scheme) {
		return "", ""
	}
	for len(v) > len(scheme) && v[len(scheme)] == ' ' {
		v = v[1:]
	}
	return v[len(scheme):], "authorization"
}

// isFold compares ASCII text without regard to case; word is in lower case.
func isFold(text, word string) bool {
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if i >= len(word) || c != word[i] {
			return false
		}
	}
	return len(text) == len(word)
}

// Path appends the call to the provider's base path, which is "/v1" when the
// configuration names only a host.
func (*provider) Path(f *llm.Facts, t *dialect.Target) string {
	base := t.BasePath
	if base == "" {
		base = "/v1"
	}
	if f.Operation == llm.Models {
		return base + "/models"
	}
	return base + "/chat/completions"
}

// Headers is empty: OpenAI needs none.
func (*provider) Headers(*dialect.Target) [][2]string { return nil }

// Credential is a bearer token.
func (*provider) Credential(_ *dialect.Target, key string) (name, value string) {
	return "authorization", "Bearer " + key
}

// flavour is how a server that speaks the dialect differs from OpenAI.
type flavour struct {
	maxTokens string // the member that bounds the output
	topK      bool   // takes top_k
	reasoning string // the member for reasoning in assistant turns; empty: it takes none
}

// flavours is the quirks table. Names that it lacks are "compatible".
var flavours = map[string]flavour{
	"":           {maxTokens: "max_completion_tokens"},
	"compatible": {maxTokens: "max_tokens", topK: true, reasoning: "reasoning_content"},
}

func flavourOf(t *dialect.Target) flavour {
	if f, ok := flavours[t.Flavour]; ok {
		return f
	}
	return flavours["compatible"]
}
