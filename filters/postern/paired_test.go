package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/scenario"
)

// nativeOnly are the files that are not played in paired mode, and why. What
// happens there instead is in testdata/paired.
var nativeOnly = map[string]string{
	"deadlines.txtar":          "a callout ends by its own time limit, so that the plan is exhausted and not the attempt late",
	"exhausted.txtar":          "neither a callout nor a host's own answer says why no answer came: causes are less exact",
	"failover-three.txtar":     "as exhausted.txtar",
	"hold-bytes.txtar":         "the answer of a further target comes whole",
	"stream-fails-early.txtar": "the host ends an answer that breaks off once its headers have passed the router",
	"timeout.txtar":            "each attempt by a callout has its own target's time",
	"timeout-whole.txtar":      "the host ends an answer that breaks off once its headers have passed the router",
}

func forPairs(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(file string) bool { return nativeOnly[filepath.Base(file)] != "" })
}

// TestPaired plays the files of testdata in paired mode: as the two filters of two
// WasmPlugins, with callouts where a host would have retried. Decisions, what is
// sent, what clients get and what is recorded are as in native mode.
func TestPaired(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	own, err := filepath.Glob("testdata/paired/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, own)
	for engine, module := range engines(t) {
		for _, file := range append(forPairs(files), own...) {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				playPaired(t, file, scenario.Whole, module)
			})
		}
	}
}

// TestPairedCuts plays them with bodies byte by byte and in pieces.
func TestPairedCuts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	module := gateway.Native()
	for _, file := range forPairs(files) {
		if filepath.Base(file) == "credential-token.txtar" {
			continue // the renewal of a token is a matter of ticks, and their phase of bodies
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			want := playPaired(t, file, scenario.Whole, module)
			f, err := scenario.Read(file)
			require.NoError(t, err)
			if body, _ := longest(f); len(body) <= 2*maxCut {
				require.Equal(t, want, playPaired(t, file, scenario.Bytes, module))
			}
			for seed := range uint64(8) {
				require.Equal(t, want, playPaired(t, file, scenario.Pieces(seed), module), "seed %d", seed)
			}
		})
	}
}

func playPaired(t *testing.T, file string, cut scenario.Cutter, module hosttest.Module) scenario.Outcome {
	f, err := scenario.Read(file)
	require.NoError(t, err)
	f.Mode = pipeline.Paired
	out, err := scenario.Run(f, module, cut)
	require.NoError(t, err)
	return out
}
