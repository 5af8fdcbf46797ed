package budget

import (
	"encoding/binary"
	"strconv"
)

// A value of shared data holds the counters of one slot of one budget:
//
//	version  byte, 1
//	then for each counter:
//	subject  16 bytes
//	tag      byte: window, unit, token bucket
//	window   varint
//	used     varint
//	leases   byte, their number
//	then for each lease:
//	id       8 bytes, big endian
//	amount   varint
//	expires  varint
//
// Varints are unsigned, as in encoding/binary. A value that cannot be read is
// taken as empty: the counters of that slot start again.
const valueVersion = 1

// keyPrefix has that version: a module with another one, on the same host while
// one replaces the other, has keys of its own and overwrites nothing.
const keyPrefix = "postern.budget.1."

const (
	maxCounters = 16 // per slot
	perSlot     = 4  // counters per slot that the number of slots is made for
)

// slots is how many keys of shared data a meter uses at most.
func (m *Meter) slots() int { return (max(1, m.Subjects) + perSlot - 1) / perSlot }

// slotKey is the key of a subject's slot.
func slotKey(m *Meter, s *Subject) string {
	var b [256]byte
	n := binary.BigEndian.Uint64(s[:]) % uint64(m.slots())
	k := append(b[:0], keyPrefix...)
	k = append(append(k, m.Budget...), '.')
	return string(strconv.AppendUint(k, n, 10))
}

func appendValue(dst []byte, cs []counter) []byte {
	dst = append(dst, valueVersion)
	for i := range cs {
		c := &cs[i]
		dst = append(append(dst, c.subject[:]...), c.tag)
		dst = binary.AppendUvarint(dst, uint64(c.window))
		dst = binary.AppendUvarint(dst, uint64(c.used))
		dst = append(dst, byte(len(c.leases)))
		for _, l := range c.leases {
			dst = binary.BigEndian.AppendUint64(dst, l.id)
			dst = binary.AppendUvarint(dst, uint64(l.amount))
			dst = binary.AppendUvarint(dst, uint64(l.expires))
		}
	}
	return dst
}

// reader takes a value apart; after a mistake it stays failed.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) bytes(n int) []byte {
	if r.failed || len(r.b) < n {
		r.failed = true
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) number(limit int64) int64 {
	v, n := binary.Uvarint(r.b)
	if r.failed || n <= 0 || v > uint64(limit) {
		r.failed = true
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

// readValue reads counters into cs, whose leases it reuses.
func readValue(cs []counter, b []byte) ([]counter, bool) {
	cs = cs[:0]
	r := reader{b: b}
	if v := r.bytes(1)[0]; v != valueVersion {
		return cs, false
	}
	for len(r.b) > 0 && !r.failed {
		if len(cs) == maxCounters {
			return cs[:0], false
		}
		cs = grow(cs)
		r.counter(&cs[len(cs)-1])
	}
	if r.failed {
		return cs[:0], false
	}
	return cs, true
}

func (r *reader) counter(c *counter) {
	copy(c.subject[:], r.bytes(len(c.subject)))
	c.tag = r.bytes(1)[0]
	c.window, c.used = r.number(maxTime), r.number(most)
	n := int(r.bytes(1)[0])
	r.failed = r.failed || n > maxLeases
	for i := 0; i < n && !r.failed; i++ {
		c.leases = append(c.leases, lease{
			id:      binary.BigEndian.Uint64(r.bytes(8)),
			amount:  r.number(most),
			expires: r.number(maxTime),
		})
	}
}

const maxTime = 1 << 50 // Unix ms

// grow adds an empty counter, with the memory of an earlier one if there is.
func grow(cs []counter) []counter {
	if len(cs) < cap(cs) {
		cs = cs[:len(cs)+1]
	} else {
		cs = append(cs, counter{})
	}
	c := &cs[len(cs)-1]
	*c = counter{leases: c.leases[:0]}
	return cs
}
