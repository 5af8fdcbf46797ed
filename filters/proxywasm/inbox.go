package proxywasm

import "unsafe"

const (
	// maxResult bounds one result of the host, in bytes: an allocation that
	// cannot be served ends the VM, so a larger one is refused. It lies above
	// every body limit that a configuration may set.
	maxResult = 64 << 20
	// firstArena and keepArena bound what the arena holds between callbacks:
	// stream chunks fit into the first, most request bodies into the second.
	firstArena = 16 << 10
	keepArena  = 512 << 10
)

// mailbox is where the host delivers results: for each it calls back for memory
// (proxy_on_memory_allocate) and then writes address and size into two words.
//
// Who owns the memory: by default each delivery is a fresh allocation that
// belongs to whoever made the call, so that a header's value becomes a string
// without a copy. While transient is set, deliveries come from the arena and
// are valid until the outermost callback returns.
//
// last keeps the collector away from the memory until it is taken, and is what
// a result is checked against: an address from the host is never followed.
//
// The words lie here and not on the stack, because the stack may move while
// the host calls back.
type mailbox struct {
	last      []byte
	addr      uint32
	size      uint32
	word      uint32 // a further 32-bit result, such as a version or an id
	transient bool
	arena     []byte // len is what is in use
}

var inbox mailbox

// nothing is what an allocation of no bytes points at: hosts take a null
// pointer for a failure.
var nothing [1]byte

// allocate serves the host with size bytes; nil refuses.
func (m *mailbox) allocate(size uint32) []byte {
	switch {
	case size == 0:
		m.last = nothing[:0]
	case size > maxResult:
		m.last = nil
	case m.transient:
		m.last = m.carve(int(size))
	default:
		m.last = make([]byte, size)
	}
	return m.last
}

// carve cuts n bytes off the arena. An arena that is too small is replaced; the
// old one stays with those that hold parts of it.
func (m *mailbox) carve(n int) []byte {
	used := len(m.arena)
	if cap(m.arena)-used < n {
		m.arena = make([]byte, 0, max(n, firstArena))
		used = 0
	}
	m.arena = m.arena[:used+n]
	return m.arena[used : used+n : used+n]
}

// recycle takes back all that the arena gave out.
func (m *mailbox) recycle() {
	if cap(m.arena) > keepArena {
		m.arena = nil
		return
	}
	m.arena = m.arena[:0]
}

// expect prepares for one host call.
func (m *mailbox) expect() { m.last, m.addr, m.size, m.word = nil, 0, 0, 0 }

// take hands over what the last call delivered; false if the host points
// elsewhere.
func (m *mailbox) take() ([]byte, bool) {
	b := m.last
	m.last = nil
	if m.size == 0 {
		return nil, true
	}
	if uint64(m.size) > uint64(len(b)) || m.addr != addressOf(b) {
		return nil, false
	}
	return b[:m.size:m.size], true
}

// addressOf is a slice's address in linear memory (natively its low half, which
// serves to compare).
func addressOf(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// text sees bytes as a string without a copy; they must not change afterwards.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
