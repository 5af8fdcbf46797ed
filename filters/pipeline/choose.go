package pipeline

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/fasthash"
	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/policy"
	"github.com/posterngw/postern/filters/retry"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// choose makes the plan.
func (r *request) choose() *llm.Error {
	ask := &r.m.ask
	*ask = route.Ask{Facts: &r.facts, Seed: r.m.random()}
	switch r.model, ask.Star = r.named(); {
	case r.model != nil:
	case r.unnamed():
		return clientError(404, "unknown_path", "this path is not passed on: no provider is configured for it")
	default:
		return noModel(r.facts.Model)
	}
	if e := r.locate(); e != nil {
		return e
	}
	if r.model.Sticks() {
		ask.Sticky = r.sticky()
	}
	if e := r.wishes(ask); e != nil {
		return e
	}
	if r.plan = r.model.Choose(ask, r); len(r.plan.Targets) == 0 {
		return r.unplanned()
	}
	return nil
}

// Judge asks whether a target has the request's operation, and the policies
// about it.
func (r *request) Judge(t *route.Target) string {
	if r.home != "" && t.Provider.Name != r.home {
		return elsewhere
	}
	if api, _ := r.serves(t); api == nil {
		return unsupportedOperation
	}
	d := r.snap.decide(r, actionOf(r.call.Operation), r.model, t)
	if d.Allowed {
		if !r.decision.Allowed {
			r.decision = d
		}
		return r.unlocked(t)
	}
	if r.decision.Reason == "" {
		r.decision = d
	}
	return d.Reason
}

// Look is how a target is.
func (r *request) Look(t *route.Target) health.Snapshot { return r.snap.health.Look(t.Index, r.began) }

// Cost is what so many tokens cost at a target.
func (r *request) Cost(t *route.Target, input, output int64) (int64, bool) {
	p, known := r.snap.prices.Of(t.Name)
	return int64(p.Cost(&llm.Usage{Input: input, Output: output}, r.items())), known
}

// sticky is equal for all requests that the model keeps together, in every VM.
func (r *request) sticky() uint64 {
	who := &r.principal
	switch name, header := strings.CutPrefix(r.model.Sticky, "header:"); {
	case header:
		if value := r.head.pairs.get(name); value != "" {
			return fasthash.String(1, value)
		}
		return 0
	case r.model.Sticky == "user" && r.facts.User != "":
		return fasthash.String(2, r.facts.User)
	case r.model.Sticky == "user":
		return r.asker(3)
	case r.facts.Opening == 0:
		return 0
	}
	return fasthash.String(r.asker(r.facts.Opening), who.User)
}

// endBytes is how much of each end of a body tells it apart, besides its length.
const endBytes = 4 << 10

// recognise notes a request that came before, which is an agent's own retry.
func (r *request) recognise(doc *jsonx.Document) {
	body, secret := doc.Body(), r.m.secret
	ends := min(len(body), endBytes)
	h := fasthash.Bytes(secret+uint64(len(body)), body[:ends])
	r.repeat = r.snap.repeats.Request(retry.Key{
		Conversation: fasthash.String(r.asker(secret+r.facts.Opening), r.model.Name),
		Body:         fasthash.Bytes(h, body[len(body)-ends:]),
	}, r.began)
}

// asker goes on with a hash over who asks.
func (r *request) asker(h uint64) uint64 {
	p := &r.principal
	for _, s := range [...]string{p.Organisation, p.Team, p.Application, p.User, p.Key} {
		h = fasthash.String(h, s)
	}
	return h
}

// The headers by which a client that may asks for a target, for a single
// attempt, or for the targets of a task.
const (
	routeHeader  = ownPrefix + "route"
	singleHeader = ownPrefix + "no-failover"
	taskHeader   = ownPrefix + "task"
)

// wishes takes in what the client asks of the routing, as far as a policy
// permits it; what none permits is ignored and noted.
func (r *request) wishes(ask *route.Ask) *llm.Error {
	if !r.head.own {
		return nil
	}
	wish := func(name string) string {
		value := limits.Cut(r.head.pairs.get(name), 128)
		switch {
		case value == "":
		case r.mayOverride():
			r.obeyed = append(r.obeyed, name)
			return value
		default:
			r.ignored = append(r.ignored, name)
		}
		return ""
	}
	ask.Pin, ask.Task, ask.Single = wish(routeHeader), wish(taskHeader), wish(singleHeader) != ""
	for _, t := range r.model.Targets {
		if ask.Pin == "" || ask.Pin == t.Name {
			return nil
		}
	}
	return unknownTarget(ask.Pin)
}

// mayOverride asks whether a policy lets the principal override the routing of
// the model, for any of its targets.
func (r *request) mayOverride() bool {
	for _, t := range r.model.Targets {
		if r.snap.decide(r, policy.Override, r.model, t).Allowed {
			return true
		}
	}
	return false
}

const unsupportedOperation = "unsupported_operation"

// unplanned says why there is no target for a request. What the policies
// refuse altogether is told first; then what may pass, as it may be tried again.
func (r *request) unplanned() *llm.Error {
	if !r.decision.Allowed && r.decision.Reason != "" {
		return r.decision.Refusal() // the first refusal speaks
	}
	if r.lock != nil {
		return r.lock
	}
	why := map[string]bool{}
	lacks := ""
	for _, x := range r.plan.Excluded {
		why[x.Reason] = true
		if what, ok := strings.CutPrefix(x.Reason, "cannot_"); ok {
			lacks = what
		}
	}
	switch {
	case why[route.ContextWindow]:
		e := clientError(400, "context_length_exceeded", "the request is longer than the window of every target of this model")
		e.Class, e.Source = llm.ContextLength, llm.FromPostern
		return e
	case lacks != "":
		return dialect.Unsupported("model", "no target of this model can take "+lacks)
	case why[route.NoName]:
		return noModel(r.facts.Model)
	case why[route.OtherTask]:
		return clientError(400, "unknown_task", "no target of this model is for this task")
	}
	return unserved(r.call.Operation)
}

func unknownTarget(name string) *llm.Error {
	e := clientError(400, "unknown_target", "this model has no target \""+name+"\"")
	e.Param = routeHeader
	return e
}
