package jsonx

import (
	"bytes"
	"strconv"
)

// The codes of an Error.
const (
	CodeSyntax       = "syntax"        // a byte that cannot stand here
	CodeTruncated    = "truncated"     // the document ends too early
	CodeTrailing     = "trailing"      // something follows the value
	CodeNotObject    = "not_object"    // the document is not an object (Scan and Tap)
	CodeDepth        = "depth"         // arrays and objects nest too deep
	CodeTooLarge     = "too_large"     // the document is over Limits.Bytes
	CodeDuplicateKey = "duplicate_key" // an inspected key stands twice in the top-level object
	CodeUTF8         = "utf8"          // a string is not valid UTF-8
	CodeControl      = "control"       // an unescaped control character in a string
	CodeEscape       = "escape"        // an escape sequence that JSON does not have
	CodeNumber       = "number"        // a number that JSON does not spell so
)

// Error says what is wrong with a document and where. It quotes nothing of the document but names of members.
type Error struct {
	Code    string // one of the Code constants
	Offset  int    // of the byte that cannot stand there; for utf8 of the sequence's first byte, for duplicate_key of the second key
	Pointer string // RFC 6901 pointer of the value the offset is in, as far as known and at most maxPointer bytes
	Key     string // for duplicate_key the name, unescaped
}

// Error returns the code, the offset and the pointer.
func (e *Error) Error() string {
	s := "json: " + e.Code + " at byte " + strconv.Itoa(e.Offset)
	if e.Pointer != "" {
		s += " in " + strconv.Quote(e.Pointer)
	}
	return s
}

// maxPointer bounds a pointer, since its parts are the sender's.
const maxPointer = 256

// pointerAt returns the pointer of the value that b[off] is in or comes right behind, where b[:off] is the beginning of a valid document.
func pointerAt(b []byte, off int) string {
	var out []byte
	b = b[:min(off, len(b))]
	for open := true; open && len(out) <= maxPointer; {
		out, b, open = openChild(out, b)
	}
	return string(out[:min(len(out), maxPointer)])
}

// openChild appends the name or the index of the last child of the container that b begins with, if that child is not complete, and
// returns what there is of it.
func openChild(out, b []byte) (pointer, child []byte, open bool) {
	index := 0
	it := iterate(b)
	for it.Next() {
		if it.end >= len(b) {
			open = true
			break
		}
		index++
	}
	switch {
	case it.object && open && it.colon():
		return appendPointer(append(out, '/'), Unescape(nil, it.Key())), b[it.start:], true
	case !it.object && (open || index > 0 && endsInComma(b)):
		return strconv.AppendInt(append(out, '/'), int64(index), 10), b[it.start:], open
	}
	return out, nil, false
}

// colon reports whether the key is complete and its colon is there.
func (it *Iter) colon() bool {
	i := skipSpace(it.raw, it.key.End+1)
	return i < len(it.raw) && it.raw[i] == ':'
}

func endsInComma(b []byte) bool {
	b = bytes.TrimRight(b, " \r\n\t")
	return len(b) > 0 && b[len(b)-1] == ','
}

func appendPointer(dst, name []byte) []byte {
	for _, c := range name {
		switch c {
		case '~':
			dst = append(dst, "~0"...)
		case '/':
			dst = append(dst, "~1"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
