package watch

import (
	"strings"
	"time"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
)

// Stream is what an observer may ask of a stream. Nothing of it changes what passes.
type Stream interface {
	Headers(host.Side) [][2]string
	Header(s host.Side, name string) (string, bool)
	Body(s host.Side, offset, size int) []byte
	Property(path ...string) (string, bool)
	SetProperty(name, value string)
	Err() error
}

// watcher is one request and its answer, as they pass. Each callback says "go on".
type watcher struct {
	p     *plugin
	m     *Module
	setup *setup
	s     Stream

	request
	answer
	began    time.Time
	watching bool // it is a request to a model, which is counted as watched
	blind    bool // nothing further is read
	panicked bool
	told     bool
	notes    []string // what could not be read
	asked    *audit.Digest
	given    *audit.Digest
}

// RequestHeaders reads who asks for what.
func (w *watcher) RequestHeaders(end bool) host.Action {
	w.meet(end)
	return host.Continue
}

// RequestBody keeps a copy, up to the limit.
func (w *watcher) RequestBody(size int, end bool) host.Action {
	if w.watching {
		w.bodyOfRequest(w.s.Body(host.Request, 0, size), end || w.p.shown)
	}
	return host.Continue
}

// RequestTrailers ends a body as well.
func (w *watcher) RequestTrailers() host.Action {
	w.endOfRequest()
	return host.Continue
}

// ResponseHeaders decides how the answer is read.
func (w *watcher) ResponseHeaders(end bool) host.Action {
	if w.watching {
		w.endOfRequest()
		w.headOfAnswer(end)
	}
	return host.Continue
}

// ResponseBody reads what goes by.
func (w *watcher) ResponseBody(size int, end bool) host.Action {
	if w.watching {
		w.bodyOfAnswer(w.s.Body(host.Response, 0, size), end)
	}
	return host.Continue
}

// ResponseTrailers ends an answer too.
func (w *watcher) ResponseTrailers() host.Action {
	if w.watching {
		w.bodyOfAnswer(nil, true)
	}
	return host.Continue
}

// Done tells of the request, unless that was possible before.
func (w *watcher) Done() {
	if w.watching {
		w.gone = true
		w.finish()
	}
}

// Recovered lets what passes pass, and reads no more of it.
func (w *watcher) Recovered(cause string) host.Action {
	w.m.panicked(cause)
	w.blind, w.panicked = true, true
	return host.Continue
}

// meet begins with a request to a model, and leaves all others alone.
func (w *watcher) meet(end bool) {
	if w.setup == nil {
		return
	}
	w.p.meet(w.s)
	w.head.read(w.s.Headers(host.Request))
	if w.p.shown { // all at once are without it, and asked for it where there is none the worker ends
		w.head.host, _ = w.s.Property(nginxHost)
	}
	line := w.head.line()
	if w.dialect, w.api, w.call = dialect.Recognise(w.m.dialects, line); w.api == nil {
		w.below(line)
	}
	if w.api == nil {
		return
	}
	w.watching, w.began = true, w.m.vm.Now()
	w.m.streams++
	w.number, w.key = w.m.number()
	w.facts = llm.Facts{Operation: w.call.Operation, Model: w.call.Model, Stream: w.call.Stream, Choices: 1}
	w.identify(line)
	w.asked, w.given = audit.NewDigest(w.setup.audit.Digests), audit.NewDigest(w.setup.audit.Digests)
	if w.m.streams > w.setup.limits.Streams || w.head.bytes > w.setup.limits.Headers {
		w.m.missed++
		w.blind = true
		w.note(unwatched)
	}
	switch {
	case w.p.shown:
		w.s.SetProperty(showRequest, "1")
	case end:
		w.endOfRequest()
	}
	_ = w.s.Err()
}

// below looks for an API below the path that a provider's URL has, where a path by
// itself is none's: what is sent to a provider has its path.
func (w *watcher) below(line *dialect.Line) {
	host := bareHost(w.head.host)
	for _, p := range w.setup.table.providers {
		rest, ok := strings.CutPrefix(line.Path, p.path)
		if !ok || p.host != host && p.path == "" {
			continue
		}
		for _, root := range [...]string{"", "/v1"} {
			one := *line
			one.Path = root + rest
			if w.dialect, w.api, w.call = dialect.Recognise([]*dialect.Dialect{p.dialect}, &one); w.api != nil {
				return
			}
		}
	}
}

// identify finds who asks. Nobody is refused here, and whoever is not known is
// nobody.
func (w *watcher) identify(line *dialect.Line) {
	if w.setup.identities == nil {
		return
	}
	token, _ := w.api.Client.Token(line)
	claim := func(name string) (string, bool) { return w.s.Property(w.setup.identities.ClaimPath(name)...) }
	if p, e := w.setup.identities.Identify(identity.Presented{Token: token, Claim: claim, Now: w.began}); e == nil {
		w.principal = p
	}
}

// What a record says could not be observed, among what is degraded.
const (
	unwatched     = "unwatched"      // there was no room: neither body was read
	unreadRequest = "unread_request" // too long, incomplete, no JSON or in an unknown coding
	unreadAnswer  = "unread_answer"  // the same
)

func (w *watcher) note(what string) { w.notes = append(w.notes, what) }

// Some hosts show bodies only where a property asks for it, say of every message
// that its headers end it, have no ticks, and forget a request before they tell
// its end (wasm-nginx-module 0.7.0). Their properties are the variables of nginx, by
// which they are known.
const (
	showRequest = "wasm_process_req_body"
	showAnswer  = "wasm_process_resp_body"
	nginxMethod = "request_method"
	nginxHost   = "http_host"

	// shownRecord is the variable for the record where filter state has none of its
	// own: see pipeline.AuditVariable.
	shownRecord = "postern_audit"
	record      = "postern.audit"
)

// meet finds out which kind of host this is, and does on hosts without ticks what
// ticks do elsewhere.
func (p *plugin) meet(s Stream) {
	if !p.asked {
		_, p.shown = s.Property(nginxMethod)
		p.asked = true
	}
	if p.ticks {
		return
	}
	if now := p.m.vm.Now().Unix(); now != p.last {
		p.last = now
		p.Tick()
	}
}
