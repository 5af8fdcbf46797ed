package slim

import (
	"encoding/binary"
	"errors"
)

// The table is runtime.findfunctab, an array of runtime.findfuncbucket: the
// number of a function in 4 bytes and 16 more that are zero on wasm.
const (
	entrySize   = 20
	perFunction = 16
	// least is how many entries must fit before they are believed to be the table.
	least = 1000 * perFunction
)

var errTable = errors.New("no table of functions found")

// maxMemory bounds the memory that data may reach to.
const maxMemory = 256 << 20

// load returns the memory as the data segments make it.
func load(body []byte) ([]byte, error) {
	var memory []byte
	r := &reader{b: body}
	for range r.uint() {
		ok := r.uint() == 0 && r.take(1)[0] == 0x41 // memory 0, i32.const
		at := r.int()
		ok = ok && r.take(1)[0] == 0x0b // end
		text := r.take(r.uint())
		if !ok || r.wrong || at < 0 || at+len(text) > maxMemory {
			return nil, errForm
		}
		if grow := at + len(text) - len(memory); grow > 0 {
			memory = append(memory, make([]byte, grow)...)
		}
		copy(memory[at:], text)
	}
	return memory, r.err()
}

// find returns where the table is and how many entries it has.
func find(memory []byte) (at, n int) {
	const first = perFunction * entrySize // of the entries of function 1
	for i := 0; i+first+4 <= len(memory); i += 4 {
		if binary.LittleEndian.Uint32(memory[i+first:]) != 1 {
			continue
		}
		if k := entries(memory[i:]); k > n {
			at, n = i, k
		}
	}
	return at, n
}

// entries counts how many entries of the table memory begins with.
func entries(memory []byte) int {
	for i := 0; ; i++ {
		e := memory[min(i*entrySize, len(memory)):]
		if len(e) < entrySize || binary.LittleEndian.Uint32(e) != uint32(i/perFunction) ||
			binary.LittleEndian.Uint64(e[4:])|binary.LittleEndian.Uint64(e[12:]) != 0 {
			return i
		}
	}
}

// filler is the code of a function that writes n entries and then calls on:
//
//	do memory[at+20*i] = i>>4 while i++ < n-1; call()
func filler(at, n, call int) []byte {
	b := []byte{
		1, 1, 0x7f, // one local, i, an i32
		0x03, 0x40, // loop
		0x20, 0, 0x41, entrySize, 0x6c, // i * 20
		0x20, 0, 0x41, 4, 0x76, // i >> 4
		0x36, 2} // i32.store, aligned, at + …
	b = binary.AppendUvarint(b, uint64(at))
	b = append(b, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0) // i = i + 1
	b = append(appendInt(append(b, 0x41), n), 0x49)
	b = append(b, 0x0d, 0, 0x0b) // again if less than n
	b = binary.AppendUvarint(append(b, 0x10), uint64(call))
	return append(b, 0x0b)
}

// gap is how many zeros are worth a new segment, as Go's linker has it.
const gap = 8

// store writes memory as data segments that leave out zeros.
func store(memory []byte) []byte {
	var segments []byte
	n := 0
	for at := 0; ; n++ {
		for at < len(memory) && memory[at] == 0 {
			at++
		}
		if at == len(memory) {
			break
		}
		end := segment(memory, at)
		segments = appendInt(append(segments, 0, 0x41), at)
		segments = binary.AppendUvarint(append(segments, 0x0b), uint64(end-at))
		segments = append(segments, memory[at:end]...)
		at = end
	}
	return append(binary.AppendUvarint(nil, uint64(n)), segments...)
}

// segment returns the end of what begins at a byte: where enough zeros follow.
func segment(memory []byte, at int) (end int) {
	for end = at; at < len(memory) && at-end < gap; at++ {
		if memory[at] != 0 {
			end = at + 1
		}
	}
	return end
}
