// Package gatewaytest gives tests the modules as they ship, and what they are made of.
package gatewaytest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
)

// Built compiles a module that `make wasm` wrote, with the cache of compiled
// modules that `postern` uses.
func Built(t testing.TB, path string) hosttest.Module {
	code, err := os.ReadFile(path)
	require.NoError(t, err, "run `make wasm` first")
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	ctx := context.Background()
	rt, err := hosttest.NewRuntime(ctx, hosttest.RuntimeConfig{CacheDir: filepath.Join(cache, "postern", "wazero")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(ctx)) })
	m, err := rt.Compile(ctx, code)
	require.NoError(t, err)
	return m
}

// Imports are all packages that the module in the test's own folder is linked from,
// a line each.
func Imports(t testing.TB) []string {
	list := exec.Command("go", "list", "-deps", ".")
	list.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := list.Output()
	require.NoError(t, err)
	return slices.Collect(strings.Lines(string(out)))
}
