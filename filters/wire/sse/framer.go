package sse

// MediaType is the content type of a stream of server-sent events.
const MediaType = "text/event-stream"

// DefaultEvent is the limit in bytes of one event when Limits does not say.
const DefaultEvent = 1 << 20

// keepCarry is the capacity in bytes up to which the carry is kept for the next event that straddles chunks.
const keepCarry = 64 << 10

// Limits bounds what a Framer holds.
type Limits struct {
	Event int // bytes of one block with its terminator; 0 means DefaultEvent
	// Lines makes every line a block of its own, which is all data: a stream of
	// newline-delimited JSON. A blank line is a comment there.
	Lines bool
	// Read leaves out the block that is the LF of a CRLF cut in two: whoever
	// reads events, and passes no bytes on, then sees the same however the
	// stream is cut.
	Read bool
}

// Event is one block of the stream. Its slices are views that hold until the next call of Feed or Next.
type Event struct {
	Name  []byte // value of the last event field; nil if absent
	Data  []byte // values of the data fields joined by LF; nil if there is none, empty but not nil for an empty one
	ID    []byte // value of the last id field without a NUL; nil if absent
	Retry []byte // ASCII digits of the last retry field that has only those; nil if absent
	Raw   []byte // every byte of the block, its terminator included

	// Start and End are the block's place in the chunk last fed. Start is -1 when the block began in an earlier chunk; End is
	// right even then, and 0 from Close.
	Start, End int

	Comment      bool // the block has no field: comments only, or a lone blank line
	Unterminated bool // the stream ended before the block's blank line
}

// Framer cuts a byte stream into events. Feed it a chunk, then call Next until it returns false. The zero value works with the
// default limits. Its memory is one incomplete block (at most Limits.Event bytes) and the joined data lines of one event.
type Framer struct {
	max   int
	lines bool
	read  bool // see Limits.Read
	chunk []byte
	pos   int // next unread byte of chunk

	start int    // where the block begins in chunk, while carry is empty
	carry []byte // the block's bytes from earlier chunks, and this chunk's as they are read
	size  int    // bytes of the block so far
	block block

	begun bool // the first line is behind us: no byte order mark any more
	mid   bool // the current line has bytes in an earlier chunk
	cr    bool // the last byte of the last chunk was a CR that ended a line
	spent bool // the carry belongs to the event that Next returned last
	skip  bool // the block is over the limit; its bytes are dropped

	overflowed int
	skipped    int64
}

// NewFramer returns a Framer with the given limits.
func NewFramer(lim Limits) *Framer {
	f := new(Framer)
	f.Init(lim)
	return f
}

// Init makes the Framer ready for a new stream and keeps its buffers.
func (f *Framer) Init(lim Limits) {
	*f = Framer{max: lim.Event, lines: lim.Lines, read: lim.Read, carry: f.carry[:0], block: block{join: f.block.join[:0]}}
}

// Feed hands over the next chunk, which must stay unchanged until Next returns false. What Next did not take of the chunk
// before is lost: the framer resynchronises at the next blank line and counts an overflow.
func (f *Framer) Feed(chunk []byte) {
	f.release()
	f.abandon()
	f.chunk, f.pos, f.start = chunk, 0, 0
}

// Next returns the next complete block of the stream in order. False means that the chunk is used up.
func (f *Framer) Next() (ev Event, ok bool) {
	f.release()
	for f.pos < len(f.chunk) {
		if f.cr && f.secondHalf() {
			if ok = f.size == 1 && !f.skip; ok && !f.read {
				f.emit(&ev)
				return ev, true
			} else if ok {
				f.reset()
			}
			continue
		}
		rest := f.chunk[f.pos:]
		n := 0
		if rest[0] != '\n' { // every other line is blank
			n = lineBreak(rest)
		}
		term := terminator(rest, n)
		f.take(n + term)
		if term == 0 {
			f.mid = f.mid || n > 0
			break
		}
		f.cr = f.pos == len(f.chunk) && f.chunk[f.pos-1] == '\r'
		if f.endLine(n, term) && f.endBlock() {
			f.emit(&ev)
			return ev, true
		}
	}
	f.park()
	return ev, false
}

// Rest returns the number of bytes of the incomplete block that is carried, once Next has returned false.
func (f *Framer) Rest() int {
	if f.skip || f.spent {
		return 0
	}
	return f.size
}

// Idle reports whether the stream so far ends with a whole block, so that the next chunk begins one.
func (f *Framer) Idle() bool { return f.begun && f.size == 0 && !f.cr && !f.skip }

// Close ends the stream. If a block is left without its blank line it is returned, flagged Unterminated: WHATWG discards it,
// but providers do send a last event so, and the caller decides. Call it after Next returned false.
func (f *Framer) Close() (ev Event, ok bool) {
	f.release()
	f.abandon()
	if f.skip || f.size == 0 {
		return ev, false
	}
	if f.mid {
		f.endLine(0, 0)
	}
	f.pos = 0
	f.emit(&ev)
	ev.Unterminated = true
	return ev, true
}

// Overflowed returns how many blocks were over the limit and dropped.
func (f *Framer) Overflowed() int { return f.overflowed }

// Skipped returns how many bytes belonged to dropped blocks.
func (f *Framer) Skipped() int64 { return f.skipped }

// secondHalf takes the LF of a CRLF whose CR ended the chunk before, if there is one.
func (f *Framer) secondHalf() bool {
	f.cr = false
	if f.chunk[f.pos] != '\n' {
		return false
	}
	f.take(1)
	f.block.line = f.size
	return true
}

// take adds n bytes of the chunk to the block.
func (f *Framer) take(n int) {
	f.pos += n
	f.size += n
	if f.skip || f.size > f.max || len(f.carry) > 0 {
		f.takeMore(n)
	}
}

// takeMore does what is seldom needed for bytes that were taken.
func (f *Framer) takeMore(n int) {
	if f.max <= 0 {
		f.max = DefaultEvent
	}
	switch {
	case f.skip:
		f.skipped += int64(n)
	case f.size > f.max:
		f.overflow()
	case len(f.carry) > 0:
		f.carry = append(f.carry, f.chunk[f.pos-n:f.pos]...)
	}
}

func (f *Framer) overflow() {
	f.skip = true
	f.overflowed++
	f.skipped += int64(f.size)
	f.dropCarry()
}

// endLine handles the line of which the last n bytes and the terminator were just taken. It reports whether the line is blank.
func (f *Framer) endLine(n, term int) bool {
	blank := n == 0 && !f.mid
	f.mid = false
	if f.skip {
		f.begun = true
		return blank || f.lines
	}
	raw := f.raw()
	line := raw[f.block.line : f.size-term]
	if !f.begun {
		f.begun = true
		line = f.dropMark(line)
		blank = len(line) == 0
	}
	switch {
	case blank:
	case f.lines:
		f.block.whole(line)
	default:
		f.block.field(raw, line)
	}
	f.block.line = f.size
	return blank || f.lines
}

// dropMark removes the byte order mark that may stand before the first line.
func (f *Framer) dropMark(line []byte) []byte {
	if len(line) < 3 || string(line[:3]) != "\xEF\xBB\xBF" {
		return line
	}
	f.block.line = 3
	return line[3:]
}

// endBlock reports whether the block that ends here is to be returned; a block over the limit is not.
func (f *Framer) endBlock() bool {
	if !f.skip {
		return true
	}
	f.skip = false
	f.reset()
	return false
}

// raw returns the block so far.
func (f *Framer) raw() []byte {
	if len(f.carry) > 0 {
		return f.carry
	}
	return f.chunk[f.start:f.pos]
}

// emit fills in the event of the block that ends here and begins the next block.
func (f *Framer) emit(ev *Event) {
	raw, b := f.raw(), &f.block
	ev.Name, ev.Data, ev.ID, ev.Retry = b.name.of(raw), b.data.of(raw), b.id.of(raw), b.retry.of(raw)
	if b.lines > 1 {
		ev.Data = b.join[:len(b.join):len(b.join)]
	}
	ev.Raw = raw[:len(raw):len(raw)]
	ev.Start, ev.End = f.start, f.pos
	ev.Comment = !b.fields
	if len(f.carry) > 0 {
		ev.Start = -1
		f.spent = true
	}
	f.reset()
}

// reset begins a new block at the read position.
func (f *Framer) reset() {
	f.start = f.pos
	f.size = 0
	f.block = block{join: f.block.join}
}

// park moves the incomplete block of a used-up chunk to the carry.
func (f *Framer) park() {
	if f.size > 0 && !f.skip && len(f.carry) == 0 {
		f.carry = append(f.carry, f.chunk[f.start:]...)
	}
	f.chunk, f.pos, f.start = nil, 0, 0
}

// release frees the carry of an event that the caller has done with.
func (f *Framer) release() {
	if f.spent {
		f.spent = false
		f.dropCarry()
	}
}

func (f *Framer) dropCarry() {
	f.carry = f.carry[:0]
	if cap(f.carry) > keepCarry {
		f.carry = nil
	}
}

// abandon drops the part of a chunk that the caller never asked for.
func (f *Framer) abandon() {
	n := len(f.chunk) - f.pos
	if n <= 0 {
		return
	}
	f.pos += n
	f.size += n
	f.mid, f.cr, f.begun = true, false, true
	if f.skip {
		f.skipped += int64(n)
		return
	}
	f.overflow()
}
