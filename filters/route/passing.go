package route

import (
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

// pass lets a provider have paths of its dialect that name no model.
func (t *Table) pass(p *Provider) {
	target := &Target{Name: p.Name + "/passthrough", Index: len(t.Targets), Provider: p, Region: p.Region, Weight: 1, Timeout: time.Minute, Can: abilitiesOf(nil),
		Codec: dialect.Target{BasePath: p.BasePath, Flavour: p.Flavour, Version: p.Version}}
	t.Targets = append(t.Targets, target)
	m := t.Passing(p.Dialect)
	if m == nil {
		m = &Model{Name: "passthrough", Index: len(t.names) + len(t.passing), Order: []Strategy{ByWeight}}
		m.Failover.defaults()
		t.passing = append(t.passing, m)
	}
	m.Targets = append(m.Targets, target)
}

// Undecided reports whether paths that name no model may go to several
// providers of a dialect.
func (t *Table) Undecided() bool {
	for _, m := range t.passing {
		if m.Several() {
			return true
		}
	}
	return false
}

// number gives a model and its targets their places.
func (t *Table) number(m *Model, index int) {
	m.Index = index
	for _, target := range m.Targets {
		target.Index = len(t.Targets)
		t.Targets = append(t.Targets, target)
	}
}
