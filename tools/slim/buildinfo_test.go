package slim

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

const info = "path\texample.test/m/cmd\nmod\texample.test/m\tv1.2.3\th1:x=\ndep\texample.test/d\tv0.1.0\th1:y=\nbuild\tGOARCH=wasm\n"

// TestBuildInfo: what a module was built from is read from the linked one and
// from the slimmed one, whose data is packed.
func TestBuildInfo(t *testing.T) {
	memory := wanted()
	copy(memory[40_000:], infoBegin+info+infoEnd)
	linked := sample(memory)
	slimmed, err := Module(linked)
	require.NoError(t, err)
	for _, b := range [][]byte{linked, slimmed} {
		got, err := BuildInfo(b)
		require.NoError(t, err)
		require.Equal(t, "example.test/m/cmd", got.Path)
		require.Equal(t, "v1.2.3", got.Main.Version)
		require.Len(t, got.Deps, 1)
		require.Equal(t, "example.test/d", got.Deps[0].Path)
		require.Equal(t, "GOARCH", got.Settings[0].Key)
	}
	want := begun(t, linked)
	require.Equal(t, want, begun(t, slimmed), "the section changes nothing that runs")
}

func TestNoBuildInfo(t *testing.T) {
	slimmed, err := Module(sample(wanted()))
	require.NoError(t, err)
	_, err = BuildInfo(slimmed)
	require.ErrorIs(t, err, ErrNoBuildInfo)
	_, err = BuildInfo(sample([]byte(infoBegin + info)))
	require.ErrorIs(t, err, ErrNoBuildInfo, "a mark without its end")
	_, err = BuildInfo(sample([]byte(infoBegin + "no\tsuch\tline\tdep\nbuild\tno value\n" + infoEnd)))
	require.Error(t, err)
	_, err = BuildInfo([]byte("no module"))
	require.ErrorIs(t, err, errForm)
}

// TestBuildInfoOfModule reads it from the module itself.
func TestBuildInfoOfModule(t *testing.T) {
	b, err := os.ReadFile(filepath.FromSlash("../../build/postern.wasm"))
	require.NoError(t, err, "run `make wasm` first")
	got, err := BuildInfo(b)
	require.NoError(t, err)
	require.Equal(t, "github.com/posterngw/postern/filters/postern", got.Path)
	require.NotEmpty(t, got.Deps)
	require.Equal(t, runtime.Version(), got.GoVersion)
}

// FuzzBuildInfo: no file makes it panic.
func FuzzBuildInfo(f *testing.F) {
	f.Add(sample([]byte(infoBegin + info + infoEnd)))
	f.Add([]byte(header + "\x00\x0d\x0cgo:buildinfo"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := BuildInfo(b); err == nil {
			require.NotNil(t, got)
		}
	})
}
