package policy

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

const (
	maxPolicies = 1000
	maxText     = 16 << 10 // bytes of one policy
	maxKills    = 1000
)

// Config is the section `policy`.
type Config struct {
	Policies []config.Named[PolicyConfig]
	Kill     Kill
}

// PolicyConfig is one policy.
type PolicyConfig struct {
	Cedar string
	Doc   string

	compiled *compiled // of Cedar, by its check
}

// Kill lists what is switched off.
type Kill struct {
	Models  []string
	Targets []string
	Keys    []string // ids
}

// Fields is the table of the section `policy`.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.Map("policies", &c.Policies, policyFields, config.Length(0, maxPolicies),
			config.Doc("Cedar policies by their id, which refusals and audit records name. Without any, every identified principal may use every model; once there is one, what no policy permits is denied.")),
		config.Object("kill", &c.Kill, killFields,
			config.Doc("What is switched off, before any policy is asked. Requests for it get 403 with the code `killed`.")),
		config.Rule(c.checkIDs),
	}
}

func policyFields(_ string, p *PolicyConfig) []config.Field {
	return []config.Field{
		config.String("cedar", &p.Cedar, config.Required(), config.Length(1, maxText), config.Check(p.compile),
			config.Example(`permit (principal in Team::"search", action == Action::"invoke", resource in Model::"fast");`),
			config.Doc("One policy in the Cedar language.")),
		config.String("doc", &p.Doc, config.Length(0, 1024),
			config.Doc("What the policy is for. Clients never see it.")),
	}
}

func killFields(k *Kill) []config.Field {
	list := func(name string, p *[]string, doc string) config.Field {
		return config.Strings(name, p, config.Length(0, maxKills), config.Doc(doc))
	}
	return []config.Field{
		list("models", &k.Models, "Names of models."),
		list("targets", &k.Targets, "Names of targets."),
		list("keys", &k.Keys, "Ids of API keys."),
	}
}

func (p *PolicyConfig) compile(text string) (err error) {
	p.compiled, err = compile(text)
	return err
}

// checkIDs keeps a policy from bearing a name that refusals use themselves.
func (c *Config) checkIDs(r *config.Report) {
	for i := range c.Policies {
		if id := c.Policies[i].Name; id == DefaultDeny || strings.HasPrefix(id, killPrefix) {
			r.At("policies", id).Fail(config.Invalid, "a policy must not be called "+DefaultDeny+" nor begin with "+killPrefix, "")
		}
	}
}

// CheckNames reports every name in the section that known does not know: a rule
// about a model that does not exist does nothing. kind is the type of entity
// ("Model", "Target", "Provider", "Key", …), as in policies. The report stands
// at the section.
func (c *Config) CheckNames(r *config.Report, known func(kind, name string) bool) {
	for i := range c.Policies {
		p := &c.Policies[i]
		if p.Value.compiled == nil {
			continue
		}
		for _, m := range p.Value.compiled.mentions {
			kind, name := string(m.Type), string(m.ID)
			if !known(kind, name) {
				r.At("policies", p.Name, "cedar").Fail(config.Dangling, "there is no "+m.String(), "")
			}
		}
	}
	for _, l := range []struct {
		key, kind string
		names     []string
	}{{"models", "Model", c.Kill.Models}, {"targets", "Target", c.Kill.Targets}, {"keys", "Key", c.Kill.Keys}} {
		for i, name := range l.names {
			if !known(l.kind, name) {
				r.At("kill", l.key, strconv.Itoa(i)).Fail(config.Dangling, "there is no "+l.kind+"::"+strconv.Quote(name), "")
			}
		}
	}
}
