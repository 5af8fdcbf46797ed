package crc32

import (
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestKnown(t *testing.T) {
	require.Equal(t, uint32(0xcbf43926), Sum([]byte("123456789"))) // the check value of the polynomial
	require.Zero(t, Sum(nil))
}

func TestAgainstTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		if got, want := Update(Sum(a), b), crc32.ChecksumIEEE(append(append([]byte(nil), a...), b...)); got != want {
			t.Fatalf("%08x, want %08x", got, want)
		}
	})
}
