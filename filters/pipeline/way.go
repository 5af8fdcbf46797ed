package pipeline

import (
	"strconv"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/watch"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Mode is how the module runs on a host.
type Mode string

// The modes.
const (
	// Native has a client stage that holds headers, and a provider stage in the
	// cluster, once per attempt.
	Native Mode = "native"
	// Paired has two filters of one chain: one holds the body, the other the
	// headers. Further targets are asked by callouts.
	Paired Mode = "paired"
	// Callouts is for a host that shows bodies and changes none: what must be
	// changed is asked by callouts and answered by a reply.
	Callouts Mode = "callout"
	// Observe changes nothing, next to a gateway that serves: see package watch.
	Observe Mode = watch.Mode
)

// Modes are all modes.
var Modes = []Mode{Native, Paired, Callouts, Observe}

// way is how a request's attempts reach their targets. It is the whole difference
// between the modes that serve; decisions, encodings, records and what clients
// see are the same for all.
type way interface {
	mode() Mode
	// keep prepares for attempts that cannot have the client's body from the host:
	// true when the body that leaves the client stage must be the first target's.
	keep(r *request, doc *jsonx.Document) (encode bool, e *llm.Error)
	// lead tells the host where the request goes.
	lead(r *request, s Stream)
	// forward lets the request go once all is said; it may answer instead.
	forward(c *clientStage) outcome
	// again sends the request to the plan's next target after p's attempt failed.
	again(p *providerStage) Action
	// refuse answers for an attempt that cannot be made.
	refuse(p *providerStage, e *llm.Error) Action
	// bare tells an error in place of an answer without a body.
	bare(p *providerStage, e *llm.Error) Action
	// patient reports whether the way itself bounds how long p's attempt takes.
	patient(p *providerStage) bool
	// counts reports whether a body may be changed for nothing but usage's sake.
	counts() bool
	// send makes the callout of an attempt.
	send(x *called, c Callout) error
}

// byHost is the native way: the host makes the attempts, and retries.
type byHost struct{}

func (byHost) mode() Mode { return Native }

func (byHost) keep(*request, *jsonx.Document) (bool, *llm.Error) { return false, nil }

// lead gives the host the cluster of each attempt in filter state, and how often
// to retry.
func (byHost) lead(r *request, s Stream) {
	s.SetProperty(keyProperty, r.key)
	for i, t := range r.plan.Targets {
		s.SetProperty(targetNames[i], t.Provider.Cluster)
	}
	s.SetHeader(Request, retriesHeader, strconv.Itoa(r.retries))
	s.ClearRouteCache()
}

func (byHost) forward(*clientStage) outcome { return proceed }

// again marks the answer, so that the host goes on. Should it not, the client
// stage tells the error.
func (byHost) again(p *providerStage) Action {
	p.attempt().marked = true
	p.s.SetHeader(Response, ":status", "503")
	p.s.SetHeader(Response, retryMark, "1")
	return p.let()
}

// refuse ends the attempt, and with it the failover. The body that the client
// gets is written by the client stage.
func (byHost) refuse(p *providerStage, e *llm.Error) Action {
	p.s.Reply(e.Status, plainHeaders(), nil, "postern_"+e.Code)
	return Pause
}

// bare leaves it to the client stage, whose headers can still become a reply.
func (byHost) bare(p *providerStage, _ *llm.Error) Action {
	p.attempt().marked = true
	return Continue
}

func (byHost) patient(*providerStage) bool { return false }

func (byHost) counts() bool { return true }

// send is never asked for: the host makes the attempts.
func (byHost) send(*called, Callout) error { return nil }
