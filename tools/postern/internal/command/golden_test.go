package command_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/tools/postern/internal/command"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestGolden runs the command line of each archive in testdata, in a folder
// with the archive's files, and compares what it prints. Sections: args, in
// (standard input), stdout, stderr, code; all others are files.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, path := range archives {
		path, err := filepath.Abs(path)
		require.NoError(t, err)
		t.Run(filepath.Base(path), func(t *testing.T) { golden(t, path) })
	}
}

func golden(t *testing.T, path string) {
	t.Setenv("OPENAI_API_KEY", "")
	t.Setenv("ANTHROPIC_API_KEY", "")
	t.Setenv("ENVOY", "")
	t.Setenv("PATH", "")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	archive := txtar.Parse(text)
	t.Chdir(t.TempDir())
	want := map[string]string{}
	for _, f := range archive.Files {
		switch f.Name {
		case "args", "in", "stdout", "stderr", "code":
			want[f.Name] = string(f.Data)
		default:
			require.NoError(t, os.WriteFile(f.Name, f.Data, 0o600))
		}
	}
	var out, errs bytes.Buffer
	code := command.Main(context.Background(), strings.Fields(want["args"]),
		command.Streams{In: strings.NewReader(want["in"]), Out: &out, Err: &errs})
	got := map[string]string{"stdout": out.String(), "stderr": errs.String(), "code": strconv.Itoa(code) + "\n"}
	if *update {
		rewrite(t, path, archive, got)
		return
	}
	for _, name := range []string{"stdout", "stderr", "code"} {
		require.Equal(t, want[name], got[name], name)
	}
}

// rewrite puts what was printed at the archive's end.
func rewrite(t *testing.T, path string, archive *txtar.Archive, got map[string]string) {
	var files []txtar.File
	for _, f := range archive.Files {
		if _, output := got[f.Name]; !output {
			files = append(files, f)
		}
	}
	for _, name := range []string{"stdout", "stderr", "code"} {
		files = append(files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	archive.Files = files
	require.NoError(t, os.WriteFile(path, txtar.Format(archive), 0o600))
}
