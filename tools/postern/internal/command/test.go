package command

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/hosts"
	"github.com/posterngw/postern/tools/postern/internal/check"
	"github.com/posterngw/postern/tools/scenario"
)

func testCommand(s Streams) *cobra.Command {
	wasm, host, mode := "", "", ""
	c := &cobra.Command{
		Use:   "test PATH…",
		Short: "Play scenario files through the module",
		Long: `Plays each scenario (*.txtar) at or below PATH through the module, as it ships, on
an emulated proxy without a network, and prints for each whether everything came
as it says. A scenario without a postern.yaml of its own uses the one beside it.

--host chooses the proxy that is emulated, --mode how the module runs there. A
configuration that the proxy refuses is not played: what is refused is said, as by
validate --host.

The last line is "N passed, M failed"; the exit code is 1 if any failed.`,
		Example: "  postern test examples/quickstart\n  postern test --host apisix examples/failover\n  postern test --wasm build/postern.wasm my-scenarios",
		Args:    atLeast(1, "test wants a PATH"),
		RunE: runs(func(ctx context.Context, args []string) error {
			if _, err := hosts.Find(host, pipeline.Mode(mode)); err != nil {
				return err
			}
			return test(ctx, s, wasm, player{host, mode}, args)
		}),
	}
	c.Flags().StringVar(&host, "host", "envoy", "the proxy that is emulated: envoy, istio or apisix")
	c.Flags().StringVar(&mode, "mode", "", "the mode there (default the configuration's, or the proxy's first)")
	c.Flags().StringVar(&wasm, "wasm", "build/postern.wasm", "the module")
	return c
}

// player plays scenarios on a host in a mode; an empty mode is the configuration's, or
// the host's first.
type player struct{ host, mode string }

func test(ctx context.Context, s Streams, wasm string, p player, args []string) error {
	files, err := scenarios(args)
	if err != nil {
		return err
	}
	code, err := os.ReadFile(wasm)
	if err != nil {
		return fmt.Errorf("the module: %w (make wasm builds it)", err)
	}
	rt, err := hosttest.NewRuntime(ctx, hosttest.RuntimeConfig{CacheDir: cacheDir()})
	if err != nil {
		return err
	}
	defer rt.Close(ctx) //nolint:errcheck // nothing depends on it any more
	module, err := rt.Compile(ctx, code)
	if err != nil {
		return fmt.Errorf("%s: %w", wasm, err)
	}
	failed := 0
	for _, path := range files {
		if err := p.play(path, module); err != nil {
			failed++
			fmt.Fprintf(s.Out, "FAIL  %s\n      %s\n", path, strings.ReplaceAll(strings.TrimPrefix(err.Error(), path+": "), "\n", "\n      "))
			continue
		}
		fmt.Fprintf(s.Out, "ok    %s\n", path)
	}
	fmt.Fprintf(s.Out, "%d passed, %d failed\n", len(files)-failed, failed)
	if failed > 0 {
		return errFound
	}
	return nil
}

// cacheDir keeps compiled modules; empty where there is no place for it.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "postern", "wazero")
}

// scenarios lists the scenario files at and below paths.
func scenarios(paths []string) (files []string, err error) {
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(path) == ".txtar" {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no scenario (*.txtar) in %s", strings.Join(paths, ", "))
	}
	return files, nil
}

// play plays one file, with the configuration beside it if it has none.
func (p player) play(path string, module hosttest.Module) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	archive := txtar.Parse(text)
	own := false
	for _, f := range archive.Files {
		own = own || f.Name == "postern.yaml"
	}
	if !own {
		beside, err := os.ReadFile(filepath.Join(filepath.Dir(path), "postern.yaml"))
		if err != nil {
			return err
		}
		archive.Files = append([]txtar.File{{Name: "postern.yaml", Data: beside}}, archive.Files...)
		text = txtar.Format(archive)
	}
	f, err := scenario.Parse(path, text)
	if err != nil {
		return err
	}
	r := check.Text(path, f.Config)
	if len(r.Errors) > 0 {
		return r.Errors
	}
	place, err := placeOf(p.host, p.mode, r)
	if err != nil {
		return err
	}
	found, err := hosts.Check(r.Node, r.Config, place, "")
	if err != nil {
		return err
	}
	if len(found.Errors) > 0 {
		return fmt.Errorf("%s refuses the configuration:\n%w", place.Host.Title(), found.Errors)
	}
	f.Mode, f.Host = place.Mode, place.Emulate
	if _, err = scenario.Run(f, module, scenario.Whole); err != nil && len(found.Warnings) > 0 {
		return fmt.Errorf("%w\non %s in mode %s there is less than the scenario may want:\n%w", err, place.Host.Title(), place.Mode, found.Warnings)
	}
	return err
}
