package gemini

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members that have a place in the vocabulary. Having one of them
// twice is refused, also once in each of its spellings: the JSON form of protocol
// buffers takes the names of fields in camel case and as they are declared.
const (
	kContents = iota
	kSystem
	kTools
	kToolConfig
	kGeneration
	kSafety
	kCached
	kLabels
	kModel
	kGenerate // of countTokens
	kTier
	spellings
)

var inspected = jsonx.NewKeys(
	"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent", "labels",
	"model", "generateContentRequest", "serviceTier",
	"contents", "system_instruction", "tools", "tool_config", "generation_config", "safety_settings", "cached_content", "labels",
	"model", "generate_content_request", "service_tier",
)

// Inspected lists the members that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

// members reads top-level members and keeps the first error.
type members struct {
	doc  *jsonx.Document
	err  *llm.Error
	keys *jsonx.Keys
	half int // the second spellings begin there
}

func chatMembers(doc *jsonx.Document) *members {
	return &members{doc: doc, keys: inspected, half: spellings}
}

// raw returns a value of the given kind; nil when it is absent or null.
func (m *members) raw(k int, kind jsonx.Kind) []byte {
	v, ok := m.doc.Get(k)
	if other, twice := m.doc.Get(k + m.half); twice {
		if ok {
			m.fail("duplicate_key", m.keys.Name(k), "The field '"+m.keys.Name(k)+"' is set twice.")
		}
		v, ok = other, true
	}
	if !ok || v.Kind == jsonx.Null {
		return nil
	}
	if v.Kind != kind {
		m.fail("invalid_type", m.keys.Name(k), "Invalid value at '"+m.keys.Name(k)+"': expected "+article(kind)+".")
		return nil
	}
	return v.Raw(m.doc.Body())
}

func article(kind jsonx.Kind) string {
	switch kind {
	case jsonx.Array, jsonx.Object:
		return "an " + kind.String()
	}
	return "a " + kind.String()
}

func (m *members) fail(code, param, message string) {
	if m.err == nil {
		m.err = dialect.Invalid(code, param, message)
	}
}

func (m *members) array(k int) []byte  { return m.raw(k, jsonx.Array) }
func (m *members) object(k int) []byte { return m.raw(k, jsonx.Object) }

// field is the name of a member in camel case, whichever way it is spelled.
//
//go:noinline
func field(it *jsonx.Iter) string {
	key := dialect.Name(it)
	if bytes.IndexByte(key, '_') <= 0 {
		return string(key)
	}
	out := make([]byte, 0, len(key))
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c == '_' && i+1 < len(key) && 'a' <= key[i+1] && key[i+1] <= 'z' {
			i++
			c = key[i] &^ 0x20
		}
		out = append(out, c)
	}
	return string(out)
}

// get finds a member of an object by its name in camel case.
//
//go:noinline
func get(raw []byte, name string) []byte {
	for it := jsonx.Members(raw); it.Next(); {
		if field(&it) == name {
			return dialect.Value(&it)
		}
	}
	return nil
}

// text finds a member that is a string.
func getText(raw []byte, name string) llm.Escaped {
	return llm.Escaped(jsonx.Interior(get(raw, name)))
}

// number is a value that is a number, also as the string that 64-bit numbers are.
func number(raw []byte) llm.Number {
	if digits := jsonx.Interior(raw); digits != nil {
		raw = digits
	}
	if jsonx.KindOf(raw) != jsonx.Number || jsonx.Valid(raw, jsonx.Limits{}) != nil {
		return ""
	}
	return llm.Number(bytes.TrimSpace(raw))
}

// count is a whole number within what an int32 holds.
func count(raw []byte) int {
	n, _ := jsonx.Int([]byte(number(raw)))
	return int(min(max(n, -1), 1<<31-1))
}
