package strict

import (
	"sort"
	"strconv"
	"unicode/utf8"
)

// Spec says what a value may be. The zero Spec accepts anything.
type Spec struct {
	Kinds    Kind     // kinds accepted; 0: any
	Integer  bool     // a Number must be integral
	Min, Max *float64 // bounds of a Number, inclusive
	MinLen   int      // shortest String, in characters
	MaxLen   int      // longest String; 0: no bound
	MinItems int      // shortest Array
	MaxItems int      // longest Array; 0: no bound
	Enum     []string // the strings accepted
	Name     bool     // a String must match [a-zA-Z0-9_-]+
	Items    *Spec    // of an Array
	Fields   Fields   // of an Object; nil with Open unset means none are checked
	Open     bool     // members that Fields does not name are accepted
	// Tag names the member that selects one of Variants for an Object;
	// TagDefault is the variant when the member is absent.
	Tag, TagDefault string
	Variants        map[string]*Spec
	HideVariant     bool // the variant's name does not appear in paths
}

// Fields lists the members of an object by name.
type Fields map[string]Rule

// Rule is the Spec of a member and whether it must be there.
type Rule struct {
	Spec     *Spec
	Required bool
}

// Reason says what is wrong with a value.
type Reason uint8

// The reasons.
const (
	Missing Reason = iota + 1
	Unknown
	WrongKind
	NotInteger
	BelowMin
	AboveMax
	TooShort
	TooLong
	NotInEnum
	BadName
)

// Problem is one violation of a Spec.
type Problem struct {
	Reason Reason
	Path   Path
	Spec   *Spec
	Value  *Value
	Enum   []string // NotInEnum: the values accepted
}

// Check returns every violation, those of the document in its order and, for
// each object, the missing members (by name) after its present ones.
func Check(v *Value, s *Spec) []Problem {
	c := &checker{}
	c.check(v, s, nil)
	return c.found
}

type checker struct{ found []Problem }

func (c *checker) add(r Reason, at Path, s *Spec, v *Value) {
	c.found = append(c.found, Problem{Reason: r, Path: at, Spec: s, Value: v})
}

func (c *checker) check(v *Value, s *Spec, at Path) {
	if s == nil {
		return
	}
	if s.Kinds != 0 && v.Kind&s.Kinds == 0 {
		c.add(WrongKind, at, s, v)
		return
	}
	switch v.Kind {
	case Number:
		c.number(v, s, at)
	case String:
		c.text(v, s, at)
	case Array:
		c.array(v, s, at)
	case Object:
		c.object(v, s, at)
	}
}

func (c *checker) number(v *Value, s *Spec, at Path) {
	f, ok := v.Float()
	switch {
	case s.Integer && (!ok || f != float64(int64(f))):
		c.add(NotInteger, at, s, v)
	case s.Min != nil && f < *s.Min:
		c.add(BelowMin, at, s, v)
	case s.Max != nil && f > *s.Max:
		c.add(AboveMax, at, s, v)
	}
}

func (c *checker) text(v *Value, s *Spec, at Path) {
	n := utf8.RuneCountInString(v.Text)
	switch {
	case len(s.Enum) > 0 && !contains(s.Enum, v.Text):
		c.enum(at, s, v, s.Enum)
	case n < s.MinLen:
		c.add(TooShort, at, s, v)
	case s.MaxLen > 0 && n > s.MaxLen:
		c.add(TooLong, at, s, v)
	case s.Name && !isName(v.Text):
		c.add(BadName, at, s, v)
	}
}

func (c *checker) enum(at Path, s *Spec, v *Value, values []string) {
	c.found = append(c.found, Problem{Reason: NotInEnum, Path: at, Spec: s, Value: v, Enum: values})
}

func (c *checker) array(v *Value, s *Spec, at Path) {
	if len(v.Items) < s.MinItems {
		c.add(TooShort, at, s, v)
	}
	if s.MaxItems > 0 && len(v.Items) > s.MaxItems {
		c.add(TooLong, at, s, v)
	}
	for i, item := range v.Items {
		c.check(item, s.Items, at.Item(i))
	}
}

func (c *checker) object(v *Value, s *Spec, at Path) {
	if s.Tag != "" {
		if s, at = c.variant(v, s, at); s == nil {
			return
		}
	}
	if s.Fields == nil {
		return
	}
	for _, f := range v.Fields {
		rule, known := s.Fields[f.Name]
		switch {
		case known:
			c.check(f.Value, rule.Spec, at.Key(f.Name))
		case !s.Open:
			c.add(Unknown, at.Key(f.Name), s, f.Value)
		}
	}
	for _, name := range s.Fields.required() {
		if v.Get(name) == nil {
			c.add(Missing, at.Key(name), s.Fields[name].Spec, nil)
		}
	}
}

// variant resolves a tagged union; it returns nil after reporting a tag that
// selects nothing.
func (c *checker) variant(v *Value, s *Spec, at Path) (*Spec, Path) {
	tag := v.Get(s.Tag)
	if tag == nil && s.TagDefault == "" {
		c.add(Missing, at.Key(s.Tag), nil, nil)
		return nil, at
	}
	name := s.TagDefault
	if tag != nil {
		name = tag.Str()
	}
	chosen := s.Variants[name]
	if chosen == nil {
		c.enum(at.Key(s.Tag), s, tag, s.variantNames())
		return nil, at
	}
	if s.HideVariant {
		return chosen, at
	}
	return chosen, at.As(name)
}

func (s *Spec) variantNames() []string {
	if len(s.Enum) > 0 {
		return s.Enum
	}
	names := make([]string, 0, len(s.Variants))
	for name := range s.Variants {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (f Fields) required() []string {
	var names []string
	for name, rule := range f {
		if rule.Required {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

func isName(s string) bool {
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '_' && r != '-' {
			return false
		}
	}
	return s != ""
}

// Bound writes a bound as a provider prints it: 2, 0.5, -100.
func Bound(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}
