package schema_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/config/schema"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

type gateway struct {
	Title, Mode, Key, Home string
	Debug                  bool
	Workers                int
	Share                  float64
	Body                   int
	Grace                  time.Duration
	Regions, Fallbacks     []string
	Labels                 map[string]string
	Limits                 limits
	Models                 []config.Named[model]
	Rules                  []rule
	Extra                  *config.Node
}

type limits struct{ Soft int }

type model struct{ Targets []target }

type target struct{ Model string }

// rule is of a kind that lies in itself.
type rule struct {
	All []rule
	Not *rule
}

func (g *gateway) fields() []config.Field {
	return []config.Field{
		config.String("title", &g.Title, config.Default("postern"), config.Length(5, 10), config.Doc("What | this\nis."), config.Example("edge")),
		config.Enum("mode", &g.Mode, []string{"native", "<x>"}, config.Required(), config.Doc("How it runs.")),
		config.String("key", &g.Key, config.Secret("host", "env", "file")),
		config.String("home~/", &g.Home, config.Name(), config.Deprecated("use title")),
		config.Bool("debug", &g.Debug, config.Default(false)),
		config.Int("workers", &g.Workers, config.Range(1, 64), config.Default(4)),
		config.Float("share", &g.Share, config.Max(0.5)),
		config.Bytes("body", &g.Body, config.Default("64KiB"), config.Range(1024, 1<<20)),
		config.Duration("grace", &g.Grace, config.Default(90*time.Second), config.Max(time.Hour)),
		config.Strings("regions", &g.Regions, config.OneOf("eu", "us"), config.Length(1, 2), config.Default([]string{"eu"})),
		config.Strings("keys", new([]string), config.Secret("host", "env")),
		config.Refs("fallbacks", &g.Fallbacks, "models"),
		config.StringMap("labels", &g.Labels, config.Length(1, 8)),
		config.Object("limits", &g.Limits, func(l *limits) []config.Field {
			return []config.Field{config.Int("soft", &l.Soft, config.Min(0), config.Doc("Where warnings begin."))}
		}, config.Doc("How much.")),
		config.Map("models", &g.Models, func(_ string, m *model) []config.Field {
			return []config.Field{config.List("targets", &m.Targets, func(t *target) []config.Field {
				return []config.Field{config.Ref("model", &t.Model, "models", config.Doc("What is asked."))}
			}, config.Required(), config.Doc("Who answers."))}
		}, config.In("models")),
		config.List("rules", &g.Rules, (*rule).fields),
		config.Raw("extra", &g.Extra),
		config.Rule(func(*config.Report) {}),
	}
}

func (r *rule) fields() []config.Field {
	return []config.Field{
		config.List("all", &r.All, (*rule).fields),
		config.Optional("not", &r.Not, (*rule).fields),
	}
}

func golden(t *testing.T, name string, got []byte) {
	if *update {
		require.NoError(t, os.WriteFile(name, got, 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestJSON(t *testing.T) {
	s := config.Describe(new(gateway).fields())
	text, err := schema.JSON(s, "https://example.com/postern.schema.json", "postern.yaml")
	require.NoError(t, err)
	require.True(t, json.Valid(text))
	golden(t, "testdata/schema.json", text)
}

func TestMarkdown(t *testing.T) {
	golden(t, "testdata/reference.md", schema.Markdown(config.Describe(new(gateway).fields()), "Configuration"))
}

func TestBothAreDeterministic(t *testing.T) {
	text := func() string {
		s := config.Describe(new(gateway).fields())
		j, err := schema.JSON(s, "", "")
		require.NoError(t, err)
		return string(j) + string(schema.Markdown(s, "x"))
	}
	require.Equal(t, text(), text())
}

func TestDescribeLeavesVariablesAlone(t *testing.T) {
	var g gateway
	config.Describe(g.fields())
	require.Equal(t, gateway{}, g)
}
