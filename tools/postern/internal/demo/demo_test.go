package demo_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/postern/internal/check"
	"github.com/posterngw/postern/tools/postern/internal/demo"
	"github.com/posterngw/postern/tools/yamlconfig"
)

func options(env map[string]string, models ...string) demo.Options {
	return demo.Options{Mock: "http://127.0.0.1:1", Models: models, Random: strings.NewReader(strings.Repeat("x", 32)),
		Env: func(name string) string { return env[name] }}
}

// TestNew: the built-in configuration is valid without a finding, its key is
// in it, and real providers are there exactly when their keys are.
func TestNew(t *testing.T) {
	for name, c := range map[string]struct {
		options demo.Options
		there   []string
		absent  []string
	}{
		"no keys": {options(nil), []string{"mock-openai", "mock-anthropic", "mock-gemini", "mock-bedrock", "mock-cohere", "mock-ollama", "mock-rerank", "mock-failover", "mock-429"},
			[]string{"openai/gpt-4o", "anthropic/claude-haiku-4-5"}},
		"one key": {options(map[string]string{"OPENAI_API_KEY": "sk"}, "openai/o4-mini"),
			[]string{"mock-openai", "openai/gpt-4o", "openai/o4-mini"}, []string{"anthropic/claude-haiku-4-5"}},
		"both keys": {options(map[string]string{"OPENAI_API_KEY": "sk", "ANTHROPIC_API_KEY": "sk"}),
			[]string{"openai/gpt-4o", "anthropic/claude-haiku-4-5"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := demo.New(c.options)
			require.NoError(t, err)
			r := check.Text("built-in", d.Text)
			require.NoError(t, r.Errors.Err())
			require.Len(t, r.Warnings, 1, "of the model that is there to be refused")
			require.Contains(t, r.Warnings[0].Error(), "/models/mock-forbidden: no policy permits it")
			var models []string
			for _, m := range r.Config.Route.Models {
				models = append(models, m.Name)
			}
			require.Subset(t, models, c.there)
			for _, m := range c.absent {
				require.NotContains(t, models, m)
			}
			require.Len(t, r.Config.Identity.Keys, 1)
			require.Nil(t, r.Config.Identity.Anonymous, "a page in a browser must not spend anyone's money")
			require.NotContains(t, string(d.Text), strings.TrimPrefix(d.Key, demo.KeyID+"."))
		})
	}
}

// TestModels names what is wrong with a model that was asked for.
func TestModels(t *testing.T) {
	for model, want := range map[string]string{
		"gpt-4o":         `model "gpt-4o": write provider/model, with a provider of: openai, anthropic, gemini`,
		"nobody/gpt-4o":  `model "nobody/gpt-4o": write provider/model, with a provider of: openai, anthropic, gemini`,
		"openai/":        `model "openai/": write provider/model, with a provider of: openai, anthropic, gemini`,
		"openai/a\nb: c": `model "openai/a\nb: c": write provider/model, with a provider of: openai, anthropic, gemini`,
		"anthropic/x":    `model "anthropic/x": set ANTHROPIC_API_KEY first`,
	} {
		_, err := demo.New(options(map[string]string{"OPENAI_API_KEY": "sk"}, model))
		require.EqualError(t, err, want)
	}
	_, err := demo.New(demo.Options{Env: func(string) string { return "" }, Random: bytes.NewReader(nil)})
	require.Error(t, err)
}

// TestMocked turns a document's providers into the mock and leaves the rest.
func TestMocked(t *testing.T) {
	node, errs := yamlconfig.Parse("postern.yaml", []byte(`version: 1
providers:
  a: {dialect: openai, url: "https://api.a.test/openai/v1", credentials: [env:A], boundary: internal}
  b: {dialect: anthropic, url: "https://api.b.test"}
  c: {dialect: cohere, url: "https://api.c.test/v2"}
models:
  fast: {targets: [{provider: a, model: one}, {provider: b, model: two}]}
identity: {anonymous: {}}
`))
	require.NoError(t, errs.Err())
	demo.Mocked(node, "http://127.0.0.1:1")
	require.Equal(t, `{"version":1,"providers":{`+
		`"a":{"dialect":"openai","url":"http://127.0.0.1:1/v1","credentials":["env:POSTERN_MOCK_KEY"],"boundary":"internal"},`+
		`"b":{"dialect":"anthropic","url":"http://127.0.0.1:1/v1","credentials":["env:POSTERN_MOCK_KEY"]},`+
		`"c":{"dialect":"cohere","url":"http://127.0.0.1:1","credentials":["env:POSTERN_MOCK_KEY"]}},`+
		`"models":{"fast":{"targets":[{"provider":"a","model":"one"},{"provider":"b","model":"two"}]}},`+
		`"identity":{"anonymous":{}}}`, string(yamlconfig.ToJSON(node)))
	require.NoError(t, check.Tree(node).Errors.Err())
}

// TestMock serves until it is closed.
func TestMock(t *testing.T) {
	m, err := demo.StartMock([]string{"mine"})
	require.NoError(t, err)
	ask := func() (int, error) {
		r, err := http.NewRequest(http.MethodPost, m.URL+"/v1/chat/completions",
			strings.NewReader(`{"model":"mine","messages":[{"role":"user","content":"hi"}]}`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer any")
		r.Header.Set("Content-Type", "application/json")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		return a.StatusCode, a.Body.Close()
	}
	status, err := ask()
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, m.Close())
	_, err = ask()
	require.Error(t, err)
}
