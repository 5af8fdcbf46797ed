package command

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/tools/postern/internal/module"
)

// runOptions are the flags of run.
type runOptions struct {
	listen  string
	wasm    string
	host    string
	workers int
	mock    bool
	models  []string
	drain   time.Duration
}

func runCommand(s Streams) *cobra.Command {
	o := &runOptions{}
	c := &cobra.Command{
		Use:   "run [FILE]",
		Short: "Serve the module on this machine",
		Long: `Serves the module on a local gateway that emulates Envoy, and prints one line
for each request.

Without FILE it serves models of built-in mock providers, which need no keys of
anyone, and an API key that is made at each start. With OPENAI_API_KEY or
ANTHROPIC_API_KEY set, those providers' models are there too, as
openai/gpt-4o-mini or anthropic/claude-haiku-4-5; --model adds further ones.

With FILE, a postern.yaml, it serves that; --mock lets the mock answer for every
provider in it.`,
		Example: `  postern run
  OPENAI_API_KEY=sk-… postern run --model openai/o4-mini
  postern run --mock postern.yaml`,
		Args:    cobra.MaximumNArgs(1),
		PreRunE: func(_ *cobra.Command, args []string) error { return o.misused(args) },
		RunE: runs(func(ctx context.Context, args []string) error {
			if o.workers == 0 {
				o.workers = runtime.GOMAXPROCS(0)
			}
			return run(ctx, s, o, append(args, "")[0])
		}),
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to serve on; port 0 is any free one")
	f.StringVar(&o.wasm, "wasm", "", "the module's `file` (default "+module.Default+", here or beside this program)")
	f.StringVar(&o.host, "host", "wazero", "`what` carries the module: wazero, or envoy ($ENVOY, or envoy in PATH)")
	f.IntVar(&o.workers, "workers", 0, "`number` of VMs (default: one for each core)")
	f.BoolVar(&o.mock, "mock", false, "let the mock answer for every provider in FILE")
	f.StringArrayVar(&o.models, "model", nil, "a further model, as `provider/model`; may be given again")
	f.DurationVar(&o.drain, "drain", 10*time.Second, "how much `time` requests have to finish after Ctrl-C")
	return c
}

const maxWorkers = 1024

// misused reports flags that do not fit together.
func (o *runOptions) misused(args []string) error {
	switch {
	case o.host != "wazero" && o.host != "envoy":
		return fmt.Errorf("no host %q: wazero or envoy", o.host)
	case o.workers < 0 || o.workers > maxWorkers:
		return fmt.Errorf("--workers: at most %d", maxWorkers)
	case o.mock && len(args) == 0:
		return errors.New("--mock goes with a FILE: without one there are mock providers already")
	case len(o.models) > 0 && len(args) > 0:
		return errors.New("--model goes without a FILE, which names its own models")
	}
	return nil
}
