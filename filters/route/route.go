// Package route chooses where a request goes: from the model that an
// application named to a plan, an ordered list of targets with, for every
// configured target that is not in it, the reason.
//
// Choosing is a pure function of its inputs: configuration, a seed, and what
// the other parts said of each target. The package sends nothing, keeps no
// health, and holds no policy of its own.
package route

import (
	"time"

	"github.com/posterngw/postern/filters/dialect"
)

// MaxPlan is the longest plan, and so the most attempts that one request gets.
const MaxPlan = 8

// Table is the configured routing, ready for use.
type Table struct {
	Providers []*Provider
	Targets   []*Target // of all models
	models    map[string]*Model
	names     []string
	passing   []*Model // for paths that name no model, one per dialect
}

// Provider is an endpoint that speaks a dialect.
type Provider struct {
	Name     string
	Dialect  *dialect.Dialect
	Secure   bool   // https
	Host     string // host[:port] of the URL, as in :authority
	BasePath string
	Flavour  string
	Version  string
	Boundary string
	Region   string
	Cluster  string // the host's name for the upstream
}

// Model is the stable name that applications ask for.
type Model struct {
	Name      string
	Index     int // among the table's models
	OnLoss    OnLoss
	MaxOutput int // output bound where a client gave none; 0: none is written
	Targets   []*Target
}

// OnLoss says what becomes of a request when a translation loses part of it.
type OnLoss uint8

// The choices.
const (
	WarnLoss   OnLoss = iota // serve it, and say so in a header of the answer and in the record
	AllowLoss                // serve it, and say so in the record
	RefuseLoss               // leave the target out of the plan
)

// Target is one provider with one upstream model.
type Target struct {
	Name     string
	Index    int // among all targets of the table
	Provider *Provider
	Priority int
	Weight   int
	Timeout  time.Duration // of one attempt until its first content; 0: the host's
	Codec    dialect.Target
}

// Model finds a model by the name an application gave; nil when there is none.
func (t *Table) Model(name string) *Model { return t.models[name] }

// Passing is where paths of a dialect go that name no model; nil when nowhere.
func (t *Table) Passing(d *dialect.Dialect) *Model {
	for _, m := range t.passing {
		if m.Targets[0].Provider.Dialect == d {
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

// Models are the configured names, in order of the configuration.
func (t *Table) Models() []string { return t.names }

// Excluded is a target that is not in the plan, and why.
type Excluded struct {
	Target *Target
	Reason string
}

// Plan is the ordered targets of one request.
type Plan struct {
	Targets  []*Target
	Excluded []Excluded
}

// Unhealthy is the reason of a target that is shut out for its health.
const Unhealthy = "unhealthy"

// Exclude notes that a target is left out of the plan, and why.
func (p *Plan) Exclude(t *Target, reason string) {
	p.Excluded = append(p.Excluded, Excluded{t, reason})
}

// Judge says why a target cannot serve a request; empty when it can.
type Judge func(*Target) (reason string)

// Choose orders the model's targets, lowest priority number first, within one
// priority by weighted chance drawn from seed, and leaves out those that the
// judge refuses. A target of weight 0 comes last in its priority.
func (m *Model) Choose(seed uint64, judge Judge) Plan {
	var p Plan
	for group := m.Targets; len(group) > 0; {
		n := samePriority(group)
		p.admit(shuffle(group[:n], &seed), judge)
		group = group[n:]
	}
	return p
}

func (p *Plan) admit(targets []*Target, judge Judge) {
	for _, t := range targets {
		reason := judge(t)
		if reason == "" && len(p.Targets) == MaxPlan {
			reason = "plan_full"
		}
		if reason != "" {
			p.Exclude(t, reason)
			continue
		}
		p.Targets = append(p.Targets, t)
	}
}

// samePriority is the length of the leading group; targets are sorted.
func samePriority(ts []*Target) int {
	n := 1
	for n < len(ts) && ts[n].Priority == ts[0].Priority {
		n++
	}
	return n
}

// shuffle draws without replacement, each draw in proportion to the weights
// that are left. A single target is returned as it stands.
func shuffle(ts []*Target, seed *uint64) []*Target {
	if len(ts) == 1 {
		return ts
	}
	left := append([]*Target(nil), ts...)
	for i := range left {
		j := i + draw(left[i:], seed)
		left[i], left[j] = left[j], left[i]
	}
	return left
}

func draw(ts []*Target, seed *uint64) int {
	total := 0
	for _, t := range ts {
		total += t.Weight
	}
	if total == 0 {
		return 0
	}
	at := int(Next(seed) % uint64(total))
	for i, t := range ts {
		if at -= t.Weight; at < 0 {
			return i
		}
	}
	return 0
}

// Next draws by splitmix64 (Steele, Lea, Flood 2014): small, and good enough to
// share out load.
func Next(seed *uint64) uint64 {
	*seed += 0x9e3779b97f4a7c15
	z := *seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
