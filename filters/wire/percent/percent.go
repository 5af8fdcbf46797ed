// Package percent writes percent-encoding (RFC 3986, section 2.1): for paths,
// for queries and for bodies of forms.
//
// It decodes nothing and knows no other set of characters than the unreserved
// ones.
package percent

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
