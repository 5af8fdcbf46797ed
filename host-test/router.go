package hosttest

import (
	"strconv"
	"time"
)

// router is the terminal filter of the downstream chain: it chooses the cluster, runs attempts and
// hands back what they answer (Envoy: source/common/router/router.cc).
type router struct {
	s       *Stream
	route   *Route
	cluster string

	headers   *Headers // the request as it left the chain; attempts change it in place
	body      []byte   // what left the chain, kept for retries
	keepBody  bool
	trailers  *Headers
	ended     bool // the request is complete
	endedAt   time.Time
	retry     *retryState
	attempts  []*Attempt
	current   *Attempt
	perTry    time.Duration
	global    time.Duration
	deadline  Timer
	backoff   Timer
	started   bool          // a response has begun
	detached  bool          // a local reply took over
	stale     bool          // the route is to be chosen anew
	latency   time.Duration // of the answer's headers
	destroyed bool
}

// chooseRoute finds the route and, as Envoy's cluster specifiers do, the cluster with it. It runs
// when the request arrives and again after clear_route_cache, when the router needs it.
func (r *router) chooseRoute() {
	r.route, r.cluster = nil, ""
	h := r.s.requestHeaders
	if routable := r.s.host.profile.rules.routable; routable == nil || routable(h) {
		r.route = r.s.host.route(h)
	}
	if r.route != nil {
		r.cluster = r.route.cluster(r.s.state, r.s.requestHeaders, 1)
	}
}

func (r *router) clearRoute() {
	r.stale = r.headers == nil
}

// bufferLimit is what filters may hold of a body: a route can only raise it.
func (r *router) bufferLimit() int {
	limit := r.s.host.cfg.BufferLimit
	switch {
	case limit == 0 && r.s.protocol == "HTTP/2":
		limit = bufferLimitHTTP2
	case limit == 0:
		limit = bufferLimitHTTP1
	}
	if r.route != nil {
		limit = max(limit, r.route.BufferLimit)
	}
	return limit
}

// retryLimit is what the router keeps of a request's body.
func (r *router) retryLimit() int {
	if r.route.BufferLimit > 0 {
		return r.route.BufferLimit
	}
	return r.bufferLimit()
}

func (r *router) sinkHeaders(h *Headers, eos bool) {
	if r.headers != nil {
		// A filter that continued in its own callback and returned Continue as well: Envoy sends the
		// request twice.
		r.s.host.misused("request headers passed twice: continue_stream in a callback that also continues")
		return
	}
	if r.detached {
		return
	}
	if r.stale || r.s.host.cfg.Profile.rules.routeLast {
		r.chooseRoute()
	}
	if r.route == nil {
		r.s.localReply(localReply{status: 404, details: "route_not_found", flag: "NR"})
		return
	}
	if !r.s.host.knowsCluster(r.cluster) {
		r.s.localReply(localReply{status: 503, details: "cluster_not_found", flag: "NC"})
		return
	}
	r.headers = h
	plain := r.s.host.profile.rules.plainRouter
	if !h.Has(":scheme") {
		h.Add(":scheme", "http") // Envoy: setUpstreamScheme
	}
	if plain {
		r.global = r.route.timeout()
	} else {
		r.timeouts()
	}
	r.retry = newRetryState(r.route.Retry, h)
	r.keepBody = r.retry.enabled()
	if r.route.IncludeAttemptCount {
		h.put("x-envoy-attempt-count", "1")
	}
	r.attempt(eos)
	if eos {
		r.complete()
	}
}

func (r *router) sinkData(d *buffer, eos bool) {
	b := d.take()
	if r.detached || r.ended || r.headers == nil {
		return
	}
	if r.keepBody && len(r.body)+len(b) > r.retryLimit() {
		// Too large to send again: give up retrying (Envoy: retry_or_shadow_abandoned).
		r.keepBody, r.body, r.retry = false, nil, nil
		if r.current == nil {
			r.s.localReply(localReply{status: 507, body: []byte("exceeded request buffer limit while retrying upstream"), details: "request_payload_exceeded_retry_buffer_limit"})
			return
		}
	}
	if r.keepBody {
		r.body = append(r.body, b...)
	}
	if a := r.current; a != nil {
		a.chain.dec.feedData(&buffer{b: b}, eos)
	}
	if eos {
		r.complete()
	}
}

func (r *router) sinkTrailers(t *Headers) {
	if r.detached || r.ended || r.headers == nil {
		return
	}
	r.trailers = t
	if a := r.current; a != nil {
		a.chain.dec.feedTrailers(t)
	}
	r.complete()
}

// complete is the end of the request: the timeouts count from here.
func (r *router) complete() {
	r.ended, r.endedAt = true, r.s.host.clock.Now()
	if r.destroyed || r.detached {
		return
	}
	if r.global > 0 {
		r.deadline = r.s.worker.after(r.global, r.onTimeout)
	}
	if a := r.current; a != nil {
		a.armPerTry()
	}
}

// timeouts reads the deadlines of route and request headers, which it consumes
// (FilterUtility::finalTimeout).
func (r *router) timeouts() {
	r.global = r.route.timeout()
	if r.route.Retry != nil {
		r.perTry = r.route.Retry.PerTryTimeout
	}
	if ms, ok := takeMillis(r.headers, "x-envoy-upstream-rq-timeout-ms"); ok {
		r.global = ms
	}
	if ms, ok := takeMillis(r.headers, "x-envoy-upstream-rq-per-try-timeout-ms"); ok {
		r.perTry = ms
	}
	if r.global > 0 && r.perTry >= r.global {
		r.perTry = 0
	}
	r.expect()
}

// expect tells the provider how long it has: the time per try, at most what is left of the route's
// (FilterUtility::setTimeoutHeaders).
func (r *router) expect() {
	expected := r.perTry
	if r.global > 0 {
		left := r.global
		if r.ended {
			left = max(left-r.s.host.clock.Now().Sub(r.endedAt), time.Millisecond)
		}
		if expected == 0 || left < expected {
			expected = left
		}
	}
	if expected > 0 {
		r.headers.put("x-envoy-expected-rq-timeout-ms", strconv.FormatInt(expected.Milliseconds(), 10))
	}
}

func takeMillis(h *Headers, name string) (time.Duration, bool) {
	v, ok := h.Lookup(name)
	h.Remove(name)
	ms, err := strconv.ParseUint(v, 10, 31)
	if !ok || err != nil {
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, true
}

// attempt sends the request to the chosen cluster.
func (r *router) attempt(headersOnly bool) {
	a := &Attempt{router: r, stream: r.s, Number: len(r.attempts) + 1, Cluster: r.cluster}
	r.attempts = append(r.attempts, a)
	r.current = a
	a.run(headersOnly)
}

// resend begins the next attempt: with refresh the cluster is chosen anew, while the attempt header
// still shows the previous attempt (HOSTS.md).
func (r *router) resend() {
	r.backoff = nil
	if r.route.RefreshClusterOnRetry {
		r.cluster = r.route.cluster(r.s.state, r.headers, len(r.attempts)+1)
	}
	if !r.s.host.knowsCluster(r.cluster) {
		r.s.localReply(replyNoHealthyUpstream())
		return
	}
	if r.route.IncludeAttemptCount {
		r.headers.put("x-envoy-attempt-count", strconv.Itoa(len(r.attempts)+1))
	}
	r.expect()
	r.attempt(r.ended && len(r.body) == 0 && r.trailers == nil)
	a := r.current
	if a == nil || a.finished {
		return
	}
	if len(r.body) > 0 {
		a.chain.dec.feedData(&buffer{b: r.body[:len(r.body):len(r.body)]}, r.ended && r.trailers == nil)
	}
	if r.trailers != nil {
		a.chain.dec.feedTrailers(r.trailers)
	}
	if r.ended {
		a.armPerTry()
	}
}

// tryAgain drops the attempt and arms the next one, if the policy allows it.
func (r *router) tryAgain(a *Attempt, would bool) bool {
	if r.started || r.detached || r.retry == nil {
		return false
	}
	if would && r.retry.left == 0 {
		r.s.flag("URX")
	}
	if !r.retry.take(would) {
		return false
	}
	a.finish()
	r.current = nil
	r.backoff = r.s.worker.after(r.route.Retry.backoff(), r.resend)
	return true
}

func (r *router) onTimeout() {
	if r.destroyed || r.detached {
		return
	}
	a := r.current
	if a != nil {
		a.cancel("response timeout")
	}
	r.stopTimers()
	r.finishAttempts()
	r.s.localReply(replyTimeout("response_timeout"))
}

func (r *router) onPerTryTimeout(a *Attempt) {
	// Once the response has begun, only the route's timeout counts.
	if r.started || r.current != a || r.detached {
		return
	}
	a.cancel("per try timeout")
	if r.tryAgain(a, r.retry.onReset(LocalReset, true)) {
		return
	}
	r.finishAttempts()
	r.s.localReply(replyTimeout("upstream_per_try_timeout"))
}

// onReset is an attempt that broke.
func (r *router) onReset(a *Attempt, reason ResetReason) {
	if r.current != a || r.destroyed {
		return
	}
	if !r.detached && r.tryAgain(a, r.retry.onReset(reason, a.sent)) {
		return
	}
	a.finish()
	r.current = nil
	if r.detached {
		return
	}
	r.stopTimers()
	r.s.localReply(replyUpstreamReset(reason, r.started, len(r.attempts) > 1))
}

func (r *router) onHeaders(a *Attempt, h *Headers, eos bool) {
	if r.current != a || r.destroyed || r.detached {
		return
	}
	if r.tryAgain(a, r.retry.onHeaders(h)) {
		a.cancel("retried")
		return
	}
	r.started = true
	r.latency = max(r.s.host.clock.Now().Sub(a.begun), 1)
	if r.ended && !r.s.host.profile.rules.plainRouter {
		h.put("x-envoy-upstream-service-time", strconv.FormatInt(r.latency.Milliseconds(), 10))
	}
	r.s.responseHeaders = h
	r.s.code, _ = strconv.Atoi(h.Get(":status"))
	if eos {
		r.end(a)
	}
	r.s.chain.enc.feedHeaders(h, eos)
}

func (r *router) onData(a *Attempt, d *buffer, eos bool) {
	if a.router.current != a || r.destroyed || r.detached {
		return
	}
	if eos {
		r.end(a)
	}
	r.s.chain.enc.feedData(d, eos)
}

func (r *router) onTrailers(a *Attempt, t *Headers) {
	if r.current != a || r.destroyed || r.detached {
		return
	}
	r.s.responseTrailers = t
	r.end(a)
	r.s.chain.enc.feedTrailers(t)
}

// end closes a complete attempt: its filters are deleted before the last frame goes downstream
// (Envoy: onUpstreamComplete, then encodeData).
func (r *router) end(a *Attempt) {
	r.stopTimers()
	a.finish()
	if !r.ended {
		a.cancel("response complete")
	}
	r.current = nil
}

// onLocalReply gives up the attempts, before the reply goes anywhere (Router::onLocalReply).
func (r *router) onLocalReply() {
	r.detached = true
	r.stopTimers()
	if a := r.current; a != nil {
		a.cancel("local reply")
		r.finishAttempts()
	}
}

func (r *router) stopTimers() {
	for _, t := range []*Timer{&r.deadline, &r.backoff} {
		if *t != nil {
			(*t).Stop()
			*t = nil
		}
	}
}

func (r *router) finishAttempts() {
	if a := r.current; a != nil {
		a.finish()
		r.current = nil
	}
}

func (r *router) destroy() {
	r.destroyed = true
	r.stopTimers()
	if a := r.current; a != nil {
		a.cancel("stream ended")
		r.finishAttempts()
	}
}
