package envoy

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/render"
)

const canary = "sk-canary-of-the-rendering"

// The bootstrap is what go generate makes of the configuration beside it, and
// the environment in which that happens leaves no trace.
func TestUpToDate(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", canary)
	text, err := os.ReadFile("postern.yaml")
	require.NoError(t, err)
	node, errs := document.Read("postern.yaml", text)
	require.Empty(t, errs)
	c, errs := pipeline.Decode(node, builtin.Dialects())
	require.Empty(t, errs)
	want, err := render.Envoy(node, c, render.Options{Listen: "127.0.0.1:8080", Admin: "127.0.0.1:9901"})
	require.NoError(t, err)
	got, err := os.ReadFile("envoy.yaml")
	require.NoError(t, err)
	require.True(t, string(want) == string(got), "envoy.yaml is not what is rendered from postern.yaml: run go generate ./envoy")
}

// secret matches what keys of providers and of this gateway look like.
var secret = regexp.MustCompile(`sk-[A-Za-z0-9-]{8,}|[A-Za-z0-9_:/-]+\.[A-Za-z0-9_-]{43}\b|(?i)bearer [a-z0-9]`)

func TestNoSecret(t *testing.T) {
	require.True(t, secret.MatchString(canary))
	for _, name := range []string{"envoy.yaml", "postern.yaml", "README.md"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Empty(t, secret.FindAllString(string(text), -1), name)
	}
}
