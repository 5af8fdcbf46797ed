package hosttest

import (
	"sync"
	"sync/atomic"
)

// Fault is one injected failure. Exactly one of its kinds is set.
type Fault struct {
	// TrapAt kills the VM in this callback instead of running it.
	TrapAt Callback
	// Refuse makes a host call, named as in the ABI without "proxy_" ("http_call"), answer Status.
	Refuse string
	Status Status
	// OutOfMemory makes allocations in the guest fail, so that results cannot be delivered:
	// the call answers invalid memory access.
	OutOfMemory bool

	// Skip occurrences pass first; then Times fail (0 is once, negative is always).
	Skip, Times int
}

type faults struct {
	armed atomic.Bool
	mu    sync.Mutex
	list  []*Fault
}

// Inject arms faults. They apply to the whole host, in the order in which things happen.
func (h *Host) Inject(list ...Fault) {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	for _, f := range list {
		if f.Times == 0 {
			f.Times = 1
		}
		h.faults.list = append(h.faults.list, &f)
	}
	h.faults.armed.Store(true)
}

// Heal disarms every fault.
func (h *Host) Heal() {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.list = nil
	h.faults.armed.Store(false)
}

func (f *faults) hit(match func(*Fault) bool) *Fault {
	if !f.armed.Load() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.list {
		if x.Times == 0 || !match(x) {
			continue
		}
		if x.Skip > 0 {
			x.Skip--
			continue
		}
		if x.Times > 0 {
			x.Times--
		}
		return x
	}
	return nil
}

func (f *faults) trap(cb Callback) bool {
	return f.hit(func(x *Fault) bool { return x.Refuse == "" && !x.OutOfMemory && x.TrapAt == cb }) != nil
}

func (f *faults) refuse(call string) (Status, bool) {
	if x := f.hit(func(x *Fault) bool { return x.Refuse == call }); x != nil {
		return x.Status, true
	}
	return StatusOK, false
}

func (f *faults) outOfMemory() bool {
	return f.hit(func(x *Fault) bool { return x.OutOfMemory }) != nil
}
