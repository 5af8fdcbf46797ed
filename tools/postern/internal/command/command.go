// Package command is the command line: flags, help texts, what is printed and
// with which code the process ends. What the commands do stands in the packages
// that they call.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Streams are the process's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// The exit codes.
const (
	ok     = 0
	failed = 1 // what was asked for could not be done
	misuse = 2 // it was asked for wrongly
)

// Main runs one command line, without the program's name, and returns the exit
// code. The context ends what serves.
func Main(ctx context.Context, args []string, s Streams) int {
	root := &cobra.Command{
		Use:   "postern",
		Short: "Postern, the AI gateway inside the proxy that you run",
		Long: `Postern is an AI gateway that runs inside the proxy you already have, as one
WebAssembly module. This command serves that module on this machine, checks
configurations, renders a proxy's own, explains decisions, plays scenarios, makes
API keys, and packs the module for proxies to pull.`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(runCommand(s), validateCommand(s), renderCommand(s), explainCommand(s), testCommand(s), replayCommand(s), packCommand(s), keysCommand(s), versionCommand(s))
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	return code(root.ExecuteContext(ctx), s.Err)
}

// failure is an error of what a command does; every other that cobra returns
// is about how it was called.
type failure struct{ cause error }

func (f failure) Error() string { return f.cause.Error() }

// errFound is a failure of which everything has been said.
var errFound = errors.New("")

// action is a command's work.
type action func(ctx context.Context, args []string) error

// runs adapts an action to cobra.
func runs(do action) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if err := do(c.Context(), args); err != nil {
			return failure{err}
		}
		return nil
	}
}

// atLeast and atMost bound the number of arguments; otherwise is the error.
func atLeast(n int, otherwise string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < n {
			return errors.New(otherwise)
		}
		return nil
	}
}

func atMost(n int, otherwise string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return errors.New(otherwise)
		}
		return nil
	}
}

// code says what went wrong and gives the exit code.
func code(err error, w io.Writer) int {
	var f failure
	switch {
	case err == nil:
		return ok
	case !errors.As(err, &f):
		fmt.Fprintf(w, "postern: %v\nTry 'postern --help'.\n", err)
		return misuse
	case !errors.Is(f.cause, errFound):
		fmt.Fprintf(w, "postern: %v\n", err)
	}
	return failed
}
