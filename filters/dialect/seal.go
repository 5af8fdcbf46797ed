package dialect

import (
	"bytes"

	"github.com/posterngw/postern/filters/llm"
)

// sealed begins a signature that travels in a dialect other than its maker's:
// "postern." + origin + "." + signature.
const sealed = "postern."

// AppendSeal appends a signature so that it can travel in the dialect own and
// be told from that dialect's own signatures when it comes back. An origin that a
// provider spelled in no name's way is not told.
func AppendSeal(dst []byte, own, origin string, signature llm.Escaped) []byte {
	if origin != "" && origin != own {
		if !isName(origin) {
			origin = "unknown"
		}
		dst = append(append(append(dst, sealed...), origin...), '.')
	}
	return append(dst, signature...)
}

func isName(text string) bool {
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Unseal takes apart what AppendSeal wrote: who made the signature, and itself. Text
// comes from clients, too: what names no maker is no seal.
func Unseal(own string, text llm.Escaped) (origin string, signature llm.Escaped) {
	rest, ok := bytes.CutPrefix(text, []byte(sealed))
	if !ok {
		return own, text
	}
	name, signature, ok := bytes.Cut(rest, []byte("."))
	if origin = string(name); !ok || !isName(origin) {
		return own, text
	}
	return origin, signature
}
