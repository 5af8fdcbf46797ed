package hosttest

import (
	"encoding/binary"
	"errors"
)

// Bounds of cpp-host (limits.h) on pairs that a module passes in.
const (
	maxPairsBytes = 1 << 20
	maxPairsCount = 1024
)

var errPairs = errors.New("hosttest: malformed pairs")

// EncodePairs writes header pairs in the ABI's form: the count, then the sizes of each name and
// value, all 32-bit little endian, then the strings, each ended by a NUL.
func EncodePairs(pairs [][2]string) []byte { return appendPairs(nil, pairs) }

func appendPairs(b []byte, pairs [][2]string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(pairs)))
	for _, p := range pairs {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p[0])))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p[1])))
	}
	for _, p := range pairs {
		b = append(append(b, p[0]...), 0)
		b = append(append(b, p[1]...), 0)
	}
	return b
}

// DecodePairs reads the ABI's form. Anything that cpp-host refuses is an error: it takes such input
// as no pairs at all.
func DecodePairs(b []byte) ([][2]string, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if len(b) < 4 || len(b) > maxPairsBytes {
		return nil, errPairs
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n > maxPairsCount || len(b) < 4+8*n {
		return nil, errPairs
	}
	sizes, rest := b[4:4+8*n], b[4+8*n:]
	pairs := make([][2]string, n)
	for i := range 2 * n {
		size := uint64(binary.LittleEndian.Uint32(sizes[4*i:]))
		if size+1 > uint64(len(rest)) || rest[size] != 0 {
			return nil, errPairs
		}
		pairs[i/2][i%2] = string(rest[:size])
		rest = rest[size+1:]
	}
	if len(rest) != 0 {
		return nil, errPairs
	}
	return pairs, nil
}
