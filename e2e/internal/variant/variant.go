// Package variant makes other modules of the bytes of the one that ships, for
// tests of what goes wrong: nothing that fails on purpose is built into that.
//
// It runs nothing and knows no proxy.
package variant

import (
	"encoding/binary"
	"errors"
)

// Sections of a module (WebAssembly Core 2.0, section 5.5).
const (
	header        = 8
	customSection = 0
	memorySection = 5
)

// page is the unit of a memory's size, in bytes.
const page = 64 << 10

// ErrModule says that bytes are no module with one memory.
var ErrModule = errors.New("variant: not a module with a memory of its own")

// Cramped is the module with room for so many bytes beyond what it starts with.
// Whatever needs more ends its VM, as a memory leak would.
func Cramped(module []byte, room uint64) ([]byte, error) {
	if len(module) < header {
		return nil, ErrModule
	}
	out, found := append([]byte(nil), module[:header]...), false
	for rest := module[header:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || uint64(len(rest)-1-n) < size {
			return nil, ErrModule
		}
		end := 1 + n + int(size)
		if rest[0] == memorySection {
			limits := rest[1+n+2:] // behind the number of memories and the kind of limits
			least, _ := binary.Uvarint(limits)
			out, found = append(out, bounded(least, least+room/page)...), true
		} else {
			out = append(out, rest[:end]...)
		}
		rest = rest[end:]
	}
	if !found {
		return nil, ErrModule
	}
	return out, nil
}

// bounded is the section of one memory with a least and a largest size in pages.
func bounded(least, most uint64) []byte {
	body := binary.AppendUvarint(binary.AppendUvarint([]byte{1, 1}, least), most)
	return append(binary.AppendUvarint([]byte{memorySection}, uint64(len(body))), body...)
}

// Rebuilt is another build of the module: it does the same, and has other bytes.
func Rebuilt(module []byte) []byte {
	const name = "rebuilt"
	out := append([]byte(nil), module...)
	out = append(out, customSection, 1+byte(len(name)), byte(len(name)))
	return append(out, name...)
}
