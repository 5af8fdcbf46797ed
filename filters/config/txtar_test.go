package config_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/config"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestErrors reads every NAME.json of testdata/*.txtar and compares the errors
// with NAME.errors, and the warnings with NAME.warnings.
func TestErrors(t *testing.T) {
	for _, name := range []string{"testdata/syntax.txtar", "testdata/scalars.txtar", "testdata/structure.txtar", "testdata/names.txtar", "testdata/rules.txtar"} {
		archive, err := txtar.ParseFile(name)
		require.NoError(t, err)
		if *update {
			rewrite(t, name, archive)
		}
		want := map[string]string{}
		for _, f := range archive.Files {
			want[f.Name] = string(f.Data)
		}
		for _, f := range archive.Files {
			base, ok := strings.CutSuffix(f.Name, ".json")
			if !ok {
				continue
			}
			t.Run(base, func(t *testing.T) {
				errs, warnings := load(f.Data)
				require.Equal(t, want[base+".errors"], render(errs))
				require.Equal(t, want[base+".warnings"], render(warnings))
				require.NotContains(t, render(errs)+render(warnings), "never-shown", "a secret is repeated")
			})
		}
	}
}

func load(data []byte) (errs, warnings config.Errors) {
	n, errs := config.ParseJSON([]byte(strings.TrimSuffix(string(data), "\n")))
	if len(errs) > 0 {
		return errs, nil
	}
	return config.DecodeWithWarnings(n, new(gateway).fields())
}

func render(errs config.Errors) string {
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintf(&b, "%d:%d %s %s: %s\n", e.Line, e.Column, e.Code, e.Pointer, e.Message)
		if e.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", e.Hint)
		}
	}
	return b.String()
}

func rewrite(t *testing.T, name string, archive *txtar.Archive) {
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		base, ok := strings.CutSuffix(f.Name, ".json")
		if !ok {
			continue
		}
		errs, warnings := load(f.Data)
		out.Files = append(out.Files, f, txtar.File{Name: base + ".errors", Data: []byte(render(errs))})
		if len(warnings) > 0 {
			out.Files = append(out.Files, txtar.File{Name: base + ".warnings", Data: []byte(render(warnings))})
		}
	}
	archive.Files = out.Files
	require.NoError(t, os.WriteFile(name, txtar.Format(out), 0o644))
}
