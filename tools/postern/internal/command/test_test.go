package command_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/postern/internal/command"
)

const denied = `What is not permitted is refused.
-- request --
POST /v1/chat/completions HTTP/1.1
content-type: application/json

{"model":"none","messages":[]}
-- response --
HTTP/1.1 `

// TestTest plays a scenario that holds and one that does not, both with the
// configuration beside them.
func TestTest(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"postern.yaml": "version: 1\nproviders: {p: {dialect: openai, url: \"https://p.test\"}}\nmodels: {m: {targets: [{provider: p, model: m}]}}\nidentity: {anonymous: {}}\n",
		"good.txtar":   denied + "404 X\n", "bad.txtar": denied + "200 OK\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	var out, errs bytes.Buffer
	run := func(path string) int {
		out.Reset()
		return command.Main(context.Background(), []string{"test", "--wasm", module(t), path}, command.Streams{Out: &out, Err: &errs})
	}
	require.Zero(t, run(filepath.Join(dir, "good.txtar")))
	require.Equal(t, "ok    "+filepath.Join(dir, "good.txtar")+"\n1 passed, 0 failed\n", out.String())
	require.Equal(t, 1, run(dir))
	require.Contains(t, out.String(), "FAIL  "+filepath.Join(dir, "bad.txtar")+"\n")
	require.Contains(t, out.String(), `first line: got "404", want "HTTP/1.1 200 OK"`)
	require.Contains(t, out.String(), "\n1 passed, 1 failed\n")
	require.Empty(t, errs.String())
}
