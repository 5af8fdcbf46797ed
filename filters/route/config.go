package route

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/credential"
	"github.com/posterngw/postern/filters/dialect"
)

// Config is the sections `providers` and `models`.
type Config struct {
	Providers []config.Named[ProviderConfig]
	Models    []config.Named[ModelConfig]
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
	Passthrough bool
	Credentials credential.Config
}

// ModelConfig is one entry of `models`.
type ModelConfig struct {
	MaxOutput int
	OnLoss    string
	Targets   []TargetConfig
}

// TargetConfig is one entry of a model's `targets`.
type TargetConfig struct {
	Name      string
	Provider  string
	Model     string
	Priority  int
	Weight    int
	MaxOutput int
	Timeout   time.Duration
}

// Fields declares the sections; dialects are the names that a provider may speak.
func Fields(c *Config, dialects []string) []config.Field {
	provider := func(_ string, p *ProviderConfig) []config.Field { return providerFields(p, dialects) }
	return []config.Field{
		config.Map("providers", &c.Providers, provider, config.In("providers"), config.Required(), config.Length(1, 200),
			config.Doc("Endpoints that speak a dialect, by name.")),
		config.Map("models", &c.Models, modelFields, config.In("models"), config.Required(), config.Length(1, 2000),
			config.Doc("The stable names that applications ask for, each with the targets that can serve it.")),
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
		config.String("region", &p.Region, config.Doc("Where the endpoint is, for policies.")),
		config.String("cluster", &p.Cluster, config.Name(),
			config.Doc("The host's name for this upstream. Default: the provider's name.")),
		config.Bool("passthrough", &p.Passthrough,
			config.Doc("Whether paths of the dialect that name no model (files, batches …) are passed on to this provider. One provider of a dialect can be that.")),
	}, credential.Fields(&p.Credentials)...)
}

func modelFields(_ string, m *ModelConfig) []config.Field {
	return []config.Field{
		config.Int("max_output", &m.MaxOutput, config.Range(0, 10_000_000),
			config.Doc("Output tokens to ask for when a client gives no bound. A hard token budget needs one. 0 writes none.")),
		config.String("on_loss", &m.OnLoss, config.Default("warn"), config.OneOf(onLoss...),
			config.Doc("What to do when translating to a target's API leaves part of a request out: `warn` serves it and says so in "+
				"the answer's header x-postern-loss and in the audit record, `allow` only in the record, `refuse` leaves the target out.")),
		config.List("targets", &m.Targets, targetFields, config.Required(), config.Length(1, 64),
			config.Doc("Where requests for this model may go.")),
	}
}

func targetFields(t *TargetConfig) []config.Field {
	return []config.Field{
		config.String("name", &t.Name, config.Name(),
			config.Doc("The target's name in policies, budgets, prices, metrics and records. Default: `provider/model`.")),
		config.Ref("provider", &t.Provider, "providers", config.Required(), config.Doc("A name from `providers`.")),
		config.String("model", &t.Model, config.Required(), config.Length(1, 256),
			config.Doc("The provider's own name of the model.")),
		config.Int("priority", &t.Priority, config.Range(0, 1000),
			config.Doc("Lower is tried first; targets of one priority share by weight.")),
		config.Int("weight", &t.Weight, config.Default(1), config.Range(0, 1_000_000),
			config.Doc("Share among targets of the same priority. 0 is used only when the others cannot serve.")),
		config.Int("max_output", &t.MaxOutput, config.Range(0, 10_000_000),
			config.Doc("As the model's `max_output`, for this target alone.")),
		config.Duration("timeout", &t.Timeout, config.Default(time.Minute), config.Range(10*time.Millisecond, time.Hour),
			config.Doc("How long an attempt may take until its first content.")),
	}
}

// onLoss are the words for the values of OnLoss.
var onLoss = []string{WarnLoss: "warn", AllowLoss: "allow", RefuseLoss: "refuse"}

// New resolves a decoded configuration. find knows the dialects by name.
func New(c *Config, find func(name string) *dialect.Dialect) (*Table, error) {
	t := &Table{models: make(map[string]*Model, len(c.Models))}
	providers := make(map[string]*Provider, len(c.Providers))
	for i := range c.Providers {
		p, err := newProvider(&c.Providers[i], find)
		if err != nil {
			return nil, err
		}
		providers[p.Name] = p
		t.Providers = append(t.Providers, p)
	}
	for i := range c.Models {
		m := newModel(&c.Models[i], providers)
		t.add(m, i)
		t.models[m.Name] = m
		t.names = append(t.names, m.Name)
	}
	for i, p := range t.Providers {
		if c.Providers[i].Value.Passthrough {
			if err := t.pass(p); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// add numbers a model and its targets.
func (t *Table) add(m *Model, index int) {
	m.Index = index
	for _, target := range m.Targets {
		target.Index = len(t.Targets)
		t.Targets = append(t.Targets, target)
	}
}

// pass makes a provider the one for paths of its dialect that name no model.
func (t *Table) pass(p *Provider) error {
	if t.Passing(p.Dialect) != nil {
		return errors.New("provider " + p.Name + ": another provider of the dialect " + p.Dialect.Name + " has passthrough already")
	}
	m := &Model{Name: "passthrough"}
	m.Targets = []*Target{{Name: p.Name + "/passthrough", Provider: p, Weight: 1, Timeout: time.Minute,
		Codec: dialect.Target{BasePath: p.BasePath, Flavour: p.Flavour, Version: p.Version}}}
	t.add(m, len(t.names)+len(t.passing))
	t.passing = append(t.passing, m)
	return nil
}

func newProvider(c *config.Named[ProviderConfig], find func(string) *dialect.Dialect) (*Provider, error) {
	v := &c.Value
	d := find(v.Dialect)
	if d == nil {
		return nil, errors.New("provider " + c.Name + ": no dialect " + v.Dialect)
	}
	if v.Flavour != "" && !slices.Contains(d.Flavours, v.Flavour) {
		return nil, errors.New("provider " + c.Name + ": dialect " + v.Dialect + " has the flavours " + strings.Join(d.Flavours, ", "))
	}
	at, err := config.ParseURL(v.URL)
	if err != nil {
		return nil, err
	}
	p := &Provider{Name: c.Name, Dialect: d, Secure: at.Secure, Host: at.Host, BasePath: at.Path,
		Flavour: v.Flavour, Version: v.Version, Boundary: v.Boundary, Region: v.Region, Cluster: v.Cluster}
	if p.Cluster == "" {
		p.Cluster = c.Name
	}
	return p, nil
}

func newModel(c *config.Named[ModelConfig], providers map[string]*Provider) *Model {
	m := &Model{Name: c.Name, MaxOutput: c.Value.MaxOutput, OnLoss: OnLoss(max(slices.Index(onLoss, c.Value.OnLoss), 0))}
	for i := range c.Value.Targets {
		m.Targets = append(m.Targets, newTarget(&c.Value.Targets[i], m, providers))
	}
	sortByPriority(m.Targets)
	return m
}

// sortByPriority keeps the order of equals. There are at most 64 targets, and
// insertion is a tenth of the code of slices.SortStableFunc.
func sortByPriority(ts []*Target) {
	for i := range ts {
		for j := i; j > 0 && ts[j].Priority < ts[j-1].Priority; j-- {
			ts[j], ts[j-1] = ts[j-1], ts[j]
		}
	}
}

func newTarget(c *TargetConfig, m *Model, providers map[string]*Provider) *Target {
	p := providers[c.Provider]
	t := &Target{Name: c.Name, Provider: p, Priority: c.Priority, Weight: c.Weight, Timeout: c.Timeout}
	if t.Name == "" {
		t.Name = c.Provider + "/" + c.Model
	}
	t.Codec = dialect.Target{Model: c.Model, BasePath: p.BasePath, Flavour: p.Flavour, Version: p.Version, MaxTokens: m.MaxOutput}
	if c.MaxOutput > 0 {
		t.Codec.MaxTokens = c.MaxOutput
	}
	return t
}
