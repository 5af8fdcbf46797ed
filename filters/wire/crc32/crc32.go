// Package crc32 computes the checksum of gzip (RFC 1952, section 8) and of AWS
// event streams: CRC-32 with the reversed polynomial 0xedb88320.
//
// It knows no other polynomial and has no hash.Hash: the standard library's
// package is several times larger, for speed that bodies of some hundred bytes
// do not show.
package crc32

var table = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i)
		for range 8 {
			c = c>>1 ^ 0xedb88320&-(c&1)
		}
		t[i] = c
	}
	return t
}()

// Sum is the checksum of b.
func Sum(b []byte) uint32 { return Update(0, b) }

// Update is the checksum of what crc is the checksum of, followed by b.
func Update(crc uint32, b []byte) uint32 {
	c := ^crc
	for _, v := range b {
		c = table[byte(c)^v] ^ c>>8
	}
	return ^c
}
