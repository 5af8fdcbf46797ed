package budget

import (
	"slices"

	"github.com/posterngw/postern/filters/shared"
)

// Local is the store in the host's shared data: one for all VMs of one host
// process that share a vm_id. Replicas of the host do not share it: with N
// replicas the limit is N times as high.
type Local struct {
	shared shared.Data
	seed   uint64
	issued uint64
	slot   []counter
	buf    []byte
}

// NewLocal returns a store. seed makes the ids of its leases unlike those of
// other VMs: it must be random.
func NewLocal(s shared.Data, seed uint64) *Local { return &Local{shared: s, seed: seed} }

// Exchange is Store.Exchange. It costs one read of shared data and at most one
// write, unless another VM writes the same slot at the same time.
func (l *Local) Exchange(a *Ask) (g Grant, answer Answer) {
	id := l.newID()
	result := shared.Update(l.shared, slotKey(a.Meter, &a.Subject), func(old []byte) []byte {
		var changed bool
		if g, answer, changed = l.exchange(old, a, id); !changed {
			return old
		}
		l.buf = appendValue(l.buf[:0], l.slot)
		return l.buf
	})
	if result != shared.Done {
		return Grant{}, Unavailable
	}
	return g, answer
}

// exchange runs an exchange on the value of a slot.
func (l *Local) exchange(value []byte, a *Ask, id uint64) (Grant, Answer, bool) {
	c := l.open(value, a)
	if c == nil {
		return Grant{}, Unavailable, false
	}
	return c.exchange(a, id)
}

// open reads a slot, drops what is over, and finds or makes the subject's
// counter; nil when there is no room for it.
func (l *Local) open(value []byte, a *Ask) *counter {
	l.slot, _ = readValue(l.slot, value)
	l.slot = slices.DeleteFunc(l.slot, func(c counter) bool { return c.subject != a.Subject && c.over(a) })
	for i := range l.slot {
		if l.slot[i].subject == a.Subject {
			return &l.slot[i]
		}
	}
	if len(l.slot) == maxCounters {
		return nil
	}
	l.slot = grow(l.slot)
	c := &l.slot[len(l.slot)-1]
	c.subject = a.Subject
	c.reset(a)
	return c
}

// over reports whether a counter says no more than a new one would.
func (c *counter) over(a *Ask) bool {
	switch {
	case c.tag != a.Meter.tag():
		return true
	case !a.Meter.bucket():
		return c.window < a.Window
	}
	full := *c
	full.leases = slices.Clone(c.leases)
	full.advance(a)
	return len(full.leases) == 0 && full.used >= a.Meter.Burst*micro
}

// newID returns an id that is not 0 and that no other VM is likely to give
// (splitmix64).
func (l *Local) newID() uint64 {
	l.issued++
	z := l.seed + l.issued*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return max(1, z^z>>31)
}
