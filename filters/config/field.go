package config

import (
	"strconv"
	"strings"
	"time"
)

// Field is one key of an object: how to decode it, what it may hold, and what
// the reference says of it. Only this package makes fields.
type Field interface{ entry() *entry }

// entry is every Field's implementation. decode gets a place with a node;
// absent gets one without.
type entry struct {
	name string
	options
	decode func(d *decoder, at *place)
	absent func(d *decoder, at *place)
	shape  func(s *Schema, w *walk)
	typed  func(*options) bool // whether the checks are of the field's type
	rule   func(*Report)
}

func (e *entry) entry() *entry { return e }

func newEntry(name string, opts []Option) *entry {
	e := &entry{name: name}
	for _, set := range opts {
		set(&e.options)
	}
	return e
}

// scalar makes a field of a single value (or of several that are written as
// one); read reports its own errors.
func scalar[T any](name string, p *T, t Type, opts []Option, read func(*decoder, *place, *options) (T, bool)) *entry {
	e := newEntry(name, opts)
	e.decode = func(d *decoder, at *place) {
		v, ok := read(d, at, &e.options)
		if ok && passes(d, at, &e.options, v) {
			*p = v
		}
	}
	e.shape = func(s *Schema, _ *walk) { s.Type = t }
	e.typed = checksAre[T]
	return e
}

// String declares a text.
func String(name string, p *string, opts ...Option) Field {
	e := scalar(name, p, TypeString, opts, readString)
	e.shape = func(s *Schema, _ *walk) {
		s.Type, s.Names = TypeString, e.validName || e.namespace != ""
		if len(e.secret) > 0 {
			s.Type = TypeSecret
		}
	}
	return e
}

func readString(d *decoder, at *place, o *options) (string, bool) {
	if !d.expect(at, KindString, o) {
		return "", false
	}
	v := at.node.Text
	switch {
	case len(o.secret) > 0:
		return v, d.secret(at, o)
	case o.hasLength && !o.length(len(v)):
		return v, d.fail(at, OutOfRange, "has "+strconv.Itoa(len(v))+" bytes", o.lengthHint("bytes"))
	case len(o.oneOf) > 0 && !d.oneOf(at, v, o.oneOf):
		return v, false
	case (o.validName || o.namespace != "") && !ValidName(v):
		return v, d.fail(at, Invalid, Quote(v)+" is not a name", nameRule)
	}
	d.declare(o.namespace, v, at)
	return v, true
}

// Bool declares true or false.
func Bool(name string, p *bool, opts ...Option) Field {
	return scalar(name, p, TypeBool, opts, func(d *decoder, at *place, o *options) (bool, bool) {
		return at.node.Text == "true", d.expect(at, KindBool, o)
	})
}

// Int declares an integer.
func Int(name string, p *int, opts ...Option) Field {
	return scalar(name, p, TypeInt, opts, func(d *decoder, at *place, o *options) (int, bool) {
		v, ok := readInt(d, at, o)
		if int64(int(v)) != v {
			return 0, d.fail(at, OutOfRange, at.node.Text+" is too large", "")
		}
		return int(v), ok
	})
}

// Int64 declares an integer.
func Int64(name string, p *int64, opts ...Option) Field {
	return scalar(name, p, TypeInt, opts, readInt)
}

func readInt(d *decoder, at *place, o *options) (int64, bool) {
	if !d.expect(at, KindNumber, o) {
		return 0, false
	}
	text := at.node.Text
	v, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil:
		return v, d.within(at, number{v, float64(v)}, o, strconv.Itoa)
	case strings.ContainsAny(text, ".eE"):
		return 0, d.fail(at, WrongType, "expected a whole number, found "+quoteScalar(at.node), "write it without a point or an exponent")
	default:
		return 0, d.fail(at, OutOfRange, quoteScalar(at.node)+" does not fit into 64 bits", "")
	}
}

// Float declares a number.
func Float(name string, p *float64, opts ...Option) Field {
	return scalar(name, p, TypeFloat, opts, func(d *decoder, at *place, o *options) (float64, bool) {
		if !d.expect(at, KindNumber, o) {
			return 0, false
		}
		v, err := strconv.ParseFloat(at.node.Text, 64)
		if err != nil {
			return 0, d.fail(at, OutOfRange, quoteScalar(at.node)+" is too large", "")
		}
		return v, d.withinFloat(at, v, o)
	})
}

// Bytes declares a size in bytes: "64KiB", "1MiB", "2GiB" or a whole number.
func Bytes(name string, p *int, opts ...Option) Field {
	return scalar(name, p, TypeBytes, opts, func(d *decoder, at *place, o *options) (int, bool) {
		n := at.node
		if n.Kind != KindNumber && n.Kind != KindString {
			return 0, d.fail(at, WrongType, "expected a size, found "+n.Kind.String(), bytesHint)
		}
		v, ok := ParseBytes(n.Text)
		if !ok {
			return 0, d.fail(at, Invalid, Quote(n.Text)+" is not a size", bytesHint)
		}
		return v, d.within(at, number{int64(v), float64(v)}, o, FormatBytes)
	})
}

// Duration declares a time span with its unit: "250ms", "30s", "1h30m". It is
// not negative unless Min says so.
func Duration(name string, p *time.Duration, opts ...Option) Field {
	e := scalar(name, p, TypeDuration, opts, readDuration)
	if e.lo == nil {
		e.lo = &number{}
	}
	return e
}

func readDuration(d *decoder, at *place, o *options) (time.Duration, bool) {
	n := at.node
	switch {
	case n.Kind == KindNumber:
		return 0, d.fail(at, WrongType, "a time span without a unit", "write "+strconv.Quote(n.Text+"s")+" or "+strconv.Quote(n.Text+"ms"))
	case n.Kind != KindString:
		return 0, d.fail(at, WrongType, "expected a time span, found "+n.Kind.String(), durationHint)
	}
	v, err := time.ParseDuration(n.Text)
	if err != nil {
		return 0, d.fail(at, Invalid, Quote(n.Text)+" is not a time span", durationHint)
	}
	return v, d.within(at, number{int64(v), float64(v)}, o, func(ns int) string { return FormatDuration(time.Duration(ns)) })
}

// Enum declares a text that is one of a few values.
func Enum[T ~string](name string, p *T, values []T, opts ...Option) Field {
	e := scalar(name, p, TypeString, opts, func(d *decoder, at *place, o *options) (T, bool) {
		if !d.expect(at, KindString, o) {
			return "", false
		}
		return T(at.node.Text), d.oneOf(at, at.node.Text, o.oneOf)
	})
	e.oneOf = make([]string, len(values))
	for i, v := range values {
		e.oneOf[i] = string(v)
	}
	if v, ok := e.def.(T); ok {
		e.def = string(v)
	}
	return e
}

// Ref declares a text that names an entry of a namespace (In). It is checked
// after the whole document is decoded, so the entry may follow.
func Ref(name string, p *string, namespace string, opts ...Option) Field {
	e := scalar(name, p, TypeString, opts, func(d *decoder, at *place, o *options) (string, bool) {
		if !d.expect(at, KindString, o) {
			return "", false
		}
		d.refer(namespace, at)
		return at.node.Text, true
	})
	e.shape = func(s *Schema, _ *walk) { s.Type, s.Refers = TypeString, namespace }
	return e
}

// Refs declares a list of texts that each name an entry of a namespace.
func Refs(name string, p *[]string, namespace string, opts ...Option) Field {
	e := scalar(name, p, TypeList, opts, func(d *decoder, at *place, o *options) ([]string, bool) {
		v, ok := readStrings(d, at, o)
		for i := range v {
			d.refer(namespace, at.item(i))
		}
		return v, ok
	})
	e.shape = func(s *Schema, _ *walk) {
		s.Type, s.Items = TypeList, &Schema{Type: TypeString, Refers: namespace}
	}
	return e
}

// Strings declares a list of texts.
func Strings(name string, p *[]string, opts ...Option) Field {
	e := scalar(name, p, TypeList, opts, readStrings)
	e.shape = func(s *Schema, _ *walk) {
		s.Type, s.Items = TypeList, &Schema{Type: TypeString, Enum: e.oneOf, Secret: e.secret}
		if s.Enum, s.Secret = nil, nil; len(e.secret) > 0 {
			s.Items.Type = TypeSecret
		}
	}
	return e
}

func readStrings(d *decoder, at *place, o *options) ([]string, bool) {
	if !d.expect(at, KindList, o) || !d.count(at, len(at.node.Items), o) {
		return nil, false
	}
	v, ok := make([]string, len(at.node.Items)), true
	for i, n := range at.node.Items {
		good := d.text(at.item(i), o)
		ok, v[i] = ok && good, n.Text
	}
	return v, ok
}

// text judges one entry of Strings.
func (d *decoder) text(at *place, o *options) bool {
	switch {
	case !d.expect(at, KindString, o):
		return false
	case len(o.secret) > 0:
		return d.secret(at, o)
	}
	return len(o.oneOf) == 0 || d.oneOf(at, at.node.Text, o.oneOf)
}

// StringMap declares an object whose keys are free and whose values are texts.
func StringMap(name string, p *map[string]string, opts ...Option) Field {
	e := scalar(name, p, TypeMap, opts, func(d *decoder, at *place, o *options) (map[string]string, bool) {
		if !d.expect(at, KindMap, o) || !d.count(at, len(at.node.Members), o) {
			return nil, false
		}
		v, ok := make(map[string]string, len(at.node.Members)), true
		var keys keySet
		for i := range at.node.Members {
			m := &at.node.Members[i]
			good := d.expect(at.member(m), KindString, o)
			if o.namespace != "" {
				good = d.key(at.member(m), at.node.Members[:i], &keys, o) && good
			}
			ok = ok && good
			v[m.Key] = m.Value.Text
		}
		return v, ok
	})
	e.shape = func(s *Schema, _ *walk) {
		s.Type, s.Items = TypeMap, &Schema{Type: TypeString}
		s.Names = e.namespace != "" && !e.anyKey
	}
	return e
}

// Raw declares a value of any kind that its owner reads by itself; it may
// report on it through Report.AtNode.
func Raw(name string, p **Node, opts ...Option) Field {
	return scalar(name, p, TypeAny, opts, func(_ *decoder, at *place, _ *options) (*Node, bool) {
		return at.node, true
	})
}

// Rule is a test that spans several keys of the object in whose table it
// stands. It runs after the whole document is decoded, and only if nothing in
// that object is wrong.
func Rule(test func(*Report)) Field { return &entry{rule: test} }
