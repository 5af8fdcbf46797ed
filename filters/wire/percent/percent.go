// Package percent writes and reads percent-encoding (RFC 3986, section 2.1): for
// paths, for queries and for bodies of forms.
//
// It knows no other set of characters than the unreserved ones, and no plus sign
// for a space.
package percent

import "strings"

const digits = "0123456789ABCDEF"

// Append encodes all of s but the unreserved characters.
func Append(dst []byte, s string) []byte { return encode(dst, s, false) }

// AppendPath encodes as Append does, and keeps the slash.
func AppendPath(dst []byte, s string) []byte { return encode(dst, s, true) }

func encode(dst []byte, s string, slash bool) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case unreserved(c), slash && c == '/':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func unreserved(c byte) bool {
	switch {
	case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
}

// Unescape undoes percent-encoding; false for an escape that is none.
func Unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return "", false
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			c, i = byte(high<<4|low), i+2
		}
		b = append(b, c)
	}
	return string(b), true
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
