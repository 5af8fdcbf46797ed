// Package strict reads JSON the way a severe API server does: into a tree that
// keeps the order of keys and the spelling of numbers, with duplicate keys,
// broken UTF-8 and deep nesting refused, and checks such a tree against
// declarative field tables (Spec). What is wrong comes back as typed Problems
// with a path; every dialect words them as its provider does.
//
// It does not report line numbers, does not stream, and is not meant for a hot
// path: the mock's benchmark models never reach it.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxDepth bounds the nesting of arrays and objects in a document.
const MaxDepth = 128

// Kind is the kind of a JSON value; kinds combine as bits in Spec.Kinds.
type Kind uint8

// The kinds of JSON values.
const (
	Null Kind = 1 << iota
	Bool
	Number
	String
	Array
	Object
)

// Field is one member of an object.
type Field struct {
	Name  string
	Value *Value
}

// Value is one JSON value. Only the member that belongs to Kind is set.
type Value struct {
	Kind   Kind
	Text   string // String: unescaped; Number: as it was spelled
	Truth  bool
	Items  []*Value
	Fields []Field
}

// ErrSyntax says that the bytes are not one JSON document.
var ErrSyntax = errors.New("not a JSON document")

// ErrDepth says that a document is nested deeper than MaxDepth.
var ErrDepth = fmt.Errorf("nested deeper than %d", MaxDepth)

// DuplicateError names a key that appears twice in one object. Keys are
// compared unescaped.
type DuplicateError struct{ Path Path }

// Error implements error.
func (e *DuplicateError) Error() string { return "duplicate key " + e.Path.Dotted() }

// Parse reads one JSON document. It fails with ErrSyntax, ErrDepth or a
// *DuplicateError.
func Parse(data []byte) (*Value, error) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, ErrSyntax
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	p := &parser{dec: dec}
	return p.value(nil)
}

type parser struct{ dec *json.Decoder }

func (p *parser) value(at Path) (*Value, error) {
	if len(at) > MaxDepth {
		return nil, ErrDepth
	}
	tok, err := p.dec.Token()
	if err != nil {
		return nil, ErrSyntax
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '[' {
			return p.array(at)
		}
		return p.object(at)
	case string:
		return &Value{Kind: String, Text: t}, nil
	case json.Number:
		return &Value{Kind: Number, Text: t.String()}, nil
	case bool:
		return &Value{Kind: Bool, Truth: t}, nil
	default:
		return &Value{Kind: Null}, nil
	}
}

func (p *parser) array(at Path) (*Value, error) {
	out := &Value{Kind: Array}
	for p.dec.More() {
		item, err := p.value(at.Item(len(out.Items)))
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	_, err := p.dec.Token()
	return out, err
}

func (p *parser) object(at Path) (*Value, error) {
	out := &Value{Kind: Object}
	seen := map[string]bool{}
	for p.dec.More() {
		tok, err := p.dec.Token()
		if err != nil {
			return nil, ErrSyntax
		}
		key, _ := tok.(string)
		here := at.Key(key)
		if seen[key] {
			return nil, &DuplicateError{Path: here}
		}
		seen[key] = true
		val, err := p.value(here)
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, Field{key, val})
	}
	_, err := p.dec.Token()
	return out, err
}

// Get returns the member of that name, or nil; it is safe on any value.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	for _, f := range v.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// Has says whether the object has a member of that name that is not null.
func (v *Value) Has(name string) bool {
	m := v.Get(name)
	return m != nil && m.Kind != Null
}

// Str returns the text of a string, or "".
func (v *Value) Str() string {
	if v == nil || v.Kind != String {
		return ""
	}
	return v.Text
}

// True says whether the value is the literal true.
func (v *Value) True() bool { return v != nil && v.Kind == Bool && v.Truth }

// False says whether the value is the literal false.
func (v *Value) False() bool { return v != nil && v.Kind == Bool && !v.Truth }

// Int returns the value of an integral number, or def.
func (v *Value) Int(def int) int {
	if f, ok := v.Float(); ok && f == float64(int(f)) {
		return int(f)
	}
	return def
}

// Float returns the value of a number.
func (v *Value) Float() (float64, bool) {
	if v == nil || v.Kind != Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	return f, err == nil
}

// List returns the items of an array; it is safe on any value.
func (v *Value) List() []*Value {
	if v == nil {
		return nil
	}
	return v.Items
}

// Members returns the members of an object; it is safe on any value.
func (v *Value) Members() []Field {
	if v == nil {
		return nil
	}
	return v.Fields
}

// MarshalJSON writes the value back, keys in their first order and numbers as
// they were spelled.
func (v *Value) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	v.write(&buf)
	return buf.Bytes(), nil
}

func (v *Value) write(buf *bytes.Buffer) {
	switch {
	case v == nil || v.Kind == Null:
		buf.WriteString("null")
	case v.Kind == Bool:
		buf.WriteString(strconv.FormatBool(v.Truth))
	case v.Kind == Number:
		buf.WriteString(v.Text)
	case v.Kind == String:
		buf.Write(Quote(v.Text))
	case v.Kind == Array:
		v.writeItems(buf)
	default:
		v.writeFields(buf)
	}
}

func (v *Value) writeItems(buf *bytes.Buffer) {
	buf.WriteByte('[')
	for i, item := range v.Items {
		if i > 0 {
			buf.WriteByte(',')
		}
		item.write(buf)
	}
	buf.WriteByte(']')
}

func (v *Value) writeFields(buf *bytes.Buffer) {
	buf.WriteByte('{')
	for i, f := range v.Fields {
		if i > 0 {
			buf.WriteByte(',')
		}
		buf.Write(Quote(f.Name))
		buf.WriteByte(':')
		f.Value.write(buf)
	}
	buf.WriteByte('}')
}

// Quote writes a JSON string without the HTML escapes of encoding/json, as
// providers do.
func Quote(s string) []byte {
	out, err := Marshal(s)
	if err != nil {
		return []byte(`""`)
	}
	return out
}

// Marshal is json.Marshal without HTML escapes.
func Marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
