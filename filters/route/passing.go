package route

import (
	"errors"
	"time"

	"github.com/posterngw/postern/filters/dialect"
)

// Passing is where paths of a dialect go that name no model; nil when nowhere.
func (t *Table) Passing(d *dialect.Dialect) *Model {
	for _, m := range t.passing {
		if m.Targets[0].Provider.Dialect == d {
			return m
		}
	}
	return nil
}

// Numbered are the names of all models by their index, those for paths that name
// no model last.
func (t *Table) Numbered() []string {
	names := t.names[:len(t.names):len(t.names)]
	for _, m := range t.passing {
		names = append(names, m.Name)
	}
	return names
}

// pass makes a provider the one for paths of its dialect that name no model.
func (t *Table) pass(p *Provider) error {
	if t.Passing(p.Dialect) != nil {
		return errors.New("provider " + p.Name + ": another provider of the dialect " + p.Dialect.Name + " has passthrough already")
	}
	m := &Model{Name: "passthrough", Order: []Strategy{ByWeight}}
	m.Failover.defaults()
	m.Targets = []*Target{{Name: p.Name + "/passthrough", Provider: p, Region: p.Region, Weight: 1, Timeout: time.Minute, Can: abilitiesOf(nil),
		Codec: dialect.Target{BasePath: p.BasePath, Flavour: p.Flavour, Version: p.Version}}}
	t.number(m, len(t.names)+len(t.passing))
	t.passing = append(t.passing, m)
	return nil
}

// number gives a model and its targets their places.
func (t *Table) number(m *Model, index int) {
	m.Index = index
	for _, target := range m.Targets {
		target.Index = len(t.Targets)
		t.Targets = append(t.Targets, target)
	}
}
