// Package sha256 is SHA-256 (FIPS 180-4, sections 4.1.2, 5.1.1, 5.3.3 and 6.2)
// for the module.
//
// Postern hashes with its own hundred lines and not with crypto/sha256 since
// that brings the self-tests of Go's FIPS 140 module along, of AES, SHA-3, HMAC
// and a random generator too: 173 KB of module, 2.6 MB of memory in each Envoy.
// On wasm crypto/sha256 has no assembly either, so nothing is slower. The tests
// hold this package against crypto/sha256.
//
// The time depends on the length of the data and not on the data. The package
// has HMAC-SHA256, too; it compares no digests (crypto/subtle does, in constant
// time) and is not validated.
package sha256

import (
	"encoding/binary"
	"math/bits"
)

// Sizes in bytes.
const (
	Size      = 32 // of a digest
	BlockSize = 64 // of what is hashed at a time, as HMAC needs to know
)

// Sum256 returns the digest of data.
func Sum256(data []byte) [Size]byte {
	h := New()
	h.add(data)
	return h.digest()
}

// Hash is a digest that is being computed. It implements hash.Hash.
type Hash struct {
	state  [8]uint32
	block  [BlockSize]byte // the last length % BlockSize bytes
	length uint64          // bytes so far
}

// New returns the digest of nothing yet.
func New() *Hash {
	h := new(Hash)
	h.Reset()
	return h
}

// Reset forgets what was written.
func (h *Hash) Reset() {
	h.state = [8]uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}
	h.length = 0
}

// Size is the length of a digest in bytes.
func (h *Hash) Size() int { return Size }

// BlockSize is the length of a block in bytes.
func (h *Hash) BlockSize() int { return BlockSize }

// Write adds data; it never fails.
func (h *Hash) Write(data []byte) (int, error) {
	h.add(data)
	return len(data), nil
}

// Sum appends the digest of what was written so far to b; more may follow.
func (h *Hash) Sum(b []byte) []byte {
	last := *h
	sum := last.digest()
	return append(b, sum[:]...)
}

func (h *Hash) add(data []byte) {
	held := int(h.length % BlockSize)
	h.length += uint64(len(data))
	if held > 0 {
		n := copy(h.block[held:], data)
		data = data[n:]
		if held+n < BlockSize {
			return
		}
		h.compress(h.block[:])
	}
	whole := len(data) &^ (BlockSize - 1)
	h.compress(data[:whole])
	copy(h.block[:], data[whole:])
}

// digest pads what was written (section 5.1.1) and ends the computation.
func (h *Hash) digest() (sum [Size]byte) {
	bitLength := h.length << 3
	var padding [BlockSize + 8]byte
	padding[0] = 0x80
	n := BlockSize - int((h.length+8)%BlockSize) // 1 to 64, so that 8 bytes end the block
	binary.BigEndian.PutUint64(padding[n:], bitLength)
	h.add(padding[:n+8])
	for i, word := range h.state {
		binary.BigEndian.PutUint32(sum[4*i:], word)
	}
	return sum
}

// compress adds whole blocks to the state (section 6.2.2).
func (h *Hash) compress(blocks []byte) {
	var w [64]uint32
	for ; len(blocks) >= BlockSize; blocks = blocks[BlockSize:] {
		for i := range 16 {
			w[i] = binary.BigEndian.Uint32(blocks[4*i:])
		}
		for i := 16; i < 64; i++ {
			a, b := w[i-2], w[i-15]
			s1 := bits.RotateLeft32(a, -17) ^ bits.RotateLeft32(a, -19) ^ a>>10
			s0 := bits.RotateLeft32(b, -7) ^ bits.RotateLeft32(b, -18) ^ b>>3
			w[i] = s1 + w[i-7] + s0 + w[i-16]
		}
		h.rounds(&w)
	}
}

// rounds mixes one message schedule into the state.
func (h *Hash) rounds(w *[64]uint32) {
	s := &h.state
	a, b, c, d, e, f, g, x := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for i := range w {
		s1 := bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)
		t1 := x + s1 + (e&f ^ ^e&g) + constants[i] + w[i]
		s0 := bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)
		t2 := s0 + (a&b ^ a&c ^ b&c)
		x, g, f, e = g, f, e, d+t1
		d, c, b, a = c, b, a, t1+t2
	}
	for i, v := range [8]uint32{a, b, c, d, e, f, g, x} {
		s[i] += v
	}
}

// constants are the first 32 bits of the fractional parts of the cube roots of
// the first 64 primes (section 4.2.2).
var constants = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
