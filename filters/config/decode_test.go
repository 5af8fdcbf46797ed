package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

type model struct {
	Target  string
	Timeout time.Duration
	Body    int
}

func (m *model) fields() []config.Field {
	return []config.Field{
		config.Ref("target", &m.Target, "providers", config.Required()),
		config.Duration("timeout", &m.Timeout, config.Default(30*time.Second)),
		config.Bytes("body", &m.Body, config.Default("64KiB"), config.Max(1<<20)),
	}
}

type provider struct{ Key string }

type document struct {
	Models    []config.Named[model]
	Providers []config.Named[provider]
}

func (d *document) fields() []config.Field {
	return []config.Field{
		config.Map("models", &d.Models, func(_ string, m *model) []config.Field { return m.fields() }),
		config.Map("providers", &d.Providers, func(_ string, p *provider) []config.Field {
			return []config.Field{config.String("key", &p.Key, config.Secret())}
		}, config.In("providers")),
	}
}

func TestDecodeSmoke(t *testing.T) {
	n, errs := config.ParseJSON([]byte(`{"models":{"fast":{"target":"openai","body":"1MiB"}},
"providers":{"openai":{"key":"env:KEY"}}}`))
	require.NoError(t, errs.Err())
	var d document
	require.NoError(t, config.Decode(n, d.fields()).Err())
	require.Equal(t, model{"openai", 30 * time.Second, 1 << 20}, d.Models[0].Value)

	n, errs = config.ParseJSON([]byte(`{"models":{"fast":{"target":"opena","body":"2MiB"}},
"provider":{}, "providers":{"openai":{"key":"sk-live"}}}`))
	require.NoError(t, errs.Err())
	require.Equal(t, `1:29: /models/fast/target: no "opena" in providers (did you mean "openai"?)
1:44: /models/fast/body: "2MiB" is out of range (at most 1MiB)
2:1: /provider: unknown key "provider" (did you mean "providers"?)
2:45: /providers/openai/key: expected a reference to a secret, never the secret itself (write host or env:NAME or callout:…)`,
		config.Decode(n, d.fields()).Error())
	require.Len(t, config.Describe(d.fields()).Fields, 2)
}
