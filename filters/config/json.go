package config

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
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

// Digest is the version of a configuration: 16 hexadecimal characters of the
// SHA-256 of its meaning. White space, the order of keys and the spelling of
// numbers do not change it, since a host may rewrite those on the way.
func Digest(n *Node) string {
	sum := sha256.Sum256(AppendJSON(nil, normal(n)))
	return hex.EncodeToString(sum[:8])
}

// normal returns a copy of a node with sorted keys and numbers in one spelling.
func normal(n *Node) *Node {
	if n == nil {
		return nil
	}
	c := &Node{Kind: n.Kind, Text: n.Text}
	if n.Kind == KindNumber {
		c.Text = normalNumber(n.Text)
	}
	for _, item := range n.Items {
		c.Items = append(c.Items, normal(item))
	}
	for _, m := range n.Members {
		c.Members = append(c.Members, Member{Key: m.Key, Value: normal(m.Value)})
	}
	slices.SortStableFunc(c.Members, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
	return c
}

// normalNumber spells integers as digits and others as the nearest float64.
func normalNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") && s != "-0" {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	const exact = 1 << 53
	if -exact < f && f < exact && f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
