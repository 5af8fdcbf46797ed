package audit

import (
	"time"

	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
)

// Record is the account of one request. Its zero value is a request of which
// nothing is known yet. What is empty is left out of the JSON.
type Record struct {
	Time      time.Time // when the request's headers were there
	RequestID string    // the host's
	StreamID  uint64    // of this VM
	End       End
	Status    int // sent to the client; 0 when the client got none
	Error     Failure

	Principal identity.Principal
	Dialect   string // the client's
	API       string // of the dialect: chat, responses, …
	Operation llm.Operation
	Model     string // a model of the configuration, or empty
	Asked     string // what the client wrote, when it is no model of the configuration
	Stream    bool

	Target        string // that served, or was tried last
	Provider      string
	System        string // the provider's gen_ai.provider.name
	UpstreamModel string
	Boundary      string

	Decision Decision
	Route    Route
	Excluded []Excluded
	Attempts []Attempt
	Losses   []Loss // of the translation to the target that served

	Finish llm.Finish // of the first of the answers asked for
	Usage  llm.Usage
	Cost   int64 // millionths of Currency
	// CostUnknown says that the target has no price.
	CostUnknown bool
	Currency    string
	Budgets     []Movement

	FirstToken time.Duration // until the first content left; 0 when none did
	Total      time.Duration
	BytesIn    int64 // of the client's body
	BytesOut   int64 // of the body that the client got
	Overflowed int   // stream events that were longer than the limit

	RequestDigest Sum
	AnswerDigest  Sum
	TraceID       string
	SpanID        string

	Config   string // version of the configuration
	Mode     string // native, paired, callout, observe
	Degraded []string

	enc encoder // here, so that encoding allocates nothing
}

// End is how a request ended.
type End uint8

// The ends of a request.
const (
	Unended       End = iota
	Complete          // the whole answer went to the client
	ClientAbort       // the client went away
	UpstreamReset     // the provider's stream broke
	LocalReply        // the gateway or its host answered
	Timeout
	Trap // the module panicked; the stream was answered
	ends
)

var endNames = [ends]string{"", "complete", "client_abort", "upstream_reset", "local_reply", "timeout", "trap"}

// String is the end's stable name; empty for Unended.
func (e End) String() string {
	if e < ends {
		return endNames[e]
	}
	return ""
}

// Failure is the error that the client got.
type Failure struct {
	Class  llm.Class
	Source llm.Source
	Code   string
	Policy string // the policy or budget that refused
}

// Fail notes an error; nil notes nothing.
func (r *Record) Fail(e *llm.Error) {
	if e != nil {
		r.Error = Failure{Class: e.Class, Source: e.Source, Code: e.Code, Policy: e.Policy}
	}
}

// Decision is what the policies said.
type Decision struct {
	Made     bool // false when the request failed before anything was decided
	Shadow   bool // nothing was enforced: it is what would have been decided
	Allowed  bool
	Policies []string // that determined it, or default-deny
	Reason   string
}

// Route is how the plan came about.
type Route struct {
	Task    string   // that the request was taken for
	Canary  string   // the target whose share it belongs to
	Obeyed  []string // the client's headers that changed the plan
	Ignored []string // those that no policy permitted
	Input   int64    // estimated tokens of the question
	Output  int64    // the most that the answer may have; 0: unbounded
	Cost    int64    // estimated, at the first target, in millionths
	Order   []string // the strategies, where there was something to order
	Plan    []Planned
	Repeat  int // how often the same request came before
}

// Planned is a target of the plan.
type Planned struct {
	Target string
	Scores []float64 // by each strategy; the less the better
	Shut   bool      // it is shut out: for when all others have failed
}

// Excluded is a target that was left out of the plan.
type Excluded struct {
	Target string
	Reason string
}

// Attempt is one try of one target.
type Attempt struct {
	Target string
	Status int       // the provider's; 0 when there was no answer
	Class  llm.Class // NoError when it served
	Took   time.Duration
}

// Loss is a field that a translation left out or weakened.
type Loss struct {
	Field string
	Fate  string
	Why   string
}

// Movement is what a request did to one budget. Amounts are in the budget's unit.
type Movement struct {
	Budget    string
	Unit      string
	Reserved  int64
	Settled   int64 // 0 before the reservation is settled
	Remaining int64 // as far as this VM knows; others may use it meanwhile
	Over      bool  // used more than the limit (soft) or more than was reserved
	Unmetered bool  // admitted although the store did not answer
}

// Reset empties the record and keeps the memory of its lists.
func (r *Record) Reset() {
	*r = Record{
		enc:      r.enc,
		Decision: Decision{Policies: r.Decision.Policies[:0]},
		Route:    Route{Order: r.Route.Order[:0], Plan: r.Route.Plan[:0]},
		Excluded: r.Excluded[:0], Attempts: r.Attempts[:0],
		Losses: r.Losses[:0], Budgets: r.Budgets[:0], Degraded: r.Degraded[:0],
	}
}
