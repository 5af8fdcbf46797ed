package proxywasm

import "encoding/binary"

// The ABI's form of a header map, all numbers little-endian 32 bits:
//
//	count, then for each pair (size of name, size of value),
//	then for each pair name, NUL, value, NUL

const (
	pairSizes = 8 // the two sizes of a pair
	pairNULs  = 2
)

// decodePairs reads a header map. The strings lie in block, which must not
// change afterwards: with the slice of pairs that makes two allocations for a
// whole map. False if block is not a header map.
func decodePairs(block []byte) ([][2]string, bool) {
	if len(block) < 4 {
		return nil, len(block) == 0
	}
	count := int(binary.LittleEndian.Uint32(block))
	if count > (len(block)-4)/(pairSizes+pairNULs) {
		return nil, false
	}
	sizes, rest := block[4:4+count*pairSizes], text(block[4+count*pairSizes:])
	pairs := make([][2]string, count)
	for i := range pairs {
		name, value := int(binary.LittleEndian.Uint32(sizes)), int(binary.LittleEndian.Uint32(sizes[4:]))
		end := name + 1 + value
		if end >= len(rest) {
			return nil, false
		}
		pairs[i] = [2]string{rest[:name], rest[name+1 : end]}
		sizes, rest = sizes[pairSizes:], rest[end+1:]
	}
	return pairs, true
}

// appendPairs writes a header map.
func appendPairs(dst []byte, pairs [][2]string) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(pairs)))
	for _, p := range pairs {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(p[0])))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(p[1])))
	}
	for _, p := range pairs {
		dst = append(append(dst, p[0]...), 0)
		dst = append(append(dst, p[1]...), 0)
	}
	return dst
}
