package hosttest

import (
	"strconv"
	"strings"
	"time"
)

// RetryPolicy is a route's retry policy (config.route.v3.RetryPolicy).
type RetryPolicy struct {
	// On are retry_on names: 5xx, gateway-error, connect-failure, refused-stream, reset,
	// reset-before-request, retriable-4xx, retriable-headers, retriable-status-codes.
	On []string
	// NumRetries is the number of attempts after the first; 0 means 1, as in Envoy. A filter
	// overrides it with x-envoy-max-retries.
	NumRetries        int
	RetriableHeaders  []string // response header names; presence matches
	RetriableStatuses []int
	// PerTryTimeout counts from the end of the request; 0 is none.
	PerTryTimeout time.Duration
	// Backoff is the wait before each further attempt; 0 is 12 ms, the median that Envoy's
	// default added (HOSTS.md). It does not grow and has no jitter, so that tests are exact.
	Backoff time.Duration
}

func (p *RetryPolicy) backoff() time.Duration {
	if p == nil || p.Backoff <= 0 {
		return 12 * time.Millisecond
	}
	return p.Backoff
}

// retryState is what is left of the policy for one request (RetryStateImpl).
type retryState struct {
	policy *RetryPolicy
	on     map[string]bool
	left   int
}

// newRetryState reads and removes the router's own request headers; nil when nothing is retried.
func newRetryState(p *RetryPolicy, h *Headers) *retryState {
	on := map[string]bool{}
	if p != nil {
		for _, n := range p.On {
			on[n] = true
		}
	}
	for _, n := range strings.Split(h.Get("x-envoy-retry-on"), ",") {
		if n = strings.TrimSpace(n); n != "" {
			on[n] = true
		}
	}
	r := &retryState{policy: p, on: on, left: 1}
	if p == nil {
		r.policy = &RetryPolicy{}
	} else if p.NumRetries > 0 {
		r.left = p.NumRetries
	}
	if n, err := strconv.ParseUint(h.Get("x-envoy-max-retries"), 10, 31); err == nil {
		r.left = int(n)
	}
	for _, name := range []string{"x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-hedge-on-per-try-timeout", "x-envoy-retriable-header-names", "x-envoy-retriable-status-codes"} {
		h.Remove(name)
	}
	if len(on) == 0 {
		return nil
	}
	return r
}

func (r *retryState) enabled() bool { return r != nil }

// take spends one retry if one is wanted and left.
func (r *retryState) take(would bool) bool {
	if r == nil || !would || r.left == 0 {
		return false
	}
	r.left--
	return true
}

// onHeaders says whether an answer of this kind is retried (wouldRetryFromHeaders).
func (r *retryState) onHeaders(h *Headers) bool {
	if r == nil {
		return false
	}
	status, _ := strconv.Atoi(h.Get(":status"))
	switch {
	case h.Has("x-envoy-ratelimited"):
		return r.on["envoy-ratelimited"]
	case r.on["5xx"] && status >= 500 && status < 600:
		return true
	case r.on["gateway-error"] && status >= 502 && status <= 504:
		return true
	case r.on["retriable-4xx"] && status == 409:
		return true
	}
	return r.onListed(h, status)
}

func (r *retryState) onListed(h *Headers, status int) bool {
	if r.on["retriable-status-codes"] {
		for _, s := range r.policy.RetriableStatuses {
			if s == status {
				return true
			}
		}
	}
	if r.on["retriable-headers"] {
		for _, name := range r.policy.RetriableHeaders {
			if h.Has(name) {
				return true
			}
		}
	}
	return false
}

// onReset says whether a break of this kind is retried (wouldRetryFromReset).
func (r *retryState) onReset(reason ResetReason, requestSent bool) bool {
	if r == nil || reason == UpstreamOverloaded {
		return false
	}
	connect := reason == ConnectFailure || reason == LocalConnectFail || reason == ConnectTimeout
	switch {
	case r.on["5xx"], r.on["gateway-error"], r.on["reset"]:
		return true
	case r.on["connect-failure"] && connect:
		return true
	case r.on["refused-stream"] && reason == RefusedStream:
		return true
	}
	return r.on["reset-before-request"] && (!requestSent || connect)
}
