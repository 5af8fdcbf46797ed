package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRun: what cannot be slimmed stays as it is.
func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.wasm")
	require.Error(t, run(file))
	require.Error(t, tell(file))
	for _, text := range []string{"no module", "\x00asm\x01\x00\x00\x00"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.NoError(t, run(file))
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
		require.Error(t, tell(file))
	}
}

// TestSlimmed: the module that the build slimmed is not slimmed again.
func TestSlimmed(t *testing.T) {
	want, err := os.ReadFile("../../../../build/postern.wasm")
	require.NoError(t, err, "run `make wasm` first")
	file := filepath.Join(t.TempDir(), "a.wasm")
	require.NoError(t, os.WriteFile(file, want, 0o600))
	require.NoError(t, run(file))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, got)
}
