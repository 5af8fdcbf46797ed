package rs256

// modulus computes modulo an odd number, in Montgomery's form: x stands for
// x · 2^(32·limbs).
type modulus struct {
	m    number
	low  uint32 // -1/m modulo 2^32
	one  number // 1 in that form
	into number // the factor that brings a number into it
}

func newModulus(m number) *modulus {
	// Newton: each step doubles the bits that are right, from 3.
	inverse := m[0]
	for range 4 {
		inverse *= 2 - m[0]*inverse
	}
	power := make(number, len(m)+1)
	power[len(m)] = 1
	square := make(number, 2*len(m)+1)
	square[2*len(m)] = 1
	return &modulus{m: m, low: -inverse, one: remainder(power, m), into: remainder(square, m)}
}

// reduced is the product of two numbers below m, divided by 2^(32·limbs)
// (Koç, Acar, Kaliski 1996: coarsely integrated operand scanning). out must be
// neither of them and has two limbs more.
func (md *modulus) reduced(out, a, b number) number {
	m := md.m
	n := len(m)
	clear(out)
	for _, x := range b[:n] {
		top := addProduct(out[:n], a, x, uint64(out[n]))
		out[n], out[n+1] = uint32(top), uint32(top>>32)
		// Add the multiple of m that makes the lowest limb zero, and drop that.
		top = addProduct(out[:n], m, out[0]*md.low, uint64(out[n]))
		copy(out, out[1:n])
		out[n-1], out[n] = uint32(top), out[n+1]+uint32(top>>32)
	}
	if compare(out[:n+1], m) >= 0 {
		out[:n+1].subtract(m)
	}
	return out[:n]
}

// addProduct adds a · x to out in place, and the carry to top.
func addProduct(out, a number, x uint32, top uint64) uint64 {
	carry := uint64(0)
	for i, y := range a[:len(out)] {
		s := uint64(x)*uint64(y) + uint64(out[i]) + carry
		out[i], carry = uint32(s), s>>32
	}
	return top + carry
}

func (md *modulus) room() number { return make(number, len(md.m)+2) }

// times is a · b modulo m.
func (md *modulus) times(a, b number) number {
	form := md.reduced(md.room(), a, md.into)
	return md.reduced(md.room(), form, b)
}

// minus is a - b modulo m, of numbers below m.
func (md *modulus) minus(a, b number) number {
	d := make(number, len(md.m)+1)
	copy(d, a)
	if compare(a, b) < 0 {
		plus(d, md.m)
	}
	d.subtract(b)
	return d[:len(md.m)]
}

// exp is base to the power of e, modulo m, of a base below m.
func (md *modulus) exp(base, e number) number {
	n := len(md.m)
	form := md.reduced(md.room(), base, md.into)
	power, other := md.room(), md.room() // only one of them holds a value
	copy(power, md.one)
	for i := 32*len(e) - 1; i >= 0; i-- {
		md.reduced(other, power[:n], power[:n])
		if e[i/32]>>(i%32)&1 == 0 {
			power, other = other, power
			continue
		}
		md.reduced(power, other[:n], form)
	}
	unit := make(number, n)
	unit[0] = 1
	return md.reduced(other, power[:n], unit)
}
