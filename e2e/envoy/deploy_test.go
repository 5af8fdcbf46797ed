package envoy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/authority"
	"github.com/posterngw/postern/e2e/internal/envoytest"
)

const deployed = "../../envoy/"

// What is committed for users starts and serves with its one edit, the
// provider's address.
func TestDeployedConfiguration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(deployed + "postern.yaml")
	require.NoError(t, err)
	const address = "https://api.openai.com/v1"
	require.Equal(t, 1, strings.Count(string(text), address), "one edit")
	e := start(t, envoytest.Options{
		Config: strings.ReplaceAll(string(text), address, shared.openai.URL+"/v1"),
		Env:    []string{"OPENAI_API_KEY=sk-e2e-openai"},
	})
	got := ask(t, say("gpt-4o-mini", "sally port"), option.WithBaseURL(e.URL+"/v1"), option.WithAPIKey("none"))
	require.Nil(t, got.err)
	require.Contains(t, got.answer.Choices[0].Message.Content, "sally port")
	quiet(t, e)
}

// Envoy accepts the bootstraps in the tree as they are, but for the paths of
// the module and of the certificates.
func TestCommittedBootstraps(t *testing.T) {
	t.Parallel()
	for _, path := range []string{deployed + "envoy.yaml", "../../tools/render/testdata/envoy.golden.yaml"} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			validate(t, path)
		})
	}
}

func validate(t *testing.T, path string) {
	t.Helper()
	binary, wasm, err := envoytest.Binaries()
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	dir := t.TempDir()
	authorities := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(authorities, []byte(authority.New(t).PEM()), 0o600))
	edited := strings.NewReplacer("/etc/postern/postern.wasm", wasm, "/etc/ssl/certs/ca-certificates.crt", authorities,
		"/etc/postern/secrets", dir).Replace(string(text))
	for _, name := range []string{"azure-host", "claude", "hosted"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(secretFile(name, "none")), 0o600))
	}
	file := filepath.Join(dir, "envoy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(edited), 0o600))
	cmd := exec.CommandContext(t.Context(), binary, "--mode", "validate", "-c", file, "--log-level", "warning")
	cmd.Env = append(os.Environ(), "OPENAI_API_KEY=none", "OPENAI_BATCH_KEY=none", "AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none",
		"ENTRA_CLIENT_SECRET=none", "GCP_SERVICE_ACCOUNT="+new(canary).serviceAccount(t))
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "OK")
	require.NotContains(t, strings.ToLower(string(said)), "deprecated")
}

// secretFile is what Envoy's credential injector watches.
func secretFile(name, key string) string {
	return `{"resources":[{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret","name":"` + name +
		`","generic_secret":{"secret":{"inline_string":"` + key + `"}}}]}`
}
