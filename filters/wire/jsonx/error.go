package jsonx

import "strconv"

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

// pointerAt returns the pointer of the value that b[off] is in, where b[:off] is the beginning of a valid document.
func pointerAt(b []byte, off int) string {
	var out []byte
	b = b[:min(off, len(b))]
	for {
		it := iterate(b)
		index := -1
		for it.Next() {
			index++
			if it.end >= len(b) {
				break
			}
		}
		if index < 0 || it.end < len(b) || len(out) > maxPointer {
			break
		}
		out = append(out, '/')
		if it.object {
			out = appendPointer(out, Unescape(nil, it.Key()))
		} else {
			out = strconv.AppendInt(out, int64(index), 10)
		}
		if b = b[it.start:]; len(b) == 0 {
			break
		}
	}
	return string(out[:min(len(out), maxPointer)])
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
