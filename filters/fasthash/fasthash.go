// Package fasthash tells bytes apart by 64 bits: 8 bytes at a time, one
// multiplication each. A hash is the same in every VM and at any time.
//
// It is not made against those who look for collisions: where a client may
// choose the bytes and gains by a collision, begin with a number that clients do
// not know.
package fasthash

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// odd is 2⁶⁴ divided by the golden ratio: it spreads bits upwards.
const odd = 0x9e3779b97f4a7c15

// Bytes goes on with a hash over more bytes; begin with any number.
func Bytes(h uint64, b []byte) uint64 {
	h ^= uint64(len(b)) * odd
	for ; len(b) >= 8; b = b[8:] {
		h = (bits.RotateLeft64(h, 29) ^ binary.LittleEndian.Uint64(b)) * odd
		h ^= h >> 32
	}
	var tail [8]byte
	copy(tail[:], b)
	h = (bits.RotateLeft64(h, 29) ^ binary.LittleEndian.Uint64(tail[:])) * odd
	return (h ^ h>>32) * odd
}

// String is Bytes of a text.
func String(h uint64, s string) uint64 { return Bytes(h, unsafe.Slice(unsafe.StringData(s), len(s))) }
