package watch

import (
	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/price"
	"github.com/posterngw/postern/filters/telemetry"
)

// Mode is what records and configurations call this way to run.
const Mode = "observe"

// Config is the part of postern.yaml that an observer reads. The whole, with its
// reference, is package pipeline's.
type Config struct {
	Mode      string
	Limits    limits.Limits
	Providers []config.Named[ProviderConfig]
	Models    []config.Named[ModelConfig]
	Identity  *identity.Config
	Price     price.Config
	Telemetry telemetry.Config
	Audit     audit.Config
}

// ProviderConfig is where answers come from.
type ProviderConfig struct{ Dialect, Flavour, Version, URL, Boundary, Cluster string }

// ModelConfig is a name that applications use, and what serves it.
type ModelConfig struct {
	Aliases, Match []string
	Targets        []TargetConfig
}

// TargetConfig is one of those.
type TargetConfig struct{ Name, Provider, Model string }

// Fields declares that part.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.String("mode", &c.Mode, config.Required(), config.OneOf(Mode)),
		config.Object("limits", &c.Limits, limits.Fields),
		config.Map("providers", &c.Providers, providerFields, config.In("providers")),
		config.Map("models", &c.Models, modelFields),
		config.Optional("identity", &c.Identity, identity.Fields),
		config.Object("price", &c.Price, price.Fields),
		config.Object("telemetry", &c.Telemetry, telemetry.Fields),
		config.Object("audit", &c.Audit, audit.Fields),
	}
}

func providerFields(_ string, p *ProviderConfig) []config.Field {
	return []config.Field{
		config.String("dialect", &p.Dialect, config.Required()),
		config.String("flavour", &p.Flavour),
		config.String("version", &p.Version),
		config.String("url", &p.URL, config.Required(), config.Check(config.CheckURL)),
		config.String("boundary", &p.Boundary, config.Default("external")),
		config.String("cluster", &p.Cluster),
	}
}

func modelFields(_ string, m *ModelConfig) []config.Field {
	return []config.Field{
		config.Strings("aliases", &m.Aliases),
		config.Strings("match", &m.Match),
		config.List("targets", &m.Targets, targetFields, config.Required()),
	}
}

func targetFields(t *TargetConfig) []config.Field {
	return []config.Field{
		config.String("name", &t.Name),
		config.Ref("provider", &t.Provider, "providers", config.Required()),
		config.String("model", &t.Model, config.Required()),
	}
}

// setup is one configuration, ready for use. A request keeps the one that it began
// with.
type setup struct {
	version    string
	limits     limits.Limits
	table      table
	identities *identity.Registry // nil: nobody is told apart
	prices     *price.Config
	priced     map[sold]priced
	telemetry  *telemetry.Telemetry
	trace      telemetry.Trace
	audit      audit.Config
}

func newSetup(raw []byte, dialects []*dialect.Dialect, vm host.VM) (*setup, config.Errors) {
	node, errs := config.ParsePlugin(raw)
	if len(errs) > 0 {
		return nil, errs
	}
	c := &Config{}
	if errs = config.DecodeKnown(node, Fields(c)); len(errs) > 0 {
		return nil, errs
	}
	s := &setup{version: config.Digest(node), limits: c.Limits, prices: &c.Price, priced: map[sold]priced{},
		telemetry: telemetry.New(&c.Telemetry, vm), trace: c.Telemetry.Trace, audit: c.Audit}
	err := s.table.fill(c, dialects)
	if c.Identity != nil && err == nil {
		s.identities, err = identity.New(c.Identity)
	}
	if err != nil {
		return nil, config.Errors{{Code: config.Invalid, Message: err.Error()}}
	}
	return s, nil
}

// sold is what has a price: a target's name, or a kind of provider and its model.
type sold struct{ target, kind, flavour, model string }

type priced struct {
	price *price.Price
	known bool
}

// maxPriced bounds how many prices are kept: names of models are the clients'.
const maxPriced = 1000

// price is what a model costs; false if it has no price.
func (s *setup) price(x sold) (*price.Price, bool) {
	if p, ok := s.priced[x]; ok {
		return p.price, p.known
	}
	var p priced
	p.price, p.known = s.prices.Of(&price.Target{Name: x.target, Kinds: price.Kinds(x.kind, x.flavour), Model: x.model})
	if len(s.priced) < maxPriced {
		s.priced[x] = p
	}
	return p.price, p.known
}
