// Command postern runs and checks the gateway on one machine: it serves the
// module with mock providers, validates configurations and makes API keys.
//
// It is not what production runs: there the module is loaded into a proxy.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/posterngw/postern/tools/postern/internal/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
