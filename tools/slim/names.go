package slim

import (
	"bytes"
	"encoding/binary"
)

// pcHeader is how runtime.pcHeader begins: its magic number, and the sizes of
// an instruction and of a pointer.
const pcHeader = "\xf1\xff\xff\xff\x00\x00\x01\x08"

// names returns the names of a module's functions, in the order of its code
// section, as Go's tables for tracebacks hold them; none if they are not found.
func names(memory []byte, count int) []string {
	for at := 0; ; at++ {
		n := bytes.Index(memory[min(at, len(memory)):], []byte(pcHeader))
		if n < 0 {
			return nil
		}
		at += n
		if found := (table{memory, at}).names(); len(found) == count {
			return found
		}
	}
}

// firstEntry is where the first function begins, in 64 KiB of program counters:
// each function has so many.
const firstEntry = 0x1000

// table is the memory of a module and where its pcHeader is.
type table struct {
	memory []byte
	at     int
}

// names reads the names up to the first that is not as expected.
func (t table) names() (found []string) {
	const functions, nameOffset, functabOffset = 8, 32, 64 // fields of runtime.pcHeader
	text, functab := t.at+t.word(t.at+nameOffset), t.at+t.word(t.at+functabOffset)
	for i := range t.word(t.at + functions) {
		entry := functab + 8*i
		info := functab + t.half(entry+4)
		if t.half(entry) != firstEntry+i || t.half(info) != firstEntry+i {
			break
		}
		name := t.memory[min(text+t.half(info+4), len(t.memory)):]
		end := bytes.IndexByte(name, 0)
		if end < 0 {
			break
		}
		found = append(found, string(name[:end]))
	}
	return found
}

// half and word read a number; outside of the memory there are zeros.
func (t table) half(at int) int {
	if at < 0 || at+4 > len(t.memory) {
		return 0
	}
	return int(binary.LittleEndian.Uint32(t.memory[at:]))
}

func (t table) word(at int) int {
	if at < 0 || at+8 > len(t.memory) {
		return 0
	}
	return int(binary.LittleEndian.Uint64(t.memory[at:]) & (1<<32 - 1))
}
