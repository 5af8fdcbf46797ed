package fasthash

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestBytes: every byte, the length and the beginning count.
func TestBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "bytes")
		h := Bytes(7, b)
		require.Equal(t, h, Bytes(7, append([]byte(nil), b...)))
		require.Equal(t, h, String(7, string(b)))
		require.NotEqual(t, h, Bytes(8, b))
		require.NotEqual(t, h, Bytes(7, append(b[:len(b):len(b)], 0)))
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		b[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		require.NotEqual(t, h, Bytes(7, b))
	})
}

func TestEmpty(t *testing.T) {
	require.Equal(t, Bytes(7, nil), String(7, ""))
	require.NotEqual(t, Bytes(7, nil), Bytes(8, nil))
}

func BenchmarkBytes(b *testing.B) {
	body := make([]byte, 4096)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		body[0] += byte(Bytes(1, body))
	}
}
