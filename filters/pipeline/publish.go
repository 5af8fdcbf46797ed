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

// publish tells the host the plan: the cluster of each attempt in filter state,
// how often to retry and how long an attempt may take in the router's own
// headers. The route is chosen anew after that.
func (r *request) publish(s Stream) {
	s.SetProperty(keyProperty, r.key)
	for i, t := range r.plan.Targets {
		s.SetProperty(targetNames[i], t.Provider.Cluster)
	}
	s.SetHeader(Request, "x-envoy-max-retries", strconv.Itoa(r.retries))
	s.SetHeader(Request, "x-envoy-upstream-rq-per-try-timeout-ms",
		strconv.FormatInt(r.perTry().Milliseconds(), 10))
	if r.traced {
		s.SetHeader(Request, "traceparent", string(r.span.Append(nil)))
	}
	s.ClearRouteCache()
}

var targetNames = func() (names [route.MaxPlan]string) {
	for i := range names {
		names[i] = targetProperty + strconv.Itoa(i+1)
	}
	return names
}()

// patch says what changes in bytes that keep their dialect.
func (r *request) patch(t *route.Target) *dialect.Patch {
	r.patched = dialect.Patch{Target: &t.Codec, Usage: true}
	if t.Codec.Model != r.facts.Model {
		r.patched.Model = r.facts.Model
	}
	return &r.patched
}
