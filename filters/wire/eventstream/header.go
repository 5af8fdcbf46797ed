package eventstream

import "encoding/binary"

// Type is the type of a header's value.
type Type uint8

// The types, as they stand in a message.
const (
	True Type = iota
	False
	Byte      // int8
	Short     // int16
	Int       // int32
	Long      // int64
	Bytes     // at most 65535
	String    // the same, UTF-8
	Timestamp // milliseconds since 1970, int64
	UUID      // 16 bytes
	types
)

// sizes is how many bytes a value has; -1: a length of two bytes stands before it.
var sizes = [types]int{Byte: 1, Short: 2, Int: 4, Long: 8, Bytes: -1, String: -1, Timestamp: 8, UUID: 16}

// Header is one header: Value is its bytes as they stand in the message, without
// a length; see Number.
type Header struct {
	Name  []byte
	Type  Type
	Value []byte
}

// Number is the value of a header of a type that is a number, 1 for True, 0 for
// all others.
func (h *Header) Number() int64 {
	switch h.Type {
	case True:
		return 1
	case Byte:
		return int64(int8(h.Value[0]))
	case Short:
		return int64(int16(binary.BigEndian.Uint16(h.Value)))
	case Int:
		return int64(int32(binary.BigEndian.Uint32(h.Value)))
	case Long, Timestamp:
		return int64(binary.BigEndian.Uint64(h.Value))
	}
	return 0
}

// Headers are the headers of a message as they stand in it.
type Headers []byte

// Next takes the first header off; false at the end, and where there is none.
func (h *Headers) Next() (x Header, ok bool) {
	b := *h
	if len(b) < 2 || len(b) < 2+int(b[0]) {
		return x, false
	}
	n := int(b[0])
	x.Name, x.Type, b = b[1:1+n:1+n], Type(b[1+n]), b[2+n:]
	if n == 0 || x.Type >= types {
		return x, false
	}
	size := sizes[x.Type]
	if size < 0 {
		if len(b) < 2 {
			return x, false
		}
		size, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	if len(b) < size {
		return x, false
	}
	x.Value, *h = b[:size:size], b[size:]
	return x, true
}

// Text is the value of the string header of that name; nil when there is none.
func (h Headers) Text(name string) []byte {
	for x, ok := h.Next(); ok; x, ok = h.Next() {
		if x.Type == String && string(x.Name) == name {
			return x.Value
		}
	}
	return nil
}

// valid reports whether all of it can be read.
func (h Headers) valid() bool {
	for len(h) > 0 {
		if _, ok := h.Next(); !ok {
			return false
		}
	}
	return true
}
