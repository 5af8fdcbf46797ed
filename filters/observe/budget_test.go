package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/gateway/gatewaytest"
)

// maxModule is what a host has room for that compiles a module for each worker.
const maxModule = 3_670_016

func TestModuleSize(t *testing.T) {
	info, err := os.Stat(path)
	require.NoError(t, err, "run `make wasm` first")
	require.LessOrEqual(t, info.Size(), int64(maxModule))
}

// TestImportBudget holds the parts that the module is made of: no policies, budgets,
// credentials or routes are among them.
func TestImportBudget(t *testing.T) {
	want, err := os.ReadFile("testdata/imports.txt")
	require.NoError(t, err)
	var got strings.Builder
	for _, line := range gatewaytest.Imports(t) {
		if strings.Contains(line, ".") {
			got.WriteString(line)
		}
	}
	require.Equal(t, string(want), got.String(), "testdata/imports.txt is the list of what the module is made of")
	for _, part := range []string{"policy", "budget", "credential", "route", "pipeline", "cedar"} {
		require.NotContains(t, got.String(), "/"+part)
	}
}
