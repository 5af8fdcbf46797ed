package gemini

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/percent"
)

// resource takes a path apart: "/v1beta/models/{model}:{method}", and Vertex's
// "/v1/projects/{p}/locations/{l}/publishers/google/models/{model}:{method}".
// The model's name may hold slashes, also as %2F.
func resource(path string) (model, method string, ok bool) {
	rest, ok := afterVersion(path)
	if !ok {
		return "", "", false
	}
	if strings.HasPrefix(rest, "projects/") {
		parts := strings.SplitN(rest, "/", 5)
		if len(parts) < 5 || parts[2] != "locations" {
			return "", "", false
		}
		rest = parts[4]
	}
	rest = strings.TrimPrefix(rest, "publishers/google/")
	if !strings.HasPrefix(rest, "tunedModels/") {
		if rest, ok = strings.CutPrefix(rest, "models/"); !ok {
			return "", "", false
		}
	}
	if colon := strings.LastIndexByte(rest, ':'); colon >= 0 {
		rest, method = rest[:colon], rest[colon+1:]
	}
	model, ok = unescapePath(rest)
	return model, method, ok && model != ""
}

func afterVersion(path string) (string, bool) {
	for _, v := range []string{"/v1beta/", "/v1/", "/v1beta1/", "/v1alpha/"} {
		if rest, ok := strings.CutPrefix(path, v); ok {
			return rest, true
		}
	}
	return "", false
}

// called is the call that a POST of one of the methods is.
func called(l *dialect.Line, op llm.Operation, methods ...string) (dialect.Call, bool) {
	if l.Method != "POST" {
		return dialect.Call{}, false
	}
	model, method, ok := resource(l.Path)
	if !ok {
		return dialect.Call{}, false
	}
	for _, m := range methods {
		if m == method {
			return dialect.Call{Operation: op, Model: model, Stream: strings.HasPrefix(method, "stream")}, true
		}
	}
	return dialect.Call{}, false
}

// events reports whether a stream is asked for as events.
func events(query string) bool {
	alt, _ := parameter(query, "alt")
	if alt == "" {
		alt, _ = parameter(query, "$alt")
	}
	return strings.HasPrefix(alt, "sse")
}

// Recognise knows generateContent, and streamGenerateContent as events.
func (*client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	c, ok := called(l, llm.Chat, "generateContent", "streamGenerateContent")
	return c, ok && (!c.Stream || events(l.Query))
}

// Token reads x-goog-api-key, a bearer token, as the SDKs send for Vertex, and the
// key of the query.
func (*client) Token(l *dialect.Line) (token, header string) {
	if key := l.Header("x-goog-api-key"); key != "" {
		return key, "x-goog-api-key"
	}
	if token := dialect.Bearer(l.Header); token != "" {
		return token, "authorization"
	}
	key, _ := parameter(l.Query, "key")
	return key, ""
}

// parameter finds a parameter of a query, unescaped.
func parameter(query, name string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if plain, ok := unescapePath(key); ok && plain == name {
			return unescapePath(strings.ReplaceAll(value, "+", " "))
		}
	}
	return "", false
}

// unescapePath undoes percent-encoding; false when it is broken or hides a control
// character.
func unescapePath(s string) (string, bool) {
	out, ok := percent.Unescape(s)
	for i := range len(out) {
		ok = ok && out[i] >= ' ' && out[i] != 0x7f
	}
	if !ok {
		return "", false
	}
	return out, true
}

// escapePath writes a model's name into a path; slashes and what a path may hold
// stay (RFC 3986, section 3.3).
func escapePath(s string) string {
	const digits = "0123456789ABCDEF"
	var out []byte
	for i := range len(s) {
		c := s[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/@", c) >= 0 {
			out = append(out, c)
			continue
		}
		out = append(out, '%', digits[c>>4], digits[c&15])
	}
	return string(out)
}
