package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
	"github.com/posterngw/postern/tools/scenario"
)

// TestScenarios plays what observers do, whole and cut.
func TestScenarios(t *testing.T) {
	play(t, "testdata/*.txtar", engines(t))
}

// TestShadow plays what needs the module that could decide.
func TestShadow(t *testing.T) {
	play(t, "testdata/full/*.txtar", map[string]hosttest.Module{"native": gateway.Native(), "postern": gatewaytest.Built(t, fullPath)})
}

func play(t *testing.T, pattern string, engines map[string]hosttest.Module) {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for engine, module := range engines {
		for _, file := range files {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				f, err := scenario.Read(file)
				require.NoError(t, err)
				for _, cut := range cuts(engine) {
					_, err = scenario.Run(f, module, cut)
					require.NoError(t, err)
				}
			})
		}
	}
}
