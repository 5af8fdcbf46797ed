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

// TestTestHosts plays examples on each host, as their README says; one that a host
// refuses is told, and one that asks for more than the host has says what is less.
func TestTestHosts(t *testing.T) {
	wasm := module(t)
	run := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := command.Main(context.Background(), append([]string{"test", "--wasm", wasm}, args...), command.Streams{Out: &out, Err: &errs})
		return code, out.String() + errs.String()
	}
	const examples = "../../../../examples/"
	for _, host := range []string{"envoy", "istio", "apisix"} {
		code, said := run("--host", host, examples+"failover", examples+"one-url", examples+"cost-saver", examples+"azure-bedrock")
		require.Zero(t, code, said)
		require.Contains(t, said, "\n4 passed, 0 failed\n")
	}
	code, said := run("--host", "istio", "--mode", "paired", examples+"failover")
	require.Zero(t, code, said)

	code, said = run("--host", "apisix", examples+"quickstart")
	require.Equal(t, 1, code)
	require.Contains(t, said, "on APISIX in mode callout there is less than the scenario may want:")

	code, said = run("--host", "apisix", "../../../../filters/postern/testdata/realtime.txtar")
	require.Equal(t, 1, code)
	require.Contains(t, said, "APISIX refuses the configuration:\n")
	require.Contains(t, said, "/providers/two/realtime")

	code, said = run("--host", "nginx", examples+"failover")
	require.Equal(t, 1, code)
	require.Contains(t, said, "one of envoy, istio, apisix")
}
