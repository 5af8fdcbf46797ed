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

// field notes one line that is neither blank nor has its terminator. It begins at b.line of the block raw.
func (b *block) field(raw, line []byte) {
	if len(line) >= 6 && string(line[:6]) == "data: " { // nearly every line is this one
		b.fields = true
		b.addData(raw, span{b.line + 6, b.line + len(line)})
		return
	}
	colon := bytes.IndexByte(line, ':')
	if colon == 0 {
		return
	}
	b.fields = true
	end := b.line + len(line)
	value := span{end, end}
	if colon > 0 {
		value.start = b.line + colon + 1
		line = line[:colon]
	}
	if value.start < end && raw[value.start] == ' ' {
		value.start++
	}
	b.set(raw, line, value)
}

// whole notes a line that is all data. It begins at b.line of its block.
func (b *block) whole(line []byte) {
	b.fields, b.lines = true, 1
	b.data = span{b.line, b.line + len(line)}
}

func (b *block) set(raw, name []byte, value span) {
	switch string(name) {
	case "data":
		b.addData(raw, value)
	case "event":
		b.name = value
	case "id":
		if bytes.IndexByte(value.of(raw), 0) < 0 {
			b.id = value
		}
	case "retry":
		if digits(value.of(raw)) {
			b.retry = value
		}
	}
}

// addData notes the first data line by its place and joins the others to it in a buffer.
func (b *block) addData(raw []byte, value span) {
	switch b.lines {
	case 0:
		b.data = value
	case 1:
		b.join = append(b.join[:0], b.data.of(raw)...)
		fallthrough
	default:
		b.join = append(b.join, '\n')
		b.join = append(b.join, value.of(raw)...)
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

// terminator returns the length of the line end at b[n:], which is 0 at the end of b. A CR at the very end counts as a line end.
func terminator(b []byte, n int) int {
	switch {
	case n == len(b):
		return 0
	case b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n':
		return 2
	}
	return 1
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// lineBreak returns the offset of the first LF or CR, or len(b). It reads words, as Go in WebAssembly has no faster way, and both
// bytes in one pass, as a stream of bare CR would otherwise cost a search for LF from each of its lines.
func lineBreak(b []byte) int {
	i := 0
	for i+32 <= len(b) {
		p := b[i : i+32]
		if breaks(p)|breaks(p[8:])|breaks(p[16:])|breaks(p[24:]) != 0 {
			break
		}
		i += 32
	}
	for ; i+8 <= len(b); i += 8 {
		if hit := breaks(b[i:]); hit != 0 {
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

// breaks looks at the first eight bytes of b. The lowest bit of the result is in the first LF or CR; zero means there is none. A
// byte of x is zero where the byte sought is, and the subtraction borrows into its high bit.
func breaks(b []byte) uint64 {
	w := binary.LittleEndian.Uint64(b)
	x, y := w^('\n'*ones), w^('\r'*ones)
	return ((x-ones)&^x | (y-ones)&^y) & highs
}
