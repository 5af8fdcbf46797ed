package dialect

import (
	"math"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// AppendVector writes a vector as a value of a JSON array: base64 where that is
// wanted, else as it came. False means that it came as base64 and is wanted as
// numbers, which a provider is asked for where a client wants them.
func (w *Writer) AppendVector(v *llm.Vector, base64 bool) bool {
	w.comma()
	switch {
	case !base64:
		w.B = append(w.B, v.Values...)
		return v.Values != nil
	case v.Base64 != nil:
		w.text(v.Base64)
	default:
		w.B = append(w.B, '"')
		w.B = appendFloats(w.B, v.Values)
		w.B = append(w.B, '"')
	}
	return true
}

// appendFloats appends the base64 (RFC 4648, section 4) of the numbers of a JSON
// array as little-endian float32. What is no number counts as 0.
func appendFloats(dst []byte, values llm.Raw) []byte {
	var bits uint64
	n := 0 // of bits
	for it := jsonx.Elements(values); it.Next(); {
		f, _ := jsonx.Float(it.Value())
		word := math.Float32bits(float32(f))
		for shift := 0; shift < 32; shift += 8 {
			bits, n = bits<<8|uint64(word>>shift&0xff), n+8
			for ; n >= 6; n -= 6 {
				dst = append(dst, base64Digits[bits>>(n-6)&63])
			}
		}
	}
	if n == 0 {
		return dst
	}
	dst = append(dst, base64Digits[bits<<(6-n)&63])
	for ; n < 6; n += 2 {
		dst = append(dst, '=')
	}
	return dst
}
