package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
)

// TestUpToDate holds the committed documents to what would be written.
func TestUpToDate(t *testing.T) {
	files, err := generate()
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../../docs", name))
		require.NoError(t, err, "run `make generate`")
		require.Equal(t, string(want), string(got), "run `make generate`: docs/%s", name)
	}
}

// TestWritten writes the same as it generates.
func TestWritten(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, run([]string{dir}))
	files, err := generate()
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Error(t, run(nil))
}

// TestTables finds mistakes in the tables of the whole document, and fields
// without a word about them.
func TestTables(t *testing.T) {
	fields := pipeline.Fields(&pipeline.Config{}, builtin.Dialects())
	require.NoError(t, config.Verify(fields).Err())
	documented(t, "", config.Describe(fields))
}

func documented(t *testing.T, path string, s config.Schema) {
	for _, f := range s.Fields {
		require.NotEmpty(t, f.Doc, path+"/"+f.Name)
		documented(t, path+"/"+f.Name, f)
	}
	if s.Items != nil {
		documented(t, path+"/*", *s.Items)
	}
}

// TestSchema is JSON of the dialect that it names.
func TestSchema(t *testing.T) {
	files, err := generate()
	require.NoError(t, err)
	var s struct {
		Dialect    string `json:"$schema"`
		Properties map[string]any
		Additional any `json:"additionalProperties"`
	}
	require.NoError(t, json.Unmarshal(files["schema/postern.json"], &s))
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", s.Dialect)
	require.Contains(t, s.Properties, "providers")
	require.Equal(t, false, s.Additional)
}
