package budget

import (
	"bytes"
	"slices"
)

// Shared is the host's shared data. The pipeline's VM implements it.
type Shared interface {
	// Shared reads a value with its version; false when the key is absent.
	Shared(key string) (value []byte, version uint32, ok bool)
	// SetShared writes a value if the key's version is still the given one, or
	// if the key is absent and the version is not 0.
	SetShared(key string, value []byte, version uint32) bool
}

const (
	// maxTries bounds how often a lost race is run again.
	maxTries = 16
	// maxAbsent bounds how often a key may still be absent: a host that does not
	// take what is written has no shared data.
	maxAbsent = 2
	// creation is a version that no value has. proxy-wasm hosts write an absent
	// key whatever the version (seen in Envoy 1.40), so with this one of two VMs that
	// create a key at once loses, as it must; with 0 the second would overwrite
	// the first one's leases.
	creation = ^uint32(0)
)

// Local is the store in the host's shared data: one for all VMs of one host
// process that share a vm_id. Replicas of the host do not share it: with N
// replicas the limit is N times as high.
type Local struct {
	shared Shared
	seed   uint64
	issued uint64
	slot   []counter
	buf    []byte
}

// NewLocal returns a store. seed makes the ids of its leases unlike those of
// other VMs: it must be random.
func NewLocal(s Shared, seed uint64) *Local { return &Local{shared: s, seed: seed} }

// Exchange is Store.Exchange. It costs one read of shared data and at most one
// write, unless another VM writes the same slot at the same time.
func (l *Local) Exchange(a *Ask) (Grant, Answer) {
	key := slotKey(a.Meter, &a.Subject)
	id := l.newID()
	absent := 0
	for range maxTries {
		old, version, ok := l.shared.Shared(key)
		if !ok {
			version = creation
			absent++
		}
		if absent > maxAbsent {
			break
		}
		c := l.open(old, a)
		if c == nil {
			return Grant{}, Unavailable
		}
		g, answer, changed := c.exchange(a, id)
		if !changed || l.write(key, old, version) {
			return g, answer
		}
	}
	return Grant{}, Unavailable
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

func (l *Local) write(key string, old []byte, version uint32) bool {
	l.buf = appendValue(l.buf[:0], l.slot)
	return bytes.Equal(l.buf, old) || l.shared.SetShared(key, l.buf, version)
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
