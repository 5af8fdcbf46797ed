package jsonx

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Interior returns the interior of a raw string value, without its quotes and still escaped; nil if raw is not a string.
func Interior(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return nil
	}
	return raw[1 : len(raw)-1 : len(raw)-1]
}

// Unescape appends the text that the interior of a JSON string spells. Lone surrogates, and escapes that JSON does not have, become U+FFFD.
func Unescape(dst, interior []byte) []byte {
	for {
		n := bytes.IndexByte(interior, '\\')
		if n < 0 {
			return append(dst, interior...)
		}
		dst = append(dst, interior[:n]...)
		r, size := unescape(interior[n:])
		dst = utf8.AppendRune(dst, r)
		interior = interior[n+size:]
	}
}

// Equal reports whether the interior of a JSON string spells s. An escape is always longer than what it stands for, so most answers
// need no look at the escapes.
func Equal(interior []byte, s string) bool {
	switch {
	case len(interior) <= len(s):
		return string(interior) == s && bytes.IndexByte(interior, '\\') < 0
	case s == "" || interior[0] != s[0] && interior[0] != '\\':
		return false
	}
	return equalEscaped(interior, s)
}

func equalEscaped(interior []byte, s string) bool {
	for {
		n := bytes.IndexByte(interior, '\\')
		if n < 0 {
			return string(interior) == s
		}
		if n > len(s) || string(interior[:n]) != s[:n] {
			return false
		}
		r, size := unescape(interior[n:])
		var buf [utf8.UTFMax]byte
		w := utf8.EncodeRune(buf[:], r)
		s = s[n:]
		if len(s) < w || s[:w] != string(buf[:w]) {
			return false
		}
		interior, s = interior[n+size:], s[w:]
	}
}

// unescape reads the escape sequence at the start of b, which is a backslash, and returns the character and the bytes used.
func unescape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return utf8.RuneError, len(b)
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeUnit(b)
	}
	return utf8.RuneError, 2
}

// unescapeUnit reads \uXXXX, and the \uXXXX that follows if the two are a surrogate pair.
func unescapeUnit(b []byte) (r rune, size int) {
	r, ok := hex4(b)
	if !ok {
		return utf8.RuneError, 2
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hex4(b[6:])
	if !ok {
		return utf8.RuneError, 6
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return r, 6
	}
	return r, 12
}

// hex4 reads the \uXXXX at the start of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		v := unhex(c)
		if v < 0 {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return r, true
}

func unhex(c byte) int {
	switch {
	case c-'0' <= 9:
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// Quote appends text as a JSON string with its quotes. See Escape.
func Quote(dst []byte, text string) []byte {
	dst = append(dst, '"')
	dst = Escape(dst, text)
	return append(dst, '"')
}

// Escape appends text as the interior of a JSON string. Only what must be escaped is: quotes, backslashes and control characters.
// Bytes that are not valid UTF-8 become \ufffd, one for each byte.
func Escape(dst []byte, text string) []byte {
	b := []byte(text) // not copied: it is only read
	from := 0
	for i := 0; ; {
		if i = plain(b, i); i == len(b) {
			return append(dst, b[from:]...)
		}
		if b[i] >= utf8.RuneSelf {
			if r, size := utf8.DecodeRune(b[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, b[from:i]...)
		dst = escapeByte(dst, b[i])
		i++
		from = i
	}
}

func escapeByte(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	if c >= 0x80 {
		return append(dst, `\ufffd`...)
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}
