package slim

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The functions of a module that runs a program.
const (
	callee     = iota // what the program calls, a cold function
	warm              // another that it calls
	program           //
	initialize        // calls the program
)

const (
	namesAt = 100_000
	stack   = 60_000 // where the program's stack begins
	fuel    = 8      // a word of memory that ends loops
	trace   = 16     // a word that says where the program went

)

// named is memory with the names of functions, as Go's tables hold them.
func named(names ...string) []byte {
	memory := make([]byte, 2<<16)
	t := memory[namesAt:]
	put := func(at, v int) { binary.LittleEndian.PutUint64(t[at:], uint64(v)) }
	const text, functab, info = 72, 1024, 512
	copy(t, pcHeader)
	put(8, len(names))
	put(32, text)
	put(64, functab)
	at := 1
	for i, name := range names {
		half := func(at, v int) { binary.LittleEndian.PutUint32(t[at:], uint32(v)) }
		half(functab+8*i, firstEntry+i)
		half(functab+8*i+4, info+16*i)
		half(functab+info+16*i, firstEntry+i)
		half(functab+info+16*i+4, at)
		at += copy(t[text+at:], name) + 1
	}
	return memory
}

func TestNames(t *testing.T) {
	require.Equal(t, []string{"a.b", "c.d"}, names(named("a.b", "c.d"), 2))
	for _, wrong := range [][]byte{nil, named("a.b"), named("a.b", "c.d")[:namesAt+1024], named("a.b", "c.d")[:namesAt+80]} {
		require.Nil(t, names(wrong, 2))
	}
}

// writer writes random programs of the form that Go compiles.
type writer struct {
	*rand.Rand
	assembler
	blocks int
}

// moveStack adds to the stack pointer.
func (w *writer) moveStack(op byte, n int) {
	w.op(opLocalGet, stackPointer)
	w.op(opConst, n)
	w.op(op)
	w.op(opLocalTee, stackPointer)
	w.op(opGlobalSet, stackPointerGlobal)
}

// slot puts the address of a word of the frame on the stack.
func (w *writer) slot() {
	w.op(opLocalGet, stackPointer)
	w.op(opExtend)
	w.op(opConst64, 8*w.IntN(8))
	w.op(opAdd64)
	w.op(opWrap)
}

// value puts a number on the stack.
func (w *writer) value() {
	switch w.IntN(4) {
	case 0:
		w.op(opConst64, w.IntN(1000)-500)
	case 1:
		w.op(opLocalGet, 2)
	case 2:
		w.slot()
		w.op(opLoad64, 3, 8*w.IntN(3))
	default:
		w.value()
		w.value()
		w.op([]byte{opAdd64, 0x7d, 0x7e, 0x85}[w.IntN(4)])
	}
}

// condition puts a truth on the stack.
func (w *writer) condition() {
	w.value()
	w.op(opConst64, w.IntN(8))
	w.op(0x83) // and
	w.op(opEqz64)
	switch w.IntN(3) {
	case 0:
		w.op(opEqz)
	case 1:
		w.op(opExtend)
		w.op(opEqz64)
		w.op(opEqz)
	}
}

func (w *writer) statement() {
	switch w.IntN(7) {
	case 6:
		w.op(opConst, trace+8)
		w.slot()
		w.op(opStore, 2, 0)
	case 0:
		w.slot()
		w.value()
		w.op(opStore64, 3, 8*w.IntN(3))
	case 1:
		w.value()
		w.op(opLocalSet, 2)
		w.op(opNop)
		w.op(opLocalGet, 2)
		w.op(opLocalSet, 3)
	case 2:
		w.slot()
		w.op(opLoad64, 3, 0)
		w.op(opWrap)
		w.op(opExtend)
		w.op(opLocalSet, 2)
	case 3:
		w.call(w.IntN(program))
	case 4:
		w.value()
		w.op(opLocalTee, 3)
		w.op(opDrop)
	default:
		w.op(opConst64, trace)
		w.op(opWrap)
		w.value()
		w.op(opStore64, 3, 0)
	}
}

// call calls as Go does, and leaves if it must unwind.
func (w *writer) call(n int) {
	w.moveStack(opSub, 8)
	w.op(opLocalGet, stackPointer)
	w.op(opConst64, w.IntN(1<<30))
	w.op(opStore64, 3, 0)
	w.op(opConst, w.IntN(2))
	w.op(opCall, n)
	w.op(opGlobalGet, stackPointerGlobal)
	w.op(opLocalSet, stackPointer)
	w.op(opBrIf, 1)
}

// jump goes to a block, if there is fuel left, perhaps on a condition.
func (w *writer) jump() {
	w.op(opConst, 0)
	w.op(opConst, 0)
	w.op(opLoad64, 3, fuel)
	w.op(opConst64, -1)
	w.op(opAdd64)
	w.op(opStore64, 3, fuel)
	w.op(opConst, 0)
	w.op(opLoad64, 3, fuel)
	w.op(opEqz64)
	w.op(opBrIf, 1)
	conditional := w.IntN(3) > 0
	if conditional {
		w.condition()
		w.begin(opIf, 100+len(w.code))
	}
	end := instr{op: opEnd, a: 100 + len(w.code) - 1}
	w.op(opConst, w.IntN(w.blocks+1))
	w.op(opLocalSet, 0)
	w.op(opBr, 2)
	if conditional {
		w.code = append(w.code, end)
	}
}

// write writes a program: construct 1 is the way out, 2 the loop.
func (w *writer) write() []byte {
	w.blocks = 1 + w.IntN(8)
	w.op(opGlobalGet, stackPointerGlobal)
	w.op(opLocalSet, stackPointer)
	w.begin(opBlock, 1)
	w.begin(opLoop, 2)
	table := instr{op: opBrTable}
	for i := range w.blocks {
		w.begin(opBlock, 10+w.blocks-1-i)
		table.labels = append(table.labels, 10+i)
	}
	w.op(opLocalGet, 0)
	w.code = append(w.code, table)
	for i := range w.blocks {
		w.op(opEnd, 10+i)
		if i == 0 {
			w.moveStack(opSub, 96)
		}
		for range w.IntN(5) {
			w.statement()
		}
		if w.IntN(2) == 0 && i > 0 {
			w.jump()
		}
	}
	w.moveStack(opAdd, 96)
	w.moveStack(opAdd, 8)
	w.op(opConst, 0)
	w.op(opReturn)
	w.op(opEnd, 2)
	w.op(opUnreachable)
	w.op(opEnd, 1)
	w.op(opConst, 1)
	w.op(opEnd, 0)
	f := function{locals: []byte{2, 1, 0x7f, 2, 0x7e}, code: w.code}
	return f.encode()
}

// called is a function that adds the return address, its argument and its own
// number to the trace, and returns.
func called(number int) []byte {
	w := &writer{}
	w.op(opConst, 0)
	w.op(opConst, 0)
	w.op(opLoad64, 3, trace)
	w.op(opConst64, 31*number+7)
	w.op(0x7e) // times
	w.op(opGlobalGet, stackPointerGlobal)
	w.op(opLoad64, 3, 0)
	w.op(opAdd64)
	w.op(opLocalGet, 0)
	w.op(opExtend)
	w.op(opAdd64)
	w.op(opStore64, 3, trace)
	w.op(opGlobalGet, stackPointerGlobal)
	w.op(opConst, 8)
	w.op(opAdd)
	w.op(opGlobalSet, stackPointerGlobal)
	w.op(opConst, 0)
	w.op(opEnd, 0)
	f := function{locals: []byte{0}, code: w.code}
	return f.encode()
}

// starting is _initialize: it fuels the program, calls it, and keeps its answer
// and where it left the stack pointer.
func starting() []byte {
	w := &writer{}
	w.op(opConst, 0)
	w.op(opConst64, 40)
	w.op(opStore64, 3, fuel)
	w.op(opConst, 0)
	w.op(opConst, 0)
	w.op(opCall, program)
	w.op(opStore, 2, 0)
	w.op(opConst, 4)
	w.op(opGlobalGet, stackPointerGlobal)
	w.op(opStore, 2, 0)
	w.op(opEnd, 0)
	f := function{locals: []byte{0}, code: w.code}
	return f.encode()
}

// running is a module that runs a program when it is started.
func running(program []byte) *module {
	bodies := []byte{4}
	for _, b := range [][]byte{called(1), called(2), program, starting()} {
		bodies = append(binary.AppendUvarint(bodies, uint64(len(b))), b...)
	}
	globals := append(appendInt([]byte{1, 0x7f, 1, opConst}, stack), opEnd)
	return &module{
		ids: []byte{types, imports, functions, 5, 6, exports, code, data},
		bodies: [][]byte{
			{2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f},
			{0},
			{4, 1, 1, 1, 0},
			{1, 0, 2}, // pages
			globals,
			append([]byte{2}, "\x0b_initialize\x00\x03\x06memory\x02\x00"...),
			bodies,
			store(named("runtime.goPanicIndex", "main.warm", "main.program", "_initialize")),
		},
	}
}

// Programs do the same before and after, and are shorter.
func TestPrograms(t *testing.T) {
	long, short := 0, 0
	for seed := range uint64(300) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 1))}
		m := running(w.write())
		before := m.append(nil)
		want := begun(t, before)
		memory, err := load(*m.body(data))
		require.NoError(t, err)
		require.NoError(t, m.shortenCode(memory))
		after := m.append(nil)
		require.Equal(t, want, begun(t, after), "seed %d", seed)
		long, short = long+len(before), short+len(after)
	}
	require.Less(t, short, long)
}

// A rule that drops what is needed would not be seen in programs that do nothing.
func TestProgramsDoSomething(t *testing.T) {
	ends := map[uint64]bool{}
	for seed := range uint64(400) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 1))}
		memory := begun(t, running(w.write()).append(nil))
		ends[binary.LittleEndian.Uint64(memory[trace:])] = true
	}
	require.Greater(t, len(ends), 200)
}

func TestEncode(t *testing.T) {
	for seed := range uint64(100) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 2))}
		body := w.write()
		f, err := decode(body)
		require.NoError(t, err)
		require.Equal(t, body, f.encode())
		for cut := range body {
			_, err := decode(body[:cut])
			require.ErrorIs(t, err, errForm)
		}
	}
}
