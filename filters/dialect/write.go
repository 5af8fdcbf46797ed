package dialect

import (
	"strconv"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Writer appends JSON and places the commas. It trusts its caller to open and
// close in order. Names are written as they are: they are a codec's own words.
//
// Its methods are kept out of line: inlined, every member that a codec writes
// would cost some hundred bytes of module, a tenth of the whole.
type Writer struct{ B []byte }

// comma separates what comes next from a value before it. A value never ends in
// one of the bytes that open or separate.
//
//go:noinline
func (w *Writer) comma() {
	if n := len(w.B); n > 0 {
		switch w.B[n-1] {
		case '{', '[', ':', ',':
		default:
			w.B = append(w.B, ',')
		}
	}
}

// Key begins a member.
//
//go:noinline
func (w *Writer) Key(name string) {
	w.comma()
	w.B = append(w.B, '"')
	w.B = append(w.B, name...)
	w.B = append(w.B, '"', ':')
}

// Begin opens the document itself, '{' or '[', after whatever is before it.
//
//go:noinline
func (w *Writer) Begin(c byte) { w.B = append(w.B, c) }

// Open opens an element of an array.
//
//go:noinline
func (w *Writer) Open(c byte) {
	w.comma()
	w.B = append(w.B, c)
}

// Object opens a member that is an object.
//
//go:noinline
func (w *Writer) Object(name string) {
	w.Key(name)
	w.B = append(w.B, '{')
}

// Array opens a member that is an array.
//
//go:noinline
func (w *Writer) Array(name string) {
	w.Key(name)
	w.B = append(w.B, '[')
}

// Close closes with '}' or ']'.
//
//go:noinline
func (w *Writer) Close(c byte) { w.B = append(w.B, c) }

// Element appends a string to an array.
//
//go:noinline
func (w *Writer) Element(text llm.Escaped) {
	w.comma()
	w.text(text)
}

//go:noinline
func (w *Writer) text(text llm.Escaped) {
	w.B = append(w.B, '"')
	w.B = append(w.B, text...)
	w.B = append(w.B, '"')
}

// Text appends a string member in escaped form.
//
//go:noinline
func (w *Writer) Text(name string, text llm.Escaped) {
	w.Key(name)
	w.text(text)
}

// StartText begins a string member whose pieces, in escaped form, the caller
// appends to B; EndText ends it.
//
//go:noinline
func (w *Writer) StartText(name string) {
	w.Key(name)
	w.B = append(w.B, '"')
}

// EndText ends what StartText began.
//
//go:noinline
func (w *Writer) EndText() { w.B = append(w.B, '"') }

// Joined appends the texts of all parts of a kind as one string member, and
// reports whether there are any; without any it appends nothing.
//
//go:noinline
func (w *Writer) Joined(name string, parts []llm.Part, kind llm.PartKind) bool {
	found := false
	for i := range parts {
		if parts[i].Kind != kind {
			continue
		}
		if !found {
			w.StartText(name)
			found = true
		}
		w.B = append(w.B, parts[i].Text...)
	}
	if found {
		w.EndText()
	}
	return found
}

// Word appends a string member that needs no escape: one of the codec's words.
//
//go:noinline
func (w *Writer) Word(name, word string) {
	w.Key(name)
	w.B = append(w.B, '"')
	w.B = append(w.B, word...)
	w.B = append(w.B, '"')
}

// Quote appends a string member that is plain text.
//
//go:noinline
func (w *Writer) Quote(name, text string) {
	w.Key(name)
	w.B = jsonx.Quote(w.B, text)
}

// Raw appends a member whose value is JSON already.
//
//go:noinline
func (w *Writer) Raw(name string, value []byte) {
	w.Key(name)
	w.B = append(w.B, value...)
}

// Literal appends a member whose value is a JSON literal or number of the codec.
//
//go:noinline
func (w *Writer) Literal(name, value string) {
	w.Key(name)
	w.B = append(w.B, value...)
}

// Int appends a number member.
//
//go:noinline
func (w *Writer) Int(name string, n int64) {
	w.Key(name)
	w.B = strconv.AppendInt(w.B, n, 10)
}

// Number appends a number member as it was spelled, if it is present.
//
//go:noinline
func (w *Writer) Number(name string, n llm.Number) {
	if n != "" {
		w.Literal(name, string(n))
	}
}
