package core

import (
	"math"
	"strconv"
	"strings"

	"github.com/posterngw/postern/tools/mock/strict"
)

// What a hostile or recursive schema may cost.
const (
	maxSampleDepth  = 12
	maxSampleValues = 2048
	maxSampleText   = 1 << 16
	maxSampleMerges = 4 // allOf inside of allOf
)

// Sample returns JSON text that satisfies a JSON Schema (2020-12: types, enum,
// const, required, bounds, lengths, common formats, anyOf, oneOf, allOf and
// local $ref). Strings quote words, the i-th first. It does not honour pattern,
// dependent or conditional keywords. Without a schema it is {}.
func Sample(schema *strict.Value, words []string, i int) string {
	if schema == nil {
		return "{}"
	}
	s := &sampler{root: schema, words: words, turn: i, left: maxSampleValues}
	return s.value(schema, "", 0)
}

type sampler struct {
	root    *strict.Value
	words   []string
	turn    int
	left    int // values that may still be written
	merging int
}

func (s *sampler) value(schema *strict.Value, name string, depth int) string {
	schema = s.resolve(schema)
	if s.left--; s.left < 0 || depth > maxSampleDepth || schema == nil {
		return "null"
	}
	if c := schema.Get("const"); c != nil {
		return marshal(c)
	}
	if enum := schema.Get("enum").List(); len(enum) > 0 {
		return marshal(s.pick(enum))
	}
	switch typeOf(schema) {
	case "object":
		return s.object(schema, depth)
	case "array":
		return s.array(schema, name, depth)
	case "integer", "number":
		return number(schema)
	case "boolean":
		return "true"
	case "null":
		return "null"
	}
	return s.text(schema, name)
}

// resolve follows $ref and picks the first branch of a union that is not null.
func (s *sampler) resolve(schema *strict.Value) *strict.Value {
	for range maxSampleDepth {
		switch {
		case schema.Has("$ref"):
			schema = s.pointer(schema.Get("$ref").Str())
		case len(schema.Get("anyOf").List()) > 0:
			schema = firstNotNull(schema.Get("anyOf").List())
		case len(schema.Get("oneOf").List()) > 0:
			schema = firstNotNull(schema.Get("oneOf").List())
		case len(schema.Get("allOf").List()) > 0:
			schema = s.merge(schema)
		default:
			return schema
		}
	}
	return nil
}

func (s *sampler) pointer(ref string) *strict.Value {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := s.root
	for _, key := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		if key != "" {
			at = at.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(key))
		}
	}
	return at
}

// merge makes one object schema of the branches of allOf and their sibling
// keywords.
func (s *sampler) merge(schema *strict.Value) *strict.Value {
	if s.merging++; s.merging > maxSampleMerges {
		return nil
	}
	defer func() { s.merging-- }()
	out := &strict.Value{Kind: strict.Object}
	props := &strict.Value{Kind: strict.Object}
	required := &strict.Value{Kind: strict.Array}
	for _, branch := range append(schema.Get("allOf").List(), schema) {
		if branch != schema {
			branch = s.resolve(branch)
		}
		if branch == nil {
			continue
		}
		for _, f := range branch.Fields {
			switch f.Name {
			case "allOf":
			case "properties":
				props.Fields = append(props.Fields, f.Value.Fields...)
			case "required":
				required.Items = append(required.Items, f.Value.Items...)
			default:
				out.Fields = append(out.Fields, f)
			}
		}
	}
	if len(props.Fields) > 0 {
		out.Fields = append(out.Fields, strict.Field{Name: "properties", Value: props},
			strict.Field{Name: "required", Value: required})
	}
	return out
}

func firstNotNull(branches []*strict.Value) *strict.Value {
	for _, b := range branches {
		if b.Get("type").Str() != "null" {
			return b
		}
	}
	return branches[0]
}

func typeOf(schema *strict.Value) string {
	t := schema.Get("type")
	if t.Str() != "" {
		return t.Str()
	}
	for _, item := range t.List() {
		if item.Str() != "null" {
			return item.Str()
		}
	}
	switch {
	case schema.Has("properties"):
		return "object"
	case schema.Has("items"):
		return "array"
	}
	return "string"
}

// object writes the required members in the order of the properties; when none
// is required, the first property alone, as a model would say something.
func (s *sampler) object(schema *strict.Value, depth int) string {
	required := map[string]bool{}
	for _, name := range schema.Get("required").List() {
		required[name.Str()] = true
	}
	props := schema.Get("properties")
	var parts []string
	add := func(name string, sub *strict.Value) {
		parts = append(parts, string(strict.Quote(name))+":"+s.value(sub, name, depth+1))
		delete(required, name)
	}
	if props != nil {
		none := len(required) == 0 && depth == 0
		for i, f := range props.Fields {
			if required[f.Name] || none && i == 0 {
				add(f.Name, f.Value)
			}
		}
	}
	for _, name := range schema.Get("required").List() {
		if required[name.Str()] {
			add(name.Str(), &strict.Value{Kind: strict.Object})
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (s *sampler) array(schema *strict.Value, name string, depth int) string {
	var parts []string
	for _, item := range schema.Get("prefixItems").List() {
		parts = append(parts, s.value(item, name, depth+1))
	}
	want := schema.Get("minItems").Int(0)
	if len(parts) == 0 && schema.Get("maxItems").Int(1) > 0 && depth < 3 {
		want = max(want, 1)
	}
	items := schema.Get("items")
	if items == nil {
		items = &strict.Value{Kind: strict.Object}
	}
	for len(parts) < min(want, 64) {
		parts = append(parts, s.value(items, name, depth+1))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// number returns 7, or the nearest number that the bounds allow.
func number(schema *strict.Value) string {
	n, step := 7.0, 1.0
	if m, ok := schema.Get("multipleOf").Float(); ok && m > 0 {
		step = m
		n = math.Round(n/m) * m
	}
	low, hasLow := bound(schema, "minimum", "exclusiveMinimum", step)
	high, hasHigh := bound(schema, "maximum", "exclusiveMaximum", -step)
	if hasHigh && n > high {
		n = math.Floor(high/step) * step
	}
	if hasLow && n < low {
		n = math.Ceil(low/step) * step
	}
	if hasLow && hasHigh && (n < low || n > high) {
		n = (low + high) / 2
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func bound(schema *strict.Value, closed, open string, step float64) (float64, bool) {
	if f, ok := schema.Get(closed).Float(); ok {
		return f, true
	}
	f, ok := schema.Get(open).Float()
	return f + step, ok
}

var formats = map[string]string{
	"date-time": "2026-01-02T15:04:05Z",
	"date":      "2026-01-02",
	"time":      "15:04:05Z",
	"duration":  "P1D",
	"email":     "someone@example.com",
	"hostname":  "example.com",
	"uri":       "https://example.com/",
	"uuid":      "123e4567-e89b-12d3-a456-426614174000",
	"ipv4":      "192.0.2.1",
	"ipv6":      "2001:db8::1",
}

func (s *sampler) text(schema *strict.Value, name string) string {
	if fixed, ok := formats[schema.Get("format").Str()]; ok {
		return string(strict.Quote(fixed))
	}
	text := s.words[s.turn%len(s.words)]
	if n := min(schema.Get("minLength").Int(0), maxSampleText) - len([]rune(text)); n > 0 {
		text += strings.Repeat("x", n)
	}
	if n := schema.Get("maxLength").Int(-1); n >= 0 && len([]rune(text)) > n {
		text = string([]rune(text)[:n])
	}
	return string(strict.Quote(text))
}

// pick prefers the enum value that the prompt mentions.
func (s *sampler) pick(enum []*strict.Value) *strict.Value {
	for _, v := range enum {
		for _, w := range s.words {
			if v.Str() != "" && strings.EqualFold(v.Str(), w) {
				return v
			}
		}
	}
	return enum[0]
}

func marshal(v *strict.Value) string {
	out, err := v.MarshalJSON()
	if err != nil {
		return "null"
	}
	return string(out)
}
