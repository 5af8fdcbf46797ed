// Package gatewaytest gives tests the modules as they ship.
package gatewaytest

import (
	"context"
	"os"
	"path/filepath"
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
