package pipeline

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/estimate"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/credential"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/telemetry"
	"github.com/posterngw/postern/filters/watch"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Module is one instance of Postern in a VM: what its streams share. A VM has
// one, whatever number of plugins the host configures.
type Module struct {
	vm       VM
	own      *ownData // in the host's place, where it has no shared data
	dialects []*dialect.Dialect
	gather   []Gatherer

	live     map[string]*request
	factors  estimate.Factors // by target: how it counts tokens
	holding  map[*providerStage]struct{}
	serving  []*Snapshot // what requests began with, and may not have been reported
	inFlight int
	next     uint64 // of stream keys
	nonce    string // tells this VM's keys from another's
	chance   uint64
	secret   uint64 // of hashes that clients must not foresee
	panics   int64
	refusals int64
	waking   []waking
	host     known
	holders  int // plugins of this VM that are holders
	rec      audit.Record
	watch    *watch.Module // nil as long as no plugin observes
	line     []byte

	// What one callback needs for itself, here and not on the heap each time.
	edits jsonx.Edits
	ask   route.Ask
	doc   jsonx.Document
	auth  credential.Attempt
	keys  [4][2]string // headers that authenticate an attempt
	out   []byte       // the body that is being written, until it is handed to the host
}

// forget lets go of the body that was read.
func (m *Module) forget() { m.doc = jsonx.Document{} }

// keepOut is the memory for bodies that is kept for the next one, in bytes. It
// holds nearly every request; a fresh allocation of 200 KB for each is a third
// of what the collector does under such a load.
const keepOut = 512 << 10

// apply makes the edits. The result is valid until the next body is written.
func (m *Module) apply(body []byte) []byte {
	return m.wrote(m.edits.Apply(m.out[:0], body))
}

// wrote keeps the memory of a body that was appended to out.
func (m *Module) wrote(body []byte) []byte {
	if m.out = nil; cap(body) <= keepOut {
		m.out = body
	}
	return body
}

// New makes the module of a VM. dialects is the list of what it speaks.
func New(vm VM, dialects []*dialect.Dialect, gather ...Gatherer) *Module {
	m := &Module{
		vm: vm, own: ownShared(vm), dialects: dialects, gather: gather,
		live:    make(map[string]*request),
		factors: estimate.Factors{},
		holding: make(map[*providerStage]struct{}),
		nonce:   strconv.FormatUint(uint64(vm.Now().UnixNano()), 36),
		chance:  uint64(vm.Now().UnixNano()),
	}
	secret := m.chance + 1
	m.secret = route.Next(&secret)
	return m
}

// Plugin begins a plugin; its configuration tells which stage it is.
func (m *Module) Plugin() Plugin { return &plugin{m: m} }

// serve notes a snapshot that a request begins or ends in.
func (m *Module) serve(sn *Snapshot) {
	if !sn.serves {
		sn.serves = true
		m.serving = append(m.serving, sn)
	}
}

// key makes a stream key that no other VM of the host makes.
func (m *Module) key() (number uint64, key string) {
	m.next++
	return m.next, m.nonce + "." + strconv.FormatUint(m.next, 36)
}

// maxAge is how long a stream may live that the host never reported as done:
// beyond it its state is dropped, so that a host's lapse cannot fill the VM.
const maxAge = 2 * time.Hour

// tick releases streams that were held long enough, and sweeps.
func (m *Module) tick() {
	m.awake()
	now := m.vm.Now()
	for p := range m.holding {
		p.expire(now)
	}
	m.unhold(now)
	m.hurry(now)
	m.sweep(now)
}

// random draws 64 bits (splitmix64, seeded by the clock): for sharing out load
// and for span ids, not for secrets.
func (m *Module) random() uint64 { return route.Next(&m.chance) }

// panicked counts a contained panic and tells operators.
func (m *Module) panicked(cause string) {
	m.panics++
	m.vm.Log(Critical, "postern: recovered: "+cause)
}

func (m *Module) sweep(now time.Time) {
	for _, r := range m.live {
		if now.Sub(r.began) > maxAge {
			r.settle(now)
		}
	}
}

// plugin is one configured instance: the stage that has the configuration, or one
// that takes it from the request it serves.
type plugin struct {
	m        *Module
	stage    string // empty: the one with the configuration
	snap     *Snapshot
	observer host.Plugin // instead of all else, in mode observe
	reported time.Time
	swept    time.Time // where there are no ticks
}

// The configurations of stages that have nothing else in theirs.
const (
	providerName = "provider"
	holderName   = "holder"

	// ProviderConfig is the whole configuration of the provider stage.
	ProviderConfig = `{"stage":"` + providerName + `"}`
	// HolderConfig is that of the holder; the reader has that of a client stage.
	HolderConfig = `{"stage":"` + holderName + `"}`
)

func (p *plugin) Configure(raw []byte) bool {
	if stage := stageOf(raw); stage == providerName || stage == holderName {
		p.become(stage)
		return true
	}
	snap, errs := NewSnapshot(raw, p.m.dialects, p.m.own)
	if len(errs) > 0 {
		p.m.vm.Log(Critical, "postern: configuration refused:\n"+errs.Error())
		return false
	}
	if p.snap, p.observer = snap, nil; snap.mode == Observe {
		return p.observe(raw)
	}
	snap.telemetry.Serving(snap.Version)
	p.m.vm.Log(Info, "postern: configuration "+snap.Version+" serves")
	p.m.look(snap)
	return true
}

// observe hands the plugin's streams to an observer.
func (p *plugin) observe(raw []byte) bool {
	if p.m.watch == nil {
		p.m.watch = watch.New(p.m.vm, p.m.dialects)
	}
	p.observer = p.m.watch.Plugin(p.snap.shadow)
	return p.observer.Configure(raw)
}

// become makes the plugin a stage that has no configuration of its own.
func (p *plugin) become(stage string) {
	switch {
	case stage == providerName:
		p.m.learn(upstreamStage, true)
		p.m.vm.SetShared(staged, []byte{1}, 0)
	case p.stage != stage:
		p.m.holders++
	}
	p.stage = stage
}

func (p *plugin) Stream(s Stream) Callbacks {
	switch {
	case p.observer != nil:
		return p.observer.Stream(s)
	case p.stage == providerName:
		return &providerStage{s: s, m: p.m, way: byHost{}}
	case p.stage == holderName:
		return &holderStage{s: s, m: p.m}
	case p.snap.mode == Paired:
		return p.m.newReader(s, p.snap)
	case p.snap.mode == Callouts:
		return p.newCallout(s)
	}
	return &clientStage{s: s, m: p.m, snap: p.snap, way: byHost{}}
}

func (p *plugin) Tick() {
	switch {
	case p.observer != nil:
		p.observer.Tick()
	case p.snap != nil:
		p.m.tick()
		p.m.renew(p.snap)
		p.report()
	}
}

// report brings what is shared up to date: counters and budgets, also those of
// configurations that no plugin has any more, as long as requests end in them.
func (p *plugin) report() {
	now := p.m.vm.Now()
	if now.Sub(p.reported) < budget.TickEvery {
		return
	}
	p.reported = now
	kept := p.m.serving[:0]
	for _, sn := range p.m.serving {
		if sn.serves = sn.budgets.Tick(now) || sn == p.snap; sn.serves {
			kept = append(kept, sn)
		}
		sn.health.Tick(now)
		sn.telemetry.Flush()
	}
	clear(p.m.serving[len(kept):])
	p.m.serving = kept
	p.snap.telemetry.Sample(telemetry.Sample{Streams: int64(len(p.m.live)), BytesInFlight: int64(p.m.inFlight),
		HighWater: p.m.vm.Memory(), Panics: p.m.panics, Admission: p.m.refusals})
	p.snap.telemetry.Flush()
}

// tickPeriod bounds how late a held stream is released, in milliseconds.
const tickPeriod = 100
