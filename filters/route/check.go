package route

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

// check finds what the tables of single keys cannot see.
func (c *Config) check(r *config.Report) {
	c.checkNames(r)
	for i := range c.Models {
		m := &c.Models[i]
		c.checkModel(&m.Value, r.At("models", m.Name))
	}
}

// checkNames keeps one name from meaning two models.
func (c *Config) checkNames(r *config.Report) {
	owner := map[string]string{}
	for i := range c.Models {
		owner[c.Models[i].Name] = c.Models[i].Name
	}
	for i := range c.Models {
		m := &c.Models[i]
		for _, l := range []struct {
			key   string
			names []string
		}{{"aliases", m.Value.Aliases}, {"match", m.Value.Match}} {
			for j, name := range l.names {
				if other, taken := owner[name]; taken {
					r.At("models", m.Name, l.key, strconv.Itoa(j)).Fail(config.Invalid, config.Quote(name)+" is the model "+other+" already", "")
				}
				owner[name] = m.Name
			}
		}
	}
}

// checkModel looks at what belongs together within a model.
func (c *Config) checkModel(m *ModelConfig, r *config.Report) {
	regions, canaries := map[string]bool{}, 0.0
	for i := range m.Targets {
		t := &m.Targets[i]
		regions[c.regionOf(t)] = true
		canaries += t.Canary
		if strings.Contains(t.Model, "*") && len(m.Match) == 0 {
			r.At("targets", strconv.Itoa(i), "model").Fail(config.Invalid, "a * without a pattern that says what it stands for", "give the model a key match")
		}
	}
	if canaries > 1 {
		r.At("targets").Fail(config.OutOfRange, "the canaries' shares are more than all", "")
	}
	for i, name := range m.Regions {
		if !regions[name] {
			r.At("regions", strconv.Itoa(i)).Fail(config.Dangling, "no target is in the region "+config.Quote(name), "give a target or its provider this region")
		}
	}
	if slices.Contains(m.Order, ByRegion.String()) && len(m.Regions) == 0 {
		r.At("order").Fail(config.Invalid, "the strategy region needs to know which", "add the key regions")
	}
}

func (c *Config) regionOf(t *TargetConfig) string {
	if t.Region != "" {
		return t.Region
	}
	for i := range c.Providers {
		if c.Providers[i].Name == t.Provider {
			return c.Providers[i].Value.Region
		}
	}
	return ""
}
