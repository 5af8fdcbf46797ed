package slim

import "encoding/binary"

// packData has the module unpack its data before anything else runs. What is
// packed lies behind the data, where Go's heap will be, and is cleared for it. It
// returns false if the memory that the module begins with is too small.
func (m *module) packData(memory []byte) (ok bool, err error) {
	packed := pack(memory)
	at := (len(memory) + 15) &^ 15
	if at+len(packed) > m.memorySize() {
		return false, nil
	}
	err = m.before("_initialize", func(call int) []byte { return unpacker(at, len(packed), len(memory), call) })
	if err != nil {
		return false, err
	}
	segment := binary.AppendUvarint(append(appendInt([]byte{1, 0, opConst}, at), opEnd), uint64(len(packed)))
	*m.body(data) = append(segment, packed...)
	return true, nil
}

// memorySize is how many bytes of memory the module begins with.
func (m *module) memorySize() int {
	r := &reader{b: *m.body(memories)}
	if r.uint() != 1 || r.uint() > 1 {
		return 0
	}
	return r.uint() << 16
}

// Locals of the unpacker.
const (
	from     = iota // where is read next
	to              // where is written next
	head            // the sequence's first byte
	length          // of what is copied
	distance        // back
	coded           // the distance as it is coded
	rest            // of a long length
	octet
	shift
	localsN
)

// More instructions that the unpacker is made of.
const (
	opLoad8  = 0x2d
	opStore8 = 0x3a
	opEq     = 0x46
	opGeU    = 0x4f
	opAnd    = 0x71
	opOr     = 0x72
	opShl    = 0x74
	opShrU   = 0x76
)

// unpacker is the code of a function that does what pack undoes, see there, and
// then calls on.
func unpacker(at, packed, size, call int) []byte {
	var w assembler
	w.set(from, at)
	w.begin(opBlock, 1)
	w.begin(opLoop, 2)
	w.readByte(head)
	w.plain(size)
	w.number(coded)
	w.op(opLocalGet, head)
	w.constant(full, opAnd)
	w.op(opLocalSet, length)
	w.long()
	w.add(length, shortest)
	w.repeated()
	w.op(opEnd, 2)
	w.op(opEnd, 1)
	w.op(opConst, at)
	w.op(opConst, 0)
	w.op(opConst, packed)
	w.raw(opMore, 11, 0) // memory.fill
	w.op(opCall, call)
	w.op(opEnd, 0)
	f := function{locals: []byte{1, localsN, 0x7f}, code: w.code}
	return f.encode()
}

// plain writes the bytes as they are, and leaves if they were the last.
func (w *assembler) plain(size int) {
	w.op(opLocalGet, head)
	w.constant(4, opShrU)
	w.op(opLocalSet, length)
	w.long()
	w.op(opLocalGet, to)
	w.op(opLocalGet, from)
	w.op(opLocalGet, length)
	w.raw(opMore, 10, 0, 0) // memory.copy
	w.addLocal(from, length)
	w.addLocal(to, length)
	w.op(opLocalGet, to)
	w.constant(size, opGeU)
	w.op(opBrIf, 1)
}

// repeated writes bytes from a distance, one by one, for they may overlap.
func (w *assembler) repeated() {
	w.op(opLocalGet, coded)
	w.constant(zeros, opEq)
	w.begin(opIf, 5)
	w.addLocal(to, length)
	w.op(opBr, 2)
	w.op(opEnd, 5)
	w.op(opLocalGet, coded)
	w.begin(opIf, 6)
	w.op(opLocalGet, coded)
	w.op(opLocalSet, distance)
	w.op(opEnd, 6)
	w.begin(opLoop, 7)
	w.op(opLocalGet, to)
	w.op(opLocalGet, to)
	w.op(opLocalGet, distance)
	w.op(opSub)
	w.op(opLoad8)
	w.op(opStore8)
	w.add(to, 1)
	w.add(length, -1)
	w.op(opLocalGet, length)
	w.op(opBrIf, 7)
	w.op(opEnd, 7)
	w.op(opBr, 2)
}

// long adds what follows to a length that is full.
func (w *assembler) long() {
	w.op(opLocalGet, length)
	w.constant(full, opEq)
	w.begin(opIf, 3)
	w.number(rest)
	w.addLocal(length, rest)
	w.op(opEnd, 3)
}

// number reads LEB128.
func (w *assembler) number(into int) {
	w.set(into, 0)
	w.set(shift, 0)
	w.begin(opLoop, 4)
	w.readByte(octet)
	w.op(opLocalGet, octet)
	w.constant(0x7f, opAnd)
	w.op(opLocalGet, shift)
	w.op(opShl)
	w.op(opLocalGet, into)
	w.op(opOr)
	w.op(opLocalSet, into)
	w.add(shift, 7)
	w.op(opLocalGet, octet)
	w.constant(0x80, opGeU)
	w.op(opBrIf, 4)
	w.op(opEnd, 4)
}

func (w *assembler) readByte(into int) {
	w.op(opLocalGet, from)
	w.op(opLoad8)
	w.op(opLocalSet, into)
	w.add(from, 1)
}

// assembler writes instructions.
type assembler struct{ code []instr }

func (w *assembler) op(op byte, immediates ...int) {
	i := instr{op: op}
	for n, p := range []*int{&i.a, &i.b} {
		if n < len(immediates) {
			*p = immediates[n]
		}
	}
	w.code = append(w.code, i)
}

func (w *assembler) raw(op byte, immediates ...byte) {
	w.code = append(w.code, instr{op: op, text: immediates})
}

// begin begins a construct without operands.
func (w *assembler) begin(op byte, construct int) {
	w.code = append(w.code, instr{op: op, a: construct, text: []byte{0x40}})
}

// constant applies an operation to what is on the stack and a constant.
func (w *assembler) constant(v int, op byte) {
	w.op(opConst, v)
	w.op(op)
}

func (w *assembler) set(local, v int) {
	w.op(opConst, v)
	w.op(opLocalSet, local)
}

func (w *assembler) add(local, v int) {
	w.op(opLocalGet, local)
	w.constant(v, opAdd)
	w.op(opLocalSet, local)
}

func (w *assembler) addLocal(local, other int) {
	w.op(opLocalGet, local)
	w.op(opLocalGet, other)
	w.op(opAdd)
	w.op(opLocalSet, local)
}
