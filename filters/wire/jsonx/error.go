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
	Pointer string // RFC 6901 pointer of the value the offset is in or right behind, at most 256 bytes; from a Tap only of a captured member
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

// pointerAt returns the pointer of the value that b[off] is in or comes right behind, where b[:off] is the beginning of a valid
// document. It reads that beginning once.
func pointerAt(b []byte, off int) string {
	b = b[:min(off, len(b))]
	t := trail{b: b, frames: make([]frame, 1, 8)}
	for i := 0; i < len(b); {
		i = t.step(i)
	}
	var out []byte
	for _, f := range t.frames[1:] {
		if f.object && !f.colon || len(out) > maxPointer {
			break
		}
		out = f.append(append(out, '/'), b)
	}
	return string(out[:min(len(out), maxPointer)])
}

// trail is the way from the top of a document to a place in it: a frame for the document and one for each open container.
type trail struct {
	b      []byte
	frames []frame
}

type frame struct {
	object bool
	key    Span // interior of the last key
	colon  bool // it has its colon
	index  int  // commas seen
}

func (t *trail) step(i int) int {
	top := &t.frames[len(t.frames)-1]
	switch c := t.b[i]; c {
	case '"':
		end := skipString(t.b, i+1)
		if !top.colon {
			top.key = Span{i + 1, max(end-1, i+1)}
		}
		return end
	case '{', '[':
		t.frames = append(t.frames, frame{object: c == '{'})
	case '}', ']':
		t.frames = t.frames[:max(len(t.frames)-1, 1)]
	case ',':
		top.index++
		top.colon = false
	case ':':
		top.colon = true
	}
	return i + 1
}

func (f *frame) append(dst, b []byte) []byte {
	if !f.object {
		return strconv.AppendInt(dst, int64(f.index), 10)
	}
	key := b[f.key.Start:f.key.End]
	return appendPointer(dst, Unescape(nil, key[:min(len(key), maxPointer)]))
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
