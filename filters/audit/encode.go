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
	*e = encoder{b: append(dst, '{'), limit: len(dst) + MaxRecord - closing, second: e.second}
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
	second    second // of the last record
}

// second is a second of UTC and how it is spelled: under load many records have
// the same, and a date costs more than all other numbers of a record.
type second struct {
	unix int64
	text []byte // 2006-01-02T15:04:05Z
}

// field is one key of the record: what the reference says of it, and how its
// value is got. One of text, num, flag and put is set, or none for an object.
// The table of fields has no calls, so that it costs no code at start-up.
type field struct {
	key    string // `,"name":`
	name   string
	kind   string
	doc    string
	sub    []field // of an object, or of the objects of a list
	always bool    // 0 and false are written too
	text   func(*Record) string
	num    func(*Record) int64
	flag   func(*Record) bool
	put    func(*encoder, *Record) // appends nothing for an absent value
}

// fields appends the fields that are there and that fit. It is one function for
// all kinds: a call for each field is a quarter of what a record costs in wasm.
func (e *encoder) fields(fs []field, r *Record) {
	for i := range fs {
		f, mark := &fs[i], len(e.b)
		switch {
		case f.text != nil:
			s := f.text(r)
			if s == "" {
				continue
			}
			e.begin(f)
			e.text(s)
		case f.num != nil:
			n := f.num(r)
			if n == 0 && !f.always {
				continue
			}
			e.begin(f)
			e.int(n)
		case f.flag != nil:
			on := f.flag(r)
			if !on && !f.always {
				continue
			}
			e.begin(f)
			e.bool(on)
		default:
			e.part(f, r)
		}
		if len(e.b) > e.limit {
			e.cut(mark, e.limit)
		}
	}
}

// part appends an object, a list or what has a form of its own.
func (e *encoder) part(f *field, r *Record) {
	mark := len(e.b)
	e.begin(f)
	at := len(e.b)
	if f.put != nil {
		f.put(e, r)
	} else {
		e.object(f.sub, r)
	}
	if len(e.b) == at {
		e.b = e.b[:mark]
	}
}

// begin appends a field's key, with a comma unless it is an object's first.
func (e *encoder) begin(f *field) {
	if e.b[len(e.b)-1] == '{' {
		e.b = append(e.b, f.key[1:]...)
	} else {
		e.b = append(e.b, f.key...)
	}
}

// cut takes back what passes a limit.
func (e *encoder) cut(mark, limit int) {
	if len(e.b) > limit {
		e.b, e.truncated = e.b[:mark], true
	}
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
		e.cut(mark, e.limit-scalars)
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
		e.bool(on)
	}
}

func (e *encoder) int(n int64) { e.b = strconv.AppendInt(e.b, n, 10) }

func (e *encoder) bool(on bool) { e.b = strconv.AppendBool(e.b, on) }

// time appends a time of UTC with ms; RFC3339 is the layout that the standard
// library formats fast.
func (e *encoder) time(t time.Time) {
	s := &e.second
	if at := t.Unix(); at != s.unix || s.text == nil {
		s.unix, s.text = at, t.UTC().AppendFormat(s.text[:0], time.RFC3339)
	}
	ms := t.Nanosecond() / 1_000_000
	e.b = append(append(e.b, '"'), s.text[:len(s.text)-1]...)
	e.b = append(e.b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z', '"')
}

// text appends a string, cut where its encoding passes maxText.
func (e *encoder) text(s string) {
	e.b = append(e.b, '"')
	if n := plain(s); n == len(s) && n <= maxText { // as nearly all are
		e.b = append(append(e.b, s...), '"')
		return
	}
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

// special are the bytes that need an escape or are not ASCII.
var special = func() (t [256]bool) {
	for c := range t {
		t[c] = c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf
	}
	return t
}()

// plain is the length of the start of s that needs no escape: printable ASCII.
func plain(s string) int {
	for i := 0; i < len(s); i++ {
		if special[s[i]] {
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
