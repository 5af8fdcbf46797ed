package audit

import (
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	// MaxRecord bounds the bytes of an encoded record.
	MaxRecord = 8192
	// maxText bounds the bytes of an encoded text.
	maxText = 256
	// maxItems bounds the entries of a list.
	maxItems = 16
	// closing is room for what ends a record: brackets and the truncation mark.
	closing = 32
	// scalars is room that lists leave for what is not in a list.
	scalars = 1536
)

// Append appends the record as one line of JSON, without a line break. The
// order of its fields is that of Reference.
func (r *Record) Append(dst []byte) []byte {
	e := &r.enc
	*e = encoder{b: append(dst, '{'), limit: len(dst) + MaxRecord - closing}
	e.fields(table, r)
	if e.truncated {
		e.b = append(e.b, `,"truncated":true`...)
	}
	dst = append(e.b, '}')
	e.b = nil
	return dst
}

// encoder appends JSON.
type encoder struct {
	b         []byte
	limit     int
	truncated bool
}

// field is one key of the record: what the reference says of it, and how its
// value is written. put appends nothing for an absent value.
type field struct {
	key  string // `"name":`
	name string
	kind string
	doc  string
	sub  []field // of an object, or of the objects of a list
	put  func(*encoder, *Record)
}

// fields appends the fields that are there and that fit.
func (e *encoder) fields(fs []field, r *Record) {
	for i := range fs {
		mark := len(e.b)
		e.comma()
		e.b = append(e.b, fs[i].key...)
		at := len(e.b)
		fs[i].put(e, r)
		if e.b = e.b[:e.fit(mark, e.limit)]; len(e.b) == at {
			e.b = e.b[:mark]
		}
	}
}

// fit is the length to go on with: all, or mark if a limit is passed.
func (e *encoder) fit(mark, limit int) int {
	if len(e.b) <= limit {
		return len(e.b)
	}
	e.truncated = true
	return mark
}

func (e *encoder) comma() {
	if c := e.b[len(e.b)-1]; c != '{' && c != '[' {
		e.b = append(e.b, ',')
	}
}

// object appends an object, or nothing when none of its fields is there.
func (e *encoder) object(fs []field, r *Record) {
	mark := len(e.b)
	e.b = append(e.b, '{')
	if e.fields(fs, r); len(e.b) == mark+1 {
		e.b = e.b[:mark]
		return
	}
	e.b = append(e.b, '}')
}

// list appends a list of the n entries that fit, or nothing when none does.
func (e *encoder) list(n int, put func(i int)) {
	start := len(e.b)
	e.b = append(e.b, '[')
	for i := range min(n, maxItems) {
		mark := len(e.b)
		e.comma()
		put(i)
		e.b = e.b[:e.fit(mark, e.limit-scalars)]
	}
	e.truncated = e.truncated || n > maxItems
	if len(e.b) == start+1 {
		e.b = e.b[:start]
		return
	}
	e.b = append(e.b, ']')
}

// key begins a field of a list's object.
func (e *encoder) key(name string) {
	e.comma()
	e.b = append(append(append(e.b, '"'), name...), `":`...)
}

func (e *encoder) textField(name, s string) {
	if s != "" {
		e.key(name)
		e.text(s)
	}
}

func (e *encoder) intField(name string, n int64) {
	if n != 0 {
		e.key(name)
		e.int(n)
	}
}

func (e *encoder) flagField(name string, on bool) {
	if on {
		e.key(name)
		e.flag(on)
	}
}

func (e *encoder) int(n int64) { e.b = strconv.AppendInt(e.b, n, 10) }

// some appends a number that is not 0.
func (e *encoder) some(n int64) {
	if n != 0 {
		e.int(n)
	}
}

func (e *encoder) bool(on bool) { e.b = strconv.AppendBool(e.b, on) }

// flag appends true, or nothing.
func (e *encoder) flag(on bool) {
	if on {
		e.bool(on)
	}
}

func (e *encoder) time(t time.Time) {
	e.b = append(t.UTC().AppendFormat(append(e.b, '"'), "2006-01-02T15:04:05.000Z"), '"')
}

// opt appends a text that is not empty.
func (e *encoder) opt(s string) {
	if s != "" {
		e.text(s)
	}
}

// text appends a string, cut where its encoding passes maxText.
func (e *encoder) text(s string) {
	e.b = append(e.b, '"')
	end := len(e.b) + maxText
	for i := 0; i < len(s); {
		n := plain(s[i:])
		n = min(n, end-len(e.b))
		e.b = append(e.b, s[i:i+n]...)
		if i += n; i == len(s) {
			break
		}
		if len(e.b)+6 > end {
			e.truncated = true
			break
		}
		i += e.char(s[i:])
	}
	e.b = append(e.b, '"')
}

// plain is the length of the start of s that needs no escape: printable ASCII.
func plain(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
	}
	return len(s)
}

const hexDigits = "0123456789abcdef"

// char appends the first character of s and returns its length in s.
func (e *encoder) char(s string) int {
	c, n := utf8.DecodeRuneInString(s)
	switch {
	case c == utf8.RuneError && n == 1:
		e.b = append(e.b, "�"...)
	case c == '"' || c == '\\':
		e.b = append(e.b, '\\', byte(c))
	case c < ' ':
		e.b = append(e.b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	default:
		e.b = append(e.b, s[:n]...)
	}
	return n
}
