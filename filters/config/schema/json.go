// Package schema renders a configuration's table of fields for people and
// editors: as JSON Schema (2020-12) and as a Markdown reference. Both are
// deterministic, so that generated files can be compared in a check.
//
// It is for tools and is not compiled into the module. It validates nothing:
// what a document may hold is decided by config.Decode alone, and the JSON
// Schema only knows what it can express (not, say, dangling names).
package schema

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

const (
	namePattern     = `^[A-Za-z0-9._:@/-]{1,128}$`
	sizePattern     = `^[0-9]+(KiB|MiB|GiB)?$`
	durationPattern = `^[-+]?([0-9]*\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+$|^[-+]?0$`
	envPattern      = `env:[A-Za-z_][A-Za-z0-9_]*`
)

// node is a JSON Schema; the order of its fields is the order in the file.
type node struct {
	Dialect     string          `json:"$schema,omitempty"`
	ID          string          `json:"$id,omitempty"`
	Title       string          `json:"title,omitempty"`
	Ref         string          `json:"$ref,omitempty"`
	Description string          `json:"description,omitempty"`
	Type        any             `json:"type,omitempty"` // a string, or a list of them
	Enum        []string        `json:"enum,omitempty"`
	Pattern     string          `json:"pattern,omitempty"`
	Minimum     json.RawMessage `json:"minimum,omitempty"`
	Maximum     json.RawMessage `json:"maximum,omitempty"`
	MinLength   int             `json:"minLength,omitempty"`
	MaxLength   int             `json:"maxLength,omitempty"`
	MinItems    int             `json:"minItems,omitempty"`
	MaxItems    int             `json:"maxItems,omitempty"`
	MinEntries  int             `json:"minProperties,omitempty"`
	MaxEntries  int             `json:"maxProperties,omitempty"`
	Default     json.RawMessage `json:"default,omitempty"`
	Examples    []string        `json:"examples,omitempty"`
	Deprecated  bool            `json:"deprecated,omitempty"`
	Items       *node           `json:"items,omitempty"`
	Names       *node           `json:"propertyNames,omitempty"`
	Properties  properties      `json:"properties,omitempty"`
	Required    []string        `json:"required,omitempty"`
	Additional  any             `json:"additionalProperties,omitempty"` // false, or a *node
}

// property is one key; properties keep the order of the table.
type property struct {
	name string
	node *node
}

type properties []property

// MarshalJSON renders the properties as an object in their order.
func (ps properties) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, p := range ps {
		if i > 0 {
			b = append(b, ',')
		}
		text, err := marshal(p.node)
		if err != nil {
			return nil, err
		}
		b = append(config.AppendQuoted(b, p.name), ':')
		b = append(b, text...)
	}
	return append(b, '}'), nil
}

// JSON renders a JSON Schema of dialect 2020-12, indented, with a line end. The
// id is its URI and may be empty.
func JSON(s config.Schema, id, title string) ([]byte, error) {
	n := (&writer{}).object(s, "#")
	n.Dialect, n.ID, n.Title = "https://json-schema.org/draft/2020-12/schema", id, title
	text, err := marshal(n)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// marshal is json.Marshal without the escapes that are for HTML.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}

// writer knows the pointers of the objects that it is in, for those that
// recurse.
type writer struct{ in []string }

// value renders a schema that stands at a pointer.
func (w *writer) value(s config.Schema, at string) *node {
	n := &node{}
	switch s.Type {
	case config.TypeObject:
		n = w.object(s, at)
	case config.TypeMap:
		n = w.mapOf(s, at)
	case config.TypeList:
		n = &node{Type: "array", Items: w.value(*s.Items, at+"/items"), MinItems: s.MinLength, MaxItems: bound(s.MaxLength)}
	case config.TypeAny:
	default:
		n = scalar(s)
	}
	n.Description = description(s)
	n.Default = json.RawMessage(s.Default)
	n.Deprecated = s.Deprecated != ""
	if s.Example != "" {
		n.Examples = []string{s.Example}
	}
	return n
}

func (w *writer) object(s config.Schema, at string) *node {
	if up := s.Recurses; up > 0 && up <= len(w.in) {
		return &node{Ref: w.in[len(w.in)-up]}
	}
	n := &node{Type: "object", Additional: false}
	w.in = append(w.in, at)
	for _, f := range s.Fields {
		n.Properties = append(n.Properties, property{f.Name, w.value(f, at+"/properties/"+config.EscapeToken(f.Name))})
		if f.Required {
			n.Required = append(n.Required, f.Name)
		}
	}
	w.in = w.in[:len(w.in)-1]
	return n
}

func (w *writer) mapOf(s config.Schema, at string) *node {
	n := &node{Type: "object", Additional: w.value(*s.Items, at+"/additionalProperties"),
		MinEntries: s.MinLength, MaxEntries: bound(s.MaxLength)}
	if s.Names {
		n.Names = &node{Pattern: namePattern}
	}
	return n
}

func scalar(s config.Schema) *node {
	n := &node{Type: "string", Enum: s.Enum}
	switch s.Type {
	case config.TypeBool:
		n.Type = "boolean"
	case config.TypeInt, config.TypeFloat:
		n.Type = string(s.Type)
		n.Minimum, n.Maximum = json.RawMessage(s.Min), json.RawMessage(s.Max)
	case config.TypeBytes:
		n.Type, n.Pattern = []string{"integer", "string"}, sizePattern
		n.Minimum, n.Maximum = size(s.Min, "0"), size(s.Max, "")
	case config.TypeDuration:
		n.Pattern = durationPattern
	case config.TypeSecret:
		n.Pattern = secretPattern(s.Secret)
	default:
		// Bounds count bytes, JSON Schema characters of up to four.
		n.MinLength, n.MaxLength = (s.MinLength+3)/4, bound(s.MaxLength)
		if s.Names {
			n.Pattern = namePattern
		}
	}
	return n
}

// bound leaves out what does not bound.
func bound(n int) int {
	if n >= config.MaxBytes {
		return 0
	}
	return n
}

func size(text, otherwise string) json.RawMessage {
	if n, ok := config.ParseBytes(text); ok {
		return strconv.AppendInt(nil, int64(n), 10)
	}
	return json.RawMessage(otherwise)
}

func secretPattern(forms []string) string {
	var alternatives []string
	for _, f := range forms {
		switch f {
		case "host":
		case "env":
			f = envPattern
		default:
			f += ":.+"
		}
		alternatives = append(alternatives, f)
	}
	return "^(" + strings.Join(alternatives, "|") + ")$"
}

// description is the doc and what the schema cannot say otherwise.
func description(s config.Schema) string {
	return strings.Join(append(nonEmpty(s.Doc), remarks(s)...), " ")
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// remarks are sentences on what a type alone does not show.
func remarks(s config.Schema) []string {
	var r []string
	if s.Refers != "" {
		r = append(r, "Names an entry of "+s.Refers+".")
	}
	if s.Items != nil && s.Items.Refers != "" {
		r = append(r, "Each names an entry of "+s.Items.Refers+".")
	}
	if s.Deprecated != "" {
		r = append(r, "Deprecated: "+s.Deprecated+".")
	}
	return r
}
