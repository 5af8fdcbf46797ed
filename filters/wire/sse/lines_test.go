package sse

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lines is what a stream of lines says, read at once.
func lines(stream string) (out []result) {
	stream = strings.TrimPrefix(stream, "\xEF\xBB\xBF")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	all := strings.Split(stream, "\n")
	for i, line := range all {
		if line != "" {
			out = append(out, result{name: "-", data: "=" + line, id: "-", retry: "-", unterminated: i == len(all)-1})
		}
	}
	return out
}

func TestLines(t *testing.T) {
	for _, stream := range []string{
		"", "\n", "a", "a\n", "{\"a\":1}\n{\"b\":2}\n", "a\r\nb\r\n\r\nc", "a\rb\r\rc\r", "\n\na\n\n", "data: x\nevent: y\n\n: c\n", "\xEF\xBB\xBFa\nb\n",
	} {
		want := lines(stream)
		got, raw := feed(t, NewFramer(Limits{Lines: true}), []byte(stream))
		require.Equal(t, want, got, stream)
		require.Equal(t, stream, string(raw))
		for i := 1; i < len(stream); i++ {
			got, raw := feed(t, NewFramer(Limits{Lines: true}), []byte(stream[:i]), []byte(stream[i:]))
			require.Equal(t, want, got, "%q at %d", stream, i)
			require.Equal(t, stream, string(raw))
		}
	}
}

func TestLinesOverflow(t *testing.T) {
	stream := "a\n" + strings.Repeat("x", 40) + "\nb\n" + strings.Repeat("y", 9) + "\nc"
	for i := 1; i < len(stream); i++ {
		f := NewFramer(Limits{Event: 8, Lines: true})
		got, _ := feed(t, f, []byte(stream[:i]), []byte(stream[i:]))
		require.Equal(t, []string{"=a", "=b", "=c"}, dataOf(got))
		require.Equal(t, 2, f.Overflowed())
		require.Equal(t, int64(51), f.Skipped())
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n{\"b\":2}\r\n\r\nc"), uint64(1))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		want := lines(string(stream))
		got, raw := feed(t, NewFramer(Limits{Lines: true}), partition(stream, rand.New(rand.NewPCG(seed, 0)), 8)...)
		require.Equal(t, want, got)
		require.Equal(t, string(stream), string(raw))
	})
}
