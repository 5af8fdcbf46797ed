package estimate_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/estimate"
)

// TestText holds estimates against the counts of the o200k tokenizer, to within a
// factor of 1.6.
func TestText(t *testing.T) {
	for text, tokens := range map[string]float64{
		"The quick brown fox jumps over the lazy dog.":                                                10,
		"A gateway decides, translates, counts and records; sockets and retries stay the host's own.": 19,
		"func (f *Factor) Apply(n int64) int64 { return int64(float64(n)*f.value() + 0.5) }":          31,
		`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`:               19,
		"1234567890 1234567890 1234567890":                                                            14,
		"Przykładowe zdanie zapisane po polsku, żeby sprawdzić znaki.":                                20,
		"東京は日本の首都です。人口は約千四百万人です。":                                                                     17,
	} {
		got := float64(estimate.Text([]byte(text)))
		require.Less(t, got, tokens*1.6, text)
		require.Greater(t, got, tokens/1.6, text)
	}
}

// TestConcatenation holds that two texts together are both, but for rounding, and
// that more text is never less.
func TestConcatenation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := []byte(rapid.String().Draw(t, "a")), []byte(rapid.String().Draw(t, "b"))
		sum, both := estimate.Text(a)+estimate.Text(b), estimate.Text(append(bytes.Clone(a), b...))
		require.LessOrEqual(t, both, sum)
		require.GreaterOrEqual(t, both, sum-1)
		require.GreaterOrEqual(t, both, max(estimate.Text(a), estimate.Text(b)))
		require.LessOrEqual(t, estimate.Text(a), int64(len(a)))
	})
}

// TestEscaped holds that an escape counts as what it stands for.
func TestEscaped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z0-9 \n\t"\\.,é東]{0,60}`).Draw(t, "text")
		raw, err := json.Marshal(text)
		require.NoError(t, err)
		require.Equal(t, estimate.Text([]byte(text)), estimate.Escaped(raw[1:len(raw)-1]))
	})
	require.Equal(t, int64(1), estimate.Escaped([]byte(`\`)))
	require.Equal(t, int64(1), estimate.Escaped([]byte(`\u6`)))
}

func TestFactor(t *testing.T) {
	var f estimate.Factor
	require.Equal(t, int64(100), f.Apply(100))
	for range 100 {
		f.Learn(150, 100)
	}
	require.Equal(t, int64(150), f.Apply(100))
	f.Learn(1000, 1) // too little text
	f.Learn(0, 100)
	require.Equal(t, int64(150), f.Apply(100))
	for range 100 {
		f.Learn(1_000_000, 100)
	}
	require.Equal(t, int64(300), f.Apply(100))
	for range 100 {
		f.Learn(1, 100)
	}
	require.Equal(t, int64(30), f.Apply(100))
	require.Equal(t, int64(7), (*estimate.Factor)(nil).Apply(7))
}

func BenchmarkEscaped12KB(b *testing.B) {
	text := []byte(strings.Repeat(`The quick brown \"fox\" jumps\nover the lazy dog. `, 12<<10/50))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		estimate.Escaped(text)
	}
}
