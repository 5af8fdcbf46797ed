package check

import (
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/policy"
	"github.com/posterngw/postern/filters/route"
)

// maxAsked bounds how many decisions are tried out.
const maxAsked = 100_000

// forbidden are the models that no policy permits to anybody. Where claims say
// who asks, anybody may come, so nothing is known then.
func forbidden(c *pipeline.Config) (models []string) {
	set, err := policy.New(&c.Policy)
	who := principals(c)
	if err != nil || len(c.Policy.Policies) == 0 || c.Identity.JWT != nil {
		return nil
	}
	asked := 0
	for i := range c.Route.Models {
		m := &c.Route.Models[i]
		if asked += len(who) * len(m.Value.Targets); asked > maxAsked {
			return models
		}
		if !permitted(set, c, m, who) {
			models = append(models, m.Name)
		}
	}
	return models
}

// principals are all who can be identified without claims.
func principals(c *pipeline.Config) (who []identity.Principal) {
	if c.Identity.Anonymous != nil {
		who = append(who, attributes(c.Identity.Anonymous, ""))
	}
	for i := range c.Identity.Keys {
		who = append(who, attributes(&c.Identity.Keys[i].Value.Attributes, c.Identity.Keys[i].Name))
	}
	return who
}

func attributes(a *identity.Attributes, key string) identity.Principal {
	return identity.Principal{Organisation: a.Organisation, Team: a.Team, Application: a.Application, User: a.User, Environment: a.Environment, Key: key}
}

func permitted(set *policy.Set, c *pipeline.Config, m *config.Named[route.ModelConfig], who []identity.Principal) bool {
	for i := range m.Value.Targets {
		t := &m.Value.Targets[i]
		p := provider(c, t.Provider)
		region := t.Region
		if region == "" {
			region = p.Region
		}
		for j := range who {
			for _, action := range []string{policy.Invoke, policy.Embed} {
				for _, stream := range []bool{false, true} {
					if set.Decide(policy.Request{Principal: &who[j], Action: action, Model: m.Name, Target: targetName(t), Provider: t.Provider,
						Boundary: p.Boundary, Region: region, Environment: who[j].Environment, Stream: stream, Tokens: 1}).Allowed {
						return true
					}
				}
			}
		}
	}
	return false
}

func provider(c *pipeline.Config, name string) *route.ProviderConfig {
	for i := range c.Route.Providers {
		if c.Route.Providers[i].Name == name {
			return &c.Route.Providers[i].Value
		}
	}
	return &route.ProviderConfig{}
}
