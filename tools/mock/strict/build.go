package strict

// The helpers below keep field tables readable: one line per field.

// Req marks a member that must be there.
func Req(s *Spec) Rule { return Rule{Spec: s, Required: true} }

// Opt marks a member that may be left out.
func Opt(s *Spec) Rule { return Rule{Spec: s} }

// Str accepts a string.
func Str() *Spec { return &Spec{Kinds: String} }

// Flag accepts a boolean.
func Flag() *Spec { return &Spec{Kinds: Bool} }

// OneOf accepts one of the strings.
func OneOf(values ...string) *Spec { return &Spec{Kinds: String, Enum: values} }

// Int accepts an integer of at least min.
func Int(min float64) *Spec { return &Spec{Kinds: Number, Integer: true, Min: &min} }

// IntIn accepts an integer within bounds.
func IntIn(min, max float64) *Spec {
	return &Spec{Kinds: Number, Integer: true, Min: &min, Max: &max}
}

// Num accepts a number within bounds.
func Num(min, max float64) *Spec { return &Spec{Kinds: Number, Min: &min, Max: &max} }

// List accepts an array of items.
func List(items *Spec) *Spec { return &Spec{Kinds: Array, Items: items} }

// Obj accepts an object with exactly these members.
func Obj(fields Fields) *Spec { return &Spec{Kinds: Object, Fields: fields} }

// Any accepts an object with any members.
func Any() *Spec { return &Spec{Kinds: Object, Open: true} }

// Union accepts an object whose member tag selects the variant.
func Union(tag string, variants map[string]*Spec) *Spec {
	return &Spec{Kinds: Object, Tag: tag, Variants: variants}
}

// OrNull returns the Spec with null accepted too.
func (s *Spec) OrNull() *Spec { return s.Also(Null) }

// Also returns the Spec with further kinds accepted.
func (s *Spec) Also(k Kind) *Spec {
	out := *s
	out.Kinds |= k
	return &out
}

// Len returns the Spec with bounds on a string's length; max 0 means none.
func (s *Spec) Len(min, max int) *Spec {
	out := *s
	out.MinLen, out.MaxLen = min, max
	return &out
}

// Count returns the Spec with bounds on an array's length; max 0 means none.
func (s *Spec) Count(min, max int) *Spec {
	out := *s
	out.MinItems, out.MaxItems = min, max
	return &out
}
