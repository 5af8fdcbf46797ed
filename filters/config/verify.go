package config

import (
	"maps"
	"slices"
)

// Verify tests a table itself, for the tests of the part that owns it: names
// that are there twice, options that a field cannot use, defaults that the
// field would refuse, checks of another type, references into a namespace that
// nothing declares. It writes defaults into the fields' variables.
func Verify(fields []Field) Errors {
	v := verifier{seen: map[string]bool{}, declared: map[string]bool{}, referred: map[string]string{}}
	w := &walk{visit: v.visit}
	w.into(nil, &Schema{}, func() []Field { return fields })
	for _, namespace := range slices.Sorted(maps.Keys(v.referred)) {
		if !v.declared[namespace] {
			v.fail(v.referred[namespace], "refers to "+Quote(namespace)+", which nothing declares")
		}
	}
	v.errs.Sort()
	return v.errs
}

type verifier struct {
	errs     Errors
	seen     map[string]bool // pointers
	declared map[string]bool
	referred map[string]string // namespace to pointer
}

func (v *verifier) fail(pointer, message string) {
	v.errs.Add(Error{Pointer: pointer, Code: BadTable, Message: message})
}

func (v *verifier) visit(path []step, e *entry, s *Schema) {
	at := pointer(path)
	if v.seen[at] {
		v.fail(at, "the name is there twice")
	}
	v.seen[at] = true
	v.declared[e.namespace] = true
	if s.Refers != "" {
		v.referred[s.Refers] = at
	}
	if s.Items != nil && s.Items.Refers != "" {
		v.referred[s.Items.Refers] = at
	}
	if m := e.misuse(s.Type); m != "" {
		v.fail(at, m)
	}
	for _, c := range e.checks {
		if typed, _ := c(e.value, false); !typed {
			v.fail(at, "a check of a type that the field has not")
		}
	}
	if e.hasDefault {
		v.defaulted(at, e)
	}
}

// defaulted decodes the default as Decode would.
func (v *verifier) defaulted(at string, e *entry) {
	n := defaultNode(e.def)
	if n == nil {
		v.fail(at, "a default of a type that the field has not")
		return
	}
	d := &decoder{spaces: map[string]*space{}}
	d.value(&place{node: n}, e)
	for _, wrong := range d.errs {
		v.fail(at, "the default is refused: "+wrong.Message)
	}
}

// misuse says which option a field of a type cannot use, or "".
func (e *entry) misuse(t Type) string {
	number := t == TypeInt || t == TypeFloat || t == TypeBytes || t == TypeDuration
	many := t == TypeList || t == TypeMap
	switch {
	case (e.lo != nil || e.hi != nil) && !number:
		return "Min, Max and Range are for numbers, sizes and durations"
	case e.hasLength && t != TypeString && !many:
		return "Length is for texts, lists and maps"
	case len(e.oneOf) > 0 && t != TypeString && t != TypeList:
		return "OneOf is for texts and lists of texts"
	case len(e.secret) > 0 && t != TypeSecret && t != TypeList:
		return "Secret is for texts and lists of texts"
	case e.anyKey && t != TypeMap:
		return "AnyKey is for maps"
	case e.validName && t != TypeString:
		return "Name is for texts"
	case e.namespace != "" && t != TypeString && t != TypeMap:
		return "In is for texts and maps"
	case e.required && e.hasDefault:
		return "Required and Default exclude each other"
	}
	return ""
}
