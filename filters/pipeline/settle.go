package pipeline

import (
	"time"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/price"
	"github.com/posterngw/postern/filters/route"
)

// settle ends a request: what it reserved, what it counted, what is told of
// it. Once, whatever ended it.
func (r *request) settle(now time.Time) {
	if !r.advance(ended) {
		return
	}
	r.release()
	delete(r.m.live, r.key)
	if a := r.current(); a != nil {
		a.left = !a.over
	}
	r.endAttempt(now, "unfinished")
	for i := range r.passes {
		r.snap.health.Release(&r.passes[i], now)
	}
	r.account()
	if r.reservation != nil {
		r.free(now)
	}
}

// free settles the reservation with what was used. What no provider saw costs
// nothing.
func (r *request) free(now time.Time) {
	if t := r.target(); t != nil {
		cost, _ := r.cost(t)
		r.reservation.Settle(t.Name, budget.Use{Tokens: r.usage.Total(), Money: cost}, now)
		return
	}
	r.reservation.Cancel(now)
}

// account fills in what the provider did not report: of an answer that the
// client saw, the tokens that went by; of a request whose client left while a
// provider worked on it, those that the provider has read. What was reported is
// never made less.
func (r *request) account() {
	seen, partial := r.seen()
	switch {
	case r.call.Operation == llm.Passthrough:
		return // what the answer did not tell is not known
	case !r.answered && !r.abandoned(), r.answered && r.err != nil && r.stream == nil:
		return // no provider's answer
	case r.usage.Known && !partial:
		r.learn()
		return
	}
	r.usage.Partial = partial
	r.m.factor(r.target()).Fill(&r.usage, seen, r.facts.TextBytes)
}

// cost is what the usage costs at the target that served or was tried last, in
// millionths of the currency; unknown of a target without a price.
func (r *request) cost(t *route.Target) (micros int64, unknown bool) {
	u := &r.usage
	if !u.Known && !u.Estimated {
		return 0, false // no provider did anything
	}
	p, ok := r.snap.prices.Of(t.Name)
	return int64(p.Cost(u, r.items())), !ok
}

// items is what a request is that is paid by the piece.
func (r *request) items() price.Items {
	return price.Items{Requests: 1, Images: int64(r.facts.Images)}
}

// learn compares what a target counted with what would have been estimated. An
// image is not among the bytes of text.
func (r *request) learn() {
	if r.facts.Images == 0 {
		r.m.factor(r.target()).Learn(r.usage.InputTotal(), estimate.Bytes(r.facts.TextBytes))
	}
}

// factor is what this VM learned of how a target counts.
func (m *Module) factor(t *route.Target) *estimate.Factor {
	if t == nil {
		return nil
	}
	return m.factors.Of(t.Name)
}

// seen estimates the output tokens that went by, and tells whether the answer
// did not come to its end.
func (r *request) seen() (tokens int64, partial bool) {
	switch {
	case r.stream != nil:
		return r.stream.seen(), !r.stream.over
	case r.answered:
		return r.whole, false
	}
	return 0, true
}

// abandoned reports whether the client left while an attempt was running.
func (r *request) abandoned() bool {
	a := r.current()
	return r.end == audit.ClientAbort && a != nil && a.left
}

// content notes when the first content was seen.
func (r *request) content(now time.Time) {
	if r.firstAt.IsZero() {
		r.firstAt = now
	}
}

// finished reports whether the client was sent a stream up to its end marker:
// official clients hang up then, without waiting for the end of the message.
func (r *request) finished() bool {
	return r.answered && r.stream != nil && r.stream.over && r.stream.failure == nil
}

// interrupted reports whether the provider broke an answer off that the client
// had begun to see.
func (r *request) interrupted() bool {
	a := r.current()
	return r.answered && a != nil && a.reset
}
