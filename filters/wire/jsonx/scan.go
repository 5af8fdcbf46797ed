package jsonx

import "math/bits"

// scanner validates a document by recursive descent. Its methods take the offset where something begins and return the offset
// behind it, or -1 once fail has noted the error.
type scanner struct {
	b   []byte
	max int       // depth
	doc *Document // nil if nothing is to be indexed

	keyEnd int // behind the last key read
	deep   int // the most containers around a value of the member at hand
	code   string
	off    int
	name   string // the key that stands twice
}

// Valid validates one JSON value of any kind. White space may stand around it.
func Valid(raw []byte, lim Limits) *Error {
	if len(raw) > lim.bytes() {
		return &Error{Code: CodeTooLarge, Offset: lim.bytes()}
	}
	s := scanner{b: raw, max: lim.depth()}
	if i := s.value(skipSpace(raw, 0), 0); i >= 0 {
		s.end(i)
	}
	return s.err()
}

func (s *scanner) fail(code string, off int) int {
	s.code, s.off = code, off
	return -1
}

// unexpected fails at i: there is a wrong byte there, or none.
func (s *scanner) unexpected(code string, i int) int {
	if i >= len(s.b) {
		return s.fail(CodeTruncated, len(s.b))
	}
	return s.fail(code, i)
}

func (s *scanner) err() *Error {
	if s.code == "" {
		return nil
	}
	e := &Error{Code: s.code, Offset: s.off, Key: s.name}
	if s.code == CodeDuplicateKey {
		e.Pointer = "/" + string(appendPointer(nil, []byte(s.name)))
		return e
	}
	e.Pointer = pointerAt(s.b, s.off)
	return e
}

// end checks that nothing but white space follows.
func (s *scanner) end(i int) {
	if i = skipSpace(s.b, i); i < len(s.b) {
		s.fail(CodeTrailing, i)
	}
}

// value validates the value at i, which is not white space. depth counts the arrays and objects around it.
func (s *scanner) value(i, depth int) int {
	if i >= len(s.b) {
		return s.fail(CodeTruncated, i)
	}
	switch c := s.b[i]; c {
	case '"':
		return s.text(i + 1)
	case '{':
		return s.object(i, depth+1)
	case '[':
		return s.array(i, depth+1)
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	default:
		if c == '-' || isDigit(c) {
			return s.number(i)
		}
		return s.fail(CodeSyntax, i)
	}
}

func (s *scanner) literal(i int, want string) int {
	for k := 0; k < len(want); k++ {
		if i+k >= len(s.b) || s.b[i+k] != want[k] {
			return s.unexpected(CodeSyntax, i+k)
		}
	}
	return i + len(want)
}

// array validates the array that opens at i and is the depth-th container around its elements.
func (s *scanner) array(i, depth int) int {
	if depth > s.max {
		return s.fail(CodeDepth, i)
	}
	s.deep = max(s.deep, depth)
	i = s.skip(i + 1)
	if i < len(s.b) && s.b[i] == ']' {
		return i + 1
	}
	for {
		if i = s.value(i, depth); i < 0 {
			return i
		}
		if i = s.skip(i); i >= len(s.b) || s.b[i] != ',' {
			return s.closing(i, ']')
		}
		i = s.skip(i + 1)
	}
}

// object validates the object that opens at i and is the depth-th container around its members.
func (s *scanner) object(i, depth int) int {
	if depth > s.max {
		return s.fail(CodeDepth, i)
	}
	s.deep = max(s.deep, depth)
	i = s.skip(i + 1)
	if i < len(s.b) && s.b[i] == '}' {
		return i + 1
	}
	indexed := depth == 1 && s.doc != nil
	for {
		if indexed {
			i = s.inspected(i)
		} else if i = s.key(i); i >= 0 {
			i = s.value(i, depth)
		}
		if i < 0 {
			return i
		}
		if i = s.skip(i); i >= len(s.b) || s.b[i] != ',' {
			return s.closing(i, '}')
		}
		i = s.skip(i + 1)
	}
}

// closing takes the end of a container.
func (s *scanner) closing(i int, want byte) int {
	if i >= len(s.b) || s.b[i] != want {
		return s.unexpected(CodeSyntax, i)
	}
	return i + 1
}

// skip returns the offset of the first byte at or after i that is not white space. Most often it is i.
func (s *scanner) skip(i int) int {
	if i < len(s.b) && s.b[i] <= ' ' {
		return skipSpace(s.b, i)
	}
	return i
}

// key validates the key at i and the colon, notes where the key ends, and returns where the value is to begin.
func (s *scanner) key(i int) int {
	if i >= len(s.b) || s.b[i] != '"' {
		return s.unexpected(CodeSyntax, i)
	}
	if i = s.text(i + 1); i < 0 {
		return i
	}
	s.keyEnd = i
	if i = s.skip(i); i >= len(s.b) || s.b[i] != ':' {
		return s.unexpected(CodeSyntax, i)
	}
	return s.skip(i + 1)
}

// inspected validates a member of the top-level object and indexes it.
func (s *scanner) inspected(key int) int {
	val := s.key(key)
	if s.keyEnd <= key { // of an earlier key: this one has no end
		return val
	}
	slot := s.doc.slot(s.b[key+1 : s.keyEnd-1])
	if slot >= 0 && s.doc.has(slot) {
		s.name = s.doc.keys.names[slot]
		return s.fail(CodeDuplicateKey, key)
	}
	if val < 0 {
		return val
	}
	s.deep = 1
	end := s.value(val, 1)
	if end >= 0 {
		s.doc.note(slot, entry{uint32(key), uint32(val), uint32(end), uint32(s.deep - 1)})
	}
	return end
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// number validates the number at i.
func (s *scanner) number(i int) int {
	if s.b[i] == '-' {
		i++
	}
	if i < len(s.b) && s.b[i] == '0' {
		i++
		if i < len(s.b) && isDigit(s.b[i]) {
			return s.fail(CodeNumber, i)
		}
	} else if i = s.digits(i); i < 0 {
		return i
	}
	if i < len(s.b) && s.b[i] == '.' {
		if i = s.digits(i + 1); i < 0 {
			return i
		}
	}
	if i < len(s.b) && s.b[i]|0x20 == 'e' {
		i++
		if i < len(s.b) && (s.b[i] == '+' || s.b[i] == '-') {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits takes one digit or more.
func (s *scanner) digits(i int) int {
	if i >= len(s.b) || !isDigit(s.b[i]) {
		return s.unexpected(CodeNumber, i)
	}
	for i+8 <= len(s.b) && allDigits(word(s.b[i:])) {
		i += 8
	}
	for i < len(s.b) && isDigit(s.b[i]) {
		i++
	}
	return i
}

// text validates the string whose interior begins at i and returns the offset behind its closing quote.
func (s *scanner) text(i int) int {
	if i+8 <= len(s.b) { // names and short texts end here
		if hit := special(word(s.b[i:])) & highs; hit != 0 {
			i += bits.TrailingZeros64(hit) / 8
			if s.b[i] == '"' {
				return i + 1
			}
		}
	}
	if i = run(s.b, i); i < len(s.b) && s.b[i] == '"' {
		return i + 1
	}
	return s.badText(i)
}

// badText says what is wrong with the text at i, where run gave up.
func (s *scanner) badText(i int) int {
	switch {
	case i >= len(s.b):
		return s.fail(CodeTruncated, i)
	case s.b[i] == '\\':
		return s.badEscape(i + 1)
	case s.b[i] < ' ':
		return s.fail(CodeControl, i)
	}
	return s.badRune(i)
}

// badEscape says what is wrong with the escape sequence of which i is the second character.
func (s *scanner) badEscape(i int) int {
	if i >= len(s.b) || s.b[i] != 'u' {
		return s.unexpected(CodeEscape, i)
	}
	for i++; i < len(s.b) && unhex(s.b[i]) >= 0; {
		i++
	}
	return s.unexpected(CodeEscape, i)
}

// badRune says what is wrong with the UTF-8 sequence at i.
func (s *scanner) badRune(i int) int {
	n, lo, hi := lead(s.b[i])
	for k := i + 1; k <= i+n; k++ {
		if k >= len(s.b) {
			return s.fail(CodeTruncated, k)
		}
		if s.b[k] < lo || s.b[k] > hi {
			break
		}
		lo, hi = 0x80, 0xBF
	}
	return s.fail(CodeUTF8, i)
}

// isEscape reports whether c makes an escape sequence of two characters.
func isEscape(c byte) bool {
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	}
	return false
}

// lead returns how many bytes follow the first byte of a UTF-8 sequence (0 if it cannot be one) and the range of the next
// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
func lead(c byte) (n int, lo, hi byte) {
	switch {
	case c < 0xC2:
		return 0, 0, 0
	case c < 0xE0:
		return 1, 0x80, 0xBF
	case c == 0xE0:
		return 2, 0xA0, 0xBF
	case c == 0xED:
		return 2, 0x80, 0x9F
	case c < 0xF0:
		return 2, 0x80, 0xBF
	case c == 0xF0:
		return 3, 0x90, 0xBF
	case c < 0xF4:
		return 3, 0x80, 0xBF
	case c == 0xF4:
		return 3, 0x80, 0x8F
	}
	return 0, 0, 0
}
