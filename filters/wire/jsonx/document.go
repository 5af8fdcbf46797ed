package jsonx

import (
	"bytes"
	"math/bits"
)

// MaxKeys is the most names that Keys holds.
const MaxKeys = 64

// Keys is a set of member names to look for. Build it once; it is read-only afterwards and may be shared.
type Keys struct {
	names   []string
	byLen   [64]uint64 // by length modulo 64: the set of names
	longest int
}

// NewKeys returns the set of names, which are plain text, not escaped. Names after the first MaxKeys are ignored.
func NewKeys(names ...string) *Keys {
	k := &Keys{names: append([]string(nil), names[:min(len(names), MaxKeys)]...)}
	for i, name := range k.names {
		k.byLen[len(name)&63] |= 1 << i
		k.longest = max(k.longest, len(name))
	}
	return k
}

// Len returns the number of names.
func (k *Keys) Len() int { return len(k.names) }

// Name returns the i-th name, or "".
func (k *Keys) Name(i int) string {
	if i < 0 || i >= len(k.names) {
		return ""
	}
	return k.names[i]
}

// Find returns the index of the name that the interior of a JSON string spells, or -1. Escapes are understood.
func (k *Keys) Find(interior []byte) int {
	if bytes.IndexByte(interior, '\\') >= 0 {
		return k.findEscaped(interior)
	}
	return k.find(interior)
}

func (k *Keys) find(name []byte) int {
	for set := k.byLen[len(name)&63]; set != 0; set &= set - 1 {
		if i := bits.TrailingZeros64(set); k.names[i] == string(name) {
			return i
		}
	}
	return -1
}

// findEscaped unescapes only what can be one of the names: a character of a name is at most six bytes long when it is escaped.
func (k *Keys) findEscaped(interior []byte) int {
	if len(interior) > 6*k.longest {
		return -1
	}
	var buf [64]byte
	return k.find(Unescape(buf[:0], interior))
}

// Document is a validated JSON object with the places of its inspected members. It is a value of about 1 KB: keep it in the
// state of a request and fill it with its Scan method to save the copy.
type Document struct {
	body    []byte
	keys    *Keys
	object  Span
	tail    int // end of the last member, or behind the opening brace
	members int
	found   uint64 // set of keys
	entries [MaxKeys]entry
}

// entry is the place of a member: key's quote, value, end of the value; and how deep the value nests.
type entry struct{ key, val, end, deep uint32 }

// Scan validates the whole body once (RFC 8259: structure, literals, numbers, escapes, UTF-8, depth) and indexes the members of
// the top-level object whose unescaped names are in keys, which may be nil. An inspected name that occurs twice, however it is
// spelt, is an error; other names may occur twice. A body that is not an object is an error. The Document keeps body, which must not change.
func Scan(body []byte, keys *Keys, lim Limits) (Document, *Error) {
	var d Document
	err := d.Scan(body, keys, lim)
	return d, err
}

// Scan does what the function Scan does, in place. After an error the Document has the members before it.
func (d *Document) Scan(body []byte, keys *Keys, lim Limits) *Error {
	d.body, d.keys = body, keys
	d.members, d.found = 0, 0
	if len(body) > lim.bytes() {
		return &Error{Code: CodeTooLarge, Offset: lim.bytes()}
	}
	s := scanner{b: body, max: lim.depth(), doc: d}
	i := skipSpace(body, 0)
	if i < len(body) && body[i] != '{' && kindOf(body[i]) != Invalid {
		return &Error{Code: CodeNotObject, Offset: i}
	}
	d.tail = i + 1
	end := s.value(i, 0)
	if end >= 0 {
		s.end(end)
	}
	d.object = Span{i, end}
	return s.err()
}

// Hold makes d the document of a body that is not read: it has no members.
func (d *Document) Hold(body []byte) {
	d.body, d.keys, d.object = body, nil, Span{}
	d.members, d.found, d.tail = 0, 0, 0
}

func (d *Document) slot(interior []byte) int {
	if d.keys == nil {
		return -1
	}
	return d.keys.Find(interior)
}

func (d *Document) has(i int) bool { return d.found&(1<<i) != 0 }

func (d *Document) note(slot int, e entry) {
	d.members++
	d.tail = int(e.end)
	if slot >= 0 {
		d.found |= 1 << slot
		d.entries[slot] = e
	}
}

// Body returns the scanned bytes.
func (d *Document) Body() []byte { return d.body }

// Object returns the span of the top-level object, braces included.
func (d *Document) Object() Span { return d.object }

// Members returns how many members the top-level object has, inspected or not.
func (d *Document) Members() int { return d.members }

// Value is one indexed member.
type Value struct {
	Kind   Kind
	Span   Span // of the value
	Member Span // from the key's quote to the value's end, without a comma
}

// Raw returns the bytes of the value.
func (v Value) Raw(body []byte) []byte { return body[v.Span.Start:v.Span.End:v.Span.End] }

// Get returns the member with the i-th of the keys, and whether there is one.
func (d *Document) Get(i int) (Value, bool) {
	if i < 0 || i >= MaxKeys || !d.has(i) {
		return Value{}, false
	}
	e := d.entries[i]
	return Value{
		Kind:   kindOf(d.body[e.val]),
		Span:   Span{int(e.val), int(e.end)},
		Member: Span{int(e.key), int(e.end)},
	}, true
}

// Depth returns how deep the value of the i-th of the keys nests: 0 for one that is no array and no object, 1 for a flat one.
func (d *Document) Depth(i int) int {
	if i < 0 || i >= MaxKeys || !d.has(i) {
		return 0
	}
	return int(d.entries[i].deep)
}

// Has reports whether there is a member with the i-th of the keys.
func (d *Document) Has(i int) bool { return uint(i) < MaxKeys && d.has(i) }

// Raw returns the bytes of the value of the i-th of the keys, or nil.
func (d *Document) Raw(i int) []byte {
	v, ok := d.Get(i)
	if !ok {
		return nil
	}
	return v.Raw(d.body)
}
