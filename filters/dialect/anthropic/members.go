package anthropic

import (
	"bytes"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// name returns the unescaped key of a member.
func name(it *jsonx.Iter) []byte {
	key := it.Key()
	if bytes.IndexByte(key, '\\') < 0 {
		return key
	}
	return jsonx.Unescape(nil, key)
}

// text returns the interior of a member that is a string, else nil.
func text(it *jsonx.Iter) llm.Escaped { return llm.Escaped(jsonx.Interior(it.Value())) }

// keep adds a member to those without a canonical place; null says nothing.
func keep(extra []llm.Field, it *jsonx.Iter) []llm.Field {
	if it.Kind() == jsonx.Null {
		return extra
	}
	return append(extra, llm.Field{Name: string(name(it)), Value: it.Value()})
}
