package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/price"
	"github.com/posterngw/postern/filters/route"
)

// suspicious is the code of what is accepted but hardly meant.
const suspicious config.Code = "suspicious"

// lint looks for what the module accepts and what cannot be meant: rules that
// never hold, models that nobody may use, chains that cannot help.
func lint(r *config.Report, c *pipeline.Config) {
	named := names(c)
	c.Policy.CheckNames(r.At("policy"), named.known)
	for i := range c.Route.Models {
		m := &c.Route.Models[i]
		l := modelLint{r.At("models", m.Name), c, &m.Value}
		l.weights()
		l.prices()
		l.tasks()
		for j := range m.Value.Targets {
			l.chain(j)
		}
	}
	unpriced(r, c)
	unenforced(r, c)
	shares(r, c)
	for _, name := range forbidden(c) {
		r.At("models", name).Warn(suspicious, "no policy permits it to any principal that is configured", "permit it, or leave the model out")
	}
}

// shares finds budgets of which there is less than one for each worker, where
// workers share nothing.
func shares(r *config.Report, c *pipeline.Config) {
	if c.Mode != pipeline.Callouts {
		return
	}
	for i := range c.Budget.Budgets {
		b := &c.Budget.Budgets[i]
		if limit := b.Value.Limit; limit < int64(c.Limits.Workers) {
			r.At("budgets", b.Name, "limit").Warn(suspicious, "in mode callout each of the "+strconv.Itoa(c.Limits.Workers)+" workers counts for itself, and allows at least 1: together more than "+budget.Amount(limit, b.Value.Unit),
				"raise it, or lower limits.workers")
		}
	}
}

// unpriced finds targets that cost nothing where a budget counts money.
func unpriced(r *config.Report, c *pipeline.Config) {
	for i := range c.Budget.Budgets {
		b := &c.Budget.Budgets[i]
		if b.Value.Unit != budget.Money {
			continue
		}
		for j := range c.Route.Models {
			m := &c.Route.Models[j]
			if len(b.Value.Models) > 0 && !slices.Contains(b.Value.Models, m.Name) {
				continue
			}
			l := modelLint{r.At("models", m.Name), c, &m.Value}
			for n, name := range l.free() {
				if len(b.Value.Targets) == 0 || slices.Contains(b.Value.Targets, name) {
					l.target(n, "name").Warn(suspicious, "the budget "+config.Quote(b.Name)+" counts money, and the target "+config.Quote(name)+" has no price: it costs nothing",
						"add it to price.targets, if at 0")
				}
			}
		}
	}
}

// modelLint looks at one model; at stands there.
type modelLint struct {
	at *config.Report
	c  *pipeline.Config
	m  *route.ModelConfig
}

func (l *modelLint) target(i int, key string) *config.Report {
	return l.at.At("targets", strconv.Itoa(i), key)
}

// weights finds targets of one priority that all have the weight 0.
func (l *modelLint) weights() {
	sum, count := map[int]int{}, map[int]int{}
	for i := range l.m.Targets {
		sum[l.m.Targets[i].Priority] += l.m.Targets[i].Weight
		count[l.m.Targets[i].Priority]++
	}
	for i := range l.m.Targets {
		if p := l.m.Targets[i].Priority; count[p] > 1 && sum[p] == 0 {
			l.target(i, "weight").Warn(suspicious, "all targets of priority "+strconv.Itoa(p)+" have the weight 0",
				"without weights they are used in the order of this file")
			count[p] = 0
		}
	}
}

// prices finds targets without a price where the cost decides.
func (l *modelLint) prices() {
	if !slices.Contains(l.m.Order, route.ByCost.String()) {
		return
	}
	for i, name := range l.free() {
		l.target(i, "name").Warn(suspicious, "the order is by cost, and the target "+config.Quote(name)+" has no price: it comes last",
			"add it to price.targets")
	}
}

// free are the names of the targets that have no price, by their places.
func (l *modelLint) free() map[int]string {
	var targets []price.Target
	for i := range l.m.Targets {
		t := &l.m.Targets[i]
		p := provider(l.c, t.Provider)
		targets = append(targets, price.Target{Name: targetName(t), Kinds: price.Kinds(p.Dialect, p.Flavour), Model: t.Model})
	}
	prices := price.New(&l.c.Price, targets)
	free := map[int]string{}
	for i := range targets {
		if _, known := prices.Of(targets[i].Name); !known {
			free[i] = targets[i].Name
		}
	}
	return free
}

// tasks finds rules behind one that holds whenever they do, and tasks that
// change nothing.
func (l *modelLint) tasks() {
	for i := range l.m.Tasks {
		rule := &l.m.Tasks[i]
		at := l.at.At("tasks", strconv.Itoa(i))
		if j := slices.IndexFunc(l.m.Tasks[:i], func(before route.TaskConfig) bool { return covers(&before, rule) }); j >= 0 {
			at.Warn(suspicious, "never reached: rule "+strconv.Itoa(j+1)+" holds whenever this one does", "put it before that one")
		}
		last := i == len(l.m.Tasks)-1 // any other keeps its requests from the rules behind it
		if last && !slices.ContainsFunc(l.m.Targets, func(t route.TargetConfig) bool { return slices.Contains(t.Tasks, rule.Task) }) {
			at.At("task").Warn(suspicious, "no target is for the task "+config.Quote(rule.Task)+": the rule changes nothing", "name it in a target's tasks")
		}
	}
}

// covers reports whether a holds whenever b does.
func covers(a, b *route.TaskConfig) bool {
	for _, need := range a.Needs {
		if !slices.Contains(b.Needs, need) {
			return false
		}
	}
	return a.MinTokens <= b.MinTokens && (a.MaxTokens == 0 || b.MaxTokens > 0 && b.MaxTokens <= a.MaxTokens)
}

// chain compares a target with those that are tried before it.
func (l *modelLint) chain(i int) {
	t := &l.m.Targets[i]
	for j := range l.m.Targets {
		before := &l.m.Targets[j]
		if before.Priority >= t.Priority {
			continue
		}
		switch {
		case t.Window > 0 && before.Window > t.Window:
			l.target(i, "window").Warn(suspicious, "smaller than that of a target that is tried before", "what failed over may not fit")
		case t.Timeout > before.Timeout:
			l.target(i, "timeout").Warn(suspicious, "longer than that of a target that is tried before: the host gives every attempt the first one's time", "give both the same")
		case t.Model == before.Model && l.quota(t) != "" && l.quota(t) == l.quota(before):
			l.target(i, "provider").Warn(suspicious, "the same model with the same key at the same place as a target that is tried before: its quota is used up together with that one's", "give it a key of its own")
		default:
			continue
		}
		return
	}
}

// quota tells what a provider counts by: its address and the keys for it.
func (l *modelLint) quota(t *route.TargetConfig) string {
	for i := range l.c.Route.Providers {
		p := &l.c.Route.Providers[i]
		if p.Name == t.Provider && len(p.Value.Credentials.Credentials) > 0 {
			return p.Value.URL + " " + strings.Join(p.Value.Credentials.Credentials, " ")
		}
	}
	return ""
}

func targetName(t *route.TargetConfig) string {
	if t.Name != "" {
		return t.Name
	}
	return t.Provider + "/" + t.Model
}

// catalogue is every name that policies may speak of, by kind of entity.
type catalogue map[string]map[string]bool

func names(c *pipeline.Config) catalogue {
	k := catalogue{"Model": {}, "Target": {}, "Provider": {}, "Region": {}, "Key": {}, "Boundary": {"internal": true, "external": true}}
	for i := range c.Route.Providers {
		p := &c.Route.Providers[i]
		k["Provider"][p.Name], k["Region"][p.Value.Region] = true, true
		k["Target"][p.Name+"/passthrough"] = p.Value.Passthrough
		k["Model"]["passthrough"] = k["Model"]["passthrough"] || p.Value.Passthrough
	}
	for i := range c.Route.Models {
		k["Model"][c.Route.Models[i].Name] = true
		for j := range c.Route.Models[i].Value.Targets {
			t := &c.Route.Models[i].Value.Targets[j]
			k["Target"][targetName(t)], k["Region"][t.Region] = true, true
		}
	}
	for i := range c.Identity.Keys {
		k["Key"][c.Identity.Keys[i].Name] = true
	}
	return k
}

// known takes every name of a kind that is not configured here: teams, users.
func (k catalogue) known(kind, name string) bool { return k[kind] == nil || k[kind][name] }
