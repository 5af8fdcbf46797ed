package config_test

import (
	"errors"
	"time"

	"github.com/posterngw/postern/filters/config"
)

// gateway is a document that uses every kind of field.
type gateway struct {
	Title     string
	Mode      mode
	Debug     bool
	Workers   int
	Offset    int64
	Share     float64
	Body      int
	Grace     time.Duration
	Drift     time.Duration
	Regions   []string
	Labels    map[string]string
	Fallbacks []string
	Limits    limits
	Cache     *cache
	Providers []config.Named[provider]
	Keys      []key
	Models    []config.Named[model]
	Aliases   map[string]string
	Extra     *config.Node
	Old       string
}

type mode string

type limits struct {
	Soft, Hard int
	Owner      string
}

type cache struct{ TTL time.Duration }

type provider struct {
	URL, Secret, File string
	More              []string
}

type key struct{ ID, Team string }

type model struct{ Targets []target }

type target struct {
	Provider string
	Weight   int
}

func (g *gateway) fields() []config.Field {
	return []config.Field{
		config.String("title", &g.Title, config.Default("postern"), config.Length(2, 10), config.Doc("What | this is.")),
		config.Enum("mode", &g.Mode, []mode{"native", "paired", "observe"}, config.Default(mode("native"))),
		config.Bool("debug", &g.Debug, config.Default(false)),
		config.Int("workers", &g.Workers, config.Range(1, 64), config.Default(4)),
		config.Int64("offset", &g.Offset, config.Min(-5), config.Check(even)),
		config.Float("share", &g.Share, config.Range(0, 0.5)),
		config.Bytes("body", &g.Body, config.Default("64KiB"), config.Max(1<<20)),
		config.Duration("grace", &g.Grace, config.Default(90*time.Second), config.Max(time.Hour)),
		config.Duration("drift", &g.Drift, config.Range(-time.Second, time.Second)),
		config.Strings("regions", &g.Regions, config.OneOf("eu", "us"), config.Length(1, 2), config.Default([]string{"eu"})),
		config.StringMap("labels", &g.Labels, config.Length(0, 2)),
		config.Refs("fallbacks", &g.Fallbacks, "models"),
		config.Object("limits", &g.Limits, (*limits).fields, config.Doc("How much.")),
		config.Optional("cache", &g.Cache, (*cache).fields),
		config.Map("providers", &g.Providers, func(_ string, p *provider) []config.Field { return p.fields() },
			config.In("providers"), config.Doc("Who answers.")),
		config.List("keys", &g.Keys, (*key).fields, config.Length(0, 3)),
		config.Map("models", &g.Models, func(_ string, m *model) []config.Field { return m.fields() }, config.In("models")),
		config.StringMap("aliases", &g.Aliases, config.In("models")),
		config.Raw("extra", &g.Extra),
		config.String("old", &g.Old, config.Deprecated("use title")),
		config.Rule(g.check),
	}
}

func even(v int64) error {
	if v%2 != 0 {
		return config.Problem("is odd", "make it even")
	}
	return nil
}

func (g *gateway) check(r *config.Report) {
	if odd := g.Extra.Get("odd"); odd != nil {
		r.AtNode(odd).Fail(config.Invalid, "is odd", "remove it")
	}
	if model := g.Extra.Get("model"); model != nil {
		r.AtNode(model).Refer("models", model.Text)
	}
	if g.Mode == "observe" && g.Cache == nil {
		r.At("cache", "ttl").Fail(config.Missing, "observe needs a cache", "")
	}
	if len(g.Keys) == 0 && g.Debug {
		r.At("debug").Warn(config.Invalid, "debug without keys", "add a key")
	}
}

func (l *limits) fields() []config.Field {
	return []config.Field{
		config.Int("soft", &l.Soft, config.Default(10)),
		config.Int("hard", &l.Hard, config.Default(20)),
		config.String("owner", &l.Owner, config.Required(), config.Example("ops")),
		config.Rule(func(r *config.Report) {
			if l.Soft > l.Hard {
				r.At("soft").Fail(config.Invalid, "soft is above hard", "swap them")
			}
		}),
	}
}

func (c *cache) fields() []config.Field {
	return []config.Field{config.Duration("ttl", &c.TTL, config.Required(), config.Check(func(d time.Duration) error {
		if d == 0 {
			return errors.New("is zero")
		}
		return nil
	}))}
}

func (p *provider) fields() []config.Field {
	return []config.Field{
		config.String("url", &p.URL, config.Required()),
		config.String("secret", &p.Secret, config.Secret(), config.Required()),
		config.String("file", &p.File, config.Secret("file")),
		config.Strings("more", &p.More, config.Secret("host", "env"), config.Length(0, 3)),
	}
}

func (k *key) fields() []config.Field {
	return []config.Field{
		config.String("id", &k.ID, config.Required(), config.In("keys")),
		config.String("team", &k.Team, config.Name()),
	}
}

func (m *model) fields() []config.Field {
	return []config.Field{config.List("targets", &m.Targets, (*target).fields, config.Required(), config.Length(1, 4),
		config.Check(func(ts []target) error {
			for _, t := range ts {
				if t.Weight > 0 {
					return nil
				}
			}
			return config.Problem("no target has a weight", "give one of them a weight above 0")
		}))}
}

func (t *target) fields() []config.Field {
	return []config.Field{
		config.Ref("provider", &t.Provider, "providers", config.Required()),
		config.Int("weight", &t.Weight, config.Default(1), config.Range(0, 100)),
	}
}
