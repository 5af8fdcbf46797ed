package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/scenario"
)

// path is where `make wasm` puts what is tested.
const path = "../../build/postern.wasm"

// TestScenarios plays every file of testdata, natively and through the module,
// whole and byte by byte.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for engine, module := range engines(t) {
		for _, file := range files {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				f, err := scenario.Read(file)
				require.NoError(t, err)
				require.NoError(t, scenario.Run(f, module, scenario.Whole))
				require.NoError(t, scenario.Run(f, module, scenario.Bytes))
			})
		}
	}
}

// engines are the module as Go code and as it ships.
func engines(t *testing.T) map[string]hosttest.Module {
	return map[string]hosttest.Module{"native": gateway.Native(), "wasm": built(t)}
}

func built(t *testing.T) hosttest.Module {
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
