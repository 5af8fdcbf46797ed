package dialect

import (
	"bytes"

	"github.com/posterngw/postern/filters/llm"
)

// sealed begins a signature that travels in a dialect other than its maker's:
// "postern." + origin + "." + signature.
const sealed = "postern."

// AppendSeal appends a signature so that it can travel in the dialect own and
// be told from that dialect's own signatures when it comes back.
func AppendSeal(dst []byte, own, origin string, signature llm.Escaped) []byte {
	if origin != "" && origin != own {
		dst = append(append(append(dst, sealed...), origin...), '.')
	}
	return append(dst, signature...)
}

// Unseal takes apart what AppendSeal wrote: who made the signature, and itself.
func Unseal(own string, text llm.Escaped) (origin string, signature llm.Escaped) {
	rest, ok := bytes.CutPrefix(text, []byte(sealed))
	if !ok {
		return own, text
	}
	name, signature, ok := bytes.Cut(rest, []byte("."))
	if !ok {
		return own, text
	}
	return string(name), signature
}
