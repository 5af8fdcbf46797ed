package module

import (
	"archive/zip"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/slim"
)

const (
	tiny    = "example.test/tiny"
	version = "v1.0.0"
)

// proxied serves a small module, that has a command where Postern has its own, by
// a proxy of files, and returns the sum of its sources.
func proxied(t *testing.T) (sum string) {
	proxy := filepath.Join(t.TempDir(), filepath.FromSlash(tiny), "@v")
	require.NoError(t, os.MkdirAll(proxy, 0o755))
	const mod = "module " + tiny + "\n\ngo 1.26.0\n"
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(proxy, version+name), []byte(text), 0o600))
	}
	write(".info", `{"Version":"`+version+`"}`)
	write(".mod", mod)
	archive, err := os.Create(filepath.Join(proxy, version+".zip"))
	require.NoError(t, err)
	z := zip.NewWriter(archive)
	for name, text := range map[string]string{
		"go.mod":                  mod,
		"filters/postern/main.go": "package main\n\n//go:wasmexport answer\nfunc answer() int32 { return 42 }\n\nfunc main() {}\n",
	} {
		w, err := z.Create(tiny + "@" + version + "/" + name)
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	require.NoError(t, archive.Close())
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(filepath.Join(proxy, "..", "..", "..")))
	t.Setenv("GONOSUMDB", "example.test")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Cleanup(func() { require.NoError(t, exec.Command("go", "clean", "-modcache").Run()) })
	return download(t)
}

func download(t *testing.T) (sum string) {
	c := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", tiny+"@"+version)
	c.Dir = t.TempDir()
	text, err := c.Output()
	require.NoError(t, err)
	var got struct{ Sum string }
	require.NoError(t, json.Unmarshal(text, &got))
	return got.Sum
}

// finder is that of a command which was installed.
func finder(t *testing.T, sum string) (f *Finder, told *[]string) {
	told = &[]string{}
	cache := t.TempDir()
	t.Chdir(t.TempDir())
	return &Finder{
		Self:  &debug.BuildInfo{Main: debug.Module{Path: tiny, Version: version, Sum: sum}},
		Tell:  func(text string) { *told = append(*told, text) },
		Cache: func() (string, error) { return cache, nil },
	}, told
}

// TestBuilt: an installed command builds its module once, and then finds it.
func TestBuilt(t *testing.T) {
	f, told := finder(t, proxied(t))
	path, err := f.Find(t.Context())
	require.NoError(t, err)
	require.Len(t, *told, 1)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	info, err := slim.BuildInfo(text)
	require.NoError(t, err)
	require.Equal(t, tiny+"/filters/postern", info.Path)

	again, err := f.Find(t.Context())
	require.NoError(t, err)
	require.Equal(t, path, again)
	require.Len(t, *told, 1, "it was built again")
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "something was left behind")
}

// TestOtherSources: what is built is what the command was built from.
func TestOtherSources(t *testing.T) {
	proxied(t)
	f, _ := finder(t, "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	_, err := f.Find(t.Context())
	require.ErrorIs(t, err, ErrOtherSum)
}

func TestNotBuilt(t *testing.T) {
	f, told := finder(t, "")
	_, err := f.Find(t.Context())
	require.ErrorContains(t, err, "build it with `make wasm`", "a command from a checkout")
	f.Self.Main.Sum = "h1:x"
	f.Named = "nothere.wasm"
	_, err = f.Find(t.Context())
	require.ErrorContains(t, err, "there is no module at nothere.wasm")
	f.Named = ""
	t.Setenv("PATH", "")
	_, err = f.Find(t.Context())
	require.ErrorIs(t, err, ErrNoGo)
	require.Empty(t, *told)
}

// TestCancelled: Ctrl-C ends a build and leaves no module.
func TestCancelled(t *testing.T) {
	f, _ := finder(t, "h1:x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Find(ctx)
	require.Error(t, err)
}

// TestFound: a file that was built is preferred to building.
func TestFound(t *testing.T) {
	f, _ := finder(t, "h1:x")
	require.NoError(t, os.Mkdir("build", 0o755))
	require.NoError(t, os.WriteFile(Default, nil, 0o600))
	path, err := f.Find(t.Context())
	require.NoError(t, err)
	require.Equal(t, Default, path)
}
