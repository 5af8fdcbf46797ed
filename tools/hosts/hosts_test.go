package hosts

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
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
	module := built(t)
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

// TestWeakerIsWeaker plays the scenarios of weaker ways where the feature works in
// full: each tells the ways apart.
func TestWeakerIsWeaker(t *testing.T) {
	module := built(t)
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

// TestTable holds the table to being complete: a name, a title and a test each, and
// for what is not simply given what there is instead.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for i := range Features {
		f := &Features[i]
		require.False(t, seen[f.Name], f.Name)
		seen[f.Name] = true
		require.NotEmpty(t, f.Title, f.Name)
		require.FileExists(t, root+f.Test)
		for p, cell := range f.Cells {
			require.Contains(t, Places, p)
			require.NotEqual(t, Works, cell.State, "%s at %s", f.Name, p)
			require.NotEmpty(t, cell.How, "%s at %s", f.Name, p)
		}
	}
}

func built(t *testing.T) hosttest.Module {
	code, err := os.ReadFile(root + "build/postern.wasm")
	require.NoError(t, err, "run `make wasm` first")
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	ctx := context.Background()
	rt, err := hosttest.NewRuntime(ctx, hosttest.RuntimeConfig{CacheDir: filepath.Join(cache, "postern", "wazero")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(ctx)) })
	m, err := rt.Compile(ctx, code)
	require.NoError(t, err)
	return m
}
func refusal(t *testing.T, f *Feature, p Place) {}
