package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/scenario"
)

// What keeps files from being played in callout mode. What happens there instead is
// in testdata/callout.
const (
	late    = "the access log is written before the host tells of an abort: the record is a line of the host's log"
	timed   = "each callout has its own target's time, and there are no ticks"
	buffers = "what comes of a callout comes whole, or not at all"
	passed  = "what passes is the provider's, byte for byte: its errors, its coding, its length"
	unsaid  = "a callout does not tell how a provider was not reached: the cause is called upstream_unavailable"
	refused = "the configuration is refused: the feature is not to be had on this host"
)

// notByCallout are the files that are not played in callout mode, and why.
var notByCallout = map[string]string{
	"abort.txtar": late, "budget-abort.txtar": late,
	"timeout.txtar": timed, "deadlines.txtar": timed, "drip.txtar": timed,
	"hold-time.txtar": buffers, "hold-bytes.txtar": buffers, "reset-mid-stream.txtar": buffers, "stream-fails-only.txtar": buffers,
	"stream-fails-late.txtar": buffers, "stream-anthropic-tools.txtar": buffers, "stream-fails-early.txtar": buffers,
	"class-stop.txtar": "an empty body and none look alike in a callout's answer: both are answered by a reply",
	"exhausted.txtar":  unsaid, "failover-three.txtar": unsaid,
	"class-last.txtar": passed, "empty-answer.txtar": passed, "error-goes-on.txtar": passed, "gzip-answer.txtar": passed,
	"hygiene-answer.txtar": passed, "large-answer.txtar": passed, "state-first.txtar": passed, "stream.txtar": passed,
	"stream-length.txtar": passed, "stream-mismatch.txtar": passed,
	"credential-failover.txtar": refused, "credential-keys.txtar": refused, "credential-token.txtar": refused,
	"credential-unavailable.txtar": refused, "realtime.txtar": refused,
}

// TestCalloutRefuses holds the files that are refused to being refused.
func TestCalloutRefuses(t *testing.T) {
	for file, why := range notByCallout {
		f, err := scenario.Read("testdata/" + file)
		require.NoError(t, err)
		_, c, errs := gateway.Load(file, f.Config)
		require.Empty(t, errs)
		require.Equal(t, why == refused, c.Unhosted() != "", file+": "+c.Unhosted())
	}
}

// TestCallout plays the files of testdata on a host that changes no bodies.
func TestCallout(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	own, err := filepath.Glob("testdata/callout/*.txtar")
	require.NoError(t, err)
	for engine, module := range engines(t) {
		for _, file := range append(files, own...) {
			if notByCallout[filepath.Base(file)] != "" {
				continue
			}
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				f, err := scenario.Read(file)
				require.NoError(t, err)
				f.Mode = pipeline.Callouts
				_, err = scenario.Run(f, module, scenario.Whole)
				require.NoError(t, err)
			})
		}
	}
}
