package main

import (
	"encoding/binary"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/gateway/gatewaytest"
)

// What the module may be made of. Every megabyte of code is 20 to 25 MB of
// memory in Envoy, so imports and size are a budget: whoever adds to it changes
// the list here, and says why in the change.
const maxModule = 6 << 20

// maxCode bounds the code alone, which is what costs memory: the rest of the
// file is packed tables. Five dialects, both sides of each, are a quarter of it.
const maxCode = 5 << 20

func TestModuleSize(t *testing.T) {
	info, err := os.Stat(path)
	require.NoError(t, err, "run `make wasm` first")
	require.LessOrEqual(t, info.Size(), int64(maxModule))
	require.LessOrEqual(t, codeSize(t), maxCode)
}

// codeSize is the length of the module's code section (WebAssembly Core 2.0,
// section 5.5.13).
func codeSize(t *testing.T) int {
	module, err := os.ReadFile(path)
	require.NoError(t, err)
	const code = 10
	for rest := module[8:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		if rest[0] == code {
			return int(size)
		}
		rest = rest[1+n+int(size):]
	}
	t.Fatal("no code section")
	return 0
}

// TestImportBudget holds the packages from outside the standard library and
// outside Postern, and the heavy ones from inside the standard library.
func TestImportBudget(t *testing.T) {
	want, err := os.ReadFile("testdata/imports.txt")
	require.NoError(t, err)
	var got strings.Builder
	for _, line := range gatewaytest.Imports(t) {
		if strings.Contains(line, ".") && !strings.HasPrefix(line, "github.com/posterngw/postern/") {
			got.WriteString(line)
		}
		require.NotContains(t, []string{"net", "net/http", "regexp", "encoding/json", "text/template", "crypto/tls"},
			strings.TrimSpace(line), "too heavy for the module")
	}
	require.Equal(t, string(want), got.String(), "testdata/imports.txt is the list of what the module may import")
}

// TestPackageDocs demands a package comment of every package.
func TestPackageDocs(t *testing.T) {
	documented := map[string]bool{}
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
		dir := filepath.Dir(file)
		documented[dir] = documented[dir] || f != nil && f.Doc != nil
		return err
	})
	require.NoError(t, err)
	for dir, ok := range documented {
		require.True(t, ok, "%s has no package comment", dir)
	}
}

// skipped are folders without packages of ours.
func skipped(name string) bool {
	return name == ".git" || name == ".cache" || name == "build" || name == "wheel"
}
