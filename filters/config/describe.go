package config

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
		Name: e.name, Type: e.kind, Doc: e.doc, Example: e.example,
		Required: e.required, Deprecated: e.deprecated, Declares: e.namespace,
		Min: e.kind.spell(e.lo), Max: e.kind.spell(e.hi),
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
	return s
}

// shape fills what depends on the field's type.
func (e *entry) shape(s *Schema, w *walk) {
	switch {
	case e.section != nil:
		w.into(e.of, s, func() []Field { return e.section(false) })
	case e.kind == TypeMap:
		s.Names = !e.anyKey && (e.entries != nil || e.namespace != "")
		s.Items = e.items(w)
	case e.kind == TypeList:
		s.Items = e.items(w)
	case e.kind == TypeString:
		s.Names = e.validName || e.namespace != ""
		e.text(s)
	}
}

// text fills what is said of a text.
func (e *entry) text(s *Schema) {
	s.Enum, s.Secret, s.Refers = e.oneOf, e.secret, e.refers
	if len(e.secret) > 0 {
		s.Type = TypeSecret
	}
}

// items describes the entries of a list or map.
func (e *entry) items(w *walk) *Schema {
	s := &Schema{Type: TypeString}
	if e.entries == nil {
		e.text(s)
		return s
	}
	s.Type = TypeObject
	w.path = append(w.path, step{token: "*"})
	w.into(e.of, s, func() []Field { return e.entries(1, false)(0, "") })
	w.path = w.path[:len(w.path)-1]
	return s
}
