package jsonx

import (
	"bytes"
	"math/bits"
)

// Iter walks the members of an object or the elements of an array in validated JSON, without allocation.
type Iter struct {
	raw        []byte
	pos        int // where the next member or element may begin
	object     bool
	key        Span // interior
	start, end int  // of the value
}

// Members begins a walk over the members of the object raw. Of anything else there are none.
//
//go:noinline
func Members(raw []byte) Iter {
	it := iterate(raw)
	if !it.object {
		it.pos = len(raw)
	}
	return it
}

// Elements begins a walk over the elements of the array raw. Of anything else there are none.
//
//go:noinline
func Elements(raw []byte) Iter {
	it := iterate(raw)
	if it.object {
		it.pos = len(raw)
	}
	return it
}

func iterate(raw []byte) Iter {
	it := Iter{raw: raw, pos: len(raw)}
	if i := skipSpace(raw, 0); i < len(raw) && (raw[i] == '{' || raw[i] == '[') {
		it.pos = i + 1
		it.object = raw[i] == '{'
	}
	return it
}

// Next goes to the next member or element and reports whether there is one.
func (it *Iter) Next() bool {
	b, i := it.raw, it.pos
	for i < len(b) && (b[i] == ',' || isSpace(b[i])) {
		i++
	}
	if i >= len(b) || b[i]|0x20 == '}' {
		it.pos = len(b)
		return false
	}
	if it.object {
		end := skipString(b, i+1)
		it.key = Span{i + 1, max(end-1, i+1)}
		for i = end; i < len(b) && (b[i] == ':' || isSpace(b[i])); {
			i++
		}
	}
	it.start = i
	if i < len(b) && b[i] == '"' {
		it.end = skipString(b, i+1)
	} else {
		it.end = skipValue(b, i)
	}
	it.pos = it.end
	return true
}

// Key returns the interior of the key as written, still escaped; nil in an array.
func (it *Iter) Key() []byte {
	if !it.object {
		return nil
	}
	return it.raw[it.key.Start:it.key.End:it.key.End]
}

// KeyIs reports whether the key spells name, escapes understood.
func (it *Iter) KeyIs(name string) bool { return it.object && Equal(it.Key(), name) }

// Value returns the raw bytes of the value.
func (it *Iter) Value() []byte { return it.raw[it.start:it.end:it.end] }

// Kind returns the kind of the value.
func (it *Iter) Kind() Kind {
	if it.start >= len(it.raw) {
		return Invalid
	}
	return kindOf(it.raw[it.start])
}

// Offset returns where the value begins, relative to the raw bytes that the walk was begun with.
func (it *Iter) Offset() int { return it.start }

// Member returns the span of key and value, or of the element, relative to the raw bytes that the walk was begun with.
func (it *Iter) Member() Span {
	if !it.object {
		return Span{it.start, it.end}
	}
	return Span{it.key.Start - 1, it.end}
}

// skipValue returns the offset behind the value at i.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return skipString(b, i+1)
	case '{', '[':
		return skipContainer(b, i)
	}
	for i < len(b) && !endsScalar(b[i]) {
		i++
	}
	return i
}

func endsScalar(c byte) bool { return c == ',' || c == '}' || c == ']' || isSpace(c) }

// skipString returns the offset behind the closing quote of the string whose interior begins at i. Short strings end in a few
// words; in long ones it hops from quote to quote.
func skipString(b []byte, i int) int {
	for end := min(i+32, len(b)-7); i < end; i += 8 {
		if hit := quotes(word(b[i:])); hit != 0 {
			i += bits.TrailingZeros64(hit) / 8
			if b[i] == '"' {
				return i + 1
			}
			break
		}
	}
	return hopString(b, i)
}

// hopString does what skipString does. The backslashes before each quote are looked at once.
func hopString(b []byte, i int) int {
	from := i
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		i += n + 1
		k := i - 2
		for k >= from && b[k] == '\\' {
			k--
		}
		if (i-k)&1 == 0 {
			return i
		}
	}
}

// skipContainer returns the offset behind the array or object that opens at i.
func skipContainer(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		if i+8 <= len(b) {
			hit := marks(word(b[i:]))
			if hit == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(hit) / 8
		}
		switch c := b[i]; {
		case c == '"':
			i = skipString(b, i+1)
			continue
		case c|0x20 == '{':
			depth++
		case c|0x20 == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(b)
}

// Lookup follows a path of member names and array indexes through validated JSON and returns the raw value there:
// Lookup(raw, "choices", "0", "delta", "content"). Of equal names the last counts, as it does for nearly every decoder.
func Lookup(raw []byte, path ...string) ([]byte, bool) {
	for _, part := range path {
		var ok bool
		if raw, ok = child(raw, part); !ok {
			return nil, false
		}
	}
	i := skipSpace(raw, 0)
	return raw[i:skipValue(raw, i)], i < len(raw)
}

func child(raw []byte, part string) ([]byte, bool) {
	it := iterate(raw)
	if it.object {
		return it.last(part)
	}
	n, ok := index(part)
	for ok && it.Next() {
		if n == 0 {
			return it.Value(), true
		}
		n--
	}
	return nil, false
}

func (it *Iter) last(name string) (value []byte, ok bool) {
	for it.Next() {
		if it.KeyIs(name) {
			value, ok = it.Value(), true
		}
	}
	return value, ok
}

// index reads an array index as RFC 6901 spells it: decimal, no sign, no leading zero.
func index(part string) (n int, ok bool) {
	if part == "" || len(part) > 9 || len(part) > 1 && part[0] == '0' {
		return 0, false
	}
	for i := 0; i < len(part); i++ {
		if !isDigit(part[i]) {
			return 0, false
		}
		n = n*10 + int(part[i]-'0')
	}
	return n, true
}
