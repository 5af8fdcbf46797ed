package eventstream

import (
	"encoding/binary"

	"github.com/posterngw/postern/filters/wire/crc32"
)

// keepCarry is the capacity in bytes up to which the carry is kept for the next
// message that straddles chunks.
const keepCarry = 64 << 10

// Message is one message of the stream. Its slices are views that hold until the
// next call of Feed or Next.
type Message struct {
	Headers Headers
	Payload []byte
	Raw     []byte // every byte of the message

	// Start and End are the message's place in the chunk last fed. Start is -1
	// when it began in an earlier chunk; End is right even then.
	Start, End int
}

// Framer cuts a byte stream into messages. Feed it a chunk, then call Next until
// it returns false. The zero value works with the default limits. Its memory is
// one incomplete message.
type Framer struct {
	max   int
	chunk []byte
	pos   int
	carry []byte // of a message that began in an earlier chunk
	spent bool   // the carry belongs to the message that Next returned last
	done  int64  // bytes of the messages before
	err   *Error
}

// NewFramer returns a Framer with the given limits.
func NewFramer(lim Limits) *Framer { return &Framer{max: lim.Message} }

// Feed hands over the next chunk, which must stay unchanged until Next returns
// false. Call it only then.
func (f *Framer) Feed(chunk []byte) {
	f.release()
	f.chunk, f.pos = chunk, 0
}

// Next returns the next complete message in order. False means that the chunk is
// used up, or that the stream cannot be read on: see Err.
func (f *Framer) Next() (m Message, ok bool) {
	f.release()
	if f.err != nil {
		return m, false
	}
	if len(f.carry) > 0 {
		return f.carried()
	}
	rest := f.chunk[f.pos:]
	size, ok := f.length(rest)
	if !ok || len(rest) < size {
		f.park(rest)
		return m, false
	}
	m.Start, m.End = f.pos, f.pos+size
	return m, f.cut(&m, rest[:size:size])
}

// carried goes on with a message that began in an earlier chunk.
func (f *Framer) carried() (m Message, ok bool) {
	if !f.fill(preludeSize) {
		return m, false
	}
	size, ok := f.length(f.carry)
	if !ok || !f.fill(size) {
		return m, false
	}
	f.spent = true
	m.Start, m.End = -1, f.pos
	return m, f.cut(&m, f.carry)
}

// fill adds bytes of the chunk to the carry until it has n.
func (f *Framer) fill(n int) bool {
	take := min(max(n-len(f.carry), 0), len(f.chunk)-f.pos)
	f.carry = append(f.carry, f.chunk[f.pos:f.pos+take]...)
	f.pos += take
	return len(f.carry) >= n
}

// park keeps the beginning of a message for the next chunk.
func (f *Framer) park(rest []byte) {
	if f.err == nil {
		f.carry = append(f.carry, rest...)
	}
	f.pos = len(f.chunk)
}

// length reads and checks the prelude that b begins with; false when it is not
// all there, or wrong.
func (f *Framer) length(b []byte) (int, bool) {
	if len(b) < preludeSize {
		return 0, false
	}
	limit := f.max
	if limit <= 0 {
		limit = DefaultMessage
	}
	size, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch {
	case crc32.Sum(b[:8]) != binary.BigEndian.Uint32(b[8:]):
		return 0, f.fail(BadPrelude)
	case size < minMessage || headers > size-minMessage:
		return 0, f.fail(BadLength)
	case uint64(size) > uint64(limit):
		return 0, f.fail(TooLarge)
	}
	return int(size), true
}

// cut checks a whole message and takes it apart.
func (f *Framer) cut(m *Message, raw []byte) bool {
	end := len(raw) - crcSize
	if crc32.Sum(raw[:end]) != binary.BigEndian.Uint32(raw[end:]) {
		return f.fail(BadMessage)
	}
	at := preludeSize + int(binary.BigEndian.Uint32(raw[4:]))
	m.Headers, m.Payload, m.Raw = Headers(raw[preludeSize:at:at]), raw[at:end:end], raw
	if !m.Headers.valid() {
		return f.fail(BadHeaders)
	}
	if m.Start >= 0 {
		f.pos = m.End
	}
	f.done += int64(len(raw))
	return true
}

func (f *Framer) fail(c Code) bool {
	f.err = &Error{Code: c, Offset: f.done}
	f.carry, f.spent = nil, false
	return false
}

// release frees the carry of a message that the caller has done with.
func (f *Framer) release() {
	if !f.spent {
		return
	}
	f.spent = false
	f.carry = f.carry[:0]
	if cap(f.carry) > keepCarry {
		f.carry = nil
	}
}

// Err is why Next returns no more messages; nil when it only waits for bytes.
func (f *Framer) Err() *Error { return f.err }

// Close ends the stream: within a message that is an error, as it is after one.
func (f *Framer) Close() *Error {
	f.release()
	if f.err == nil && len(f.carry) > 0 {
		f.fail(Truncated)
	}
	return f.err
}
