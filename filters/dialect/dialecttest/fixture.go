package dialecttest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// Archive reads the files of a txtar archive by name.
func Archive(t testing.TB, path string) map[string][]byte {
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	files := map[string][]byte{}
	for _, f := range txtar.Parse(raw).Files {
		files[f.Name] = f.Data
	}
	require.NotEmpty(t, files, path)
	return files
}

// Archives calls f for every txtar archive of a folder, as a test of its own.
func Archives(t *testing.T, folder string, f func(t *testing.T, files map[string][]byte)) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, folder)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { f(t, Archive(t, path)) })
	}
}

// lineEnds adds to streams the same with other ends of lines, with a byte order
// mark, and without the space behind the colon.
func lineEnds(streams map[string][]byte) map[string][]byte {
	all := map[string][]byte{}
	for name, s := range streams {
		all[name] = s
		all[name+" crlf"] = bytes.ReplaceAll(s, []byte("\n"), []byte("\r\n"))
		all[name+" cr"] = bytes.ReplaceAll(s, []byte("\n"), []byte("\r"))
		all[name+" bom"] = append([]byte("\xEF\xBB\xBF"), s...)
		all[name+" tight"] = bytes.ReplaceAll(s, []byte("data: "), []byte("data:"))
	}
	return all
}
