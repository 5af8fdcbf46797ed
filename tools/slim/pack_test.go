package slim

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unpacked is memory, with what sample adds, after a module has unpacked it.
func unpacked(t *testing.T, memory []byte) []byte {
	m, err := parse(sample(nil))
	require.NoError(t, err)
	ok, err := m.packData(memory)
	require.NoError(t, err)
	require.True(t, ok)
	return begun(t, m.append(nil))
}

// padded is what unpacked should return.
func padded(memory []byte) []byte {
	want := make([]byte, 1<<20)
	copy(want, memory)
	want[8] = 7
	return want
}

func TestPack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for name, memory := range map[string][]byte{
		"nothing":   nil,
		"one byte":  {1},
		"text":      []byte(strings.Repeat("some text, ", 3)),
		"ones":      bytes.Repeat([]byte{0xff}, 70_000),
		"zeros":     append(make([]byte, 70_000), "end"...),
		"ends in 0": append([]byte("begin"), make([]byte, 300)...),
		"noise":     noise,
		"far":       append(bytes.Clone(noise), noise...),
		"table":     wanted(),
	} {
		memory = memory[:min(len(memory), 500_000)]
		require.Equal(t, padded(memory), unpacked(t, memory), name)
	}
	require.Less(t, len(pack(wanted())), 20_000)
	require.Less(t, len(pack(append(bytes.Clone(noise), noise...))), 100_100)
}

// Without room for what is packed the data stays as it is.
func TestPackWithoutRoom(t *testing.T) {
	m, err := parse(sample(nil))
	require.NoError(t, err)
	before := m.append(nil)
	ok, err := m.packData(bytes.Repeat([]byte{1}, 1<<20))
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, before, m.append(nil))
}

// FuzzPack: what is packed is unpacked.
func FuzzPack(f *testing.F) {
	f.Add([]byte("abcabcabc\x00\x00\x00\x00abc"), uint16(3))
	f.Fuzz(func(t *testing.T, part []byte, times uint16) {
		memory := part
		for range times % 100 {
			memory = append(append(memory, part...), byte(times), 0)
		}
		memory = memory[:min(len(memory), 300_000)]
		require.Equal(t, padded(memory), unpacked(t, memory))
	})
}
