package core

import (
	"hash/fnv"
	"strconv"
)

// Alphabets for identifiers.
const (
	Base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	Hex    = "0123456789abcdef"
	Base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
)

// Rand is a small deterministic generator (SplitMix64). It is not for secrets.
type Rand struct{ state uint64 }

// Rand returns a generator seeded by the World's seed and the parts.
func (w *World) Rand(parts ...string) *Rand {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return &Rand{state: h.Sum64() ^ w.Seed*0x9e3779b97f4a7c15}
}

// Next returns the next 64 bits.
func (r *Rand) Next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Intn returns a number in [0, n).
func (r *Rand) Intn(n int) int {
	if n <= 1 {
		return 0
	}
	return int(r.Next() % uint64(n))
}

// Float returns a number in [0, 1).
func (r *Rand) Float() float64 { return float64(r.Next()>>11) / (1 << 53) }

// String returns n characters of the alphabet.
func (r *Rand) String(alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.Intn(len(alphabet))]
	}
	return string(out)
}

func itoa(n int) string { return strconv.Itoa(n) }
