package hosttest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPairs(t *testing.T) {
	pairs := [][2]string{{":path", "/"}, {"empty", ""}, {"", "nameless"}}
	got, err := DecodePairs(EncodePairs(pairs))
	require.NoError(t, err)
	require.Equal(t, pairs, got)
	require.Equal(t, []byte("\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00a\x00bc\x00"), EncodePairs([][2]string{{"a", "bc"}}))

	bad := map[string]string{
		"short":             "\x01",
		"count too large":   "\xff\xff\x00\x00",
		"sizes cut":         "\x01\x00\x00\x00\x01\x00\x00\x00",
		"string cut":        "\x01\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00ab\x00\x00",
		"no terminator":     "\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00aXb\x00",
		"bytes behind":      "\x00\x00\x00\x00x",
		"size of 4 GiB":     "\x01\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00a\x00\x00",
		"over the byte cap": string(make([]byte, maxPairsBytes+1)),
	}
	for name, s := range bad {
		_, err := DecodePairs([]byte(s))
		require.Error(t, err, name)
	}
	got, err = DecodePairs(nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

func FuzzDecodePairs(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00a\x00bc\x00"))
	f.Add([]byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pairs, err := DecodePairs(b)
		if err != nil || len(b) == 0 {
			return
		}
		require.Equal(t, b, EncodePairs(pairs), "what is accepted has one spelling")
	})
}
