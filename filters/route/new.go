package route

import (
	"errors"
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// New resolves a decoded configuration. find knows the dialects by name.
func New(c *Config, find func(name string) *dialect.Dialect) (*Table, error) {
	t := &Table{models: make(map[string]*Model, len(c.Models)), aliases: map[string]*Model{}}
	providers := make(map[string]*providerOf, len(c.Providers))
	for i := range c.Providers {
		p, err := newProvider(&c.Providers[i], find)
		if err != nil {
			return nil, err
		}
		providers[p.Name] = &providerOf{p, abilitiesOf(c.Providers[i].Value.Can)}
		t.Providers = append(t.Providers, p)
	}
	for i := range c.Models {
		t.add(newModel(&c.Models[i], providers), &c.Models[i].Value)
	}
	t.fallback = t.models[c.Routing.Default]
	for i, p := range t.Providers {
		if c.Providers[i].Value.Passthrough {
			t.pass(p, passthrough)
		}
		if c.Providers[i].Value.Realtime == "pass" {
			if t.Realtime(p.Dialect) != nil {
				return nil, errors.New("provider " + p.Name + ": another provider of the dialect " + p.Dialect.Name + " has `realtime: pass` already")
			}
			t.pass(p, realtime)
		}
	}
	return t, nil
}

// add takes in a model and its targets.
func (t *Table) add(m *Model, c *ModelConfig) {
	t.number(m, len(t.names))
	t.models[m.Name] = m
	t.names = append(t.names, m.Name)
	t.addNames(m, c)
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

func newModel(c *config.Named[ModelConfig], providers map[string]*providerOf) *Model {
	v := &c.Value
	m := &Model{Name: c.Name, MaxOutput: v.MaxOutput, OnLoss: OnLoss(max(slices.Index(onLoss, v.OnLoss), 0)),
		StateFirst: v.State == "first", Regions: v.Regions, Sticky: v.Sticky, Deadline: v.Deadline}
	for _, word := range v.Order {
		m.Order = append(m.Order, Strategy(slices.Index(strategyNames[:], word)))
	}
	if n := len(m.Order); n == 0 || m.Order[n-1] != ByWeight && m.Order[n-1] != BySticky {
		m.Order = append(m.Order, ByWeight)
	}
	for i := range v.Tasks {
		r := &v.Tasks[i]
		m.Tasks = append(m.Tasks, TaskRule{r.Task, needsOf(r.Needs), r.MinTokens, r.MaxTokens})
	}
	m.Failover.defaults()
	for i, word := range v.Failover {
		m.Failover[classes[i].class] = Step(max(slices.Index(stepNames, word), 0))
	}
	for i := range v.Targets {
		t := newTarget(&v.Targets[i], m, providers)
		m.Targets = append(m.Targets, t)
		m.canaries = m.canaries || t.Canary > 0
	}
	return m
}

// providerOf is a provider with what its targets inherit.
type providerOf struct {
	*Provider
	can llm.Needs
}

func newTarget(c *TargetConfig, m *Model, providers map[string]*providerOf) *Target {
	p := providers[c.Provider]
	t := &Target{Name: c.Name, Provider: p.Provider, Region: c.Region, Priority: c.Priority, Weight: c.Weight,
		Timeout: c.Timeout, FirstToken: c.FirstToken, Idle: c.Idle, Total: c.Total, Window: c.Window, Tasks: c.Tasks, Canary: c.Canary,
		Can: p.can, star: strings.Contains(c.Model, "*")}
	if t.Name == "" {
		t.Name = c.Provider + "/" + c.Model
	}
	if t.Region == "" {
		t.Region = p.Region
	}
	if c.Can != nil {
		t.Can = abilitiesOf(c.Can)
	}
	t.Codec = dialect.Target{Model: c.Model, BasePath: p.BasePath, Flavour: p.Flavour, Version: p.Version, MaxTokens: m.MaxOutput}
	if c.MaxOutput > 0 {
		t.Codec.MaxTokens = c.MaxOutput
	}
	return t
}

// abilitiesOf is what a list of words allows; nil allows everything. What the
// words do not speak of is never lacking.
func abilitiesOf(words []string) llm.Needs {
	can := ^llm.Needs(0)
	if words == nil {
		return can
	}
	return can&^needsOf(abilityWords()) | needsOf(words)
}

func needsOf(words []string) (needs llm.Needs) {
	for i := range abilities {
		if slices.Contains(words, abilities[i].word) {
			needs |= abilities[i].need
		}
	}
	return needs
}
