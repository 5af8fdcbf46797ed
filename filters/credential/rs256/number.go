package rs256

// number is a natural number in limbs of 32 bits, least first, of whatever
// length: 64-bit limbs would need 128-bit products, which WebAssembly lacks.
type number []uint32

// fromBytes reads a number in big-endian order.
func fromBytes(b []byte) number {
	n := make(number, (len(b)+3)/4)
	for i := range b {
		at := len(b) - 1 - i
		n[i/4] |= uint32(b[at]) << (i % 4 * 8)
	}
	return n
}

// bytes is the number in size bytes, big-endian.
func (n number) bytes(size int) []byte {
	b := make([]byte, size)
	for i := range min(size, 4*len(n)) {
		b[size-1-i] = byte(n[i/4] >> (i % 4 * 8))
	}
	return b
}

// limb is the limb at i, also beyond the number's length.
func (n number) limb(i int) uint32 {
	if i < len(n) {
		return n[i]
	}
	return 0
}

// compare is -1, 0 or 1 as a is less than, equal to or greater than b.
func compare(a, b number) int {
	for i := max(len(a), len(b)) - 1; i >= 0; i-- {
		switch x, y := a.limb(i), b.limb(i); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
	}
	return 0
}

// subtract takes b from a in place; a borrow out of a's length is dropped.
func (n number) subtract(b number) {
	borrow := uint64(0)
	for i := range n {
		d := uint64(n[i]) - uint64(b.limb(i)) - borrow
		n[i], borrow = uint32(d), d>>63
	}
}

// plus is a + b, which must fit into a's length.
func plus(a, b number) number {
	carry := uint64(0)
	for i := range a {
		s := uint64(a[i]) + uint64(b.limb(i)) + carry
		a[i], carry = uint32(s), s>>32
	}
	return a
}

// multiply is a · b in as many limbs as both have.
func multiply(a, b number) number {
	out := make(number, len(a)+len(b))
	for i, x := range a {
		carry := uint64(0)
		for j, y := range b {
			s := uint64(x)*uint64(y) + uint64(out[i+j]) + carry
			out[i+j], carry = uint32(s), s>>32
		}
		out[i+len(b)] = uint32(carry)
	}
	return out
}

// remainder is a modulo m, in m's length, bit by bit: it runs a few times a
// signature, and is not worth a division.
func remainder(a, m number) number {
	r := make(number, len(m)+1)
	for i := 32*len(a) - 1; i >= 0; i-- {
		r.shift(a[i/32] >> (i % 32) & 1)
		if compare(r, m) >= 0 {
			r.subtract(m)
		}
	}
	return r[:len(m)]
}

// shift doubles a number in place and adds a bit.
func (n number) shift(bit uint32) {
	for i := range n {
		n[i], bit = n[i]<<1|bit, n[i]>>31
	}
}
