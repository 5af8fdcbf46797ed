package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/scenario"
)

// path is where `make wasm` puts what is tested.
const path = "../../build/postern.wasm"

// TestScenarios plays every file of testdata, natively and through the module.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for engine, module := range engines(t) {
		for _, file := range files {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				f, err := scenario.Read(file)
				require.NoError(t, err)
				_, err = scenario.Run(f, module, scenario.Whole)
				require.NoError(t, err)
			})
		}
	}
}

// maxCut bounds the bodies that are cut at every place.
const maxCut = 2 << 10

// TestCuts plays every file with its bodies cut: natively at every place, through
// the module byte by byte, near every delimiter and at random. Neither what the
// client gets nor what is counted may depend on it.
func TestCuts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	for engine, module := range engines(t) {
		for _, file := range files {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				f, err := scenario.Read(file)
				require.NoError(t, err)
				want, err := scenario.Run(f, module, scenario.Whole)
				require.NoError(t, err)
				for name, cut := range cuts(f, engine) {
					got, err := scenario.Run(f, module, cut)
					require.NoError(t, err, name)
					require.Equal(t, want, got, name)
				}
			})
		}
	}
}

func cuts(f *scenario.File, engine string) map[string]scenario.Cutter {
	cuts := map[string]scenario.Cutter{"byte by byte": scenario.Bytes}
	body := longest(f)
	places := scenario.Delimiters(body)
	if engine == "native" && len(body) <= maxCut {
		places = nil
		for i := range body {
			places = append(places, i)
		}
	}
	for _, i := range places {
		cuts["at "+strconv.Itoa(i)] = scenario.At(i)
	}
	for seed := range uint64(64) {
		cuts["pieces "+strconv.FormatUint(seed, 10)] = scenario.Pieces(seed)
	}
	return cuts
}

// longest is the longest body that a provider sends.
func longest(f *scenario.File) string {
	var body string
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Kind == scenario.Provider && len(s.Message.Body) > len(body) {
			body = s.Message.Body
		}
	}
	return body
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
