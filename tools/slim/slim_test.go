package slim

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
)

const (
	tableAt    = 70_000
	functionsN = 1_234
)

// wanted is the memory of the module of sample once it has begun: some data,
// the table, and a byte that its _initialize sets.
func wanted() []byte {
	memory := make([]byte, 1<<20)
	copy(memory[66_000:], "some data\x00\x00\x00\x00\x00\x00\x00\x00\x00and more")
	for i := range functionsN * perFunction {
		binary.LittleEndian.PutUint32(memory[tableAt+i*entrySize:], uint32(i/perFunction))
	}
	copy(memory[tableAt+functionsN*perFunction*entrySize:], "behind it")
	return memory
}

// sample is a module of the form that Go links: memory, _initialize, data.
func sample(memory []byte) []byte {
	vector := func(entry ...byte) []byte { return append([]byte{1}, entry...) }
	m := &module{
		ids: []byte{1, imports, functions, 5, exports, code, data},
		bodies: [][]byte{
			vector(0x60, 0, 0), // func()
			{0},
			vector(0),
			vector(0, 16), // pages
			append([]byte{2}, "\x0b_initialize\x00\x00\x06memory\x02\x00"...),
			vector(9, 0, 0x41, 8, 0x41, 7, 0x3a, 0, 0, 0x0b), // memory[8] = 7
			store(memory),
		},
	}
	return m.append(nil)
}

// begun is a module's memory after _initialize.
func begun(t *testing.T, b []byte) []byte {
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer func() { require.NoError(t, r.Close(t.Context())) }()
	m, err := r.InstantiateWithConfig(t.Context(), b, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	require.NoError(t, err)
	memory, ok := m.Memory().Read(0, m.Memory().Size())
	require.True(t, ok)
	return append([]byte(nil), memory...)
}

func TestSlim(t *testing.T) {
	before := sample(wanted())
	after, err := Module(before)
	require.NoError(t, err)
	require.Less(t, len(after), 600)
	want := wanted()
	want[8] = 7
	require.Equal(t, want, begun(t, before))
	require.Equal(t, want, begun(t, after))
}

// Whatever is not exactly the table stays.
func TestOtherTables(t *testing.T) {
	for name, change := range map[string]func(memory []byte){
		"none":      func(m []byte) { clear(m[tableAt:]) },
		"too short": func(m []byte) { clear(m[tableAt+(least-1)*entrySize:]) },
		"shifted":   func(m []byte) { m[tableAt+100*entrySize]++ },
		"deltas":    func(m []byte) { m[tableAt+100*entrySize+9] = 1 },
	} {
		memory := wanted()
		change(memory)
		_, err := Module(sample(memory))
		require.ErrorIs(t, err, errTable, name)
	}
}

func TestIntegers(t *testing.T) {
	for _, v := range []int{0, 1, 63, 64, -1, -64, -65, 1 << 20, -1 << 20, 1<<31 - 1, -1 << 31} {
		r := &reader{b: appendInt(nil, v)}
		require.Equal(t, v, r.int())
		require.NoError(t, r.err())
		require.Empty(t, r.b)
	}
}

// FuzzSlim: nothing panics, and what was made smaller is a module.
func FuzzSlim(f *testing.F) {
	f.Add(sample(nil))
	f.Add(sample([]byte("text")))
	f.Add(running((&writer{Rand: rand.New(rand.NewPCG(1, 1))}).write()).append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if after, err := Module(b); err == nil {
			_, err = parse(after)
			require.NoError(t, err)
		}
	})
}
