// Package sliding counts two kinds of events over a sliding window of time, in
// fixed memory: the window is a ring of buckets, and moves by a bucket at a time.
//
// It has no clock: times are in milliseconds and come from the caller. It keeps
// no single events, so the oldest bucket leaves as a whole.
package sliding

import "math"

// Buckets is how many buckets a window has.
const Buckets = 8

// Pair is the number of events of the two kinds.
type Pair struct{ A, B uint32 }

// Window is the counters of one window. Slot is the number of the newest bucket
// since the epoch; a bucket's place in the ring is its number modulo Buckets. The
// zero value is empty. All uses of one Window must agree on its length.
type Window struct {
	Slot int64
	Ring [Buckets]Pair
}

// Add counts events at a time. A clock that goes back by less than the window
// counts in the newest bucket; one that goes back by more empties the window.
func (w *Window) Add(now, length int64, a, b uint32) {
	w.advance(now, length)
	at := &w.Ring[w.Slot%Buckets]
	at.A, at.B = plus(at.A, a), plus(at.B, b)
}

// Sum is what was counted within the window that ends at a time.
func (w *Window) Sum(now, length int64) Pair {
	w.advance(now, length)
	var sum Pair
	for _, p := range w.Ring {
		sum.A, sum.B = plus(sum.A, p.A), plus(sum.B, p.B)
	}
	return sum
}

func (w *Window) advance(now, length int64) {
	slot := max(0, now) / max(1, length/Buckets)
	switch ahead := slot - w.Slot; {
	case ahead >= Buckets || ahead <= -Buckets || w.Slot < 0:
		*w = Window{Slot: slot}
	case ahead > 0:
		for ; w.Slot < slot; w.Slot++ {
			w.Ring[(w.Slot+1)%Buckets] = Pair{}
		}
	}
}

// plus adds up to the greatest number there is.
func plus(a, b uint32) uint32 {
	if a > math.MaxUint32-b {
		return math.MaxUint32
	}
	return a + b
}
