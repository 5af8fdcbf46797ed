package pipeline

import (
	"time"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/policy"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/sha256"
	"github.com/posterngw/postern/filters/state"
	"github.com/posterngw/postern/filters/telemetry"
)

// phase is where a request stands.
type phase uint8

const (
	reading   phase = iota // its headers or body still come in
	gathering              // facts are being fetched; the host holds the request
	sent                   // handed to the router: attempts run
	answering              // committed: the client sees a provider's answer
	replied                // Postern answered it
	ended                  // settled; nothing more happens
)

// follows is the state machine: the phases that may come after each.
var follows = [...]uint8{
	reading:   1<<gathering | 1<<replied | 1<<ended,
	gathering: 1<<sent | 1<<replied | 1<<ended,
	sent:      1<<answering | 1<<replied | 1<<ended,
	answering: 1 << ended,
	replied:   1 << ended,
	ended:     0,
}

// request is the one state of one request. The client stage makes it, every
// attempt's provider stage finds it by its key. It holds no body.
type request struct {
	m     *Module
	snap  *Snapshot // the configuration it began with, to its end
	phase phase

	front  *clientStage
	head   *head  // of the client's request
	key    string // filter state postern.key
	number uint64 // the same, within this VM
	id     string // what errors call request_id
	method string
	// upgrade says that a WebSocket is asked for: neither side's body is ever read.
	upgrade bool
	began   time.Time
	span    telemetry.Traceparent
	traced  bool

	dialect   *dialect.Dialect // the client's, and which of its APIs
	api       *dialect.API
	call      dialect.Call
	facts     llm.Facts
	bytesIn   int
	bytesOut  int
	degraded  []string // features that work in a weaker way for it
	admitted  int      // bytes counted as in flight
	principal identity.Principal

	refs     state.Refs // what it refers to, by the marks of its ids
	unmarked bool       // marks were taken off its body
	home     string     // the one provider that it can go to; empty: any
	marks    bool       // the ids of its answer are marked

	model       *route.Model
	plan        route.Plan
	decision    policy.Decision
	reservation *budget.Reservation
	passes      []health.Pass // the right to try each target of the plan
	passRoom    [2]health.Pass
	obeyed      []string // the client's headers that changed the plan
	ignored     []string // those that would have, had a policy permitted it
	repeat      int      // how often the same request came before
	retries     int      // that the host may make at most
	// encoded says that the body which left the client stage is already the
	// one for every target of the plan, up to the target's model name.
	encoded bool
	digest  [sha256.Size]byte // of that body, if its credential covers it
	kept    []byte            // the client's body, for attempts that the host has none for
	ownKeys string            // keys for providers that the client brought
	lock    *llm.Error        // why the first target could not be authenticated that could not
	loss    dialect.Ledger    // of the last encoding

	attempts []attempt
	patched  dialect.Patch // of the attempt in hand, see patch
	answered bool          // an attempt's answer was let through to the client
	stream   *streamRelay  // of the answer, when it is streamed
	whole    int64         // tokens of the answer, estimated, when it is whole and nobody counted them
	usage    llm.Usage
	finish   llm.Finish // of the first answer that was asked for
	firstAt  time.Time  // of the first content
	lastAt   time.Time  // of the last piece of a stream that may not be silent
	err      *llm.Error
	status   int
	end      audit.End
	panicked bool
	asked    *audit.Digest // of the client's body
	told     *audit.Digest // of the body that the client gets
}

// attempt is one try of one target.
type attempt struct {
	target  *route.Target
	api     *dialect.API // that the target is asked in
	same    bool         // it is the client's: bytes are kept
	began   time.Time
	took    time.Duration
	status  int
	stage   *providerStage
	err     *llm.Error
	marked  bool // the client stage tells its error, unless the host goes to the next target
	bare    bool // its answer has no body, and none can be given to it
	reset   bool // it broke off
	left    bool // it ran when the request ended
	over    bool
	slot    int      // which of several keys it uses
	headers []string // names set on the request, to be undone by the next attempt
}

// advance moves to a phase; false when that may not follow.
func (r *request) advance(to phase) bool {
	if follows[r.phase]&(1<<to) == 0 {
		return false
	}
	r.phase = to
	return true
}

// current is the running attempt; nil before the first.
func (r *request) current() *attempt {
	if len(r.attempts) == 0 {
		return nil
	}
	return &r.attempts[len(r.attempts)-1]
}

// discard forgets what an answer told that does not count any more.
func (r *request) discard() {
	r.stream, r.usage, r.finish, r.firstAt = nil, llm.Usage{}, llm.NotFinished, time.Time{}
}

// target is the one that serves, or served last; nil when none was tried.
func (r *request) target() *route.Target {
	if a := r.current(); a != nil {
		return a.target
	}
	return nil
}

// canFailOver reports whether the plan has a target left
// and may come to it.
func (r *request) canFailOver(now time.Time) bool {
	return !r.answered && len(r.attempts) <= r.retries && !r.late(now) && r.snap.retries.Left(r.model.Index, now) > 0
}

// ration takes the model's budget of retries for how many there may be.
func (r *request) ration() {
	budgets, model := r.snap.retries, r.model.Index
	budgets.Request(model, r.began)
	r.retries = len(r.plan.Targets) - 1
	if r.retries > 0 {
		r.retries = min(r.retries, budgets.Left(model, r.began))
	}
}

// admit counts n bytes as in flight for this request in total; false when the
// VM's bound would be passed.
func (r *request) admit(n int) bool {
	more := n - r.admitted
	if more <= 0 {
		return true
	}
	if r.m.inFlight+more > r.snap.limits.InFlight {
		return false
	}
	r.m.inFlight += more
	r.admitted = n
	return true
}

// release gives the counted bytes back.
func (r *request) release() {
	r.m.inFlight -= r.admitted
	r.admitted, r.kept = 0, nil
}

// degrade notes that a feature works in a weaker way for this request.
func (r *request) degrade(feature string) { r.degraded = append(r.degraded, feature) }
