package config

import (
	"strconv"
	"unicode/utf8"
)

// str reads a string in quotes. Without escapes it is a slice of the document.
func (p *parser) str(into *string) bool {
	p.pos++
	start := p.pos
	var buf []byte
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			*into = p.text[start:p.pos]
			if buf != nil {
				*into = string(append(buf, *into...))
			}
			p.pos++
			return true
		case c == '\\':
			buf = append(buf, p.text[start:p.pos]...)
			ok := false
			if buf, ok = p.escape(buf); !ok {
				return false
			}
			start = p.pos
		case c == '\n':
			return p.fail("a string without an end", "")
		case c < ' ':
			return p.fail("a control character in a string", "escape it")
		case c < utf8.RuneSelf:
			p.pos++
		default:
			if !p.rune() {
				return false
			}
		}
	}
	return p.fail("a string without an end", "")
}

// rune passes one character beyond ASCII.
func (p *parser) rune() bool {
	r, size := utf8.DecodeRuneInString(p.text[p.pos:])
	if r == utf8.RuneError && size <= 1 {
		return p.fail("a string that is not UTF-8", "")
	}
	p.pos += size
	p.wide += size - 1
	return true
}

// escape reads one escape sequence and appends what it stands for; buf is
// never nil afterwards.
func (p *parser) escape(buf []byte) ([]byte, bool) {
	if p.pos+1 >= len(p.text) {
		return buf, p.fail("a string without an end", "")
	}
	c := p.text[p.pos+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return p.unicode(buf)
	default:
		return buf, p.fail("an unknown escape in a string", "")
	}
	p.pos += 2
	return append(buf, c), true
}

// unicode reads \uXXXX, or two of them for a character beyond the basic plane.
func (p *parser) unicode(buf []byte) ([]byte, bool) {
	r, ok := hex4(p.text, p.pos)
	if !ok {
		return buf, p.fail("an escape without four hexadecimal digits", "")
	}
	size := 6
	if 0xd800 <= r && r < 0xe000 {
		low, ok := hex4(p.text, p.pos+6)
		if !ok || r >= 0xdc00 || low < 0xdc00 || low >= 0xe000 {
			return buf, p.fail("half a surrogate pair in a string", "")
		}
		r, size = 0x10000+(r-0xd800)<<10+(low-0xdc00), 12
	}
	p.pos += size
	return utf8.AppendRune(buf, r), true
}

// hex4 returns the value of the escape \uXXXX at an offset.
func hex4(s string, at int) (rune, bool) {
	if at+6 > len(s) || s[at] != '\\' || s[at+1] != 'u' {
		return 0, false
	}
	for i := at + 2; i < at+6; i++ {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return 0, false
		}
	}
	v, err := strconv.ParseUint(s[at+2:at+6], 16, 16)
	return rune(v), err == nil
}
