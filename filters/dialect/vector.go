package dialect

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// AppendVector writes a vector as a value of a JSON array: base64 where that is
// wanted, else numbers. False means that it came as text that is no base64 of
// numbers; what is written then is an array all the same.
func (w *Writer) AppendVector(v *llm.Vector, base64 bool) bool {
	w.comma()
	switch {
	case !base64 && v.Values == nil:
		return w.appendNumbers(v.Base64)
	case !base64:
		w.B = append(w.B, v.Values...)
	case v.Base64 != nil:
		w.text(v.Base64)
	default:
		w.B = append(w.B, '"')
		w.B = appendFloats(w.B, v.Values)
		w.B = append(w.B, '"')
	}
	return true
}

// appendNumbers writes the little-endian float32 that base64 text spells as a JSON
// array. Text that is not base64, or no whole number of them, is no numbers.
func (w *Writer) appendNumbers(text llm.Escaped) bool {
	start := len(w.B)
	w.B = append(w.B, '[')
	var word uint32
	bits, n, read := uint32(0), 0, 0 // of a byte under way; bytes so far
	for _, c := range bytes.TrimRight(unslash(text), "=") {
		digit := strings.IndexByte(base64Digits, c)
		if digit < 0 {
			w.B = append(w.B[:start], "[]"...)
			return false
		}
		if bits, n = bits<<6|uint32(digit), n+6; n < 8 {
			continue
		}
		n -= 8
		word |= (bits >> n & 0xff) << (8 * (read % 4))
		if read++; read%4 == 0 {
			w.number(math.Float32frombits(word))
			word = 0
		}
	}
	w.B = append(w.B, ']')
	return read%4 == 0
}

// number writes a float32 in as few digits as tell it from all others; JSON has
// no word for infinities and what is no number.
func (w *Writer) number(f float32) {
	w.comma()
	if f != f || f > math.MaxFloat32 || f < -math.MaxFloat32 {
		f = 0
	}
	w.B = strconv.AppendFloat(w.B, float64(f), 'g', -1, 32)
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
