package config

import (
	"strconv"
	"time"
)

// Type is the type of a field as users see it.
type Type string

// The types of fields.
const (
	TypeString   Type = "string"
	TypeSecret   Type = "secret reference"
	TypeBool     Type = "boolean"
	TypeInt      Type = "integer"
	TypeFloat    Type = "number"
	TypeBytes    Type = "size"
	TypeDuration Type = "duration"
	TypeList     Type = "list"
	TypeMap      Type = "map"
	TypeObject   Type = "object"
	TypeAny      Type = "any"
)

// Schema is what a table of fields says, as data: for the reference and for
// JSON Schema.
type Schema struct {
	Name       string // the key; empty for the document and for entries
	Type       Type
	Doc        string
	Example    string
	Default    string // as JSON; empty if there is none
	Required   bool
	Deprecated string   // what to use instead
	Enum       []string // the texts that are permitted
	Secret     []string // the forms of a secret reference
	Min, Max   string   // bounds, spelled as in a file; empty if none
	MinLength  int      // bytes of a text, entries of a list or map
	MaxLength  int      // 0 if unbounded
	Names      bool     // the text, or the keys of the map, are names
	Declares   string   // the namespace that this makes names in
	Refers     string   // the namespace that this names an entry of
	Fields     []Schema // of an object
	Items      *Schema  // of a list or map
	// Recurses says that the object is of a kind that it lies in, this many
	// objects up; its Fields are left out.
	Recurses int
}

// Describe returns what a table says. The fields' variables may be zero; the
// functions given to Object, Map and List are called with zero values.
func Describe(fields []Field) Schema {
	s := Schema{Type: TypeObject}
	w := &walk{}
	w.into(nil, &s, func() []Field { return fields })
	return s
}

// walk is one run of Describe: the types of the objects that it is in.
type walk struct {
	in    []any
	path  []step
	visit func(path []step, e *entry, s *Schema) // of Verify
}

// into fills the fields of an object of a type (a typed nil pointer), unless
// the walk is in one already.
func (w *walk) into(t any, s *Schema, fields func() []Field) {
	for i := len(w.in) - 1; i >= 0; i-- {
		if t != nil && w.in[i] == t {
			s.Recurses = len(w.in) - i
			return
		}
	}
	w.in = append(w.in, t)
	for _, f := range fields() {
		if e := f.entry(); e.rule == nil {
			w.path = append(w.path, step{token: e.name})
			s.Fields = append(s.Fields, e.describe(w))
			w.path = w.path[:len(w.path)-1]
		}
	}
	w.in = w.in[:len(w.in)-1]
}

func (e *entry) describe(w *walk) Schema {
	s := Schema{
		Name: e.name, Doc: e.doc, Example: e.example,
		Required: e.required, Deprecated: e.deprecated,
		Enum: e.oneOf, Secret: e.secret, Declares: e.namespace,
	}
	e.shape(&s, w)
	if e.hasDefault {
		s.Default = string(AppendJSON(nil, defaultNode(e.def)))
	}
	if e.hasLength {
		s.MinLength, s.MaxLength = e.lenLo, e.lenHi
	}
	if w.visit != nil {
		w.visit(w.path, e, &s)
	}
	show := shower(s.Type)
	if e.lo != nil {
		s.Min = show(*e.lo)
	}
	if e.hi != nil {
		s.Max = show(*e.hi)
	}
	return s
}

// entries fills the schema of the entries of a list or map.
func (w *walk) entries(s *Schema, shape func(*Schema, *walk)) {
	s.Items = &Schema{}
	w.path = append(w.path, step{token: "*"})
	shape(s.Items, w)
	w.path = w.path[:len(w.path)-1]
}

// shower returns how bounds of a type are spelled.
func shower(t Type) func(number) string {
	switch t {
	case TypeFloat:
		return showFloat
	case TypeBytes:
		return func(n number) string { return FormatBytes(int(n.i)) }
	case TypeDuration:
		return func(n number) string { return FormatDuration(time.Duration(n.i)) }
	}
	return func(n number) string { return strconv.FormatInt(n.i, 10) }
}
