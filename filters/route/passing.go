package route

import (
	"time"

	"github.com/posterngw/postern/filters/dialect"
)

// Passing is where paths of a dialect go that name no model; nil when nowhere.
func (t *Table) Passing(d *dialect.Dialect) *Model { return t.passed(d, passthrough) }

// Realtime is where WebSocket connections of a dialect go; nil when nowhere.
func (t *Table) Realtime(d *dialect.Dialect) *Model { return t.passed(d, realtime) }

// The names of models that no client asks for.
const (
	passthrough = "passthrough"
	realtime    = "realtime"
)

func (t *Table) passed(d *dialect.Dialect, name string) *Model {
	for _, m := range t.passing {
		if m.Name == name && m.Targets[0].Provider.Dialect == d {
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

// pass lets a provider have what names no model of its dialect.
func (t *Table) pass(p *Provider, name string) {
	target := &Target{Name: p.Name + "/" + name, Index: len(t.Targets), Provider: p, Region: p.Region, Weight: 1, Timeout: time.Minute, Can: abilitiesOf(nil),
		Codec: dialect.Target{BasePath: p.BasePath, Flavour: p.Flavour, Version: p.Version}}
	t.Targets = append(t.Targets, target)
	m := t.passed(p.Dialect, name)
	if m == nil {
		m = &Model{Name: name, Index: len(t.names) + len(t.passing), Order: []Strategy{ByWeight}}
		m.Failover.defaults()
		t.passing = append(t.passing, m)
	}
	m.Targets = append(m.Targets, target)
}

// Undecided reports whether paths that name no model may go to several
// providers of a dialect.
func (t *Table) Undecided() bool {
	for _, m := range t.passing {
		if m.Name == passthrough && m.Several() {
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
