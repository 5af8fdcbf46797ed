package dialect

import (
	"math"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Members reads the top-level members of a request, and keeps the first error.
// A member that is absent or null reads as nothing.
type Members struct {
	Doc  *jsonx.Document
	Keys *jsonx.Keys // by which Doc was scanned
	Err  *llm.Error
}

// Fail notes an error.
//
//go:noinline
func (m *Members) Fail(code, param, message string) {
	if m.Err == nil {
		m.Err = Invalid(code, param, message)
	}
}

// Raw returns a value of one of two kinds.
//
//go:noinline
func (m *Members) Raw(k int, kind, other jsonx.Kind) []byte {
	v, ok := m.Doc.Get(k)
	if !ok || v.Kind == jsonx.Null {
		return nil
	}
	if v.Kind != kind && v.Kind != other {
		name := m.Keys.Name(k)
		m.Fail("invalid_type", name, "invalid type for '"+name+"': expected "+kind.String())
		return nil
	}
	return v.Raw(m.Doc.Body())
}

// Array returns an array.
func (m *Members) Array(k int) []byte { return m.Raw(k, jsonx.Array, jsonx.Array) }

// Object returns an object.
func (m *Members) Object(k int) []byte { return m.Raw(k, jsonx.Object, jsonx.Object) }

// Number returns a number as it is spelled.
func (m *Members) Number(k int) llm.Number {
	return llm.Number(m.Raw(k, jsonx.Number, jsonx.Number))
}

// Text returns the interior of a string.
func (m *Members) Text(k int) llm.Escaped {
	return llm.Escaped(jsonx.Interior(m.Raw(k, jsonx.String, jsonx.String)))
}

// Flag returns a boolean.
func (m *Members) Flag(k int) bool {
	b, _ := jsonx.Bool(m.Raw(k, jsonx.Boolean, jsonx.Boolean))
	return b
}

// Count returns a whole number that is not negative; less is 0.
func (m *Members) Count(k int) int {
	raw := m.Raw(k, jsonx.Number, jsonx.Number)
	n, ok := jsonx.Int(raw)
	if raw != nil && !ok {
		m.Fail("invalid_type", m.Keys.Name(k), "invalid type for '"+m.Keys.Name(k)+"': expected a whole number")
	}
	return int(min(max(n, 0), math.MaxInt32))
}

// Required returns the text that a member spells; without one it fails.
func (m *Members) Required(k int) string {
	text := m.Text(k)
	if len(text) == 0 {
		m.Fail("missing_required_parameter", m.Keys.Name(k), "'"+m.Keys.Name(k)+"' is required")
	}
	return Plain(text, len(text))
}

// Texts returns the strings of an array; a string alone counts as one.
func (m *Members) Texts(k int) (list []llm.Escaped) {
	raw := m.Raw(k, jsonx.Array, jsonx.String)
	if text := jsonx.Interior(raw); len(text) > 0 {
		return []llm.Escaped{text}
	}
	for it := jsonx.Elements(raw); it.Next(); {
		list = append(list, Text(&it))
	}
	return list
}

// Extra are the members that are not among the keys.
func (m *Members) Extra() (extra []llm.Field) {
	for it := jsonx.Members(m.Doc.Body()); it.Next(); {
		if m.Keys.Find(it.Key()) < 0 {
			extra = Keep(extra, &it)
		}
	}
	return extra
}

// Elements counts the values of an array or an object.
func Elements(raw []byte) (n int) {
	for it := jsonx.Elements(raw); it.Next(); {
		n++
	}
	return n
}
