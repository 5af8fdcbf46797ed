package hosts

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/route"
)

// chains are the models with several targets.
func chains(c *pipeline.Config) (at []string) {
	for i := range c.Route.Models {
		if m := &c.Route.Models[i]; len(m.Value.Targets) > 1 {
			at = append(at, pointer("models", m.Name, "targets"))
		}
	}
	return at
}

func timeouts(c *pipeline.Config) []string {
	return times(c, "timeout", func(t *route.TargetConfig) time.Duration { return t.Timeout })
}

func firstTokens(c *pipeline.Config) []string {
	return times(c, "first_token", func(t *route.TargetConfig) time.Duration { return t.FirstToken })
}

func idles(c *pipeline.Config) []string {
	return times(c, "idle", func(t *route.TargetConfig) time.Duration { return t.Idle })
}

// times are the targets that have one of the times.
func times(c *pipeline.Config, key string, of func(*route.TargetConfig) time.Duration) (at []string) {
	for i := range c.Route.Models {
		m := &c.Route.Models[i]
		for j := range m.Value.Targets {
			if of(&m.Value.Targets[j]) > 0 {
				at = append(at, pointer("models", m.Name, "targets", strconv.Itoa(j), key))
			}
		}
	}
	return at
}

func deadlines(c *pipeline.Config) (at []string) {
	for i := range c.Route.Models {
		if m := &c.Route.Models[i]; m.Value.Deadline > 0 {
			at = append(at, pointer("models", m.Name, "deadline"))
		}
	}
	return at
}

func budgets(c *pipeline.Config) (at []string) {
	for i := range c.Budget.Budgets {
		at = append(at, pointer("budgets", c.Budget.Budgets[i].Name))
	}
	return at
}

func jwts(c *pipeline.Config) []string {
	if c.Identity.JWT == nil {
		return nil
	}
	return []string{"/identity/jwt"}
}

// providers are those that are of a kind.
func providers(c *pipeline.Config, key string, are func(*route.ProviderConfig) bool) (at []string) {
	for i := range c.Route.Providers {
		if p := &c.Route.Providers[i]; are(&p.Value) {
			at = append(at, pointer("providers", p.Name, key))
		}
	}
	return at
}

func tokens(c *pipeline.Config) []string {
	return providers(c, "credentials", func(p *route.ProviderConfig) bool { return len(p.Credentials.Endpoints()) > 0 })
}

func hostCredentials(c *pipeline.Config) []string {
	return providers(c, "credentials", func(p *route.ProviderConfig) bool { return p.Credentials.ByHost() })
}

func realtimes(c *pipeline.Config) []string {
	return providers(c, "realtime", func(p *route.ProviderConfig) bool { return p.Realtime == "pass" })
}

func largeBodies(c *pipeline.Config) []string {
	if c.Limits.Body <= istioBuffer {
		return nil
	}
	return []string{"/limits/body"}
}

func pointer(tokens ...string) string { return config.Pointer(tokens) }
