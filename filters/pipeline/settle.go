package pipeline

import (
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// settle ends a request: what it reserved, what it counted, what is told of
// it. Once, whatever ended it.
func (r *request) settle(now time.Time) {
	if !r.advance(ended) {
		return
	}
	r.release()
	delete(r.m.live, r.key)
	r.endAttempt(now, llm.ProviderError, "unfinished")
	r.account()
	if r.reservation != nil {
		r.free(now)
	}
}

// free settles the reservation with what was used. What no provider saw costs
// nothing.
func (r *request) free(now time.Time) {
	if t := r.target(); t != nil {
		r.reservation.Settle(t.Name, r.usage.Total(), now)
		return
	}
	r.reservation.Cancel(now)
}

// bytesPerToken estimates tokens where nobody counted them.
const bytesPerToken = 4

// account fills in what the provider did not report of an answer that the
// client saw: the tokens that were seen.
func (r *request) account() {
	if !r.answered || r.err != nil && r.usage.Total() == 0 && r.stream == nil {
		return
	}
	r.usage.Partial = r.stream != nil && !r.stream.over
	if r.usage.Known && !r.usage.Partial {
		return
	}
	var seen int64
	if r.stream != nil {
		seen = r.stream.seen()
	}
	if !r.usage.Known || r.usage.OutputTotal() < seen {
		r.usage.Estimated = true
		r.usage.Output = max(r.usage.Output, seen-r.usage.Reasoning-r.usage.OutputAudio)
	}
	if r.usage.InputTotal() == 0 {
		r.usage.Input = int64(r.facts.TextBytes+bytesPerToken-1) / bytesPerToken
	}
}

// content notes when the first content was seen.
func (r *request) content(now time.Time) {
	if r.firstAt.IsZero() {
		r.firstAt = now
	}
}

// interrupted reports whether the provider's side ended first.
func (r *request) interrupted() bool {
	a := r.current()
	return a != nil && a.over && (r.stream == nil || !r.stream.over)
}
