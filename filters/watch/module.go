package watch

import (
	"strconv"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/telemetry"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Module is what the observers of one VM share.
type Module struct {
	vm       host.VM
	dialects []*dialect.Dialect

	streams int    // that are watched now
	held    int    // bytes of bodies that are kept now
	next    uint64 // of streams' numbers
	panics  int64
	missed  int64 // streams that were left alone for lack of room
	factors estimate.Factors

	// What one callback needs for itself, here and not on the heap each time.
	doc   jsonx.Document
	edits jsonx.Edits
	rec   audit.Record
	line  []byte
}

// New makes the observers of a VM. dialects is the list of what they read.
func New(vm host.VM, dialects []*dialect.Dialect) *Module {
	return &Module{vm: vm, dialects: dialects, factors: estimate.Factors{}}
}

// Plugin begins a plugin. judge says what would have been decided, where somebody
// can tell; nil otherwise.
func (m *Module) Plugin(judge Judge) host.Plugin { return &plugin{m: m, judge: judge} }

// Asked is what a decision would have been about.
type Asked struct {
	Facts         *llm.Facts
	Principal     identity.Principal
	Model, Target string // of the configuration
}

// Judge is a decision that nobody enforces; false where there is none.
type Judge func(a *Asked) (audit.Decision, bool)

// plugin is one configured instance.
type plugin struct {
	m     *Module
	judge Judge
	setup *setup
	shown bool  // the host shows bodies only to who asks
	asked bool  // … which is known
	ticks bool  // the host has them
	last  int64 // when metrics were told, in seconds
}

// Configure refuses a configuration that cannot be used.
func (p *plugin) Configure(raw []byte) bool {
	s, errs := newSetup(raw, p.m.dialects, p.m.vm)
	if len(errs) > 0 {
		p.m.vm.Log(host.Critical, "postern: configuration refused:\n"+errs.Error())
		return false
	}
	p.setup = s
	p.ticks = p.m.vm.TickEvery(tickPeriod)
	s.telemetry.Serving(s.version)
	s.telemetry.Mode(Mode)
	p.m.vm.Log(host.Info, "postern: configuration "+s.version+" observes")
	return true
}

// Stream begins a stream.
func (p *plugin) Stream(s host.Stream) host.Callbacks {
	return &watcher{p: p, m: p.m, setup: p.setup, s: s}
}

// Tick reports.
func (p *plugin) Tick() {
	if p.setup == nil {
		return
	}
	p.setup.telemetry.Sample(telemetry.Sample{Streams: int64(p.m.streams), BytesInFlight: int64(p.m.held),
		HighWater: p.m.vm.Memory(), Panics: p.m.panics, Admission: p.m.missed})
	p.setup.telemetry.Flush()
}

// tickPeriod is how often metrics are told, in milliseconds.
const tickPeriod = 1000

// keep counts n more bytes as held; false when the VM's bound would be passed.
func (m *Module) keep(n, bound int) bool {
	if m.held+n > bound {
		return false
	}
	m.held += n
	return true
}

// factor is what this VM learned of how a target counts; nil for one that is not
// configured.
func (m *Module) factor(t *target) *estimate.Factor {
	if t == nil {
		return nil
	}
	return m.factors.Of(t.name)
}

func (m *Module) panicked(cause string) {
	m.panics++
	m.vm.Log(host.Critical, "postern: recovered: "+cause)
}

// number is a stream's, within this VM.
func (m *Module) number() (uint64, string) {
	m.next++
	return m.next, strconv.FormatUint(m.next, 36)
}
