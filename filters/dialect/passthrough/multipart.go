package passthrough

import (
	"bytes"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// maxParts and maxName bound what is looked at of a multipart body.
const (
	maxParts = 128
	maxName  = 256
)

var (
	crlf      = []byte("\r\n")
	blankLine = []byte("\r\n\r\n")
	dashes    = []byte("--")
)

// field finds the value of the field "model" in a multipart body (RFC 7578); an
// empty span when there is none. Two of them are refused: who reads which?
func field(kind string, body []byte) (at jsonx.Span, err *llm.Error) {
	if !strings.HasPrefix(strings.ToLower(kind), "multipart/form-data") || !bytes.HasPrefix(body, dashes) {
		return at, nil
	}
	line := bytes.Index(body, crlf)
	if line < 3 {
		return at, nil
	}
	boundary := append([]byte("\r\n"), body[:line]...)
	for n, from := 0, line; ; n++ {
		if n == maxParts {
			return at, dialect.Invalid("too_many_parts", "model", "The body has too many parts.")
		}
		size := bytes.Index(body[from:], boundary)
		if size < 0 {
			return at, nil
		}
		if start, ok := model(body[from : from+size]); ok {
			if at.Len() > 0 {
				return at, dialect.Invalid("duplicate_key", "model", "The body has the field \"model\" twice.")
			}
			at = jsonx.Span{Start: from + start, End: from + size}
			if at.Len() > maxName {
				return jsonx.Span{}, dialect.Invalid("invalid_value", "model", "The name of the model is too long.")
			}
		}
		from += size + len(boundary)
	}
}

// model reports where the value begins in a part that is the field "model".
func model(part []byte) (start int, ok bool) {
	end := bytes.Index(part, blankLine)
	if end < 0 {
		return 0, false
	}
	for _, line := range bytes.Split(part[:end], crlf) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if strings.EqualFold(string(bytes.TrimSpace(name)), "content-disposition") && named(value) {
			return end + len(blankLine), true
		}
	}
	return 0, false
}

// named reports whether a content-disposition names the field "model".
func named(value []byte) bool {
	for _, one := range bytes.Split(value, []byte(";")) {
		name, text, _ := bytes.Cut(bytes.TrimSpace(one), []byte("="))
		if strings.EqualFold(string(bytes.TrimSpace(name)), "name") {
			return string(bytes.Trim(bytes.TrimSpace(text), `"`)) == "model"
		}
	}
	return false
}
