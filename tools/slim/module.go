package slim

import (
	"encoding/binary"
	"errors"
)

// The sections that are read (WebAssembly Core 2.0, section 5.5.2).
const (
	types     = 1
	imports   = 2
	functions = 3
	memories  = 5
	exports   = 7
	code      = 10
	data      = 11
)

var errForm = errors.New("not a module of the form that Go links")

const header = "\x00asm\x01\x00\x00\x00"

// module is the bodies of a module's sections, in order.
type module struct {
	ids    []byte
	bodies [][]byte
}

func parse(b []byte) (*module, error) {
	r := &reader{b: b}
	if string(r.take(len(header))) != header {
		return nil, errForm
	}
	m := &module{}
	for len(r.b) > 0 && !r.wrong {
		m.ids = append(m.ids, r.take(1)[0])
		m.bodies = append(m.bodies, r.take(r.uint()))
	}
	return m, r.err()
}

// body is the place of a section's body; a module of Go's has all of the above.
func (m *module) body(id byte) *[]byte {
	for i := range m.ids {
		if m.ids[i] == id {
			return &m.bodies[i]
		}
	}
	return new([]byte)
}

func (m *module) append(dst []byte) []byte {
	dst = append(dst, header...)
	for i, body := range m.bodies {
		dst = append(dst, m.ids[i])
		dst = binary.AppendUvarint(dst, uint64(len(body)))
		dst = append(dst, body...)
	}
	return dst
}

// importedFunctions counts them: they come first in the numbers of functions.
func (m *module) importedFunctions() (n int, err error) {
	r := &reader{b: *m.body(imports)}
	for range r.uint() {
		r.take(r.uint())
		r.take(r.uint())
		if kind := r.take(1); r.wrong || kind[0] != 0 {
			return 0, errForm // Go imports functions only
		}
		r.uint()
		n++
	}
	return n, r.err()
}

// before puts a new function in front of the exported one: body calls the
// number that it is given, has the same type, and takes over the name.
func (m *module) before(name string, body func(call int) []byte) error {
	imported, err := m.importedFunctions()
	if err != nil {
		return err
	}
	types := &reader{b: *m.body(functions)}
	count := types.uint()
	old, err := m.export(name, imported+count)
	if err != nil || old < imported || old >= imported+count {
		return errForm
	}
	for range old - imported {
		types.uint()
	}
	kind := types.uint()
	if types.wrong {
		return errForm
	}
	add(m.body(functions), binary.AppendUvarint(nil, uint64(kind)))
	text := body(old)
	add(m.body(code), append(binary.AppendUvarint(nil, uint64(len(text))), text...))
	return nil
}

// export makes an exported function another one and returns its number.
func (m *module) export(name string, to int) (from int, err error) {
	r := &reader{b: *m.body(exports)}
	count := r.uint()
	out := binary.AppendUvarint(nil, uint64(count))
	from = -1
	for range count {
		n := r.take(r.uint())
		kind, index := r.take(1), r.uint()
		if r.wrong {
			return 0, errForm
		}
		if string(n) == name && kind[0] == 0 {
			from, index = index, to
		}
		out = append(binary.AppendUvarint(out, uint64(len(n))), n...)
		out = binary.AppendUvarint(append(out, kind[0]), uint64(index))
	}
	*m.body(exports) = out
	return from, r.err()
}

// count is the number of entries of a section that is a vector.
func count(body []byte) int { return (&reader{b: body}).uint() }

// add appends an entry to a section that is a vector.
func add(body *[]byte, entry []byte) {
	r := &reader{b: *body}
	grown := binary.AppendUvarint(nil, uint64(r.uint()+1))
	*body = append(append(grown, r.b...), entry...)
}

// reader takes values off b; wrong says that something was missing.
type reader struct {
	b     []byte
	wrong bool
}

func (r *reader) err() error {
	if r.wrong {
		return errForm
	}
	return nil
}

// take returns the next n bytes, or one that means nothing if they are not there.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.wrong, r.b = true, nil
		return make([]byte, 1)
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) uint() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<32-1 {
		r.wrong, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// int reads a signed number (LEB128), which encoding/binary does not.
func (r *reader) int() (v int) {
	for shift := 0; shift < 64; shift += 7 {
		c := r.take(1)[0]
		v |= int(c&0x7f) << shift
		if c < 0x80 {
			if c&0x40 != 0 && shift < 57 {
				v -= 1 << (shift + 7)
			}
			return v
		}
	}
	r.wrong = true
	return 0
}

func appendInt(b []byte, v int) []byte {
	for v >= 0x40 || v < -0x40 {
		b = append(b, byte(v)&0x7f|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
