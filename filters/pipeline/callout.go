package pipeline

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// In callout mode the host shows bodies and changes none. A request whose bytes
// serve as they are goes its own way and its answer is watched; every other one is
// asked by callouts, and answered by a reply.

// Variables of the host that callout mode sets. The first must be declared for
// requests to pass; the renderer declares all.
const (
	// TargetVariable names the cluster that a request passes to.
	TargetVariable = "postern_cluster"
	// AuditVariable is the audit record, for the access log.
	AuditVariable = "postern_audit"
)

// LogVariables are what access logs show of a request: which model served it and
// what it used. Those without our name are APISIX's own, and its plugin prometheus
// counts tokens by them.
var LogVariables = []string{AuditVariable, "postern_mode", "postern_degraded", "request_type", "request_llm_model", "llm_model", "llm_stream",
	"llm_prompt_tokens", "llm_completion_tokens", "llm_total_tokens", "llm_cache_read_input_tokens", "llm_reasoning_tokens",
	"llm_time_to_first_token", "apisix_upstream_response_time"}

// byCallout is the way of one request in callout mode, and its stage.
type byCallout struct {
	plugin *plugin
	m      *Module
	s      *shownStream
	c      *clientStage
	asking bool // attempts are callouts
	seen   *watched
}

func (p *plugin) newCallout(s Stream) *byCallout {
	w := &byCallout{plugin: p, m: p.m, s: &shownStream{Stream: s}}
	w.c = &clientStage{s: w.s, m: p.m, snap: p.snap, way: w}
	return w
}

// RequestHeaders asks for the body where one may follow: the host itself does not
// say whether it does.
func (w *byCallout) RequestHeaders(bool) Action {
	w.plugin.between()
	w.look()
	_, length := w.s.Header(Request, "content-length")
	_, coded := w.s.Header(Request, "transfer-encoding")
	method, _ := w.s.Header(Request, ":method")
	end := !length && !coded && method != "POST"
	a := w.c.RequestHeaders(end)
	if w.c.r.phase == reading {
		w.s.SetProperty("wasm_process_req_body", "1")
		if err := w.s.Err(); err != nil {
			w.c.fail(hostError(err))
			return w.settled(a)
		}
		return Continue
	}
	return w.settled(a)
}

// look finds out, once, whether this is a host as the mode is for: with variables
// that must be declared. On another the headers would leave before the body is seen.
func (w *byCallout) look() {
	if w.m.host.found[declared] == untried {
		w.s.Stream.SetProperty(undeclared, "1")
		w.m.learn(declared, w.s.Stream.Err() != nil)
	}
}

// undeclared is a variable that no configuration declares.
const undeclared = "postern_undeclared"

// RequestBody has the whole body.
func (w *byCallout) RequestBody(size int, _ bool) Action {
	w.bodies(size)
	if r := w.c.r; size == 0 && w.c.head.length < 0 && r != nil && r.phase == reading && !r.call.Bare {
		w.c.fail(clientError(400, "missing_body", "the request has no body"))
	}
	return w.settled(w.c.RequestBody(size, true))
}

// bodies finds out, once, whether the host takes another body for a request after
// all: it is given its own.
func (w *byCallout) bodies(size int) {
	if w.m.host.found[requestBody] == untried && size > 0 {
		s := w.s.Stream
		s.SetBody(Request, w.s.Body(Request, 0, size))
		w.m.tried(requestBody, s.Err())
	}
}

// RequestTrailers is not called.
func (w *byCallout) RequestTrailers() Action { return Continue }

// ResponseHeaders begins to watch the answer of a request that passed. Replies of
// the module come here, too.
func (w *byCallout) ResponseHeaders(bool) Action {
	if w.seen != nil && w.c.r.phase == sent {
		w.seen.begin()
		w.s.SetProperty("wasm_process_resp_body", "1")
		_ = w.s.Err() // the bytes leave whatever is refused
	}
	return Continue
}

// ResponseBody sees a piece of the answer, and at last nothing.
func (w *byCallout) ResponseBody(size int, end bool) Action {
	if w.seen == nil || w.c.told {
		return Continue
	}
	w.seen.take(size, end)
	if end {
		w.c.answerEnded = true
		w.c.Done() // later the log has been written
	}
	return Continue
}

// ResponseTrailers is not called.
func (w *byCallout) ResponseTrailers() Action { return Continue }

// Done comes when the host has no request any more: where the account is still
// open, the client has left.
func (w *byCallout) Done() {
	w.s.over = true
	w.c.Done()
}

// Recovered answers, unless the answer in hand is a provider's, which goes on.
func (w *byCallout) Recovered(cause string) Action {
	if w.seen == nil {
		return w.settled(w.c.Recovered(cause))
	}
	w.m.panicked(cause)
	w.c.r.panicked = true
	return Continue
}

// settled makes sure that the host has something to wait for when it is told to
// wait: its worker would not survive it otherwise. A reply goes out here, after
// the request was accounted for, as the log is written with it.
func (w *byCallout) settled(a Action) Action {
	if w.s.reply == nil && (a == Continue || w.s.calling) {
		return a
	}
	if w.s.reply == nil {
		w.c.fail(internalError("the host has nothing to wait for"))
	}
	w.c.answerEnded = true
	w.c.Done()
	w.s.send()
	return Pause
}

func (w *byCallout) mode() Mode { return Callouts }

// keep copies the body for callouts, and has the first target's body written to see
// whether it differs.
func (w *byCallout) keep(r *request, doc *jsonx.Document) (bool, *llm.Error) {
	if !r.admit(len(doc.Body())) {
		return false, r.m.refuse("bytes")
	}
	r.kept = bytes.Clone(doc.Body())
	return true, nil
}

// lead does nothing: forward does, once it knows whether the request passes.
func (w *byCallout) lead(*request, Stream) {}

// forward lets the request pass, or asks its first target.
func (w *byCallout) forward(c *clientStage) outcome {
	if !w.passes(c.r) {
		w.asking, c.r.encoded = true, false
		call(w, c.r)
		return wait
	}
	p := &providerStage{s: w.s, m: w.m, way: w}
	if p.start(c.r, true); p.over {
		return answer
	}
	w.seen = &watched{p: p}
	c.r.release()
	return proceed
}

// passes reports whether the request's bytes, and those of its answer, serve as
// they are, there is nowhere else to go, and the host can be told where.
func (w *byCallout) passes(r *request) bool {
	t := r.plan.Targets[0]
	if _, coded := w.s.Header(Request, "transfer-encoding"); w.c.head.length < 0 && !coded && w.c.size > 0 {
		return false // the host would write the body bare, as the next request
	}
	if w.s.written || r.retries > 0 || r.marks || !r.same(t) || t.Codec.Model != r.facts.Model && r.facts.Model != "" {
		return false
	}
	w.s.SetProperty(TargetVariable, t.Provider.Cluster)
	err := w.s.Err()
	w.m.tried(properties, err)
	return err == nil
}

func (w *byCallout) again(p *providerStage) Action {
	call(w, p.r)
	return Pause
}

func (w *byCallout) refuse(_ *providerStage, e *llm.Error) Action { return w.c.instead(e) }

func (w *byCallout) bare(_ *providerStage, e *llm.Error) Action { return w.c.instead(e) }

// patient: both kinds of attempts are bounded by the host.
func (w *byCallout) patient(*providerStage) bool { return true }

// counts: a stream whose usage would have to be asked for is not held back for it.
func (w *byCallout) counts() bool { return w.asking }

// send makes the callout, to an address instead of a cluster. Whatever becomes of
// its answer, the client gets a reply or another target is asked: the host would
// let the request itself go on otherwise.
func (w *byCallout) send(x *called, o Callout) error {
	p := x.p.target().Provider
	scheme, port := "http", ":80"
	if p.Secure {
		scheme, port = "https", ":443"
	}
	if o.Cluster = p.Host; strings.LastIndexByte(p.Host, ':') <= strings.LastIndexByte(p.Host, ']') {
		o.Cluster += port
	}
	x.SetHeader(Request, ":scheme", scheme)
	o.Headers = x.headers[Request]
	err := w.m.call(o, func(a *CalloutAnswer) { w.answered(x, a) })
	w.s.calling = w.s.calling || err == nil
	return err
}

func (w *byCallout) answered(x *called, a *CalloutAnswer) {
	w.s.Activate()
	w.s.calling = false
	defer func() {
		if cause := recover(); cause != nil {
			w.c.Recovered("in a callout's answer")
		}
		w.settled(Pause)
	}()
	x.answered(a)
}

// tell shows the record to the access log.
func (w *byCallout) tell(r *request) {
	set := func(name, value string) {
		if value != "" {
			w.s.SetProperty(name, value)
		}
	}
	if t := r.target(); t != nil {
		set("llm_model", t.Codec.Model)
	}
	set("request_llm_model", limits.Cut(r.facts.Model, 256))
	kind := "ai_chat"
	if r.facts.Stream {
		kind = "ai_stream"
	}
	set("llm_stream", strconv.FormatBool(r.facts.Stream))
	if u := &r.usage; u.Known || u.Estimated {
		set("request_type", kind) // without numbers the plugin prometheus would stumble over it
		for _, n := range [...]struct {
			name  string
			count int64
		}{
			{"llm_prompt_tokens", u.InputTotal()}, {"llm_completion_tokens", u.OutputTotal()}, {"llm_total_tokens", u.Total()},
			{"llm_cache_read_input_tokens", u.CacheRead}, {"llm_reasoning_tokens", u.Reasoning},
		} {
			set(n.name, strconv.FormatInt(n.count, 10))
		}
	}
	if !r.firstAt.IsZero() {
		set("llm_time_to_first_token", strconv.FormatInt(r.firstAt.Sub(r.began).Milliseconds(), 10))
		set("apisix_upstream_response_time", strconv.FormatFloat(w.m.vm.Now().Sub(r.began).Seconds(), 'f', 3, 64))
	}
	set("postern_mode", string(Callouts))
	set("postern_degraded", strings.Join(r.degraded, ","))
	_ = w.s.Err() // a log without them is none of the client's
}

// between does what elsewhere a tick does, but for what would speak about other
// streams: here calls are always about the running one.
func (p *plugin) between() {
	now := p.m.vm.Now()
	if now.Sub(p.swept) < time.Second {
		return
	}
	p.swept = now
	p.m.sweep(now)
	p.report()
}

// ownData is shared data of one worker, for hosts that have none. What is counted
// in it is the worker's share, and outlives a configuration as elsewhere.
type ownData struct {
	VM
	values map[string]ownValue
}

func ownShared(vm VM) *ownData { return &ownData{VM: vm, values: map[string]ownValue{}} }

type ownValue struct {
	bytes   []byte
	version uint32
}

func (d *ownData) Shared(key string) ([]byte, uint32, bool) {
	v, ok := d.values[key]
	return bytes.Clone(v.bytes), v.version, ok
}

func (d *ownData) SetShared(key string, value []byte, version uint32) bool {
	v, there := d.values[key]
	if there && version != 0 && version != v.version {
		return false
	}
	d.values[key] = ownValue{bytes.Clone(value), v.version + 1}
	return true
}

// share divides what all workers may do together by their number.
func (c *Config) share() {
	for i := range c.Budget.Budgets {
		b := &c.Budget.Budgets[i].Value
		b.Limit = c.Share(b.Limit)
		if b.Burst > 0 {
			b.Burst = c.Share(b.Burst)
		}
	}
}

// Share is what one worker has of a bound that all have together, where they cannot
// share: at least 1.
func (c *Config) Share(of int64) int64 { return max(of/int64(max(c.Limits.Workers, 1)), 1) }

// Unhosted names what the configuration wants and callout mode cannot give; empty
// when there is nothing.
func (c *Config) Unhosted() string {
	if c.Identity.JWT != nil {
		return "identity.jwt: the host of callout mode tells a module no claims"
	}
	for i := range c.Route.Providers {
		p := &c.Route.Providers[i]
		switch {
		case p.Value.Realtime == "pass":
			return "providers." + p.Name + ".realtime: WebSockets are not passed on in callout mode"
		case len(p.Value.Credentials.Endpoints()) > 0:
			return "providers." + p.Name + ".credentials: what must be asked for is renewed by ticks, which the host of callout mode has not"
		case p.Value.Credentials.ByHost():
			return "providers." + p.Name + ".credentials: the host of callout mode adds no credential"
		}
	}
	return ""
}
