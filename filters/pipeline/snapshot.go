package pipeline

import (
	"errors"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/credential"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/policy"
	"github.com/posterngw/postern/filters/price"
	"github.com/posterngw/postern/filters/retry"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/state"
	"github.com/posterngw/postern/filters/telemetry"
)

// Config is the whole of postern.yaml: each section as its owner declares it.
type Config struct {
	Version   int
	Mode      Mode
	Limits    limits.Limits
	Route     route.Config
	Identity  identity.Config
	Policy    policy.Config
	Budget    budget.Config
	Price     price.Config
	Telemetry telemetry.Config
	Audit     audit.Config
	Health    health.Config
	Retry     retry.Config
	State     state.Config
}

// Fields declares postern.yaml. It is the one list of its sections.
func Fields(c *Config, dialects []*dialect.Dialect) []config.Field {
	fields := []config.Field{
		config.Int("version", &c.Version, config.Required(), config.Range(1, 1),
			config.Doc("The version of this format.")),
		config.Enum("mode", &c.Mode, Modes, config.Default(Native),
			config.Doc("How the module runs on its host: `native` as two stages, of which one is in the cluster; `paired` as two filters of one chain, where a host cannot give one filter a request's headers and body; `callout` where a host changes no bodies (APISIX); `observe` next to any gateway, without a change to what passes and without enforcing anything.")),
		config.Object("limits", &c.Limits, limits.Fields, config.Doc("Bounds on what clients and providers control.")),
	}
	fields = append(fields, route.Fields(&c.Route, names(dialects))...)
	fields = append(fields, budget.Fields(&c.Budget)...)
	return append(fields,
		config.Object("health", &c.Health, health.Fields, config.Doc("When a target is shut out because it fails, and how it comes back.")),
		config.Object("retries", &c.Retry, retry.Fields, config.Doc("How many attempts there may be beside the first ones.")),
		config.Object("state", &c.State, state.Fields, config.Doc("Leads requests to the provider that keeps what they refer to.")),
		config.Object("identity", &c.Identity, identity.Fields, config.Doc("Who may ask.")),
		config.Object("policy", &c.Policy, policy.Fields, config.Doc("Who may ask what.")),
		config.Object("price", &c.Price, price.Fields, config.Doc("What tokens cost.")),
		config.Object("telemetry", &c.Telemetry, telemetry.Fields, config.Doc("Metrics and trace context.")),
		config.Object("audit", &c.Audit, audit.Fields, config.Doc("One record per request.")),
	)
}

func names(dialects []*dialect.Dialect) []string {
	var list []string
	for _, d := range dialects {
		if d.Endpoint() != nil {
			list = append(list, d.Name)
		}
	}
	return list
}

// Snapshot is one configuration, ready for use. A request keeps the one that it
// began with; it does not change.
type Snapshot struct {
	Version string // digest of the configuration

	mode        Mode
	serves      bool // it is in the module's list of those that serve
	judges      bool // it has policies
	limits      limits.Limits
	routes      *route.Table
	origin      bool // answers say where they are from
	health      *health.Health
	retries     *retry.Budgets
	repeats     *retry.Repeats
	identities  *identity.Registry
	policies    *policy.Set
	budgets     *budget.Budgets
	prices      *price.Table
	credentials map[*route.Provider]*credential.Source
	renewed     []*credential.Source // those that expire
	telemetry   *telemetry.Telemetry
	trace       telemetry.Trace
	state       *state.Key // nil: ids carry no marks
	providers   []string   // by name
	audit       audit.Config
}

// NewSnapshot decodes the plugin configuration (JSON) and makes every part
// ready, down to the secrets that it refers to.
func NewSnapshot(raw []byte, dialects []*dialect.Dialect, vm VM) (*Snapshot, config.Errors) {
	node, errs := config.ParsePlugin(raw)
	if len(errs) > 0 {
		return nil, errs
	}
	c, errs := Decode(node, dialects)
	if len(errs) > 0 {
		return nil, errs
	}
	sn, err := c.build(dialects, vm)
	if err != nil {
		return nil, config.Errors{{Code: config.Invalid, Message: err.Error()}}
	}
	sn.Version = config.Digest(node)
	return sn, nil
}

// Decode reads a configuration strictly, whatever format it was written in.
func Decode(node *config.Node, dialects []*dialect.Dialect) (*Config, config.Errors) {
	c := &Config{}
	return c, config.Decode(node, Fields(c, dialects))
}

// build makes every part ready.
func (c *Config) build(dialects []*dialect.Dialect, vm VM) (*Snapshot, error) {
	if c.Mode == Callouts {
		if e := c.Unhosted(); e != "" {
			return nil, errors.New(e)
		}
		c.share()
		if _, has := vm.(*ownData); !has {
			vm = ownShared(vm)
		}
	} else if own, has := vm.(*ownData); has {
		vm = own.VM
	}
	sn := &Snapshot{mode: c.Mode, judges: len(c.Policy.Policies) > 0, limits: c.Limits, origin: c.Route.Routing.Headers, audit: c.Audit,
		telemetry: telemetry.New(&c.Telemetry, vm), trace: c.Telemetry.Trace,
		budgets: budget.New(&c.Budget, budget.NewLocal(vm, uint64(vm.Now().UnixNano())))}
	var err error
	if sn.identities, err = identity.New(&c.Identity); err != nil {
		return nil, err
	}
	if sn.policies, err = policy.New(&c.Policy); err != nil {
		return nil, err
	}
	find := func(name string) *dialect.Dialect { return find(dialects, name) }
	if sn.routes, err = route.New(&c.Route, find); err != nil {
		return nil, err
	}
	if c.Mode == Observe {
		return sn, nil // nothing else is asked
	}
	if sn.state, err = state.New(&c.State, vm.Env); err != nil {
		return nil, err
	}
	if sn.state == nil && sn.routes.Undecided() {
		return nil, errors.New("several providers of one dialect have `passthrough`: which of them keeps what an id names is known only with `state.key`")
	}
	for _, p := range sn.routes.Providers {
		sn.providers = append(sn.providers, p.Name)
	}
	sn.prices = price.New(&c.Price, priceTargets(sn.routes))
	sn.health = health.New(&c.Health, healthTargets(sn.routes), vm)
	sn.retries, sn.repeats = retry.New(&c.Retry, sn.routes.Numbered()), retry.NewRepeats(&c.Retry.Repeats)
	return sn, sn.unlock(c, vm)
}

func healthTargets(t *route.Table) []health.Target {
	list := make([]health.Target, len(t.Targets))
	for i, target := range t.Targets {
		list[i] = health.Target{Name: target.Name, Provider: target.Provider.Name}
	}
	return list
}

func priceTargets(t *route.Table) []price.Target {
	list := make([]price.Target, len(t.Targets))
	for i, target := range t.Targets {
		list[i] = price.Target{Name: target.Name, Model: target.Codec.Model,
			Kinds: price.Kinds(target.Provider.Dialect.Name, target.Provider.Flavour)}
	}
	return list
}

// find finds a dialect by its name; nil when there is none.
func find(dialects []*dialect.Dialect, name string) *dialect.Dialect {
	for _, d := range dialects {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// visible lists the models that a principal may ask for.
func (sn *Snapshot) visible(r *request) []string {
	var names []string
	for _, name := range sn.routes.Models() {
		m := sn.routes.Model(name)
		for _, t := range m.Targets {
			if sn.decide(r, policy.Invoke, m, t).Allowed || sn.decide(r, policy.Embed, m, t).Allowed {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// actionOf is what an operation is to policies.
func actionOf(op llm.Operation) string {
	if op == llm.Embed {
		return policy.Embed
	}
	return policy.Invoke
}

// decide asks the policies whether a request's principal may do that at a target.
func (sn *Snapshot) decide(r *request, action string, m *route.Model, t *route.Target) policy.Decision {
	return sn.policies.Decide(policy.Request{
		Principal: &r.principal, Action: action,
		Model: m.Name, Target: t.Name, Provider: t.Provider.Name,
		Boundary: t.Provider.Boundary, Region: t.Region,
		Environment: r.principal.Environment,
		Stream:      r.facts.Stream, Tokens: r.bound(t),
	})
}
