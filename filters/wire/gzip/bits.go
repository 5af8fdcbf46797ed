package gzip

import "encoding/binary"

// reader hands out bits, the lowest of each byte first (RFC 1951, section
// 3.1.1). Beyond the end it hands out zeros; left then goes below zero.
type reader struct {
	in   []byte
	pos  int
	bits uint64
	have int // bits in bits; those above are those of in at pos, or zero
	left int // bits that are not taken yet
}

// input starts to read.
func (r *reader) input(in []byte) { *r = reader{in: in, left: 8 * len(in)} }

// fill makes 32 bits ready.
func (r *reader) fill() {
	if r.have >= 32 {
		return
	}
	if r.pos+4 <= len(r.in) {
		r.bits |= uint64(binary.LittleEndian.Uint32(r.in[r.pos:])) << r.have
		r.pos += 4
		r.have += 32
		return
	}
	for ; r.pos < len(r.in); r.pos++ {
		r.bits |= uint64(r.in[r.pos]) << r.have
		r.have += 8
	}
	r.have = max(r.have, 32)
}

// drop takes n of the bits that are ready.
func (r *reader) drop(n int) {
	r.bits >>= n
	r.have -= n
	r.left -= n
}

// take returns the next n bits, at most 16.
func (r *reader) take(n int) int {
	r.fill()
	v := int(r.bits) & (1<<n - 1)
	r.drop(n)
	return v
}

// rest is what follows the byte that the last bit is in.
func (r *reader) rest() []byte { return r.in[len(r.in)-r.left/8:] }

const (
	maxBits  = 15 // of a code
	fastBits = 9
)

// huffman is one code (RFC 1951, section 3.2.2).
type huffman struct {
	fast    [1 << fastBits]uint16 // by the next bits: symbol<<4 | length; 0 if the code is longer or none
	count   [maxBits + 1]uint16   // codes of each length
	symbols [288]uint16           // in the order of their codes
}

// set builds the code in which symbol i has lengths[i] bits and reports whether
// it is complete; a single code of one bit, or none at all, is permitted too.
func (h *huffman) set(lengths []uint8) bool {
	*h = huffman{}
	for _, n := range lengths {
		h.count[n]++
	}
	h.count[0] = 0
	var next [maxBits + 2]uint16 // where the symbols of each length stand
	codes, room := uint16(0), 1
	for n := 1; n <= maxBits; n++ {
		next[n+1] = next[n] + h.count[n]
		codes += h.count[n]
		if room = room<<1 - int(h.count[n]); room < 0 {
			return false
		}
	}
	for i, n := range lengths {
		if n > 0 {
			h.symbols[next[n]] = uint16(i)
			next[n]++
		}
	}
	h.quicken()
	return room == 0 || codes == 0 || codes == 1 && h.count[1] == 1
}

// quicken fills the table of short codes.
func (h *huffman) quicken() {
	code, at := 0, 0
	for n := 1; n <= fastBits; n++ {
		for range h.count[n] {
			for i := reversed(code, n); i < len(h.fast); i += 1 << n {
				h.fast[i] = h.symbols[at]<<4 | uint16(n)
			}
			code++
			at++
		}
		code <<= 1
	}
}

// reversed returns n bits in reverse: codes come with their highest bit first.
func reversed(v, n int) (r int) {
	for range n {
		r = r<<1 | v&1
		v >>= 1
	}
	return r
}

// symbol reads one symbol, or returns -1 if the bits are none.
func (r *reader) symbol(h *huffman) int {
	r.fill()
	if e := h.fast[r.bits&(1<<fastBits-1)]; e != 0 {
		r.drop(int(e & 15))
		return int(e >> 4)
	}
	return r.long(h)
}

// long reads a symbol bit by bit.
func (r *reader) long(h *huffman) int {
	code, first, at := 0, 0, 0
	for n := 1; n <= maxBits; n++ {
		code |= int(r.bits>>(n-1)) & 1
		count := int(h.count[n])
		if code-first < count {
			r.drop(n)
			return int(h.symbols[at+code-first])
		}
		at += count
		first = (first + count) << 1
		code <<= 1
	}
	return -1
}
