package config

import (
	"unicode/utf8"
)

// AppendJSON appends a node as compact JSON: keys in file order, numbers as
// they were spelled. Nil reads as null.
func AppendJSON(b []byte, n *Node) []byte {
	switch {
	case n == nil || n.Kind == KindNull:
		return append(b, "null"...)
	case n.Kind == KindString:
		return AppendQuoted(b, n.Text)
	case n.Kind == KindList:
		b = append(b, '[')
		for i, item := range n.Items {
			b = AppendJSON(comma(b, i), item)
		}
		return append(b, ']')
	case n.Kind == KindMap:
		b = append(b, '{')
		for i := range n.Members {
			b = append(AppendQuoted(comma(b, i), n.Members[i].Key), ':')
			b = AppendJSON(b, n.Members[i].Value)
		}
		return append(b, '}')
	}
	return append(b, n.Text...)
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD.
func AppendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}

// ParsePlugin reads a configuration as a host hands it over: JSON, or JSON that
// stands as text in the only member `document`. Hosts that take an object and pass
// on what they have made of it, as Istio's WasmPlugin, change the order of members,
// which has a meaning.
func ParsePlugin(raw []byte) (*Node, Errors) {
	node, errs := ParseJSON(raw)
	if inner := node.Get("document"); inner != nil && len(node.Members) == 1 && inner.Kind == KindString {
		return ParseJSON([]byte(inner.Text))
	}
	return node, errs
}
