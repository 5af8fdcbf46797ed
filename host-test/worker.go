package hosttest

import (
	"errors"
	"sync"
	"time"
)

// worker is one event loop: a lock under which its VMs and streams run, and an inbox for what
// others want done there. Nothing blocks while the lock is held.
type worker struct {
	host  *Host
	index int

	mu       sync.Mutex
	vms      map[vmKey]*VM
	plugins  map[*plugin]*pluginHandle
	lastLoad map[vmKey]time.Time
	streams  map[*Stream]struct{}
	crashed  bool // the process behind this worker is gone, until restart

	inboxMu sync.Mutex
	inbox   []func()
}

// vmKey is what two filters must have in common to share a VM.
type vmKey struct {
	id     string
	module Module
	config string
}

// pluginHandle is a plugin on a worker: its VM and root context.
type pluginHandle struct {
	plugin *plugin
	root   *vmContext
}

func newWorker(h *Host, index int) *worker {
	return &worker{
		host: h, index: index, vms: map[vmKey]*VM{}, plugins: map[*plugin]*pluginHandle{},
		lastLoad: map[vmKey]time.Time{}, streams: map[*Stream]struct{}{},
	}
}

func (w *worker) lock() { w.mu.Lock() }

// unlock empties the inbox before it lets go, then lets other workers do what was posted to them.
func (w *worker) unlock() {
	w.drain()
	w.mu.Unlock()
	w.host.kick()
}

// post asks the worker to do f, soon, under its lock.
func (w *worker) post(f func()) {
	w.inboxMu.Lock()
	w.inbox = append(w.inbox, f)
	w.inboxMu.Unlock()
	w.host.posted.Add(1)
}

func (w *worker) drain() {
	for {
		f := w.nextPosted()
		if f == nil {
			return
		}
		f()
	}
}

func (w *worker) nextPosted() func() {
	if w.host.posted.Load() == 0 {
		return nil
	}
	w.inboxMu.Lock()
	defer w.inboxMu.Unlock()
	if len(w.inbox) == 0 {
		return nil
	}
	f := w.inbox[0]
	w.inbox = w.inbox[1:]
	w.host.posted.Add(-1)
	return f
}

// after runs f under the worker's lock after d. The timer is stopped under that lock too, so that a
// stopped timer never fires.
func (w *worker) after(d time.Duration, f func()) Timer {
	t := &workerTimer{}
	t.timer = w.host.clock.AfterFunc(d, func() {
		w.lock()
		defer w.unlock()
		if !t.stopped {
			t.stopped = true
			f()
		}
	})
	return t
}

type workerTimer struct {
	timer   Timer
	stopped bool
}

func (t *workerTimer) Stop() bool {
	was := t.stopped
	t.stopped = true
	t.timer.Stop()
	return !was
}

// load starts every plugin; the first refusal ends it.
func (w *worker) load() error {
	w.lock()
	defer w.unlock()
	for _, p := range w.host.allPlugins() {
		if _, err := w.startPlugin(p); err != nil {
			return err
		}
	}
	return nil
}

// startPlugin makes the plugin's root context in the VM that it shares, or in a new one.
func (w *worker) startPlugin(p *plugin) (*pluginHandle, error) {
	vm := w.vms[p.sharing]
	if vm == nil {
		var err error
		if vm, err = newVM(w, p); err != nil {
			return nil, err
		}
		w.vms[p.sharing] = vm
	}
	root := vm.newContext(p, nil)
	h := &pluginHandle{plugin: p, root: root}
	w.plugins[p] = h
	return h, root.start()
}

// handles are the plugins of a stage, with dead ones started anew where their policy says so.
func (w *worker) handles(s Stage) []*pluginHandle {
	plugins := w.host.plugins[s]
	out := make([]*pluginHandle, 0, len(plugins))
	for _, p := range plugins {
		h := w.plugins[p]
		if h.root.vm.err != nil && p.FailurePolicy == FailReload && !p.rules.neverReload {
			h = w.reload(p, h)
		}
		if p.rules.configureLate && !h.root.configured && !h.root.failed() {
			if err := h.root.configure(); err != nil {
				w.host.log(LogError, h.root.vm, h.root, err.Error())
			}
		}
		if h.root.failed() && p.FailurePolicy == FailOpen {
			continue // Envoy passes over the filter, but not in streams that it has begun with
		}
		out = append(out, h)
	}
	return out
}

// restart is a new process in the place of a crashed one: its connections are gone, its VMs new.
func (w *worker) restart() {
	for s := range w.streams {
		s.reset("worker crashed")
	}
	for _, vm := range w.vms {
		vm.fail(errCrashed)
	}
	w.crashed = false
	for _, p := range w.host.allPlugins() {
		if _, err := w.startPlugin(p); err != nil {
			w.host.stats.ReloadFailures.Add(1)
		}
	}
}

// reload replaces a dead VM unless it was replaced less than a second ago (Envoy: ReloadConfig's
// back-off, base interval 1 s; here without its jitter).
func (w *worker) reload(p *plugin, old *pluginHandle) *pluginHandle {
	now := w.host.clock.Now()
	if w.vms[p.sharing] == nil {
		if last, ok := w.lastLoad[p.sharing]; ok && now.Sub(last) < reloadBackoff {
			w.host.stats.ReloadBackoffs.Add(1)
			return old
		}
		w.lastLoad[p.sharing] = now
	}
	h, err := w.startPlugin(p)
	if err != nil {
		w.host.stats.ReloadFailures.Add(1)
		w.plugins[p] = old
		return old
	}
	w.host.stats.Reloads.Add(1)
	return h
}

var errCrashed = errors.New("hosttest: the worker crashed")

const reloadBackoff = time.Second

// forget takes a dead VM out of use. It is closed when the worker lets go of its lock: until then
// frames of it may be on the stack.
func (w *worker) forget(vm *VM) {
	for k, v := range w.vms {
		if v == vm {
			delete(w.vms, k)
		}
	}
	w.post(func() { _ = vm.close() })
}

func (w *worker) streamEnded(s *Stream) {
	delete(w.streams, s)
}
