package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const apisixConfig = `version: 1
limits: {workers: 4, body: 2MiB}
providers:
  openai: {dialect: openai, url: "https://api.openai.com/v1", credentials: ["env:OPENAI_API_KEY"]}
  claude: {dialect: anthropic, url: "https://api.anthropic.com", credentials: ["env:ANTHROPIC_API_KEY"]}
  inside: {dialect: openai, url: "http://[fd00::1]:8000/v1", boundary: internal}
models:
  gpt-4o: {targets: [{provider: openai, model: gpt-4o}]}
  fast: {max_output: 1000, targets: [{provider: openai, model: gpt-4o}, {provider: claude, model: claude-haiku-4-5, priority: 1}]}
  llama: {targets: [{provider: inside, model: llama}]}
identity:
  anonymous: {}
budgets:
  calls: {unit: requests, limit: 10000, window: day}
  spend: {unit: money, limit: 50000000, window: month, mode: soft}
`

// TestAPISIX holds the files. With -update they are written anew.
func TestAPISIX(t *testing.T) {
	node, c := load(t, apisixConfig)
	files, err := APISIX(node, c, APISIXDefaults())
	require.NoError(t, err)
	again, err := APISIX(node, c, APISIXDefaults())
	require.NoError(t, err)
	require.Equal(t, files, again)
	for _, f := range files {
		golden(t, "apisix."+strings.Replace(f.Name, ".", ".golden.", 1), f.Text)
	}
}

func TestEnvoyRefusesCallouts(t *testing.T) {
	node, c := load(t, "mode: callout\n"+apisixConfig)
	_, err := Envoy(node, c, Options{})
	require.ErrorContains(t, err, "mode: callout")
}

func TestAPISIXRefuses(t *testing.T) {
	const rest = "\nmodels: {m: {targets: [{provider: a, model: m}]}}\nidentity: {anonymous: {}}\n"
	for _, tt := range []struct{ config, want string }{
		{`mode: paired
providers: {a: {dialect: openai, url: "https://a.test"}}`, "mode: paired"},
		{`providers: {a: {dialect: openai, url: "https://a.test", credentials: [host]}}`, "providers.a.credentials"},
		{`providers: {a: {dialect: openai, url: "https://a.test", auth: {gcp: {}}}}`, "renewed by ticks"},
		{`providers: {a: {dialect: openai, url: "https://a.test", realtime: pass}}`, "providers.a.realtime"},
	} {
		node, c := load(t, "version: 1\n"+tt.config+rest)
		_, err := APISIX(node, c, APISIXDefaults())
		require.ErrorContains(t, err, tt.want)
	}
}
