package check

import (
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
)

// notEnforced is the code of what a configuration asks and mode observe does not do.
const notEnforced config.Code = "not_enforced"

// unenforced names what a configuration asks that an observer leaves to the gateway
// which serves.
func unenforced(r *config.Report, c *pipeline.Config) {
	if c.Mode != pipeline.Observe {
		return
	}
	warn := func(at *config.Report, what, hint string) { at.Warn(notEnforced, "mode observe "+what, hint) }
	if len(c.Policy.Policies) > 0 {
		warn(r.At("policy"), "enforces no policy", "the module with all modes records what they would have decided; the one that only observes does not")
	}
	if len(c.Budget.Budgets) > 0 {
		warn(r.At("budgets"), "counts against no budget and refuses nothing", "")
	}
	if c.Identity.Anonymous == nil {
		warn(r.At("identity"), "refuses nobody: a key that is not known passes, as nobody's", "")
	}
	for i := range c.Route.Providers {
		p := &c.Route.Providers[i]
		if len(p.Value.Credentials.Variables()) > 0 || len(p.Value.Credentials.Endpoints()) > 0 || p.Value.Credentials.ByHost() {
			warn(r.At("providers", p.Name), "adds no credential", "the gateway that serves has it")
		}
	}
	for i := range c.Route.Models {
		if m := &c.Route.Models[i]; len(m.Value.Targets) > 1 {
			warn(r.At("models", m.Name, "targets"), "chooses no target, and fails over to none", "its record says which of them served")
		}
	}
}
