package price

import (
	"strings"

	"github.com/posterngw/postern/filters/config"
)

// Target is what a price is looked up by.
type Target struct {
	Name  string
	Kinds []string // of its provider, the closest first
	Model string   // as the provider names it
}

// Kinds are the kinds of a provider, the closest first.
func Kinds(dialect, flavour string) []string {
	if flavour == "" {
		return []string{dialect}
	}
	return []string{flavour, dialect}
}

// Table holds the prices of one configuration's targets. It does not change.
type Table struct {
	Currency string
	targets  map[string]*Price
}

// New builds the table of a decoded configuration for its targets.
func New(c *Config, targets []Target) *Table {
	t := &Table{Currency: c.Currency, targets: make(map[string]*Price, len(targets))}
	own := make(map[string]*Entry, len(c.Targets))
	for i := range c.Targets {
		own[c.Targets[i].Name] = &c.Targets[i].Value
	}
	for i := range targets {
		e := own[targets[i].Name]
		if e == nil {
			e = c.model(&targets[i])
		}
		if e != nil {
			p := NewPrice(e)
			t.targets[targets[i].Name] = &p
		}
	}
	return t
}

// Of finds the price of one target; false if it has none, and the zero Price then.
func (c *Config) Of(t *Target) (*Price, bool) {
	for i := range c.Targets {
		if c.Targets[i].Name == t.Name {
			p := NewPrice(&c.Targets[i].Value)
			return &p, true
		}
	}
	e := c.model(t)
	if e == nil {
		return &free, false
	}
	p := NewPrice(e)
	return &p, true
}

var free Price

// Of returns a target's price; false if it has none, and the zero Price then.
func (t *Table) Of(target string) (*Price, bool) {
	if p, ok := t.targets[target]; ok {
		return p, true
	}
	return &free, false
}

// model finds the price of a target by its model; nil if there is none.
func (c *Config) model(t *Target) *Entry {
	for _, kind := range t.Kinds {
		if i := Find(c.Models, kind+"/"+t.Model); i >= 0 {
			return &c.Models[i].Value
		}
	}
	return nil
}

// Find returns the index of the pattern that a model's name belongs to: of those
// that match, the first one with the most characters beside `*`; -1 if none does.
func Find[T any](patterns []config.Named[T], name string) int {
	found, most := -1, -1
	for i := range patterns {
		p := patterns[i].Name
		if n := len(p) - strings.Count(p, "*"); n > most && matches(p, name) {
			found, most = i, n
		}
	}
	return found
}

// matches reports whether a name is of a pattern, in which `*` stands for any
// characters.
func matches(pattern, name string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	name, ok := strings.CutPrefix(name, head)
	if !ok || !wild {
		return ok && name == ""
	}
	for {
		part, more, wild := strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(part):], more
	}
}
