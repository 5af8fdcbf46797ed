// Package examples holds configurations to start from, one folder each: a
// README, a postern.yaml, and scenarios (*.txtar, package scenario) that show
// what it does. The tests here are what keeps them true: each configuration is
// valid without a warning, and each scenario plays as it says, natively and
// through the built module.
//
// There is no code here to import.
package examples_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
	"github.com/posterngw/postern/tools/hosts"
	"github.com/posterngw/postern/tools/scenario"
)

// TestValid finds neither an error nor a warning, and a README.
func TestValid(t *testing.T) {
	for _, path := range glob(t, "*/postern.yaml") {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			node, errs := document.Read(path, read(t, path))
			require.NoError(t, errs.Err())
			errs, warnings := config.DecodeWithWarnings(node, pipeline.Fields(&pipeline.Config{}, builtin.Dialects()))
			require.NoError(t, errs.Err())
			require.NoError(t, warnings.Err())
			require.FileExists(t, filepath.Join(filepath.Dir(path), "README.md"))
		})
	}
}

// TestScenarios plays each scenario with the configuration beside it.
func TestScenarios(t *testing.T) {
	for engine, module := range map[string]hosttest.Module{"native": gateway.Native(), "wasm": gatewaytest.Built(t, "../build/postern.wasm")} {
		for _, path := range glob(t, "*/*.txtar") {
			t.Run(engine+"/"+path, func(t *testing.T) {
				f := file(t, path)
				for _, cut := range []scenario.Cutter{scenario.Whole, scenario.Bytes} {
					_, err := scenario.Run(f, module, cut)
					require.NoError(t, err)
				}
			})
		}
	}
}

// elsewhere are scenarios that do not play on a host, and why.
var elsewhere = map[string]hosts.Host{
	"quickstart/quickstart.txtar": hosts.APISIX, // a client leaves in it, which APISIX logs in another place
}

// TestHosts renders each example for every host in each mode, and plays its scenario
// there, as `postern test --host` does.
func TestHosts(t *testing.T) {
	module := gatewaytest.Built(t, "../build/postern.wasm")
	for _, path := range glob(t, "*/*.txtar") {
		for _, place := range hosts.Places {
			t.Run(path+"/"+place.String(), func(t *testing.T) {
				t.Parallel()
				f := file(t, path)
				node, c, errs := gateway.Load(path, f.Config)
				require.NoError(t, errs.Err())
				found, err := hosts.Check(node, c, place, "")
				require.NoError(t, err)
				require.NoError(t, found.Errors.Err())
				require.NoError(t, hosts.Render(node, place))
				f.Mode, f.Host = place.Mode, place.Emulate
				_, err = scenario.Run(f, module, scenario.Whole)
				if elsewhere[path] == place.Host {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
			})
		}
	}
}

// file reads a scenario, with the configuration beside it.
func file(t *testing.T, path string) *scenario.File {
	archive := txtar.Parse(read(t, path))
	beside := read(t, filepath.Join(filepath.Dir(path), "postern.yaml"))
	archive.Files = append([]txtar.File{{Name: "postern.yaml", Data: beside}}, archive.Files...)
	f, err := scenario.Parse(path, txtar.Format(archive))
	require.NoError(t, err)
	return f
}

// TestKeys holds the README to the keys whose hashes the configuration has.
func TestKeys(t *testing.T) {
	readme := string(read(t, "quickstart/README.md"))
	for _, key := range []string{"search-app.only-an-example-make-yours-with-keys-new-01", "research-app.only-an-example-make-yours-with-keys-new-02"} {
		require.Contains(t, readme, key)
		require.Contains(t, string(read(t, "quickstart/quickstart.txtar")), key)
	}
}

func glob(t *testing.T, pattern string) []string {
	paths, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	return paths
}

func read(t *testing.T, path string) []byte {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}
