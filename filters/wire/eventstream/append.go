package eventstream

import (
	"encoding/binary"

	"github.com/posterngw/postern/filters/wire/crc32"
)

// Writer writes one message at the end of B: Begin, then headers, then Body, then
// whatever the caller appends to B as the payload, then End.
type Writer struct {
	B    []byte
	at   int // where the message begins
	head int // bytes of its headers
}

// Begin begins a message.
//
//go:noinline
func (w *Writer) Begin() {
	w.at = len(w.B)
	w.B = append(w.B, make([]byte, preludeSize)...)
}

// Text appends a header that is a string. A name is at most 255 bytes long, a
// value at most 65535: what is longer is cut.
//
//go:noinline
func (w *Writer) Text(name, value string) {
	name, value = name[:min(len(name), 255)], value[:min(len(value), 65535)]
	w.B = append(append(append(w.B, byte(len(name))), name...), byte(String))
	w.B = append(binary.BigEndian.AppendUint16(w.B, uint16(len(value))), value...)
}

// Body ends the headers.
//
//go:noinline
func (w *Writer) Body() { w.head = len(w.B) - w.at - preludeSize }

// End ends the message: it puts the lengths and the checksums in their places.
//
//go:noinline
func (w *Writer) End() {
	m := w.B[w.at:]
	binary.BigEndian.PutUint32(m, uint32(len(m)+crcSize))
	binary.BigEndian.PutUint32(m[4:], uint32(w.head))
	binary.BigEndian.PutUint32(m[8:], crc32.Sum(m[:8]))
	w.B = binary.BigEndian.AppendUint32(w.B, crc32.Sum(m))
}
