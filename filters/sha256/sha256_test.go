package sha256_test

import (
	"crypto/hmac"
	stdlib "crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/sha256"
)

var _ hash.Hash = (*sha256.Hash)(nil)

// The examples of FIPS 180-2, appendix B, and the digest of nothing.
func TestExamples(t *testing.T) {
	million := make([]byte, 1_000_000)
	for i := range million {
		million[i] = 'a'
	}
	tests := []struct{ data, want string }{
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{string(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	}
	for _, tt := range tests {
		sum := sha256.Sum256([]byte(tt.data))
		require.Equal(t, tt.want, hex.EncodeToString(sum[:]))
	}
}

// Every length around the padding's edges.
func TestEveryLength(t *testing.T) {
	data := make([]byte, 3*sha256.BlockSize)
	for i := range data {
		data[i] = byte(i * 7)
		require.Equal(t, stdlib.Sum256(data[:i]), sha256.Sum256(data[:i]), i)
	}
}

// However data is cut, and whenever the digest is asked for.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got, want := sha256.New(), stdlib.New()
		for _, piece := range rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 200)).Draw(t, "pieces") {
			n, err := got.Write(piece)
			require.NoError(t, err)
			require.Equal(t, len(piece), n)
			want.Write(piece)
			require.Equal(t, want.Sum([]byte("x")), got.Sum([]byte("x")))
		}
		got.Reset()
		require.Equal(t, stdlib.New().Sum(nil), got.Sum(nil))
	})
}

func FuzzSum256(f *testing.F) {
	f.Add([]byte("abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		require.Equal(t, stdlib.Sum256(data), sha256.Sum256(data))
	})
}

func BenchmarkSum256(b *testing.B) {
	for _, n := range []int{43, 4096} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			data := make([]byte, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				sha256.Sum256(data)
			}
		})
	}
}

func TestHMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "key")
		text := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "text")
		want := hmac.New(stdlib.New, key)
		want.Write(text)
		got := sha256.HMAC(key, text)
		require.Equal(t, want.Sum(nil), got[:])
	})
}
