package config

import (
	"strconv"
	"strings"
	"time"
)

// Field is one key of an object: how to decode it, what it may hold, and what
// the reference says of it. Only this package makes fields.
type Field interface{ entry() *entry }

// entry is every Field's implementation. It is data: what decodes and what
// describes are functions over it, so that a program that only decodes holds
// nothing of the reference.
type entry struct {
	name string
	options
	kind   Type
	value  any                                        // points at the field's variable: a *T
	read   func(d *decoder, at *place, e *entry) bool // sets the variable, reports its own errors
	refers string                                     // the namespace that the text, or each text of a list, names an entry of

	// Of sections: the table, of a fresh section unless it is to be kept.
	section  func(keep bool) []Field
	entries  func(n int, keep bool) func(i int, key string) []Field
	of       any // the section's type, as a nil pointer
	optional bool

	rule func(*Report)
}

func (e *entry) entry() *entry { return e }

func newEntry(name string, kind Type, value any, read func(*decoder, *place, *entry) bool, opts []Option) *entry {
	e := &entry{name: name, kind: kind, value: value, read: read}
	for _, set := range opts {
		set(&e.options)
	}
	return e
}

// String declares a text.
func String(name string, p *string, opts ...Option) Field {
	return newEntry(name, TypeString, p, readString, opts)
}

func readString(d *decoder, at *place, e *entry) bool {
	if !d.expect(at, KindString, &e.options) {
		return false
	}
	v := at.node.Text
	*e.value.(*string) = v
	switch {
	case len(e.secret) > 0:
		return d.secret(at, &e.options)
	case e.hasLength && !e.length(len(v)):
		return d.fail(at, OutOfRange, "has "+strconv.Itoa(len(v))+" bytes", e.lengthHint("bytes"))
	case len(e.oneOf) > 0 && !d.oneOf(at, v, e.oneOf):
		return false
	case (e.validName || e.namespace != "") && !ValidName(v):
		return d.fail(at, Invalid, Quote(v)+" is not a name", nameRule)
	}
	d.declare(e.namespace, v, at)
	return true
}

// Bool declares true or false.
func Bool(name string, p *bool, opts ...Option) Field {
	return newEntry(name, TypeBool, p, readBool, opts)
}

func readBool(d *decoder, at *place, e *entry) bool {
	*e.value.(*bool) = at.node.Text == "true"
	return d.expect(at, KindBool, &e.options)
}

// Int declares an integer.
func Int(name string, p *int, opts ...Option) Field {
	return newEntry(name, TypeInt, p, readInt, opts)
}

func readInt(d *decoder, at *place, e *entry) bool {
	v, ok := d.whole(at, e)
	if int64(int(v)) != v {
		return d.fail(at, OutOfRange, at.node.Text+" is too large", "")
	}
	*e.value.(*int) = int(v)
	return ok
}

// Int64 declares an integer.
func Int64(name string, p *int64, opts ...Option) Field {
	return newEntry(name, TypeInt, p, readInt64, opts)
}

func readInt64(d *decoder, at *place, e *entry) bool {
	v, ok := d.whole(at, e)
	*e.value.(*int64) = v
	return ok
}

// whole reads a whole number.
func (d *decoder) whole(at *place, e *entry) (int64, bool) {
	if !d.expect(at, KindNumber, &e.options) {
		return 0, false
	}
	text := at.node.Text
	v, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil:
		return v, d.within(at, number{v, float64(v)}, e)
	case strings.ContainsAny(text, ".eE"):
		return 0, d.fail(at, WrongType, "expected a whole number, found "+quoteScalar(at.node), "write it without a point or an exponent")
	default:
		return 0, d.fail(at, OutOfRange, quoteScalar(at.node)+" does not fit into 64 bits", "")
	}
}

// Float declares a number.
func Float(name string, p *float64, opts ...Option) Field {
	return newEntry(name, TypeFloat, p, readFloat, opts)
}

func readFloat(d *decoder, at *place, e *entry) bool {
	if !d.expect(at, KindNumber, &e.options) {
		return false
	}
	v, err := strconv.ParseFloat(at.node.Text, 64)
	if err != nil {
		return d.fail(at, OutOfRange, quoteScalar(at.node)+" is too large", "")
	}
	*e.value.(*float64) = v
	return d.withinFloat(at, v, e)
}

// Bytes declares a size in bytes: "64KiB", "1MiB", "2GiB" or a whole number.
func Bytes(name string, p *int, opts ...Option) Field {
	return newEntry(name, TypeBytes, p, readBytes, opts)
}

func readBytes(d *decoder, at *place, e *entry) bool {
	n := at.node
	if n.Kind != KindNumber && n.Kind != KindString {
		return d.fail(at, WrongType, "expected a size, found "+n.Kind.String(), bytesHint)
	}
	v, ok := ParseBytes(n.Text)
	if !ok {
		return d.fail(at, Invalid, Quote(n.Text)+" is not a size", bytesHint)
	}
	*e.value.(*int) = v
	return d.within(at, number{int64(v), float64(v)}, e)
}

// Duration declares a time span with its unit: "250ms", "30s", "1h30m". It is
// not negative unless Min says so.
func Duration(name string, p *time.Duration, opts ...Option) Field {
	e := newEntry(name, TypeDuration, p, readDuration, opts)
	if e.lo == nil {
		e.lo = &number{}
	}
	return e
}

func readDuration(d *decoder, at *place, e *entry) bool {
	n := at.node
	switch {
	case n.Kind == KindNumber:
		return d.fail(at, WrongType, "a time span without a unit", "write "+strconv.Quote(n.Text+"s")+" or "+strconv.Quote(n.Text+"ms"))
	case n.Kind != KindString:
		return d.fail(at, WrongType, "expected a time span, found "+n.Kind.String(), durationHint)
	}
	v, err := time.ParseDuration(n.Text)
	if err != nil {
		return d.fail(at, Invalid, Quote(n.Text)+" is not a time span", durationHint)
	}
	*e.value.(*time.Duration) = v
	return d.within(at, number{int64(v), float64(v)}, e)
}

// Rule is a test that spans several keys of the object in whose table it
// stands. It runs after the whole document is decoded, and only if nothing in
// that object is wrong.
func Rule(test func(*Report)) Field { return &entry{rule: test} }
