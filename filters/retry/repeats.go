package retry

import (
	"math/bits"
	"time"
)

// Key tells requests apart. Conversation is the hash of who asks, of the model
// and of what all turns of the conversation begin with; Body is that of the
// whole body as the client sent it.
type Key struct{ Conversation, Body uint64 }

// Totals are what a VM has counted since it began.
type Totals struct {
	Requests int64 // of clients
	Distinct int64 // that were not a repeat
	Attempts int64 // of providers
}

const (
	ways     = 4 // entries that a key can be in
	maxCount = 1<<15 - 1
)

// seen is a request that is remembered.
type seen struct {
	key   Key
	last  int64 // Unix ms
	count uint16
	// again: it was repeated since the clock hand passed, and has a second chance.
	again bool
}

// Repeats recognises requests that come again. Its memory is fixed: sets of four
// entries, of which the one goes that has had no second chance.
type Repeats struct {
	window int64
	sets   [][ways]seen
	hands  []uint8
	totals Totals
}

// NewRepeats returns an empty table.
func NewRepeats(c *RepeatsConfig) *Repeats {
	n := 1 << bits.Len(uint(max(1, (c.Entries+ways-1)/ways)-1))
	return &Repeats{window: c.Window.Milliseconds(), sets: make([][ways]seen, n), hands: make([]uint8, n)}
}

// Request notes a request of a client, and returns how often the same came
// within the window before: 0 when it is new.
func (r *Repeats) Request(k Key, now time.Time) int {
	r.totals.Requests++
	ms := now.UnixMilli()
	i := (k.Conversation ^ bits.RotateLeft64(k.Body, 32)) * odd >> 32 & uint64(len(r.sets)-1)
	set := &r.sets[i]
	for j := range set {
		if e := &set[j]; e.count > 0 && e.key == k {
			return r.repeat(e, ms)
		}
	}
	r.totals.Distinct++
	*evict(set, &r.hands[i], ms, r.window) = seen{key: k, last: ms, count: 1}
	return 0
}

// Attempt notes an attempt at a provider.
func (r *Repeats) Attempt() { r.totals.Attempts++ }

// Totals are what was counted so far.
func (r *Repeats) Totals() Totals { return r.totals }

// repeat notes a request whose entry there is.
func (r *Repeats) repeat(e *seen, now int64) int {
	if e.over(now, r.window) {
		r.totals.Distinct++
		e.last, e.count, e.again = now, 1, false
		return 0
	}
	before := int(e.count)
	e.last, e.count, e.again = now, min(e.count+1, maxCount), true
	return before
}

// over reports whether an entry says nothing any more. A clock that was set back
// makes none older.
func (e *seen) over(now, window int64) bool { return e.count == 0 || now-e.last > window }

// evict finds the entry of a set that goes: one that is over, or the next one
// that was not repeated since the hand passed.
func evict(set *[ways]seen, hand *uint8, now, window int64) *seen {
	for j := range set {
		if set[j].over(now, window) {
			return &set[j]
		}
	}
	for {
		e := &set[*hand%ways]
		*hand = (*hand + 1) % ways
		if !e.again {
			return e
		}
		e.again = false
	}
}

// odd is 2⁶⁴ divided by the golden ratio: it spreads bits upwards.
const odd = 0x9e3779b97f4a7c15
