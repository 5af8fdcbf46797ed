package pipeline

import (
	"slices"
	"strconv"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// outcome is what a step of a request comes to.
type outcome uint8

const (
	proceed outcome = iota // Continue: the host goes on
	wait                   // Wait: the host holds the request
	answer                 // Reply or Fail: the module has answered
)

// action is the outcome as the host understands it.
func (o outcome) action() Action {
	if o == proceed {
		return Continue
	}
	return Pause
}

// clientStage is the stage that faces the application: it decides before the
// request leaves, and accounts for it when all is over.
type clientStage struct {
	s     Stream
	m     *Module
	snap  *Snapshot
	way   way
	r     *request
	head  head
	size  int  // request body bytes that the host holds
	alone bool // there is no holder in this VM, and must be
	wrote bool // another body in place of the client's

	held     bool   // headers are held, and it is not known whether the body comes
	received string // bytes of the request then, as the host has it

	answerEnded bool
	replaced    []byte // what is sent instead of the host's own answer
	replacing   bool
	told        bool // the record is written
}

// RequestHeaders reads who asks for what, cleans the headers and holds them.
func (c *clientStage) RequestHeaders(end bool) Action {
	c.head.read(c.s.Headers(Request))
	c.begin()
	if e := c.admit(); e != nil {
		return c.fail(e).action()
	}
	if e := c.identify(); e != nil {
		return c.fail(e).action()
	}
	c.head.clean(c.s)
	switch {
	case c.r.call.Operation == llm.Models:
		return c.models().action()
	case end && c.r.call.Bare, c.r.upgrade:
		return c.accept().action()
	case end:
		return c.fail(clientError(400, "missing_body", "the request has no body")).action()
	}
	return c.hold()
}

func (c *clientStage) begin() {
	c.r = &request{m: c.m, snap: c.snap, front: c, head: &c.head, began: c.m.vm.Now(), id: c.head.id, method: c.head.method, upgrade: c.head.upgrade, ownKeys: c.head.ownKeys,
		asked: audit.NewDigest(c.snap.audit.Digests), told: audit.NewDigest(c.snap.audit.Digests)}
	c.r.number, c.r.key = c.m.key()
	c.r.span, c.r.traced = c.snap.trace.Start(c.head.trace, c.m.random)
	if c.r.id == "" {
		c.r.id = c.r.key
	}
	c.m.live[c.r.key] = c.r
	c.m.serve(c.snap)
}

// admit refuses what the VM has no room for, before it takes any.
func (c *clientStage) admit() *llm.Error {
	r, lim := c.r, &c.snap.limits
	line := c.head.line()
	r.dialect, r.api, r.call = dialect.Recognise(c.m.dialects, line)
	switch {
	case len(c.m.live) > lim.Streams:
		return c.m.refuse("streams")
	case c.head.bytes > lim.Headers:
		return clientError(431, "headers_too_large", "the request's headers are larger than "+strconv.Itoa(lim.Headers)+" bytes")
	case r.api == nil:
		r.dialect, r.api = c.m.fallback()
		return clientError(404, "unknown_path", "no API has the method "+c.head.method+" on this path")
	case c.alone:
		return c.m.missing("no holder is configured in this VM")
	case c.head.upgrade && !r.upgrades():
		return clientError(426, "upgrade_unsupported", "WebSocket connections are not passed on: what goes over them could not be checked or counted")
	case c.head.unclear:
		return clientError(400, "invalid_content_length", "the request's content-length is not one number")
	case c.head.encoding != "" && c.head.encoding != "gzip":
		return clientError(415, "unsupported_encoding", "the request's content-encoding is not supported: send it as it is, or by gzip")
	}
	if e := c.m.unfit(c.way.mode()); e != nil {
		return e
	}
	return c.take(c.head.length)
}

// take counts body bytes against the limits, by the declared length first and
// by what has come afterwards.
func (c *clientStage) take(n int) *llm.Error {
	if n > c.snap.limits.Body {
		return clientError(413, "request_too_large", "the request's body is larger than "+strconv.Itoa(c.snap.limits.Body)+" bytes")
	}
	if !c.r.admit(n) {
		return c.m.refuse("bytes")
	}
	return nil
}

func (c *clientStage) identify() *llm.Error {
	token, header := c.r.api.Client.Token(c.head.line())
	if header != "" && !isCredential(header) {
		c.head.strip = append(c.head.strip, header)
	}
	p, e := c.snap.identities.Identify(identity.Presented{Token: token, Claim: c.claim, Now: c.r.began})
	c.r.principal = p
	return e
}

// claim reads a claim that the host verified.
func (c *clientStage) claim(name string) (string, bool) {
	return c.s.Property(c.snap.identities.ClaimPath(name)...)
}

// RequestBody holds the body until it is whole.
func (c *clientStage) RequestBody(size int, end bool) Action {
	if c.r == nil || c.r.phase != reading {
		return c.standing()
	}
	c.shown()
	c.size = size
	if e := c.take(size); e != nil {
		return c.fail(e).action()
	}
	if !end {
		return Pause
	}
	return c.accept().action()
}

// RequestTrailers ends a body as well.
func (c *clientStage) RequestTrailers() Action {
	if c.r == nil || c.r.phase != reading {
		return c.standing()
	}
	c.shown()
	return c.accept().action()
}

// standing is the action for a request callback that has nothing to decide.
func (c *clientStage) standing() Action {
	if c.r != nil && (c.r.phase == gathering || c.r.phase == replied) {
		return Pause
	}
	return Continue
}

// accept takes the whole request: read it, gather what deciding needs, decide.
func (c *clientStage) accept() outcome {
	doc, e := c.document()
	defer c.m.forget()
	if e != nil {
		return c.fail(e)
	}
	if c.r.facts, e = c.r.api.Client.Facts(c.r.call, doc); e != nil {
		return c.fail(e)
	}
	c.r.facts.Form |= c.r.call.Form
	c.r.facts.Received, c.r.facts.Rest = c.r.began.Unix(), c.r.unmarkPath(c.r.call.Rest)
	c.r.advance(gathering)
	if len(c.m.gather) > 0 || len(c.snap.renewed) > 0 {
		g := &gathered{c: c}
		if !g.start() {
			return wait
		}
		if g.err != nil {
			return c.fail(g.err)
		}
	}
	return c.send(doc)
}

// document reads, decodes and validates the body that the host holds. It is the
// module's one document, until forget.
func (c *clientStage) document() (*jsonx.Document, *llm.Error) {
	body := c.s.Body(Request, 0, c.size)
	if c.r.bytesIn == 0 { // not again after a wait
		c.r.bytesIn = len(body)
		c.r.asked.Write(body)
	}
	if c.head.encoding == "gzip" {
		plain, e := gunzip(body, c.snap.limits.Body)
		if e != nil {
			return nil, e
		}
		body = plain
	}
	body = c.r.unmark(body)
	doc := &c.m.doc
	if c.r.call.Raw || len(body) == 0 && c.r.call.Bare {
		doc.Hold(body)
		return doc, nil
	}
	err := doc.Scan(body, c.r.api.Client.Inspected(), jsonx.Limits{Depth: c.snap.limits.Depth, Bytes: c.snap.limits.Body})
	if err != nil {
		return nil, badJSON(err)
	}
	return doc, nil
}

// send decides, and hands the request to the router.
func (c *clientStage) send(doc *jsonx.Document) outcome {
	if e := c.r.decide(doc); e != nil {
		if c.r.uncounted(e) {
			return c.count(doc)
		}
		return c.fail(e)
	}
	body, e := c.r.first(doc)
	if e != nil {
		return c.fail(e)
	}
	c.r.sum(body, doc)
	if c.rewrite(body, doc); c.head.plain && !c.r.call.Raw && !c.r.call.Bare {
		c.s.SetHeader(Request, "content-type", "application/json")
	}
	c.r.publish(c.s)
	if err := c.s.Err(); err != nil {
		c.m.refused(Request, err)
		return c.fail(hostError(err))
	}
	c.changed()
	if c.r.kept == nil {
		c.r.release()
	}
	c.r.advance(sent)
	return c.way.forward(c)
}

// rewrite puts the body for the first target in place of the client's.
func (c *clientStage) rewrite(body []byte, doc *jsonx.Document) {
	if body == nil && c.head.encoding == "" && !c.r.unmarked {
		return
	}
	if body == nil {
		body = doc.Body()
	}
	if c.head.encoding != "" {
		c.s.RemoveHeader(Request, "content-encoding")
	}
	c.s.SetBody(Request, body)
	c.wrote = true
	if c.head.length >= 0 && c.head.length != len(body) {
		c.s.SetHeader(Request, "content-length", strconv.Itoa(len(body)))
	}
}

// models answers with what this principal may ask for, or with the one of it
// that the path names.
func (c *clientStage) models() outcome {
	names := c.snap.visible(c.r)
	if only := c.r.call.Model; only != "" {
		i := slices.Index(names, only)
		if i < 0 {
			return c.fail(noModel(only))
		}
		names = names[i : i+1]
	}
	return c.reply(200, c.r.api.Client.AppendModels(nil, names), 0)
}

// fail answers with an error in the client's dialect.
func (c *clientStage) fail(e *llm.Error) outcome {
	c.r.err = e
	return c.reply(e.Status, c.r.api.Client.AppendError(nil, e, c.r.id), e.After)
}

// ResponseHeaders lets a provider's answer pass, and puts an answer that the
// host made by itself into the client's dialect.
func (c *clientStage) ResponseHeaders(end bool) Action {
	c.answerEnded = end
	if c.r == nil || c.r.answered || c.r.phase == replied {
		return Continue
	}
	return c.translateHostReply(end)
}

// ResponseBody counts, and replaces the host's own text.
func (c *clientStage) ResponseBody(size int, end bool) Action {
	c.answerEnded = end
	if c.r == nil {
		return Continue
	}
	if c.replacing {
		c.s.SetBody(Response, c.replaced)
		c.replaced = nil
		return Continue
	}
	if c.r.phase != replied { // else it is known
		c.r.bytesOut += size
	}
	return Continue
}

// ResponseTrailers ends an answer too.
func (c *clientStage) ResponseTrailers() Action {
	c.answerEnded = true
	return Continue
}

// Done accounts for the request, once, however it ended. The request may have
// been settled already, when the host kept it too long.
func (c *clientStage) Done() {
	if c.r == nil || c.told {
		return
	}
	c.told = true
	c.m.serve(c.snap) // again: it may be the last request of an old one
	now := c.m.vm.Now()
	c.r.end = c.ending()
	c.r.settle(now)
	if w, ok := c.way.(*byCallout); ok {
		w.tell(c.r)
	}
	if c.snap.audit.Records || c.snap.telemetry.On() {
		c.tell(c.r.record(now))
	}
}

// tell makes the record public: as metrics, and as filter state that the host's
// access log shows. Where there is no filter state a log line must do.
func (c *clientStage) tell(rec *audit.Record) {
	c.snap.telemetry.Observe(rec)
	if !c.snap.audit.Records {
		return
	}
	c.m.line = rec.Append(c.m.line[:0])
	line := string(c.m.line)
	_ = c.s.Err() // what failed before has had its effect
	c.s.SetProperty(c.auditName(), line)
	if c.s.Err() != nil {
		c.m.vm.Log(Warn, "postern: audit "+line) // hosts usually log no less
	}
}

// auditName is where the host's access log looks for the record.
func (c *clientStage) auditName() string {
	if c.way.mode() == Callouts {
		return AuditVariable
	}
	return "postern.audit"
}

// Recovered answers a stream whose callback panicked.
func (c *clientStage) Recovered(cause string) Action {
	c.m.panicked(cause)
	if c.r == nil {
		c.s.Reply(500, plainHeaders(), nil, "postern_panic")
		return Pause
	}
	if c.r.panicked = true; c.r.phase >= answering {
		return Continue
	}
	return c.fail(internalError(cause)).action()
}
