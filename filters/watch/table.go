package watch

import (
	"errors"
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/price"
)

// provider is one that answers may come from.
type provider struct {
	name, flavour, version, boundary string
	cluster, host, path              string // by which it is known
	dialect                          *dialect.Dialect
}

// target is a model of a provider, under a name of the configuration.
type target struct {
	name     string
	model    string // of the configuration
	upstream string // the provider's own name, with a star where it is a pattern
	provider *provider
}

// table is what is known of the other side.
type table struct {
	providers []*provider
	targets   []*target
	names     map[string]string // of models, aliases included
	patterns  []config.Named[string]
}

func (t *table) fill(c *Config, dialects []*dialect.Dialect) error {
	known := map[string]*provider{}
	for i := range c.Providers {
		v := &c.Providers[i].Value
		at := slices.IndexFunc(dialects, func(d *dialect.Dialect) bool { return d.Name == v.Dialect })
		if at < 0 {
			return errors.New("provider " + c.Providers[i].Name + ": no dialect " + v.Dialect)
		}
		url, err := config.ParseURL(v.URL)
		if err != nil {
			return err
		}
		p := &provider{name: c.Providers[i].Name, flavour: v.Flavour, version: v.Version, boundary: v.Boundary, cluster: v.Cluster,
			host: bareHost(url.Host), path: url.Path, dialect: dialects[at]}
		if p.cluster == "" {
			p.cluster = p.name
		}
		known[p.name] = p
		t.providers = append(t.providers, p)
	}
	t.names = make(map[string]string, len(c.Models))
	for i := range c.Models {
		t.add(c.Models[i].Name, &c.Models[i].Value, known)
	}
	return nil
}

func (t *table) add(name string, m *ModelConfig, known map[string]*provider) {
	t.names[name] = name
	for _, other := range m.Aliases {
		t.names[other] = name
	}
	for _, text := range m.Match {
		t.patterns = append(t.patterns, config.Named[string]{Name: text, Value: name})
	}
	for _, x := range m.Targets {
		one := &target{name: x.Name, model: name, upstream: x.Model, provider: known[x.Provider]}
		if one.name == "" {
			one.name = x.Provider + "/" + x.Model
		}
		t.targets = append(t.targets, one)
	}
}

// model is the configured one that a name stands for; empty when there is none.
func (t *table) model(name string) string {
	if m, ok := t.names[name]; ok {
		return m
	}
	if i := price.Find(t.patterns, name); i >= 0 {
		return t.patterns[i].Value
	}
	return ""
}

// at finds the provider at a host or a cluster; nil when it is none's. Istio's names
// of clusters end in the host.
func (t *table) at(name string) *provider {
	last := name[strings.LastIndexByte(name, '|')+1:]
	for _, p := range t.providers {
		if p.cluster == name || p.host == bareHost(last) {
			return p
		}
	}
	return nil
}

// only is the one provider of a dialect; nil when there are several.
func (t *table) only(d *dialect.Dialect) (found *provider) {
	for _, p := range t.providers {
		if p.dialect == d {
			if found != nil {
				return nil
			}
			found = p
		}
	}
	return found
}

// find finds what served a name at a provider, or at any of a dialect if the
// provider is unknown and there is but one such: by the provider's own name of the
// model, or else by the configuration's.
func (t *table) find(at *provider, d *dialect.Dialect, name string) *target {
	if found := t.among(at, d, func(x *target) bool { return x.upstream == name }); found != nil {
		return found
	}
	model := t.model(name)
	if found := t.among(at, d, func(x *target) bool { return x.model == model }); found != nil {
		return found
	}
	return t.among(at, d, func(x *target) bool { return like(x.upstream, name) })
}

func (t *table) among(at *provider, d *dialect.Dialect, fits func(*target) bool) (found *target) {
	for _, x := range t.targets {
		switch {
		case at != nil && x.provider != at, at == nil && x.provider.dialect != d, !fits(x):
		case found == nil:
			found = x
		case found.provider != x.provider:
			return nil
		}
	}
	return found
}

// like reports whether a name is of an upstream model's pattern.
func like(pattern, name string) bool {
	before, after, star := strings.Cut(pattern, "*")
	rest, ok := strings.CutPrefix(name, before)
	return ok && star && strings.HasSuffix(rest, after)
}

// bareHost is a host without the port that its scheme has anyway.
func bareHost(name string) string {
	name = strings.ToLower(name)
	return strings.TrimSuffix(strings.TrimSuffix(name, ":443"), ":80")
}
