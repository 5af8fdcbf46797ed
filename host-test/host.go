package hosttest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Host is one emulated proxy. It is safe for concurrent use.
type Host struct {
	cfg     Config
	profile Profile
	clock   Clock
	plugins [2][]*plugin // by Stage
	workers []*worker
	posted  atomic.Int64

	shared  sharedData
	queues  sharedQueues
	metrics metricStore
	faults  faults
	stats   Stats

	streamSeq atomic.Uint32
	nextLoop  atomic.Uint32

	mu       sync.Mutex
	lines    []LogLine
	callouts []*Callout
	misuse   []string
	trace    []TraceEvent
	tracing  atomic.Bool
}

// Stats counts what happened to VMs.
type Stats struct {
	Traps, Reloads, ReloadFailures, ReloadBackoffs atomic.Int64
}

// New starts a host: every module is loaded, started and configured on every worker, as proxies do
// before they listen. An error says what a proxy would refuse the configuration for.
func New(cfg Config) (*Host, error) {
	if cfg.Profile.rules == nil {
		cfg.Profile = Envoy()
	}
	if cfg.Clock == nil {
		cfg.Clock = NewVirtualClock(time.Time{})
	}
	h := &Host{cfg: cfg, profile: cfg.Profile, clock: cfg.Clock}
	h.shared.init()
	h.queues.init()
	h.metrics.init()
	if len(cfg.Faults) > 0 {
		h.Inject(cfg.Faults...)
	}
	if err := h.place(); err != nil {
		return nil, err
	}
	for i := range max(cfg.Workers, 1) {
		w := newWorker(h, i)
		h.workers = append(h.workers, w)
		if err := w.load(); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	return h, nil
}

func (h *Host) place() error {
	for stage, filters := range [2][]Filter{h.cfg.Downstream, h.cfg.Upstream} {
		for i, f := range filters {
			p := &plugin{Filter: f, stage: Stage(stage), rules: h.profile.rules}
			if p.Name == "" {
				p.Name = fmt.Sprintf("%s%d", p.stage, i)
			}
			p.sharing = vmKey{id: f.VMID, module: f.Module, config: string(f.VMConfig)}
			if share := p.rules.share; share != nil {
				p.sharing = share(p)
			}
			if err := h.profile.rules.accept(p); err != nil {
				return fmt.Errorf("hosttest: profile %s: filter %s: %w", h.profile.name, p.Name, err)
			}
			h.plugins[stage] = append(h.plugins[stage], p)
		}
	}
	return nil
}

func (h *Host) allPlugins() []*plugin {
	return append(append([]*plugin(nil), h.plugins[Downstream]...), h.plugins[Upstream]...)
}

// Close ends every stream and frees every VM.
func (h *Host) Close() error {
	var errs []error
	for _, w := range h.workers {
		w.lock()
		for s := range w.streams {
			s.reset("host closed")
		}
		for _, vm := range w.vms {
			errs = append(errs, vm.close())
		}
		w.vms = map[vmKey]*VM{}
		w.unlock()
	}
	return errors.Join(errs...)
}

// Profile is the host's profile.
func (h *Host) Profile() Profile { return h.profile }

// Clock is the host's clock.
func (h *Host) Clock() Clock { return h.clock }

// Stats counts traps and reloads.
func (h *Host) Stats() *Stats { return &h.stats }

// Advance moves a virtual clock and runs what falls due: ticks, timeouts, retries. It does nothing
// on another clock.
func (h *Host) Advance(d time.Duration) {
	if c, ok := h.clock.(*VirtualClock); ok {
		c.Advance(d)
	}
}

// Tick calls on_tick now on every root context that has set a period, on every worker.
func (h *Host) Tick() {
	for _, w := range h.workers {
		w.lock()
		for _, p := range h.allPlugins() {
			if root := w.plugins[p].root; root.period > 0 {
				root.tick()
			}
		}
		w.unlock()
	}
}

// VMs are the live VMs, by worker and then in the order of the filters, each once.
func (h *Host) VMs() []*VM {
	var out []*VM
	for _, w := range h.workers {
		w.lock()
		for _, p := range h.allPlugins() {
			vm := w.plugins[p].root.vm
			if vm.err == nil && !slices.Contains(out, vm) {
				out = append(out, vm)
			}
		}
		w.unlock()
	}
	return out
}

// kick lets idle workers do what was posted to them; busy ones do it when they unlock.
func (h *Host) kick() {
	for h.posted.Load() > 0 {
		idle := false
		for _, w := range h.workers {
			if w.mu.TryLock() {
				before := h.posted.Load()
				w.drain()
				w.mu.Unlock()
				idle = idle || h.posted.Load() != before
			}
		}
		if !idle {
			return
		}
	}
}

func (h *Host) route(headers *Headers) *Route {
	if h.cfg.Routes != nil {
		return h.cfg.Routes(headers)
	}
	return &h.cfg.Route
}

func (h *Host) knowsCluster(name string) bool {
	if h.cfg.Clusters == nil {
		return name != ""
	}
	_, ok := h.cfg.Clusters[name]
	return ok
}

// newStream places a stream on the next worker, or on the given one.
func (h *Host) newStream(worker int) *Stream {
	if worker < 0 {
		worker = int(h.nextLoop.Add(1)-1) % len(h.workers)
	}
	s := &Stream{host: h, worker: h.workers[worker%len(h.workers)], id: h.streamSeq.Add(1), start: h.clock.Now(), state: newFilterState(), protocol: "HTTP/1.1", peer: "127.0.0.1:50000"}
	s.router = &router{s: s}
	s.worker.lock()
	s.worker.streams[s] = struct{}{}
	s.worker.unlock()
	return s
}
