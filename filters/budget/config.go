package budget

import (
	"slices"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
)

// Mode says what a budget does when it is used up.
type Mode string

// The modes.
const (
	Hard Mode = "hard"
	Soft Mode = "soft"
)

// Failure says what happens when the store does not work.
type Failure string

// The failure policies.
const (
	Closed Failure = "closed"
	Open   Failure = "open"
)

// Config is the section `budgets`.
type Config struct {
	Budgets []config.Named[Budget]
}

// Budget is one entry of `budgets`.
type Budget struct {
	Unit           Unit
	Limit          int64
	Window         Window
	Burst          int64
	Per            []string
	Principals     map[string]string
	Models         []string
	Targets        []string
	Mode           Mode
	Chunk          int64
	LeaseTTL       time.Duration
	OnStoreFailure Failure
	MaxSubjects    int
}

const (
	maxBudgets  = 256
	maxLimit    = 1_000_000_000_000_000
	maxBurst    = 1_000_000_000
	maxSubjects = 1_000_000
	maxFilter   = 1000
	// chunks is how many chunks a limit makes when the chunk is not given.
	chunks = 64
)

var attributes = []string{identity.Organisation, identity.Team, identity.Application,
	identity.User, identity.Environment, identity.Key}

// Fields is the table of the section `budgets`, a key of the document itself.
// It refers to names in the namespace "models".
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.Map("budgets", &c.Budgets, budgetFields, config.Length(0, maxBudgets), config.In("budgets"),
			config.Doc("How much may be used, by name. A request must fit into every budget that it falls under, or it is refused with 429 and the name of the budget that it does not fit into. Hard budgets set an upper bound aside before the request is sent, and settle it afterwards with what was used.")),
	}
}

func budgetFields(_ string, b *Budget) []config.Field {
	return slices.Concat(amountFields(b), scopeFields(b), leaseFields(b), []config.Field{config.Rule(b.check)})
}

func amountFields(b *Budget) []config.Field {
	return []config.Field{
		config.Enum("unit", &b.Unit, []Unit{Requests, Tokens, Money}, config.Required(),
			config.Doc("What is counted. `tokens` are input and output tokens, cached and reasoning ones included. `money` is what the requests cost by the section `price`; a target without a price costs nothing. A hard budget of tokens or money needs `max_output` at the models, for clients that give no bound of their own.")),
		config.Int64("limit", &b.Limit, config.Required(), config.Range[int64](1, maxLimit), config.Example("1000000"),
			config.Doc("How much may be used per window; of money, in millionths of the currency's unit: 5000000 is 5 USD.")),
		config.Enum("window", &b.Window, windows, config.Required(),
			config.Doc("When it starts again: with every full second, minute, hour, day or month in UTC. What a request uses counts in the window in which it began.")),
		config.Int64("burst", &b.Burst, config.Range[int64](0, maxBurst),
			config.Doc("Makes the budget a token bucket, for requests only: `limit` per `window` flows in evenly, and at most this many requests can come at once. 0 is a fixed window.")),
		config.Enum("mode", &b.Mode, []Mode{Hard, Soft}, config.Default(Hard),
			config.Doc("`hard` refuses what does not fit. `soft` never refuses: it counts, and the audit record says when a request went beyond the limit.")),
	}
}

func scopeFields(b *Budget) []config.Field {
	return []config.Field{
		config.Strings("per", &b.Per, config.OneOf(attributes...), config.Length(0, len(attributes)), config.Example("[team]"),
			config.Doc("Attributes of the principal whose values have the limit each for themselves. Without any there is one limit for all. Principals that lack an attribute share what belongs to the empty value.")),
		config.StringMap("principals", &b.Principals, config.Length(0, len(attributes)), config.Check(checkPrincipals), config.Example("{environment: test}"),
			config.Doc("Counts only principals whose attributes have these values.")),
		config.Refs("models", &b.Models, "models", config.Length(0, maxFilter), config.Example("[gpt-4o]"),
			config.Doc("Counts only requests for these models. Without any, all.")),
		config.Strings("targets", &b.Targets, config.Length(0, maxFilter), config.Example("[azure/gpt-4o]"),
			config.Doc("Counts only what is sent to these targets. Without any, all.")),
	}
}

func leaseFields(b *Budget) []config.Field {
	return []config.Field{
		config.Int64("chunk", &b.Chunk, config.Range[int64](0, maxLimit),
			config.Doc("How much a worker sets aside at a time, to serve requests without asking the store for each. Near the limit, a request may be refused although other workers hold up to a chunk each that they do not need, for about two seconds. 1 asks for exactly what a request needs. 0 is a 64th of `limit` or `burst`.")),
		config.Duration("lease_ttl", &b.LeaseTTL, config.Default(time.Minute), config.Range(5*time.Second, maxTTL*time.Millisecond),
			config.Doc("After a crash of a worker, what it had set aside can be used again after this time.")),
		config.Enum("on_store_failure", &b.OnStoreFailure, []Failure{Closed, Open}, config.Default(Closed),
			config.Doc("What a hard budget does when the store of the counters does not answer or is full: `closed` refuses with 503, `open` lets requests pass and counts them when the store is back.")),
		config.Int("max_subjects", &b.MaxSubjects, config.Default(4096), config.Range(1, maxSubjects),
			config.Doc("For how many different values of `per` the store has room within one window. It uses a quarter as many keys of the host's shared data, at most, for good. Beyond it `on_store_failure` decides.")),
	}
}

// check is the rule of one budget.
func (b *Budget) check(r *config.Report) {
	if b.Burst == 0 {
		return
	}
	if b.Unit != Requests {
		r.At("burst").Fail(config.Invalid, "a token bucket counts requests only", "remove burst, or count requests")
	}
	if b.Window == Month {
		r.At("window").Fail(config.Invalid, "a token bucket cannot refill per month", "months differ in length: use day")
	}
	if b.Limit > maxBurst {
		r.At("limit").Fail(config.OutOfRange, "too much for a token bucket", "at most 1000000000 per window")
	}
}

func checkPrincipals(m map[string]string) error {
	for name, value := range m {
		if !slices.Contains(attributes, name) {
			return config.Problem(config.Quote(name)+" is not an attribute of a principal", "one of: "+strings.Join(attributes, ", "))
		}
		if value == "" {
			return config.Problem("the attribute "+name+" has no value", "")
		}
	}
	return nil
}

// rule is a budget in the form that serves requests.
type rule struct {
	meter      Meter
	index      int
	hard, open bool
	per        []string
	principals []attribute
	models     []string
	targets    []string
	start, end int64 // the current window, Unix ms; 0 of a token bucket
}

type attribute struct{ name, value string }

func newRule(i int, name string, b *Budget) rule {
	r := rule{
		meter: Meter{Budget: name, Unit: b.Unit, Window: b.Window, Limit: b.Limit, Burst: b.Burst,
			Chunk: b.Chunk, TTL: b.LeaseTTL, Subjects: b.MaxSubjects},
		index: i, hard: b.Mode != Soft, open: b.OnStoreFailure == Open,
		per: b.Per, models: b.Models, targets: b.Targets,
	}
	if r.meter.Chunk == 0 {
		r.meter.Chunk = max(1, r.meter.full()/chunks)
	}
	if len(r.per) == 0 {
		r.meter.Subjects = 1
	}
	for _, n := range attributes {
		if v, ok := b.Principals[n]; ok {
			r.principals = append(r.principals, attribute{n, v})
		}
	}
	return r
}

// counts reports whether a request falls under the budget.
func (r *rule) counts(q *Request) bool {
	for i := range r.principals {
		if v, _ := q.Principal.Attribute(r.principals[i].name); v != r.principals[i].value {
			return false
		}
	}
	return (len(r.models) == 0 || slices.Contains(r.models, q.Model)) && r.serves(q.Target)
}

func (r *rule) serves(target string) bool {
	return len(r.targets) == 0 || slices.Contains(r.targets, target)
}

// need is the upper bound that a request has to reserve.
func (r *rule) need(q *Request) int64 {
	switch r.meter.Unit {
	case Tokens:
		return min(max(0, q.Tokens), most)
	case Money:
		return min(max(0, q.Money), most)
	}
	return min(max(1, q.Requests), most)
}

// roll brings the rule into the window of a time. A clock that goes back by
// less than a window does not bring an old window back.
func (r *rule) roll(now int64) {
	if r.meter.bucket() || now < r.end && now >= r.start-(r.end-r.start) {
		return
	}
	r.start, r.end = r.meter.Window.span(now)
}
