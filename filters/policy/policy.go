package policy

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
)

// The actions: asking a model, asking it for vectors, and saying which of its
// targets is to serve. The last needs a policy that permits it.
const (
	Invoke   = "invoke"
	Embed    = "embed"
	Override = "override_route"
)

// The reasons of denials that are not a policy's id.
const (
	DefaultDeny = "default-deny"
	KillModel   = killPrefix + "model"
	KillTarget  = killPrefix + "target"
	KillKey     = killPrefix + "key"
	killPrefix  = "kill:"
)

// Request is what is to be decided: may the principal have this action done by
// this target? Empty texts are absent. The decision's table keeps the texts.
type Request struct {
	Principal   *identity.Principal // nil is somebody without any attribute
	Action      string
	Model       string // the name that the client asked for
	Target      string
	Provider    string
	Boundary    string // "internal", "external"
	Region      string
	Environment string // of the gateway
	Stream      bool
	Tokens      int64 // estimated
}

// Decision is the answer to a Request. Its lists are shared: read them only.
type Decision struct {
	Allowed bool
	// Policies are the ids of those that determined it, in the order of the
	// configuration: what permits, or what forbids; none by default.
	Policies []string
	// Reason of a denial: the first forbidding policy's id, DefaultDeny, or
	// one of KillModel, KillTarget, KillKey.
	Reason string
	// Faults are the policies that could not be evaluated, each with Cedar's
	// error, for operators. It may quote attributes of the request.
	Faults []string
}

// Set holds the policies of one configuration and remembers decisions. Like the
// rest of a VM it is not safe for concurrent use.
type Set struct {
	policies policies
	order    map[cedar.PolicyID]int // of policies
	models   map[string]struct{}
	targets  map[string]struct{}
	keys     map[string]struct{}
	tokens   tokenReads
	memory
}

// policies are all policies in the order of the configuration.
type policies []named

type named struct {
	id string
	*compiled
}

// All implements cedar.PolicyIterator.
func (ps policies) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for i := range ps {
			if !yield(cedar.PolicyID(ps[i].id), ps[i].policy) {
				return
			}
		}
	}
}

// New builds the set of a decoded configuration.
func New(c *Config) (*Set, error) {
	s := &Set{
		order:   make(map[cedar.PolicyID]int, len(c.Policies)),
		models:  set(c.Kill.Models),
		targets: set(c.Kill.Targets),
		keys:    set(c.Kill.Keys),
		memory:  newMemory(),
	}
	for i := range c.Policies {
		p := &c.Policies[i]
		one := p.Value.compiled
		if one == nil {
			var err error
			if one, err = compile(p.Value.Cedar); err != nil {
				return nil, errors.New("policy " + p.Name + ": " + err.Error())
			}
		}
		s.order[cedar.PolicyID(p.Name)] = i
		s.policies = append(s.policies, named{p.Name, one})
		s.tokens.add(one.tokens)
	}
	s.tokens.finish()
	return s, nil
}

func set(names []string) map[string]struct{} {
	m := make(map[string]struct{}, len(names))
	for _, n := range names {
		m[n] = struct{}{}
	}
	return m
}

var nobody = &identity.Principal{}

// Decide answers a request, from memory if it can.
func (s *Set) Decide(r Request) Decision {
	if r.Principal == nil {
		r.Principal = nobody
	}
	if reason := s.killed(&r); reason != "" {
		return Decision{Reason: reason}
	}
	if len(s.policies) == 0 {
		return Decision{Allowed: r.Action != Override}
	}
	k := key{
		principal: *r.Principal,
		action:    r.Action,
		target:    targetKey{r.Target, r.Model, r.Provider, r.Boundary, r.Region},
		context:   contextKey{r.Environment, r.Stream, s.tokens.bucket(r.Tokens)},
	}
	return s.decisions.get(&k, func() Decision { return s.evaluate(&k, r.Tokens) })
}

// killed names what holds for every target first: a refusal tells the first reason.
func (s *Set) killed(r *Request) string {
	if _, dead := s.models[r.Model]; dead {
		return KillModel
	}
	if _, dead := s.keys[r.Principal.Key]; dead && r.Principal.Key != "" {
		return KillKey
	}
	if _, dead := s.targets[r.Target]; dead {
		return KillTarget
	}
	return ""
}

// evaluate asks Cedar. Cedar leaves out what cannot be evaluated, so a forbid
// among that is added: it fails closed.
func (s *Set) evaluate(k *key, tokens int64) Decision {
	w := world{
		principal: s.principals.get(k.principal, func() cedar.Entity { return principalEntity(&k.principal) }),
		resource:  s.resources.get(k.target, func() resource { return newResource(&k.target) }),
	}
	verdict, why := cedar.Authorize(s.policies, &w, cedar.Request{
		Principal: w.principal.UID,
		Action:    uid(actionType, k.action),
		Resource:  w.target.UID,
		Context:   s.contexts.get(k.context, func() cedar.Record { return newContext(&k.context, tokens) }),
	})
	d := Decision{Allowed: verdict == cedar.Allow}
	var broken []int
	for _, e := range why.Errors {
		d.Faults = append(d.Faults, string(e.PolicyID)+": "+e.Message)
		if i := s.order[e.PolicyID]; s.policies[i].policy.Effect() == cedar.Forbid {
			broken = append(broken, i)
		}
	}
	s.conclude(&d, why.Reasons, broken)
	return d
}

// conclude names the policies that determined a decision.
func (s *Set) conclude(d *Decision, reasons []cedar.DiagnosticReason, broken []int) {
	determining := broken
	if len(broken) == 0 || !d.Allowed {
		for _, reason := range reasons {
			determining = append(determining, s.order[reason.PolicyID])
		}
	}
	slices.Sort(determining)
	d.Allowed = d.Allowed && len(broken) == 0
	for _, i := range determining {
		d.Policies = append(d.Policies, s.policies[i].id)
	}
	switch {
	case d.Allowed:
	case len(d.Policies) > 0:
		d.Reason = d.Policies[0]
	default:
		d.Reason = DefaultDeny
	}
}

// Refusal is a denial as an error for the client: it names the policy, never
// its text. Nil if the decision allows.
func (d *Decision) Refusal() *llm.Error {
	if d.Allowed {
		return nil
	}
	e := &llm.Error{Class: llm.PolicyError, Source: llm.FromPostern, Status: 403, Code: "policy_denied",
		Policy: d.Reason, Cause: strings.Join(d.Faults, "; ")}
	switch what, killed := strings.CutPrefix(d.Reason, killPrefix); {
	case killed:
		e.Code, e.Message = "killed", "This "+what+" is switched off."
	case d.Reason == DefaultDeny:
		e.Message = "No policy permits this request."
	default:
		e.Message = "Policy " + d.Reason + " forbids this request."
	}
	return e
}
