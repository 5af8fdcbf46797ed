package slim

import (
	"encoding/binary"
	"math/bits"
)

// What the module's data is packed as: sequences of bytes as they are, a distance
// back, and how many bytes from there follow.
//
//	1 byte      how many bytes as they are (high half), how many repeated, less shortest
//	15 and up   in a half: the rest of the number follows, in LEB128
//	distance    in LEB128; 0 is the same as before, 1 is no distance: zeros are passed over
//
// Numbers follow in the order of what they are for. It ends with the last byte.
const (
	again    = 0
	zeros    = 1
	shortest = 3
	full     = 15
)

// pack compresses memory.
func pack(memory []byte) []byte {
	p := packer{memory: memory, last: make([]int32, 1<<hashBits), before: make([]int32, len(memory))}
	var out []byte
	from := 0
	for at := 0; at < len(memory); {
		m := p.best(at)
		for m.n > 0 && m.n < enough { // a longer one may begin with the next byte
			p.note(at, at+1)
			next := p.best(at + 1)
			if next.gain() <= m.gain()+1 {
				break
			}
			at, m = at+1, next
		}
		if m.n == 0 {
			p.note(at, at+1)
			at++
			continue
		}
		out = appendSequence(out, memory[from:at], m)
		p.distance = m.next(p.distance)
		p.note(at, at+m.n)
		at += m.n
		from = at
	}
	return appendSequence(out, memory[from:], match{})
}

// match is n bytes that are repeated.
type match struct{ n, code int }

// gain is how many bytes it saves, about.
func (m match) gain() int {
	return m.n - bits.Len(uint(m.code))/7
}

// next is the distance that counts as the same after m.
func (m match) next(distance int) int {
	if m.code > zeros {
		return m.code
	}
	return distance
}

// packer finds repetitions.
type packer struct {
	memory   []byte
	noted    int     // up to where
	last     []int32 // by a hash of the next bytes, where they were last, from 1
	before   []int32 // by place, where a hash was before, from 1
	distance int     // of the match before
}

const hashBits = 16

// hash is that of the next four bytes.
func (p *packer) hash(at int) uint32 {
	return binary.LittleEndian.Uint32(p.memory[at:]) * 2654435761 >> (32 - hashBits)
}

// note enters places into the chains.
func (p *packer) note(from, to int) {
	for at := max(from, p.noted); at < to && at+4 <= len(p.memory); at++ {
		h := p.hash(at)
		p.before[at], p.last[h] = p.last[h], int32(at+1)
	}
	p.noted = max(p.noted, to)
}

// What bounds the search: how many places are compared, and when a match is
// taken without looking for a longer one.
const (
	effort = 48
	enough = 64
)

// best is the match that saves most.
func (p *packer) best(at int) (m match) {
	m = match{n: p.zeros(at), code: zeros}
	if from := at - p.distance; p.distance > zeros && from >= 0 {
		m = better(m, match{n: p.same(at, from), code: again})
	}
	if m.n < shortest {
		m = match{}
	}
	if at+4 > len(p.memory) {
		return m
	}
	place := p.last[p.hash(at)]
	for i := 0; i < effort && place > 0 && m.n < enough; i++ {
		from := int(place) - 1
		place = p.before[from]
		if at-from > zeros {
			m = better(m, match{n: p.same(at, from), code: at - from})
		}
	}
	return m
}

// better is the match that saves more.
func better(m, other match) match {
	if other.n >= shortest && other.gain() > m.gain() {
		return other
	}
	return m
}

func (p *packer) zeros(at int) (n int) {
	for at+n < len(p.memory) && p.memory[at+n] == 0 {
		n++
	}
	return n
}

func (p *packer) same(at, from int) (n int) {
	for at+n < len(p.memory) && p.memory[at+n] == p.memory[from+n] {
		n++
	}
	return n
}

func appendSequence(out, plain []byte, m match) []byte {
	repeated := max(0, m.n-shortest)
	out = append(out, byte(min(full, len(plain))<<4|min(full, repeated)))
	if len(plain) >= full {
		out = binary.AppendUvarint(out, uint64(len(plain)-full))
	}
	out = append(out, plain...)
	if m.n == 0 {
		return out
	}
	out = binary.AppendUvarint(out, uint64(m.code))
	if repeated >= full {
		out = binary.AppendUvarint(out, uint64(repeated-full))
	}
	return out
}
