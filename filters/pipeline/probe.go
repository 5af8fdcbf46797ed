package pipeline

import (
	"encoding/binary"
	"time"

	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/telemetry"
)

// Hosts differ in what they do. What can be asked is asked when a configuration
// begins to serve; the rest shows in calls that the first requests make anyway.
// What a mode cannot do without is known before anything leaves: such a request
// is answered, and does not hang.

// capability is something that the module wants of its host.
type capability uint8

const (
	sharedData     capability = iota // shared data, with compare and swap
	ticks                            // the module is called by the clock
	stopIteration                    // the body of a request comes while its headers are held
	upstreamStage                    // the module is in the clusters, once per attempt
	properties                       // filter state, or variables
	requestBody                      // the body of a request can be replaced
	answerBody                       // that of an answer
	declared                         // variables are declared, and bodies come whole to who asks for them
	callouts                         // requests of the module's own
	answerCallouts                   // … while an answer is in hand
	capabilities
)

// Capabilities are the names of what is found out, as metrics and the log have them.
var Capabilities = [capabilities]string{"shared_data", "ticks", "stop_iteration", "provider_stage", "properties",
	"request_body", "answer_body", "declared_variables", "callouts", "answer_callouts"}

// finding is what is known of a capability.
type finding uint8

const (
	untried finding = iota
	works
	missing
)

var findings = [...]string{"untried", "works", "missing"}

// known is what a VM knows of its host.
type known struct {
	found [capabilities]finding
	told  *telemetry.Telemetry // of the configuration that serves
}

// learn notes what a call showed. Once it is known this costs a comparison.
func (m *Module) learn(c capability, ok bool) {
	now := works
	if !ok {
		now = missing
	}
	before := m.host.found[c]
	if before == now {
		return
	}
	m.host.found[c] = now
	if m.host.told != nil {
		m.host.told.Capability(Capabilities[c], findings[before], findings[now])
	}
	if now == missing && m.host.told != nil {
		m.vm.Log(Warn, "postern: the host lacks "+Capabilities[c])
	}
}

// tried notes how a call about c ended. A refusal for another reason than that the
// host has no such call says nothing.
func (m *Module) tried(c capability, err error) {
	if _, lacking := lack(err); lacking || err == nil {
		m.learn(c, err == nil)
	}
}

// refused notes what a call that a stream did not get says of the host.
func (m *Module) refused(side Side, err error) {
	call, lacking := lack(err)
	switch {
	case !lacking:
	case call == "set_property":
		m.learn(properties, false)
	case call == "set_buffer_bytes" && side == Request:
		m.learn(requestBody, false)
	case call == "set_buffer_bytes":
		m.learn(answerBody, false)
	}
}

// call makes a callout.
func (m *Module) call(c Callout, done func(*CalloutAnswer)) error {
	err := m.vm.Call(c, done)
	m.tried(callouts, err)
	return err
}

func lack(err error) (call string, lacking bool) {
	if l, ok := err.(host.Lack); ok { //nolint:errorlint // the binding's own, never wrapped
		return l.Lacking()
	}
	return "", false
}

// look asks what can be asked before there are requests, and says what is known
// when a configuration begins to serve.
func (m *Module) look(sn *Snapshot) {
	m.host.told = nil
	m.learn(ticks, m.vm.TickEvery(tickPeriod))
	if m.host.found[sharedData] != works {
		m.learn(sharedData, m.shares())
	}
	m.host.told = sn.telemetry
	sn.telemetry.Mode(string(sn.mode))
	level, line := Info, "postern: mode "+string(sn.mode)
	for c, f := range m.host.found {
		sn.telemetry.Capability(Capabilities[c], "", findings[f])
		line += ", " + Capabilities[c] + " " + findings[f]
		if f == missing {
			level = Warn
		}
	}
	m.vm.Log(level, line)
}

// probeKey is written and read back, and must then refuse a version that no value
// has.
const probeKey = "postern.probe"

func (m *Module) shares() bool {
	if !m.vm.SetShared(probeKey, []byte{1}, 0) {
		return false
	}
	value, _, ok := m.vm.Shared(probeKey)
	return ok && len(value) == 1 && !m.vm.SetShared(probeKey, value, ^uint32(0))
}

// staged is where a provider stage says that it is there. A VM that was made anew
// after a trap gets its provider stage with the first attempt only.
const staged = "postern.provider"

// hasProvider reports whether attempts meet a provider stage: one of this VM, or of
// one before it. It asks once.
func (m *Module) hasProvider() bool {
	if m.host.found[upstreamStage] == untried {
		if _, _, there := m.vm.Shared(staged); there {
			m.learn(upstreamStage, true)
		}
	}
	return m.host.found[upstreamStage] == works
}

// unfit is the error of every request in a mode that this host cannot run; nil when
// nothing speaks against it so far.
func (m *Module) unfit(mode Mode) *llm.Error {
	switch {
	case mode == Callouts && m.host.found[declared] == missing:
		return m.unsupported(declared, mode)
	case mode == Callouts:
		return nil
	case m.host.found[ticks] == missing:
		return m.unsupported(ticks, mode)
	case mode != Native:
		return nil
	case m.host.found[stopIteration] == missing:
		return m.unsupported(stopIteration, mode)
	case !m.hasProvider():
		return m.unsupported(upstreamStage, mode)
	}
	return nil
}

// unsupported is the error for what the host lacks.
func (m *Module) unsupported(c capability, mode Mode) *llm.Error {
	telemetry.Unsupported(m.vm, Capabilities[c])
	return &llm.Error{Class: llm.ProviderError, Source: llm.FromHost, Status: 503, Code: hostUnsupported,
		Message: unsupportedMessage,
		Cause:   "mode " + string(mode) + " needs " + Capabilities[c]}
}

// A request whose headers are held gets its body if the host can stop one and not
// the other. Where it holds both, nothing of the module runs for the request any
// more. So as long as no body has come to this VM, ticks look whether the host has
// received any: then it keeps the body to itself.

// blind is how long a request may be without its body where the host does not say
// how much it has received.
const blind = 5 * time.Second

// hold notes that the host holds the request's headers.
func (c *clientStage) hold() Action {
	if c.way.mode() == Native && c.m.host.found[stopIteration] != works {
		c.held = true
		c.received, _ = c.s.Property("request", "total_size")
	}
	return Pause
}

// shown notes that the body of a request comes whose headers are held.
func (c *clientStage) shown() {
	if c.held {
		c.held = false
		c.m.learn(stopIteration, true)
	}
}

// changed notes what the host took of a request's changes.
func (c *clientStage) changed() {
	if c.way.mode() == Callouts {
		return // it is not the host that was asked
	}
	c.m.learn(properties, true)
	if c.wrote {
		c.m.learn(requestBody, true)
	}
}

// unhold answers requests whose bodies the host keeps.
func (m *Module) unhold(now time.Time) {
	if m.host.found[stopIteration] == works {
		return
	}
	for _, r := range m.live {
		if c := r.front; c != nil && c.held && r.phase == reading && c.withheld(now) {
			m.learn(stopIteration, false)
			c.s.Activate()
			c.fail(m.unsupported(stopIteration, Native))
		}
	}
}

// withheld reports whether the host has some of the body, and shows none.
func (c *clientStage) withheld(now time.Time) bool {
	if c.m.host.found[stopIteration] == missing {
		return true
	}
	c.s.Activate()
	received, ok := c.s.Property("request", "total_size")
	if !ok || len(received) != 8 || len(c.received) != 8 {
		return now.Sub(c.r.began) > blind
	}
	return binary.LittleEndian.Uint64([]byte(received)) > binary.LittleEndian.Uint64([]byte(c.received))
}

// Weaker ways that requests meet on hosts without shared data.
const (
	budgetShare = "budget_share"
	unmetered   = "budget_unmetered"
)

// shareless notes what the host's lack of shared data means for the budgets of a
// request.
func (r *request) shareless() {
	if r.m.host.found[sharedData] != missing || r.reservation == nil {
		return
	}
	feature := budgetShare
	switch counted, all := r.reservation.Metered(); {
	case !all:
		feature = unmetered
	case !counted || r.front.way.mode() != Callouts || r.snap.limits.Workers < 2:
		return
	}
	r.degrade(feature)
}
