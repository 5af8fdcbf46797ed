package route_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/route"
)

func provider(name, speaks string, passes bool) config.Named[route.ProviderConfig] {
	return config.Named[route.ProviderConfig]{Name: name,
		Value: route.ProviderConfig{Dialect: speaks, URL: "https://x.test", Passthrough: passes}}
}

// One provider of a dialect can be the one for paths that name no model; it is
// numbered like a model's target.
func TestPassing(t *testing.T) {
	dialects := map[string]*dialect.Dialect{"a": {Name: "a"}, "b": {Name: "b"}}
	find := func(name string) *dialect.Dialect { return dialects[name] }
	c := route.Config{
		Providers: []config.Named[route.ProviderConfig]{provider("one", "a", true), provider("two", "b", true), provider("three", "b", false)},
		Models:    []config.Named[route.ModelConfig]{{Name: "m", Value: route.ModelConfig{Targets: []route.TargetConfig{{Provider: "three", Model: "x"}}}}},
	}
	table, err := route.New(&c, find)
	require.NoError(t, err)
	require.Equal(t, []string{"m"}, table.Models())
	require.Equal(t, []string{"m", "passthrough", "passthrough"}, table.Numbered())
	m := table.Passing(dialects["b"])
	require.Equal(t, 2, m.Index)
	require.Same(t, m.Targets[0], table.Targets[m.Targets[0].Index])
	require.Equal(t, "two", m.Targets[0].Provider.Name)
	require.Nil(t, table.Model("passthrough"))
	require.Nil(t, table.Passing(&dialect.Dialect{}))

	c.Providers[2].Value.Passthrough = true
	_, err = route.New(&c, find)
	require.ErrorContains(t, err, "three")
}
