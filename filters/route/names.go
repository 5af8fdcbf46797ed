package route

import "strings"

// pattern is a name with one star, which stands for any text, and the model that serves what
// it matches.
type pattern struct {
	before, after string
	model         *Model
}

// match returns what the star stands for.
func (p *pattern) match(name string) (star string, ok bool) {
	if len(name) < len(p.before)+len(p.after) {
		return "", false
	}
	rest, ok := strings.CutPrefix(name, p.before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, p.after)
}

// Model finds a model by its own name; nil when there is none.
func (t *Table) Model(name string) *Model { return t.models[name] }

// Find finds the model that serves the name an application gave, and what the
// star of its pattern stands for: by its own name, an alias, the longest
// pattern that matches, or as the default. Nil when there is none.
func (t *Table) Find(name string) (m *Model, star string) {
	if m = t.models[name]; m != nil {
		return m, ""
	}
	if m = t.aliases[name]; m != nil {
		return m, ""
	}
	for i := range t.patterns {
		if star, ok := t.patterns[i].match(name); ok {
			return t.patterns[i].model, star
		}
	}
	return t.fallback, ""
}

// Models are the configured names, in order of the configuration.
func (t *Table) Models() []string { return t.names }

// addNames takes in the other names of a model.
func (t *Table) addNames(m *Model, c *ModelConfig) {
	for _, name := range c.Aliases {
		t.aliases[name] = m
	}
	for _, text := range c.Match {
		p := pattern{model: m}
		p.before, p.after, _ = strings.Cut(text, "*")
		t.patterns = append(t.patterns, p)
		for i := len(t.patterns) - 1; i > 0 && t.patterns[i-1].length() < p.length(); i-- {
			t.patterns[i], t.patterns[i-1] = t.patterns[i-1], t.patterns[i]
		}
	}
}

func (p *pattern) length() int { return len(p.before) + len(p.after) }

// named is the target as it serves a name: where its upstream model has a star,
// a copy with that filled in; nil when there is nothing to fill in.
func (t *Target) named(star string) *Target {
	if !t.star {
		return t
	}
	if star == "" {
		return nil
	}
	filled := *t
	filled.Codec.Model = strings.Replace(t.Codec.Model, "*", star, 1)
	return &filled
}
