package route

import (
	"slices"
	"time"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// MaxPlan is the longest plan, and so the most attempts that one request gets.
const MaxPlan = 8

// Table is the configured routing, ready for use.
type Table struct {
	Providers []*Provider
	Targets   []*Target // of all models
	models    map[string]*Model
	names     []string
	aliases   map[string]*Model
	patterns  []pattern // the longest first
	fallback  *Model
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
	Order     []Strategy
	Regions   []string // preferred ones, the best first
	Sticky    string   // what keeps requests together: see the key's reference
	Tasks     []TaskRule
	Failover  Failover
	Deadline  time.Duration // of all attempts together until the first content; 0: none

	// StateFirst sends what refers to state, and does not say whose, to the first
	// target's provider.
	StateFirst bool

	canaries bool // some target has a share of its own
}

// Several reports whether the targets are at more than one provider.
func (m *Model) Several() bool {
	for _, t := range m.Targets[1:] {
		if t.Provider != m.Targets[0].Provider {
			return true
		}
	}
	return false
}

// At reports whether a provider of that name has a target.
func (m *Model) At(provider string) bool {
	for _, t := range m.Targets {
		if t.Provider.Name == provider {
			return true
		}
	}
	return false
}

// Sticks reports whether it matters which requests belong together.
func (m *Model) Sticks() bool { return m.canaries || slices.Contains(m.Order, BySticky) }

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
	Name       string
	Index      int // among all targets of the table
	Provider   *Provider
	Region     string
	Priority   int
	Weight     int
	Timeout    time.Duration // of one attempt until its first content; 0: the host's
	FirstToken time.Duration // of a stream until its first content; 0: Timeout alone
	Idle       time.Duration // of a stream between two pieces; 0: for ever
	Total      time.Duration // of a stream, from the attempt's beginning; 0: for ever
	Window     int           // tokens that question and answer may have together; 0: unknown
	Can        llm.Needs
	Tasks      []string // that it is for; nil: all
	Canary     float64  // its share of the requests; 0: it is no canary
	Codec      dialect.Target

	star bool // the upstream model's name has a place for what a pattern matched
}

// Excluded is a target that is not in the plan, and why.
type Excluded struct {
	Target *Target
	Reason string
}

// Plan is the ordered targets of one request, and how it came about.
type Plan struct {
	Targets  []*Target
	Excluded []Excluded
	Scores   []Scored // where strategies had something to order
	Task     string   // that the request was taken for
	Canary   string   // the target whose share the request belongs to
}

// Scored is what the strategies said of a target.
type Scored struct {
	Target *Target
	Score  Score
	Shut   bool // it is shut out, and stands behind all that are not
}

// Of is what was said of a target of the plan; nil when nothing was asked.
func (p *Plan) Of(t *Target) *Scored {
	for i := range p.Scores {
		if p.Scores[i].Target == t {
			return &p.Scores[i]
		}
	}
	return nil
}

// Exclude notes that a target is left out of the plan, and why.
func (p *Plan) Exclude(t *Target, reason string) {
	p.Excluded = append(p.Excluded, Excluded{t, reason})
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
