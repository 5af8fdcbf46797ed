package scenario

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// expand replaces <<TEXT*N>> and <<hex:…>>.
func expand(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<<")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		inner, after, closed := strings.Cut(rest, ">>")
		if !closed {
			return "", fmt.Errorf("<< without >>")
		}
		value, err := expandOne(inner)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		text = after
	}
}

func expandOne(inner string) (string, error) {
	if digits, ok := strings.CutPrefix(inner, "hex:"); ok {
		b, err := hex.DecodeString(digits)
		return string(b), err
	}
	at := strings.LastIndexByte(inner, '*')
	n, err := strconv.Atoi(inner[at+1:])
	if at < 0 || err != nil {
		return "", fmt.Errorf("neither TEXT*N nor hex:… : %q", inner)
	}
	return strings.Repeat(inner[:at], n), nil
}

// compress makes gzip of a body.
func compress(body string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(body)) // a bytes.Buffer takes everything
	_ = z.Close()
	return b.String()
}
