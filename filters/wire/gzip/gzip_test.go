package gzip_test

import (
	"bytes"
	"compress/flate"
	stdlib "compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/wire/gzip"
)

const limit = 1 << 20

func compressed(t testing.TB, level int, text []byte, header stdlib.Header) []byte {
	var b bytes.Buffer
	w, err := stdlib.NewWriterLevel(&b, level)
	require.NoError(t, err)
	w.Header = header
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// texts are such that every kind of block and of code occurs.
func texts() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise, skewed := make([]byte, 100_000), make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for i := range skewed { // rare bytes get codes longer than the table of short ones
		skewed[i] = byte(min(255, int(random.ExpFloat64()*12)))
	}
	return map[string][]byte{
		"empty":  {},
		"byte":   {'a'},
		"json":   []byte(strings.Repeat(`{"role":"user","content":"How far is the moon?"},`, 500)),
		"zeros":  make([]byte, 300_000),
		"noise":  noise,
		"skewed": skewed,
		"far":    append(append(bytes.Clone(noise[:32_768]), noise[:32_768]...), "end"...),
	}
}

func TestDecode(t *testing.T) {
	headers := map[string]stdlib.Header{
		"plain": {}, "full": {Name: "body.json", Comment: "a comment", Extra: []byte("extra")},
	}
	for name, text := range texts() {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			for kind, header := range headers {
				got, err := gzip.Decode(compressed(t, level, text, header), limit)
				require.NoError(t, err, "%s at level %d, %s", name, level, kind)
				require.True(t, bytes.Equal(text, got), "%s at level %d, %s", name, level, kind)
			}
		}
	}
}

func TestMembers(t *testing.T) {
	body := append(compressed(t, 9, []byte("one "), stdlib.Header{}), compressed(t, 1, []byte("two"), stdlib.Header{})...)
	got, err := gzip.Decode(body, limit)
	require.NoError(t, err)
	require.Equal(t, "one two", string(got))
}

// A header may carry the low half of its CRC-32, which compress/gzip never writes.
func TestHeaderChecksum(t *testing.T) {
	body := compressed(t, 9, []byte("text"), stdlib.Header{})
	head := append(bytes.Clone(body[:10]), 0, 0)
	head[3] = 1 << 1
	for sum := range 1 << 16 {
		head[10], head[11] = byte(sum), byte(sum>>8)
		whole := append(bytes.Clone(head), body[10:]...)
		_, want := standard(whole)
		_, err := gzip.Decode(whole, limit)
		require.Equal(t, want == nil, err == nil, sum)
	}
}

func TestLimit(t *testing.T) {
	for name, text := range texts() {
		body := compressed(t, 6, text, stdlib.Header{})
		_, err := gzip.Decode(body, len(text))
		require.NoError(t, err, name)
		if len(text) > 0 {
			_, err = gzip.Decode(body, len(text)-1)
			require.ErrorIs(t, err, gzip.ErrTooLarge, name)
		}
	}
}

// Every cut and every damaged byte is noticed as compress/gzip notices it.
func TestDamaged(t *testing.T) {
	for _, level := range []int{0, 1, 9} {
		body := compressed(t, level, []byte(strings.Repeat("text ", 9)), stdlib.Header{Name: "n"})
		for i := range body {
			_, err := gzip.Decode(body[:i], limit)
			require.ErrorIs(t, err, gzip.ErrInvalid, "%d of %d bytes", i, len(body))
			for flip := 1; flip < 256; flip <<= 1 {
				wrong := bytes.Clone(body)
				wrong[i] ^= byte(flip)
				same(t, wrong)
			}
		}
		_, err := gzip.Decode(append(bytes.Clone(body), 0), limit)
		require.ErrorIs(t, err, gzip.ErrInvalid)
	}
}

// standard is compress/gzip.
func standard(body []byte) ([]byte, error) {
	r, err := stdlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, limit+1))
}

// same demands what compress/gzip says of a body.
func same(t *testing.T, body []byte) {
	want, wantErr := standard(body)
	got, err := gzip.Decode(body, limit)
	switch {
	case wantErr == nil && len(want) > limit:
		require.ErrorIs(t, err, gzip.ErrTooLarge)
	case wantErr == nil:
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got))
	default:
		require.Error(t, err)
	}
}

// FuzzDecode takes the text as deflated data, as what to deflate, and as a file.
func FuzzDecode(f *testing.F) {
	for _, text := range texts() {
		body := compressed(f, 9, text, stdlib.Header{})
		f.Add(body[10:min(len(body), 4000)])
		f.Add(body[:min(len(body), 4000)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := gzip.Decode(compressed(t, 6, data, stdlib.Header{}), limit)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
		if len(data) < 500 { // compress/gzip bounds the texts of a header
			same(t, data)
		}
		inflated(t, data)
	})
}

// inflated compares what becomes of deflated data that a right header and the
// right trailer surround.
func inflated(t *testing.T, data []byte) {
	source := bytes.NewReader(data)
	text, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(source), limit+1))
	used := data[:len(data)-source.Len()]
	body := compressed(t, 1, text, stdlib.Header{})
	body = append(append(bytes.Clone(body[:10]), used...), body[len(body)-8:]...)
	got, err := gzip.Decode(body, limit)
	switch {
	case len(text) > limit:
		require.ErrorIs(t, err, gzip.ErrTooLarge)
	case wantErr != nil:
		require.Error(t, err)
	default:
		require.NoError(t, err)
		require.True(t, bytes.Equal(text, got))
	}
}

func BenchmarkDecode(b *testing.B) {
	text := texts()["json"]
	body := compressed(b, 6, text, stdlib.Header{})
	for name, text := range map[string][]byte{"json": text, "skewed": texts()["skewed"]} {
		body := compressed(b, 6, text, stdlib.Header{})
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = gzip.Decode(body, limit)
			}
		})
	}
	b.Run("standard", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = standard(body)
		}
	})
}
