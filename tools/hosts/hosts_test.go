package hosts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
	"github.com/posterngw/postern/tools/scenario"
)

// root is the repository's own folder.
const root = "../../"

// play plays a scenario at a place, through the module as it ships.
func play(t *testing.T, p Place, test string, module hosttest.Module) error {
	f, err := scenario.Read(root + test)
	require.NoError(t, err)
	f.Mode, f.Host = p.Mode, p.Emulate
	_, err = scenario.Run(f, module, scenario.Whole)
	return err
}

// TestCells plays each feature at each place. Where a cell says that the feature
// works, its scenario passes there; where it says that it works in a weaker way, that
// one fails and the scenario of the weaker way passes. A cell that says otherwise
// than what is seen fails, whichever way it errs.
func TestCells(t *testing.T) {
	module := gatewaytest.Built(t, root+"build/postern.wasm")
	for i := range Features {
		f := &Features[i]
		for _, p := range Places {
			t.Run(f.Name+"/"+p.String(), func(t *testing.T) {
				t.Parallel()
				switch cell := f.At(p); cell.State {
				case Works:
					require.NoError(t, play(t, p, f.Test, module))
				case Weaker:
					require.Error(t, play(t, p, f.Test, module), "it works in full")
					require.NoError(t, play(t, p, cell.Test, module))
				case Refused:
					refusal(t, f, p)
				}
			})
		}
	}
}

// TestObserved plays what an observer does at each place where there is one.
func TestObserved(t *testing.T) {
	module := gatewaytest.Built(t, root+"build/postern.wasm")
	for i := range Observed {
		for _, p := range Observers {
			t.Run(Observed[i].Name+"/"+p.String(), func(t *testing.T) {
				t.Parallel()
				if cell := Observed[i].At(p); cell.State == Weaker {
					require.Error(t, play(t, p, Observed[i].Test, module), "it works in full")
					require.NoError(t, play(t, p, cell.Test, module))
					return
				}
				require.NoError(t, play(t, p, Observed[i].Test, module))
			})
		}
	}
}

// refusal holds that a configuration which wants the feature is refused before it is
// deployed: by what validates it, at the place in the document, and by the renderer.
func refusal(t *testing.T, f *Feature, p Place) {
	s, err := scenario.Read(root + f.Test)
	require.NoError(t, err)
	node, c, errs := gateway.Load(f.Test, s.Config)
	require.NoError(t, errs.Err())
	found, err := Check(node, c, p, "")
	require.NoError(t, err)
	require.Len(t, found.Errors, 1)
	require.Equal(t, config.Code(f.Code()), found.Errors[0].Code)
	require.NotZero(t, found.Errors[0].Line)
	require.NotEmpty(t, found.Errors[0].Hint)
	require.Error(t, Render(node, p))
	if p.Host == APISIX {
		require.NotEmpty(t, c.Unhosted(), "what is deployed all the same is refused by the module")
	}
}

// TestWeakerIsWeaker plays the scenarios of weaker ways where the feature works in
// full: each tells the ways apart.
func TestWeakerIsWeaker(t *testing.T) {
	module := gatewaytest.Built(t, root+"build/postern.wasm")
	for i := range Features {
		f := &Features[i]
		for _, cell := range f.Cells {
			if cell.State == Weaker && f.At(EnvoyNative).State == Works {
				t.Run(cell.Test, func(t *testing.T) {
					t.Parallel()
					require.Error(t, play(t, EnvoyNative, cell.Test, module))
				})
			}
		}
	}
}

// TestRealTests holds the tests on real servers that the table names to being there.
func TestRealTests(t *testing.T) {
	for i := range Features {
		f := &Features[i]
		for folder, names := range map[string][]string{"e2e/envoy": f.Envoy, "e2e/istio": f.Istio} {
			for _, name := range names {
				require.True(t, defined(t, root+folder, name), "%s: %s in %s", f.Name, name, folder)
			}
		}
	}
	for _, name := range pipeline.Capabilities {
		require.Contains(t, capabilities, name)
	}
}

// defined reports whether a folder has a test of that name.
func defined(t *testing.T, folder, name string) bool {
	files, err := filepath.Glob(folder + "/*_test.go")
	require.NoError(t, err)
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return strings.Contains(string(text), "\nfunc "+name+"(t *testing.T)")
	})
}

// TestTable holds the table to being complete: a name, a title and a test each, and
// for what is not simply given what there is instead.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range slices.Concat(Places, Observers) {
		require.NotZero(t, Needs[p].Since, p)
	}
	for i := range Features {
		f := &Features[i]
		require.False(t, seen[f.Name], f.Name)
		seen[f.Name] = true
		require.NotEmpty(t, f.Title, f.Name)
		require.FileExists(t, root+f.Test)
		for p, cell := range f.Cells {
			require.Contains(t, Places, p)
			require.NotEmpty(t, cell.How, "%s at %s", f.Name, p)
		}
	}
}
