package jsonx

// Tap watches one JSON document that comes in chunks. It validates it as Scan does (a top-level object, the same errors at the same
// offsets) and captures the raw values of inspected members, with memory for those captures and for one name, whatever the document's length.
type Tap struct {
	keys  *Keys
	max   int // bytes of one captured value
	depth int // limit
	bytes int // limit

	state tapState
	level int
	inArr [MaxDepth / 64]uint64 // by level: the container is an array

	isKey bool   // the string being read is a key
	want  string // the rest of the literal being read
	hex   int    // hex digits of an escape still to come
	rest  int    // bytes of a UTF-8 sequence still to come
	lo    byte   // range of the next of them
	hi    byte
	seq   int // where the sequence began

	chunk []byte // while Write runs
	read  int    // bytes before it
	at    int    // offset of the key being read
	name  []byte
	found uint64
	slot  int // the key of the current member, or -1
	from  int // where in the current chunk the capture goes on, or -1
	buf   []byte
	spans [MaxKeys]entry // of the captures in buf: val, end
	err   *Error
}

// tapState is what the next byte is for.
type tapState uint8

const (
	tapValue        tapState = iota // a value
	tapFirstElement                 // a value or ]
	tapFirstKey                     // a key or }
	tapKey                          // a key
	tapColon
	tapNext // a comma or the end of the container
	tapDone // white space
	tapText // a string
	tapEscape
	tapHex
	tapRune
	tapLiteral
	tapMinus // the states of a number, named by what was read
	tapZero
	tapInt
	tapDot
	tapFraction
	tapE
	tapSign
	tapExponent
)

// NewTap returns a Tap that captures the values of the given keys, of each at most maxCapture bytes. keys may be nil.
func NewTap(keys *Keys, maxCapture int, lim Limits) *Tap {
	if keys == nil {
		keys = &Keys{}
	}
	return &Tap{keys: keys, max: maxCapture, depth: lim.depth(), bytes: lim.bytes(), slot: -1, from: -1}
}

// Reset makes the Tap ready for another document and keeps its memory. What Get returned before is not valid any more.
func (t *Tap) Reset() {
	*t = Tap{
		keys: t.keys, max: t.max, depth: t.depth, bytes: t.bytes, slot: -1, from: -1,
		name: t.name[:0], buf: t.buf[:0],
	}
}

// Write reads the next chunk. It keeps nothing of it. After an error it returns that error again.
func (t *Tap) Write(chunk []byte) *Error {
	if t.err != nil {
		return t.err
	}
	over := t.read+len(chunk) > t.bytes
	if over {
		chunk = chunk[:t.bytes-t.read]
	}
	t.chunk = chunk
	for i := 0; i < len(chunk) && t.err == nil; {
		i = t.step(i)
	}
	if t.from >= 0 {
		t.capture(len(chunk))
		t.from = min(t.from, 0)
	}
	t.chunk = nil
	t.read += len(chunk)
	if over && t.err == nil {
		t.fail(CodeTooLarge, t.bytes)
	}
	return t.err
}

// Close ends the document.
func (t *Tap) Close() *Error {
	if t.err == nil && t.state != tapDone {
		t.fail(CodeTruncated, t.read)
	}
	return t.err
}

// Get returns the raw value of the i-th of the keys once it is complete. There is none if it was longer than the capture bound.
func (t *Tap) Get(i int) ([]byte, bool) {
	if i < 0 || i >= MaxKeys || t.spans[i].end == 0 {
		return nil, false
	}
	s := t.spans[i]
	return t.buf[s.val:s.end:s.end], true
}

func (t *Tap) fail(code string, off int) {
	e := &Error{Code: code, Offset: off}
	if t.slot >= 0 {
		e.Key = t.keys.names[t.slot]
		e.Pointer = "/" + string(appendPointer(nil, []byte(e.Key)))
	}
	if code != CodeDuplicateKey {
		e.Key = ""
	}
	t.err = e
}

// step reads the chunk from i and returns where to go on: the same offset if the byte ended a number and means something more.
func (t *Tap) step(i int) int {
	c := t.chunk[i]
	switch {
	case t.state == tapText:
		return t.text(i)
	case t.state > tapText:
		return t.inside(c, i)
	case isSpace(c):
	case t.state == tapNext:
		t.next(c, i)
	case t.state == tapColon:
		t.expect(c == ':', tapValue, i)
	case t.state == tapDone:
		t.fail(CodeTrailing, t.read+i)
	case t.state == tapFirstKey && c == '}', t.state == tapFirstElement && c == ']':
		t.leave(i)
	case t.state == tapKey || t.state == tapFirstKey:
		t.key(c, i)
	default:
		return t.value(c, i)
	}
	return i + 1
}

// expect goes to the state if the byte at i is right.
func (t *Tap) expect(ok bool, state tapState, i int) {
	if !ok {
		t.fail(CodeSyntax, t.read+i)
		return
	}
	t.state = state
}

func (t *Tap) key(c byte, i int) {
	t.at = t.read + i
	t.name = t.name[:0]
	t.isKey = true
	t.expect(c == '"', tapText, i)
}

// value reads the first byte of a value, or all of a number.
func (t *Tap) value(c byte, i int) int {
	kind := kindOf(c)
	if t.level == 0 && kind != Object && kind != Invalid {
		t.fail(CodeNotObject, t.read+i)
		return i
	}
	if t.level == 1 && t.slot >= 0 {
		t.from = i
		t.spans[t.slot].val = uint32(len(t.buf))
	}
	switch kind {
	case String:
		t.isKey = false
		t.state = tapText
	case Object, Array:
		t.enter(kind == Array, i)
	case Number:
		return t.firstDigit(c, i)
	case Boolean, Null:
		t.state = tapLiteral
		t.want = literal(c)
	default:
		t.fail(CodeSyntax, t.read+i)
	}
	return i + 1
}

// firstDigit reads a number at once if its end is in the chunk. If not, or if something is wrong, it reads the first byte.
func (t *Tap) firstDigit(c byte, i int) int {
	s := scanner{b: t.chunk}
	if end := s.number(i); end >= 0 && end < len(t.chunk) {
		t.ended(end)
		return end
	}
	switch c {
	case '-':
		t.state = tapMinus
	case '0':
		t.state = tapZero
	default:
		t.state = tapInt
	}
	return i + 1
}

// literal returns what must follow the first byte of a literal.
func literal(c byte) string {
	switch c {
	case 't':
		return "rue"
	case 'f':
		return "alse"
	}
	return "ull"
}

func (t *Tap) enter(array bool, i int) {
	if t.level == t.depth {
		t.fail(CodeDepth, t.read+i)
		return
	}
	bit := uint64(1) << (t.level & 63)
	t.inArr[t.level>>6] &^= bit
	t.state = tapFirstKey
	if array {
		t.inArr[t.level>>6] |= bit
		t.state = tapFirstElement
	}
	t.level++
}

// array reports whether the innermost container is an array.
func (t *Tap) array() bool { return t.inArr[(t.level-1)>>6]>>((t.level-1)&63)&1 == 1 }

// leave ends the innermost container with the byte at i.
func (t *Tap) leave(i int) {
	t.level--
	t.ended(i + 1)
}

// ended notes that a value ended before i.
func (t *Tap) ended(i int) {
	t.state = tapNext
	switch {
	case t.level == 0:
		t.state = tapDone
		t.slot = -1
	case t.level == 1 && t.slot >= 0:
		t.captured(i)
	}
}

// next reads what follows a value in a container.
func (t *Tap) next(c byte, i int) {
	array := t.array()
	switch {
	case c == ',' && array:
		t.state = tapValue
	case c == ',':
		t.state = tapKey
	case c == ']' && array, c == '}' && !array:
		t.leave(i)
	default:
		t.fail(CodeSyntax, t.read+i)
	}
}
