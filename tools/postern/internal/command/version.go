package command

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when a release is built:
// -ldflags "-X github.com/posterngw/postern/tools/postern/internal/command.version=1.2.3".
var version = ""

func versionCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: runs(func(context.Context, []string) error {
			_, err := fmt.Fprintf(s.Out, "postern %s %s %s/%s\n", release(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		}),
	}
}

// release is the version, or what the build knows instead of one.
func release() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "dev-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return first(info.Main.Version, "dev")
}

func first(s, otherwise string) string {
	if s == "" || s == "(devel)" {
		return otherwise
	}
	return s
}
