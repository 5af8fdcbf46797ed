package sse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// span is a range of a block. It stays right when the block moves from the chunk to the carry. Zero means absent: no value can
// stand at the very start of a block.
type span struct{ start, end int }

func (s span) of(raw []byte) []byte {
	if s.end == 0 {
		return nil
	}
	return raw[s.start:s.end:s.end]
}

// block is what is known of the block being read.
type block struct {
	line                  int // where the current line begins
	name, data, id, retry span
	lines                 int    // data lines seen
	fields                bool   // a line that is not a comment was seen
	join                  []byte // the data lines, from the second on
}

func (b *block) event(raw []byte) Event {
	ev := Event{
		Name: b.name.of(raw), Data: b.data.of(raw), ID: b.id.of(raw), Retry: b.retry.of(raw),
		Raw: raw, Comment: !b.fields,
	}
	if b.lines > 1 {
		ev.Data = b.join[:len(b.join):len(b.join)]
	}
	return ev
}

// field notes one line that is neither blank nor has its terminator. It begins at f.block.line of the block.
func (f *Framer) field(line []byte) {
	b := &f.block
	colon := bytes.IndexByte(line, ':')
	if colon == 0 {
		return
	}
	b.fields = true
	name, value := line, line[len(line):]
	if colon > 0 {
		name, value = line[:colon], line[colon+1:]
	}
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	end := b.line + len(line)
	b.set(f.raw(), string(name), value, span{end - len(value), end})
}

func (b *block) set(raw []byte, name string, value []byte, at span) {
	switch name {
	case "data":
		b.addData(raw, value, at)
	case "event":
		b.name = at
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			b.id = at
		}
	case "retry":
		if digits(value) {
			b.retry = at
		}
	}
}

// addData notes the first data line by its place and joins the others to it in a buffer.
func (b *block) addData(raw, value []byte, at span) {
	switch b.lines {
	case 0:
		b.data = at
	case 1:
		b.join = append(b.join[:0], b.data.of(raw)...)
		fallthrough
	default:
		b.join = append(b.join, '\n')
		b.join = append(b.join, value...)
	}
	b.lines++
}

func digits(value []byte) bool {
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(value) > 0
}

// lineEnd returns the length of the line at the start of b and of its terminator, which is 0 if b has none. A CR at the very
// end counts as a terminator.
func lineEnd(b []byte) (n, term int) {
	n = lineBreak(b)
	switch {
	case n == len(b):
		return n, 0
	case b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n':
		return n, 2
	}
	return n, 1
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// lineBreak returns the offset of the first LF or CR, or len(b). It looks at eight bytes at a time: a byte of x is zero, and the
// subtraction borrows into its high bit, where the word holds the byte sought. One pass for both keeps streams of bare CR linear.
func lineBreak(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		x, y := w^('\n'*ones), w^('\r'*ones)
		if hit := ((x-ones)&^x | (y-ones)&^y) & highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if b[i] == '\n' || b[i] == '\r' {
			return i
		}
	}
	return i
}
