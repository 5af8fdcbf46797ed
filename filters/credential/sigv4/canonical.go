package sigv4

import (
	"bytes"
	"strings"

	"github.com/posterngw/postern/filters/wire/percent"
)

// cutTarget splits a request target into path and query.
func cutTarget(target string) (path, query string) {
	path, query, _ = strings.Cut(target, "?")
	if path == "" {
		path = "/"
	}
	return path, query
}

// normalize removes dot segments (RFC 3986, section 5.2.4) and doubled slashes.
// Most paths have neither and are returned as they are.
func normalize(path string) string {
	if !strings.Contains(path, "//") && !strings.Contains(path, "/.") {
		return path
	}
	out := make([]byte, 0, len(path)) // ends without a slash
	for rest, more := path, true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch segment {
		case "", ".":
		case "..":
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	if len(out) == 0 || strings.HasSuffix(path, "/") {
		out = append(out, '/')
	}
	return string(out)
}

// appendQuery writes the parameters encoded and in order.
func appendQuery(dst []byte, query string) []byte {
	var list [][2]string
	for query != "" {
		var one string
		one, query, _ = strings.Cut(query, "&")
		if one == "" {
			continue
		}
		name, value, _ := strings.Cut(one, "=")
		list = insert(list, [2]string{recode(name), recode(value)}, true)
	}
	for i, p := range list {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(append(append(dst, p[0]...), '='), p[1]...)
	}
	return dst
}

// recode encodes a part of a query that may be encoded already, in another way.
func recode(s string) string {
	plain := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			plain = append(plain, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			plain = append(plain, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			plain = append(plain, c)
		}
	}
	return string(percent.Append(nil, string(plain)))
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// sortHeaders brings what is signed into the order of names; equal names keep
// theirs.
func sortHeaders(lists ...[][2]string) (sorted [][2]string) {
	for _, list := range lists {
		for _, h := range list {
			sorted = insert(sorted, h, false)
		}
	}
	return sorted
}

// insert keeps a list sorted, by the second part too if that is asked for. The
// lists are short.
func insert(list [][2]string, p [2]string, values bool) [][2]string {
	list = append(list, p)
	for i := len(list) - 1; i > 0; i-- {
		before := &list[i-1]
		if before[0] < p[0] || before[0] == p[0] && (!values || before[1] <= p[1]) {
			break
		}
		list[i], list[i-1] = list[i-1], list[i]
	}
	return list
}

// signedNames lists the names of sorted headers, each once.
func signedNames(sorted [][2]string) string {
	var b []byte
	for i, h := range sorted {
		switch {
		case i > 0 && sorted[i-1][0] == h[0]:
			continue
		case i > 0:
			b = append(b, ';')
		}
		b = append(b, h[0]...)
	}
	return string(b)
}

// appendHeaders writes sorted headers, a line for each name.
func appendHeaders(dst []byte, sorted [][2]string) []byte {
	for i, h := range sorted {
		if i > 0 && sorted[i-1][0] == h[0] {
			dst = append(dst[:len(dst)-1], ',') // in place of the end of the line
		} else {
			dst = append(append(dst, h[0]...), ':')
		}
		dst = append(appendTrimmed(dst, h[1]), '\n')
	}
	return dst
}

// appendTrimmed writes a value without white space around it, and with single
// spaces inside.
func appendTrimmed(dst []byte, value string) []byte {
	start, gap := len(dst), false
	for i := range len(value) {
		c := value[i]
		if c <= ' ' {
			gap = true
			continue
		}
		if gap && len(dst) > start {
			dst = append(dst, ' ')
		}
		dst, gap = append(dst, c), false
	}
	return dst
}
