package pipeline

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/route"
)

// Filter state that the stages and the host's configuration share.
const (
	keyProperty    = "postern.key"
	targetProperty = "postern.t" // + 1…8: the cluster of each attempt
)

// retryMark is the response header that the host's retry policy looks for
// (retriable_headers). It never reaches a client.
const retryMark = "x-postern-retry"

// retriesHeader is the router's own, by which it is told how often to retry.
const retriesHeader = "x-envoy-max-retries"

// publish tells the host the plan, and how long an attempt may take in the
// router's own header. The route is chosen anew after that.
func (r *request) publish(s Stream) {
	s.SetHeader(Request, "x-envoy-upstream-rq-per-try-timeout-ms",
		strconv.FormatInt(r.perTry().Milliseconds(), 10))
	if r.traced {
		s.SetHeader(Request, "traceparent", string(r.span.Append(nil)))
	}
	r.front.way.lead(r, s)
}

var targetNames = func() (names [route.MaxPlan]string) {
	for i := range names {
		names[i] = targetProperty + strconv.Itoa(i+1)
	}
	return names
}()

// patch says what changes in bytes that keep their dialect.
func (r *request) patch(t *route.Target) *dialect.Patch {
	r.patched = dialect.Patch{Target: &t.Codec, Usage: r.front.way.counts()}
	if t.Codec.Model != r.facts.Model {
		r.patched.Model = r.facts.Model
	}
	return &r.patched
}
