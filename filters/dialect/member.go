package dialect

import (
	"bytes"
	"strings"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// These small functions are called from some hundred places: inlined, they would
// be a tenth of the codecs' code in the module.

// Name returns the unescaped key of a member.
//
//go:noinline
func Name(it *jsonx.Iter) []byte {
	key := it.Key()
	if bytes.IndexByte(key, '\\') < 0 {
		return key
	}
	return jsonx.Unescape(nil, key)
}

// Value returns a member's value; null is nil.
//
//go:noinline
func Value(it *jsonx.Iter) []byte {
	if it.Kind() == jsonx.Null {
		return nil
	}
	return it.Value()
}

// Text returns the interior of a member that is a string, else nil.
//
//go:noinline
func Text(it *jsonx.Iter) llm.Escaped { return llm.Escaped(jsonx.Interior(it.Value())) }

// Keep adds a member to those without a canonical place; null says nothing.
func Keep(extra []llm.Field, it *jsonx.Iter) []llm.Field {
	if it.Kind() == jsonx.Null {
		return extra
	}
	return append(extra, llm.Field{Name: string(Name(it)), Value: it.Value()})
}

// Says reports whether a message has one of the phrases, which are in lower case.
func Says(message string, phrases []string) bool {
	message = strings.ToLower(message)
	for _, p := range phrases {
		if strings.Contains(message, p) {
			return true
		}
	}
	return false
}

// Bearer is the token of a header "Authorization: Bearer …"; empty when there is
// none, or one of another scheme.
//
//go:noinline
func Bearer(h Header) string {
	scheme, token, _ := strings.Cut(h("authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}
