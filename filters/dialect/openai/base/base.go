// Package base is what the APIs of the OpenAI family have in common: who asks,
// where requests go, how errors look and what they mean, usage, media, and the
// table of how the servers that speak the dialect differ.
//
// It holds no API: those are in filters/dialect/openai and below.
package base

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

// Client is the part of a client side that all APIs share.
type Client struct{}

// Provider is the part of a provider side that all APIs share.
type Provider struct{}

// MaxChoices is the most answers that one request may ask for.
const MaxChoices = 128

// Token reads "authorization: Bearer …" (RFC 6750, section 2.1), and Azure's
// api-key.
func (Client) Token(l *dialect.Line) (token, header string) {
	const scheme = "bearer "
	v := l.Header("authorization")
	if len(v) <= len(scheme) || !isFold(v[:len(scheme)], scheme) {
		if v = l.Header("api-key"); v == "" {
			return "", ""
		}
		return v, "api-key"
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

// Path takes a request's path apart: the API's own path, as behind /v1, and the
// model when the path names it. The roots are OpenAI's /v1 and Azure's
// /openai/v1, /openai/deployments/{model} and /openai (the last two with
// api-version in the query).
func Path(l *dialect.Line) (api, model string, ok bool) {
	if rest, found := strings.CutPrefix(l.Path, "/openai/deployments/"); found {
		model, api, ok = strings.Cut(rest, "/")
		return api, model, ok && model != ""
	}
	for _, root := range [...]string{"/v1/", "/openai/v1/", "/openai/"} {
		if api, ok = strings.CutPrefix(l.Path, root); ok {
			return api, "", true
		}
	}
	return "", "", false
}

// Posts reports whether a request line posts to an API, and the model that its
// path names.
func Posts(l *dialect.Line, api string) (model string, ok bool) {
	at, model, ok := Path(l)
	return model, ok && l.Method == "POST" && at == api
}

// StreamType is that of server-sent events.
func (Client) StreamType(*llm.Facts) string { return sse.MediaType }

// Streams knows server-sent events.
func (Provider) Streams(mediaType string) bool { return mediaType == sse.MediaType }

// Headers is empty: OpenAI needs none.
func (Provider) Headers(*dialect.Target) [][2]string { return nil }
