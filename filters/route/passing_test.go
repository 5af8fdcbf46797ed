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

// Providers that take paths which name no model are numbered like a model's
// targets; those of one dialect stand together, in their order.
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

	require.False(t, table.Undecided())
	c.Providers[2].Value.Passthrough = true
	table, err = route.New(&c, find)
	require.NoError(t, err)
	require.True(t, table.Undecided())
	m = table.Passing(dialects["b"])
	require.True(t, m.Several())
	require.True(t, m.At("three"))
	require.False(t, m.At("one"))
	require.Equal(t, "two", m.Targets[0].Provider.Name)
	for i, target := range table.Targets {
		require.Equal(t, i, target.Index)
	}
}
