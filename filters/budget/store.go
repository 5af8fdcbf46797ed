package budget

import "time"

// Store keeps the counters that all VMs share.
type Store interface {
	// Exchange does everything that a VM wants of a counter in one atomic step:
	// it counts what the VM spent, ends its lease, and makes a new one for what is
	// to be kept and what is needed, as far as it fits. An answer other than
	// Granted or Exhausted changed nothing.
	Exchange(a *Ask) (Grant, Answer)
}

// Answer is how an exchange ended.
type Answer uint8

// The answers of a store.
const (
	// Granted: the need (which may be 0) is granted.
	Granted Answer = iota
	// Exhausted: what was spent is counted and what was to be kept is kept, but
	// the need does not fit into what is left.
	Exhausted
	// Unavailable: the store does not work, is full, or is too contended.
	Unavailable
	// Pending: the store has to ask elsewhere. It runs Ask.Ready, if that is not
	// nil, when the same exchange is worth asking again.
	Pending
)

// Subject is the digest of the attribute values that share one counter.
type Subject [16]byte

// Ask is a VM's side of an exchange. Amounts are in the budget's unit.
type Ask struct {
	Meter   *Meter
	Subject Subject
	Window  int64  // start of the current window, Unix ms; 0 for a token bucket
	Now     int64  // Unix ms
	Lease   uint64 // the lease to exchange; 0 for none
	Spent   int64  // spent since it was last counted, of the lease or beyond it
	Keep    int64  // of the lease, what must stay
	Need    int64  // what to grant, all or nothing
	Ready   func()
}

// Grant is the store's side of an exchange.
type Grant struct {
	Lease   uint64 // the lease that the VM now has; 0 for none
	Expires int64  // of that lease, Unix ms
	Window  int64  // the window that the store is in
	Counted int64  // how much of what the VM spent is counted now
	Kept    int64  // how much of Keep the lease still covers
	Ahead   int64  // granted beyond the need
	Left    int64  // what nobody holds now
	After   int64  // of a token bucket that is exhausted: ms until the need fits
}

// Meter is what a store must know of a budget.
type Meter struct {
	Budget   string
	Unit     Unit
	Window   Window
	Limit    int64
	Burst    int64 // above 0: a token bucket, refilled by Limit per Window
	Chunk    int64 // least amount to lease while much is left
	TTL      time.Duration
	Subjects int // how many counters to have room for
}

// bucket reports whether the meter is a token bucket.
func (m *Meter) bucket() bool { return m.Burst > 0 }

// full is the most that can be granted at once.
func (m *Meter) full() int64 {
	if m.bucket() {
		return m.Burst
	}
	return m.Limit
}

// lot is how much to grant for a need when left is free: up to a chunk while
// much is left, no more than the need when little is.
func (m *Meter) lot(need, left int64) int64 {
	return max(need, min(m.Chunk, left/8))
}
