package pipeline

import (
	"bytes"
	"strings"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/telemetry"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// A host without stop iteration gives a filter either a message's headers to
// change or its body to read, not both: a pause at the headers keeps the body
// away, and going on takes the headers away. Two filters of one chain, in one VM,
// have both between them:
//
//	           request                        answer
//	reader     reads and holds the body       holds the headers
//	holder     holds the headers              reads and holds the body
//
// The reader comes first in the chain, so requests meet it first and answers
// last. Whichever has the body acts for the other by its effective context.

// ClusterHeader is what the host's routes match in paired mode: the name of the
// cluster. Routes also write the target's host name, and take the header away.
const ClusterHeader = ownPrefix + "cluster"

// pair is one request in paired mode, and its way.
type pair struct {
	m      *Module
	reader Stream
	holder Stream // nil until its filter has come
	front  *clientStage
	first  *providerStage // the attempt that the host makes

	requestHeads Stream // whose context can change the request's headers
	answerHeads  Stream // … and the answer's
	holding      bool   // the answer's headers
	done         bool   // the stream has ended
	elsewhere    bool   // the client gets the answer of another attempt
}

func (pr *pair) mode() Mode { return Paired }

// keep copies the body while another target may need it: no host shows a
// request's body once its answer has begun.
func (pr *pair) keep(r *request, doc *jsonx.Document) (bool, *llm.Error) {
	if len(r.plan.Targets) < 2 || r.retries == 0 {
		return true, nil
	}
	if !r.admit(len(doc.Body())) {
		return false, r.m.refuse("bytes")
	}
	r.kept = bytes.Clone(doc.Body())
	return true, nil
}

// lead names the cluster in a header. The host must not retry by itself: it knows
// one target only.
func (pr *pair) lead(r *request, s Stream) {
	s.SetHeader(Request, ClusterHeader, r.plan.Targets[0].Provider.Cluster)
	s.SetHeader(Request, retriesHeader, "0")
}

// forward addresses the request to the first target. Its headers are still held.
func (pr *pair) forward(c *clientStage) outcome {
	p := &providerStage{s: &pairStream{pr: pr, provider: true}, m: pr.m, way: pr}
	pr.first = p
	if p.start(c.r, pr.requestHeads == pr.reader); p.over {
		return answer
	}
	p.s.ClearRouteCache()
	if err := p.s.Err(); err != nil {
		p.refuse(hostError(err))
		return answer
	}
	return proceed
}

// again asks the next target by a callout. The answer in hand stays where it is.
func (pr *pair) again(p *providerStage) Action {
	pr.elsewhere = true
	call(pr, p.r)
	return Pause
}

func (pr *pair) refuse(p *providerStage, e *llm.Error) Action {
	if p.r.answered {
		return byHost{}.refuse(p, e)
	}
	return pr.front.instead(e)
}

func (pr *pair) bare(_ *providerStage, e *llm.Error) Action { return pr.front.instead(e) }

// patient: a callout ends by its own time limit.
func (pr *pair) patient(p *providerStage) bool { return p != pr.first }

func (pr *pair) counts() bool { return true }

// send is always made while an answer is in hand.
func (pr *pair) send(x *called, c Callout) error {
	err := pr.m.call(c, x.answered)
	pr.m.tried(answerCallouts, err)
	return err
}

// release lets a side's headers go before the body that let them go. The host
// would take headers that go on in the callback of a body's first bytes, which
// are also its last, for those of a message without a body: nothing is buffered
// yet that would tell it otherwise. Such a body is held, and goes with the next
// tick.
func (pr *pair) release(side Side, whole bool) Action {
	heads, bodies := pr.contexts(side)
	defer bodies.Activate()
	if side == Response {
		pr.holding = false
	}
	if whole {
		pr.m.wake(pr, side)
		return Pause
	}
	on(heads).Resume(side)
	return Continue
}

// contexts are those that hold a side's headers and its body.
func (pr *pair) contexts(side Side) (heads, bodies Stream) {
	if side == Response {
		return pr.reader, pr.holder
	}
	return pr.requestHeads, pr.reader
}

// waking is one side of a request that goes on with the next tick.
type waking struct {
	pr   *pair
	side Side
}

// soon is the period of ticks while something waits for one, in milliseconds.
const soon = 1

func (m *Module) wake(pr *pair, side Side) {
	if len(m.waking) == 0 {
		on(pr.reader)
		m.vm.TickEvery(soon)
	}
	m.waking = append(m.waking, waking{pr, side})
}

// awake lets go what waited for a tick.
func (m *Module) awake() {
	if len(m.waking) == 0 {
		return
	}
	m.vm.TickEvery(tickPeriod)
	now := m.waking
	m.waking = nil
	for _, w := range now {
		if !w.pr.done {
			w.pr.front.s.(*pairStream).Resume(w.side)
		}
	}
}

// pairStream is the stream that a stage of a pair sees. Each call goes to the
// context that has what it is about.
type pairStream struct {
	pr       *pair
	provider bool // it is the provider stage's
}

var _ Stream = (*pairStream)(nil)

func on(s Stream) Stream {
	s.Activate()
	return s
}

// own is the context of the stage's own filter. A request without a body comes to
// the holder when it has been sent already.
func (s *pairStream) own() Stream {
	if s.provider && s.pr.holder != nil {
		return s.pr.holder
	}
	return s.pr.reader
}

func (s *pairStream) heads(side Side) Stream {
	switch {
	case side == Request:
		return on(s.pr.requestHeads)
	case s.provider:
		return on(s.pr.answerHeads)
	}
	return on(s.pr.reader)
}

func (s *pairStream) bodies(side Side) Stream {
	if side == Request {
		return on(s.pr.reader)
	}
	return on(s.own())
}

func (s *pairStream) Headers(side Side) [][2]string { return s.heads(side).Headers(side) }

func (s *pairStream) Header(side Side, name string) (string, bool) {
	return s.heads(side).Header(side, name)
}

// SetHeader leaves the host name to the route: the host looks for the route by it.
func (s *pairStream) SetHeader(side Side, name, value string) {
	if name != ":authority" {
		s.heads(side).SetHeader(side, name, value)
	}
}

func (s *pairStream) RemoveHeader(side Side, name string) { s.heads(side).RemoveHeader(side, name) }

func (s *pairStream) Body(side Side, offset, size int) []byte {
	return s.bodies(side).Body(side, offset, size)
}

func (s *pairStream) SetBody(side Side, b []byte) { s.bodies(side).SetBody(side, b) }

func (s *pairStream) Property(path ...string) (string, bool) { return on(s.own()).Property(path...) }

func (s *pairStream) SetProperty(name, value string) { on(s.own()).SetProperty(name, value) }

func (s *pairStream) ClearRouteCache() { s.heads(Request).ClearRouteCache() }

func (s *pairStream) Reply(status int, headers [][2]string, body []byte, detail string) {
	on(s.pr.reader).Reply(status, headers, body, detail)
}

// Resume lets both contexts go, the headers first.
func (s *pairStream) Resume(side Side) {
	heads, bodies := s.pr.contexts(side)
	if side == Response {
		s.pr.holding = false
	}
	on(heads).Resume(side)
	if bodies != heads {
		on(bodies).Resume(side)
	}
}

func (s *pairStream) Activate() { s.own().Activate() }

// Err asks both: whichever refused, nothing may leave.
func (s *pairStream) Err() error {
	err := s.pr.reader.Err()
	if s.pr.holder != nil {
		if e := s.pr.holder.Err(); err == nil {
			err = e
		}
	}
	return err
}

// missing is the error of a request that meets one of the two filters only.
func (m *Module) missing(cause string) *llm.Error {
	telemetry.Unpaired(m.vm) // at once: a holder alone has no ticks
	return &llm.Error{Class: llm.ProviderError, Source: llm.FromHost, Status: 503, Code: "partner_missing",
		Message: "the gateway is not set up completely: its two filters do not find each other", Cause: cause}
}

// stageOf reads which stage a configuration that has nothing else names; empty
// for all others. Hosts write JSON anew, with spaces where they like.
func stageOf(raw []byte) string {
	if len(raw) > 64 {
		return ""
	}
	text := strings.Join(strings.Fields(string(raw)), "")
	name, ok := strings.CutPrefix(text, `{"stage":"`)
	if name, closed := strings.CutSuffix(name, `"}`); ok && closed {
		return name
	}
	return ""
}
