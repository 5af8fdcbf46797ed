package health

import (
	"encoding/binary"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/sliding"
)

// A value of shared data holds the record of one target, in a fixed size, big
// endian:
//
//	version  byte, 1
//	state    byte
//	class    byte
//	trips    byte
//	probes   byte
//	gen      4 bytes
//	run      4 bytes
//	pause    4 bytes, ms
//	since    8 bytes, Unix ms
//	until    8 bytes, Unix ms
//	first    4 bytes, µs; then 8 bytes, Unix ms of the last sample
//	each     the same
//	slot     8 bytes
//	counts   for each bucket 4 bytes of successes and 4 bytes of failures
//
// A value that cannot be read is taken as absent: the target starts again.
const (
	valueVersion = 1
	valueSize    = 5 + 3*4 + 2*8 + 2*12 + 8 + sliding.Buckets*8
	maxTime      = 1 << 50 // Unix ms
)

func appendRecord(dst []byte, r *record) []byte {
	be := binary.BigEndian
	dst = append(dst, valueVersion, byte(r.state), byte(r.class), r.trips, r.probes)
	dst = be.AppendUint32(be.AppendUint32(be.AppendUint32(dst, r.gen), r.run), r.pause)
	dst = be.AppendUint64(be.AppendUint64(dst, uint64(r.since)), uint64(r.until))
	for _, a := range [...]*average{&r.first, &r.each} {
		dst = be.AppendUint64(be.AppendUint32(dst, a.micros), uint64(a.at))
	}
	dst = be.AppendUint64(dst, uint64(r.window.Slot))
	for _, p := range r.window.Ring {
		dst = be.AppendUint32(be.AppendUint32(dst, p.A), p.B)
	}
	return dst
}

// readRecord reads a value; false, and a record of which nothing is known, if it
// is not one that appendRecord wrote.
func readRecord(b []byte) (r record, ok bool) {
	if len(b) != valueSize || b[0] != valueVersion {
		return record{}, false
	}
	c := cursor{b[1:]}
	r.state, r.class, r.trips, r.probes = State(c.byte()), llm.Class(c.byte()), c.byte(), c.byte()
	r.gen, r.run, r.pause = c.word(), c.word(), c.word()
	r.since, r.until = c.long(), c.long()
	for _, a := range [...]*average{&r.first, &r.each} {
		a.micros, a.at = c.word(), c.long()
	}
	r.window.Slot = c.long()
	for i := range r.window.Ring {
		r.window.Ring[i] = sliding.Pair{A: c.word(), B: c.word()}
	}
	if !r.sound() {
		return record{}, false
	}
	return r, true
}

// sound reports whether a record can be one of the machine's: everything that
// shuts a target out is bounded in time.
func (r *record) sound() bool {
	for _, t := range [...]int64{r.since, r.until, r.first.at, r.each.at, r.window.Slot} {
		if t < 0 || t > maxTime {
			return false
		}
	}
	return r.state < states && r.probes <= maxProbes &&
		(r.class == llm.NoError || r.class.String() != "") &&
		int64(r.pause) <= maxShut.Milliseconds() &&
		r.until >= r.since && r.until-r.since <= maxShut.Milliseconds()
}

// cursor reads a value of the right size.
type cursor struct{ b []byte }

func (c *cursor) byte() byte {
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) word() uint32 {
	v := binary.BigEndian.Uint32(c.b)
	c.b = c.b[4:]
	return v
}

func (c *cursor) long() int64 {
	v := binary.BigEndian.Uint64(c.b)
	c.b = c.b[8:]
	return int64(v)
}
