package pipeline

import (
	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// decide finds the plan and makes the reservation. It is pure but for the
// reservation, and everything that can exclude a target is found here: a
// provider stage cannot refuse, because its answer would end the failover.
func (r *request) decide(doc *jsonx.Document) *llm.Error {
	if e := r.choose(); e != nil {
		return e
	}
	r.recognise(doc)
	if e := r.encodable(doc); e != nil {
		return e
	}
	if e := r.reserve(); e != nil {
		return e
	}
	r.shareless()
	if e := r.pass(); e != nil {
		return e
	}
	r.ration()
	return nil
}

// named is the model that serves the name the client gave, with what the star of
// its pattern stands for, or what passes the path on when it names none; nil when
// there is none.
func (r *request) named() (m *route.Model, star string) {
	if r.upgrade {
		return r.snap.routes.Realtime(r.dialect), ""
	}
	if r.unnamed() {
		return r.snap.routes.Passing(r.dialect), ""
	}
	return r.snap.routes.Find(r.facts.Model)
}

// unnamed reports whether the request is passed on without naming a model.
func (r *request) unnamed() bool {
	return r.facts.Model == "" && r.call.Operation == llm.Passthrough
}

// reserve sets aside what the request can cost at most, for every target that
// the plan may come to. A target that its own budget refuses leaves the plan;
// without any left the first refusal answers.
func (r *request) reserve() *llm.Error {
	q := budget.Request{Principal: &r.principal, Model: r.model.Name, Now: r.began}
	var refusal *llm.Error
	kept := r.plan.Targets[:0:len(r.plan.Targets)]
	for _, t := range r.plan.Targets {
		q.Target, q.Tokens, q.Money = t.Name, r.bound(t), r.most(t)
		if e := r.set(&q); e != nil {
			r.plan.Exclude(t, e.Code)
			if refusal == nil {
				refusal = e
			}
			continue
		}
		kept = append(kept, t)
	}
	if r.plan.Targets = kept; len(kept) == 0 {
		return refusal
	}
	return nil
}

func (r *request) set(q *budget.Request) (e *llm.Error) {
	if r.reservation != nil {
		return r.snap.budgets.Extend(r.reservation, q)
	}
	r.reservation, e = r.snap.budgets.Reserve(q)
	return e
}

// bound is the most tokens that the request can cost at a target.
func (r *request) bound(t *route.Target) int64 {
	in, out := r.bounds(t)
	return in + out
}

// most is the most money that it can cost there.
func (r *request) most(t *route.Target) int64 {
	p, _ := r.snap.prices.Of(t.Name)
	in, out := r.bounds(t)
	return int64(p.Most(in, out, r.items()))
}

// bounds are the most tokens in and out: text of n bytes is at most n tokens.
func (r *request) bounds(t *route.Target) (in, out int64) {
	limit := r.facts.MaxTokens
	if limit == 0 {
		limit = t.Codec.MaxTokens
	}
	return int64(r.facts.TextBytes), int64(limit) * int64(max(r.facts.Choices, 1))
}

// first makes the body that leaves the client stage. Where every target of the
// plan takes the same body but for its model's name, or there is only one
// target, or the way wants it so, that is the first target's: then bodies stop
// once, here. Else it is the client's own, and each attempt encodes. A nil body
// is the client's.
func (r *request) first(doc *jsonx.Document) ([]byte, *llm.Error) {
	first, e := r.front.way.keep(r, doc)
	if r.encoded = first || r.uniform(); e != nil || !r.encoded {
		return nil, e
	}
	return r.encode(r.plan.Targets[0], doc)
}

// uniform reports whether one encoding serves the whole plan.
func (r *request) uniform() bool {
	first := r.plan.Targets[0]
	for _, t := range r.plan.Targets[1:] {
		if !r.same(t) || !r.same(first) || t.Codec.Flavour != first.Codec.Flavour || t.Codec.MaxTokens != first.Codec.MaxTokens {
			return false
		}
	}
	return true
}

// serves is the API that a target is asked in, nil when it has none for this
// operation, and whether it is the client's own, so that bytes are kept.
func (r *request) serves(t *route.Target) (api *dialect.API, same bool) {
	return t.Provider.Dialect.Serves(r.api, &r.facts, &t.Codec)
}

// same reports whether client and target speak one API.
func (r *request) same(t *route.Target) bool {
	_, same := r.serves(t)
	return same
}

// encodable drops the targets that cannot take the request; an error when that
// leaves none.
func (r *request) encodable(doc *jsonx.Document) *llm.Error {
	if len(r.plan.Targets) == 1 {
		return nil // encoding it says so
	}
	var refusal *llm.Error
	kept := r.plan.Targets[:0:0]
	for _, t := range r.plan.Targets {
		if e := r.tryEncode(t, doc); e != nil {
			r.plan.Exclude(t, e.Code)
			refusal = e
			continue
		}
		kept = append(kept, t)
	}
	if r.plan.Targets = kept; len(kept) == 0 {
		return refusal
	}
	return nil
}

func (r *request) tryEncode(t *route.Target, doc *jsonx.Document) *llm.Error {
	if r.same(t) {
		return nil
	}
	_, e := r.encode(t, doc)
	return e
}

// encode writes the request's body for a target; nil when the bytes serve as
// they are.
func (r *request) encode(t *route.Target, doc *jsonx.Document) ([]byte, *llm.Error) {
	r.loss.Reset()
	api, same := r.serves(t)
	if same {
		edits := &r.m.edits
		edits.Reset()
		r.api.Same.Request(edits, &r.facts, doc, r.patch(t))
		if edits.Empty() {
			return nil, nil
		}
		return r.m.apply(doc.Body()), nil
	}
	req, e := r.api.Client.Decode(r.facts, doc)
	if e != nil {
		return nil, e
	}
	r.loss.Leftovers(req)
	body, e := api.Provider.Encode(r.m.out[:0], req, &t.Codec, &r.loss)
	body = r.m.wrote(body)
	if e == nil && r.model.OnLoss == route.RefuseLoss {
		e = lost(&r.loss)
	}
	return body, e
}
