package dialect

import (
	"bytes"
	"unicode/utf8"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// maxArgumentsDepth is how deep the arguments of a tool call may nest.
const maxArgumentsDepth = 256

// AppendInput appends the arguments of a call as the JSON object that they
// spell; none at all are the empty object. False means that they are no object, and
// that nothing was appended.
func AppendInput(dst []byte, c *llm.ToolCall) ([]byte, bool) {
	if c.Input != nil && jsonx.KindOf(c.Input) != jsonx.Object {
		return dst, false
	}
	if c.Input != nil {
		return append(dst, c.Input...), true
	}
	at := len(dst)
	dst = jsonx.Unescape(dst, c.Arguments)
	raw := bytes.TrimSpace(dst[at:])
	if len(raw) == 0 {
		return append(dst[:at], "{}"...), true
	}
	if raw[0] != '{' || jsonx.Valid(raw, jsonx.Limits{Depth: maxArgumentsDepth}) != nil {
		return dst[:at], false
	}
	return append(dst[:at], raw...), true
}

// AppendArguments appends the interior of a JSON string that holds the
// arguments' JSON text; none at all are the empty object.
func AppendArguments(dst []byte, c *llm.ToolCall) []byte {
	switch {
	case len(c.Arguments) > 0:
		return append(dst, c.Arguments...)
	case len(c.Input) > 0:
		return jsonx.Escape(dst, string(c.Input))
	}
	return append(dst, "{}"...)
}

// DataURL takes a base64 data: URL (RFC 2397) apart. Parameters of the media
// type are dropped.
func DataURL(url llm.Escaped) (mediaType, data llm.Escaped, ok bool) {
	const scheme = "data:"
	if len(url) < len(scheme) || !equalFold(url[:len(scheme)], scheme) {
		return nil, nil, false
	}
	head, data, ok := bytes.Cut(url[len(scheme):], []byte(","))
	if !ok {
		return nil, nil, false
	}
	mark := bytes.LastIndexByte(head, ';')
	if mark < 0 || !equalFold(bytes.TrimSpace(head[mark+1:]), "base64") {
		return nil, nil, false
	}
	mediaType, _, _ = bytes.Cut(head[:mark], []byte(";"))
	return unslash(mediaType), unslash(data), true
}

// unslash undoes the one escape that a media type or base64 may carry in JSON.
func unslash(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	return bytes.ReplaceAll(text, []byte(`\/`), []byte(`/`))
}

// equalFold compares ASCII text without regard to case; word is in lower case.
func equalFold(text []byte, word string) bool {
	if len(text) != len(word) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// Plain is the text that the interior of a JSON string spells, cut to at most
// limit bytes at the boundary of a character.
func Plain(interior []byte, limit int) string {
	if len(interior) <= limit && bytes.IndexByte(interior, '\\') < 0 {
		return string(interior)
	}
	if len(interior) > 6*limit {
		interior = interior[:6*limit]
	}
	text := jsonx.Unescape(nil, interior)
	if len(text) <= limit {
		return string(text)
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return string(text[:limit])
}
