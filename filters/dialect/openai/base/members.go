package base

import (
	"math"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Members reads the top-level members of a request by their place in Keys, and
// keeps the first error.
type Members struct {
	Doc  *jsonx.Document
	Keys *jsonx.Keys
	Err  *llm.Error
}

// Get returns the value of a member; null counts as absent.
func (m *Members) Get(k int) (jsonx.Value, []byte, bool) {
	if !m.Doc.Has(k) { // as most are
		return jsonx.Value{}, nil, false
	}
	v, _ := m.Doc.Get(k)
	if v.Kind == jsonx.Null {
		return v, nil, false
	}
	return v, v.Raw(m.Doc.Body()), true
}

// Fail keeps an error if it is the first.
func (m *Members) Fail(e *llm.Error) {
	if m.Err == nil {
		m.Err = e
	}
}

// Wrong is a member of the wrong type.
//
//go:noinline
func (m *Members) Wrong(k int, want string) {
	name := m.Keys.Name(k)
	m.Fail(dialect.Invalid("invalid_type", name, "Invalid type for '"+name+"': expected "+want+"."))
}

// Raw returns a value of the given kind, or nil.
//
//go:noinline
func (m *Members) Raw(k int, kind jsonx.Kind, want string) []byte {
	if !m.Doc.Has(k) {
		return nil
	}
	v, raw, ok := m.Get(k)
	if ok && v.Kind != kind {
		m.Wrong(k, want)
		return nil
	}
	return raw
}

// Array returns a member that is an array, or nil.
func (m *Members) Array(k int) []byte { return m.Raw(k, jsonx.Array, "an array") }

// Object returns a member that is an object, or nil.
func (m *Members) Object(k int) []byte { return m.Raw(k, jsonx.Object, "an object") }

// Text returns the interior of a string, or nil.
func (m *Members) Text(k int) llm.Escaped {
	return llm.Escaped(jsonx.Interior(m.Raw(k, jsonx.String, "a string")))
}

// Flag returns a boolean and whether it is there.
func (m *Members) Flag(k int) (value, ok bool) {
	return jsonx.Bool(m.Raw(k, jsonx.Boolean, "a boolean"))
}

// Number returns a number as it is spelled.
func (m *Members) Number(k int) llm.Number {
	return llm.Number(m.Raw(k, jsonx.Number, "a number"))
}

// Count returns an integer, bounded to what an int32 holds; 0 when absent.
func (m *Members) Count(k int) int {
	raw := m.Raw(k, jsonx.Number, "an integer")
	if raw == nil {
		return 0
	}
	n, ok := jsonx.Int(raw)
	if !ok {
		m.Wrong(k, "an integer")
		return 0
	}
	return int(min(max(n, math.MinInt32), math.MaxInt32))
}

// Model is the name asked for: the member's, else the path's.
func (m *Members) Model(k int, path string) string {
	v := m.Text(k)
	if len(v) == 0 {
		if path == "" {
			m.Fail(Missing("model"))
		}
		return path
	}
	return dialect.Plain(v, len(v))
}

// maxUser bounds the end user's name that the facts keep, in bytes.
const maxUser = 256

// User is the end user: the member user, else safety_identifier.
func (m *Members) User(user, safety int) string {
	v := m.Text(user)
	if id := m.Text(safety); len(v) == 0 {
		v = id
	}
	if len(v) == 0 {
		return ""
	}
	return dialect.Plain(v, maxUser)
}

// Rest lists the members that Keys lacks.
func (m *Members) Rest(extra []llm.Field) []llm.Field {
	for it := jsonx.Members(m.Doc.Body()); it.Next(); {
		if m.Keys.Find(it.Key()) < 0 {
			extra = dialect.Keep(extra, &it)
		}
	}
	return extra
}

// Keep adds members of Keys that have no canonical place, where they are present.
func (m *Members) Keep(extra []llm.Field, keys ...int) []llm.Field {
	for _, k := range keys {
		if _, raw, ok := m.Get(k); ok {
			extra = append(extra, llm.Field{Name: m.Keys.Name(k), Value: raw})
		}
	}
	return extra
}

// Missing is a member that must be there.
func Missing(name string) *llm.Error {
	return dialect.Invalid("missing_required_parameter", name, "Missing required parameter: '"+name+"'.")
}

// Unsupported is a part that no other API can be asked for.
func Unsupported(param string) *llm.Error {
	return dialect.Unsupported(param, "'"+param+"' cannot be carried to the API that this model is served by.")
}

// Length counts the elements of an array.
func Length(array []byte) int {
	n := 0
	for it := jsonx.Elements(array); it.Next(); {
		n++
	}
	return n
}
