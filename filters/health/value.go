package health

import (
	"encoding/binary"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/sliding"
)

// A value of shared data holds the record of one target, as words of 8 bytes,
// big endian:
//
//	version, 2; state; class; trips; probes; asked: a byte each, then 2 bytes of 0
//	gen, run: 4 bytes each
//	pause, ms
//	since, until, early, Unix ms
//	first: µs; then Unix ms of the last sample
//	each: the same
//	slot of the window
//	for each bucket: successes, failures: 4 bytes each
//
// A value that cannot be read is taken as absent: the target starts again.
const (
	valueVersion = 2
	valueSize    = 8 * words
	words        = 11 + sliding.Buckets
	maxTime      = 1 << 50 // Unix ms
)

func appendRecord(dst []byte, r *record) []byte {
	asked := uint64(0)
	if r.asked {
		asked = 1
	}
	w := [words]uint64{
		valueVersion<<56 | uint64(r.state)<<48 | uint64(r.class)<<40 | uint64(r.trips)<<32 | uint64(r.probes)<<24 | asked<<16,
		uint64(r.gen)<<32 | uint64(r.run), uint64(r.pause), uint64(r.since), uint64(r.until), uint64(r.early),
		uint64(r.first.micros), uint64(r.first.at), uint64(r.each.micros), uint64(r.each.at), uint64(r.window.Slot),
	}
	for i, p := range r.window.Ring {
		w[words-sliding.Buckets+i] = uint64(p.A)<<32 | uint64(p.B)
	}
	for _, v := range w {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	return dst
}

// readRecord reads a value; false, and a record of which nothing is known, if it
// is not one that appendRecord wrote.
func readRecord(b []byte) (record, bool) {
	var w [words]uint64
	if len(b) != valueSize {
		return record{}, false
	}
	for i := range w {
		w[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	r := record{
		state: State(w[0] >> 48), class: llm.Class(w[0] >> 40), trips: uint8(w[0] >> 32), probes: uint8(w[0] >> 24),
		gen: uint32(w[1] >> 32), run: uint32(w[1]), pause: uint32(w[2]), since: int64(w[3]), until: int64(w[4]),
		asked: w[0]>>16&1 != 0, early: int64(w[5]),
		first: average{uint32(w[6]), int64(w[7])}, each: average{uint32(w[8]), int64(w[9])},
	}
	r.window.Slot = int64(w[10])
	for i := range r.window.Ring {
		v := w[words-sliding.Buckets+i]
		r.window.Ring[i] = sliding.Pair{A: uint32(v >> 32), B: uint32(v)}
	}
	if w[0]>>56 != valueVersion || (w[0]<<48|w[0]>>17<<57|w[2]>>32|w[6]>>32|w[8]>>32) != 0 || !r.sound() {
		return record{}, false
	}
	return r, true
}

// sound reports whether a record can be one of the machine's: everything that
// shuts a target out is bounded in time.
func (r *record) sound() bool {
	for _, t := range [...]int64{r.since, r.until, r.early, r.first.at, r.each.at, r.window.Slot} {
		if t < 0 || t > maxTime {
			return false
		}
	}
	return r.state < states && r.probes <= maxProbes &&
		(r.class == llm.NoError || r.class.String() != "") &&
		int64(r.pause) <= maxShut.Milliseconds() &&
		r.until >= r.since && r.until-r.since <= maxShut.Milliseconds()
}
