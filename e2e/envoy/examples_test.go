package envoy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/e2e/internal/authority"
	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/render"
	"github.com/posterngw/postern/tools/scenario"
)

// TestExamples: Envoy accepts what each example is rendered to, serves the one
// that it watches as files, and its scenario plays there as it says.
func TestExamples(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../examples/*/postern.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			scenarios, err := filepath.Glob(dir + "/*.txtar")
			require.NoError(t, err)
			require.NotEmpty(t, scenarios)
			for i, name := range scenarios {
				f := readScenario(t, name, text)
				if i == 0 {
					accepts(t, path, text, f.Env)
				}
				playInEnvoy(t, f)
			}
		})
	}
}

// readScenario reads an example's scenario, for which the configuration is beside it.
func readScenario(t *testing.T, path string, config []byte) *scenario.File {
	archive, err := txtar.ParseFile(path)
	require.NoError(t, err)
	archive.Files = append([]txtar.File{{Name: "postern.yaml", Data: config}}, archive.Files...)
	f, err := scenario.Parse(path, txtar.Format(archive))
	require.NoError(t, err)
	return f
}

// accepts has Envoy validate the bootstrap as it is deployed, with the providers'
// own addresses, and that of xds, which names files.
func accepts(t *testing.T, path string, text []byte, env map[string]string) {
	t.Helper()
	binary, wasm, err := envoytest.Binaries()
	require.NoError(t, err)
	node, errs := document.Read(path, text)
	require.Empty(t, errs)
	c, errs := pipeline.Decode(node, builtin.Dialects())
	require.Empty(t, errs)
	dir := t.TempDir()
	authorities := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(authorities, []byte(authority.New(t).PEM()), 0o600))
	o := render.Options{Wasm: wasm, CA: authorities, Dir: dir, Secrets: dir}
	bootstrap, err := render.Envoy(node, c, o)
	require.NoError(t, err)
	files, err := render.XDS(node, c, o)
	require.NoError(t, err)
	for _, f := range append(files, render.File{Name: "one.yaml", Text: bootstrap}) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f.Name), f.Text, 0o600))
	}
	for _, name := range []string{"one.yaml", "bootstrap.yaml"} {
		cmd := exec.CommandContext(t.Context(), binary, "--mode", "validate", "-c", filepath.Join(dir, name), "--log-level", "warning")
		cmd.Env = os.Environ()
		for name, value := range env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.NotContains(t, strings.ToLower(string(said)), "deprecated")
	}
}

// What differs from run to run, in bodies.
var (
	anyID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyTime = regexp.MustCompile(`("created(?:_at)?"): ?[0-9]+`)
)

func steady(body string) string {
	return anyTime.ReplaceAllString(anyID.ReplaceAllString(strings.TrimSuffix(body, "\n"), "ID"), "$1:0")
}
