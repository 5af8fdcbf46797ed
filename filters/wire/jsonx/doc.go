// Package jsonx reads and edits JSON as bytes: one validating pass, spans into the document, walks over what was validated, and
// edits that leave every other byte as it was. It is for a proxy that must know a few members of a body and change fewer.
//
// It does not decode into Go values, does not use reflection, does not reformat, does not accept more than RFC 8259 (no
// comments, no trailing commas, no byte order mark, no invalid UTF-8), and does not know any provider's shapes.
//
// [Scan] and [Valid] validate a whole document; [Tap] does the same for a document that comes in chunks. [Iter], [Lookup] and the
// text and number functions work on what was validated. Given anything else they neither panic nor run on, but their results
// mean nothing.
package jsonx

// Span is a half-open byte range [Start,End) of a document.
type Span struct{ Start, End int }

// Len returns the number of bytes in the span.
func (s Span) Len() int { return s.End - s.Start }

// DefaultDepth is how deep arrays and objects may nest when Limits does not say; MaxDepth is the most it may say.
const (
	DefaultDepth = 64
	MaxDepth     = 1024
)

// maxBytes is the largest document: offsets are kept in 32 bits.
const maxBytes = 1<<31 - 1

// Limits bounds a document.
type Limits struct {
	Depth int // nested arrays and objects; 0 means DefaultDepth, more than MaxDepth means MaxDepth
	Bytes int // length of the document; 0 means 2 GiB - 1
}

func (l Limits) depth() int {
	if l.Depth <= 0 {
		return DefaultDepth
	}
	return min(l.Depth, MaxDepth)
}

func (l Limits) bytes() int {
	if l.Bytes <= 0 || l.Bytes > maxBytes {
		return maxBytes
	}
	return l.Bytes
}

// Kind is the type of a JSON value.
type Kind uint8

// The kinds. Invalid is the zero value and the kind of what is not a JSON value.
const (
	Invalid Kind = iota
	Null
	Boolean
	Number
	String
	Array
	Object
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"invalid", "null", "bool", "number", "string", "array", "object"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[Invalid]
}

// KindOf returns the kind of a raw value by its first byte. White space may stand before it.
func KindOf(raw []byte) Kind {
	i := skipSpace(raw, 0)
	if i == len(raw) {
		return Invalid
	}
	return kindOf(raw[i])
}

func kindOf(c byte) Kind {
	switch c {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Boolean
	case 'n':
		return Null
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number
	}
	return Invalid
}

// skipSpace returns the offset of the first byte at or after i that is not JSON white space, or len(b).
func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
