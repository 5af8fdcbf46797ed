package route

import (
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/credential"
)

// Config is the sections `providers`, `models` and `routing`.
type Config struct {
	Providers []config.Named[ProviderConfig]
	Models    []config.Named[ModelConfig]
	Routing   Routing
}

// Routing is the section `routing`.
type Routing struct {
	Default string // the model for names that no other has
	Headers bool   // answers say where they are from
}

// ProviderConfig is one entry of `providers`.
type ProviderConfig struct {
	Dialect     string
	Flavour     string
	Version     string
	URL         string
	Boundary    string
	Region      string
	Cluster     string
	Can         []string
	Passthrough bool
	Realtime    string
	Credentials credential.Config
}

// Fields declares the sections; dialects are the names that a provider may speak.
func Fields(c *Config, dialects []string) []config.Field {
	provider := func(_ string, p *ProviderConfig) []config.Field { return providerFields(p, dialects) }
	return []config.Field{
		config.Map("providers", &c.Providers, provider, config.In("providers"), config.Required(), config.Length(1, 200),
			config.Doc("Endpoints that speak a dialect, by name.")),
		config.Map("models", &c.Models, modelFields, config.In("models"), config.Required(), config.Length(1, 2000),
			config.Doc("The stable names that applications ask for, each with the targets that can serve it.")),
		config.Object("routing", &c.Routing, routingFields, config.Doc("What holds for all models.")),
		config.Rule(c.check),
	}
}

func routingFields(r *Routing) []config.Field {
	return []config.Field{
		config.Ref("default_model", &r.Default, "models",
			config.Doc("The model that serves names which no other model has. Without it they are refused with 404.")),
		config.Bool("headers", &r.Headers, config.Default(true),
			config.Doc("Whether answers say where they are from: `x-postern-target`, `x-postern-attempts` (the targets that were tried, with the class of each error) and `x-postern-reason` (what decided for the target). The `causes` of an error name their targets only then.")),
	}
}

func providerFields(p *ProviderConfig, dialects []string) []config.Field {
	return append([]config.Field{
		config.String("dialect", &p.Dialect, config.Required(), config.OneOf(dialects...),
			config.Doc("The wire API that the endpoint speaks.")),
		config.String("flavour", &p.Flavour,
			config.Doc("A variant of the dialect, for servers that differ from its own API.")),
		config.String("version", &p.Version, config.Length(1, 64),
			config.Doc("The version of the API to ask for, where the flavour has versions.")),
		config.String("url", &p.URL, config.Required(), config.Check(config.CheckURL), config.Example("https://api.openai.com/v1"),
			config.Doc("Base URL, with the path that the dialect's own paths are appended to.")),
		config.String("boundary", &p.Boundary, config.Default("external"), config.OneOf("internal", "external"),
			config.Doc("Which trust boundary a request crosses when it goes there; policies speak of it.")),
		config.String("region", &p.Region, config.Doc("Where the endpoint is, for policies and for the strategy `region`.")),
		config.String("cluster", &p.Cluster, config.Check(config.CheckCluster),
			config.Doc("The host's name for this upstream. Default: the provider's name.")),
		config.String("realtime", &p.Realtime, config.Default("refuse"), config.OneOf("refuse", "pass"),
			config.Doc("What becomes of WebSocket connections on the paths of the dialect: `refuse` answers 426 (Envoy itself 403 where no provider has them), `pass` opens them at this provider, after identity, policy and budgets "+
				"of requests (the model's name to them is `realtime`). What goes over them is neither read nor counted. One provider of a dialect can have it.")),
		config.Bool("passthrough", &p.Passthrough,
			config.Doc("Whether paths of the dialect that name no model (files, batches …) are passed on to this provider. "+
				"Of several of one dialect, which need `state.key`, the first has what refers to nothing, and each what refers to it.")),
		canField(&p.Can, "What the provider's models can take, for targets that do not say it themselves. Default: everything."),
	}, credential.Fields(&p.Credentials)...)
}
