// Package gzip reads whole gzip bodies (RFC 1952, RFC 1951) of a bounded size.
//
// Postern reads gzip itself and not through compress/gzip since that is written
// for streams of any length and links the compressor's tables, buffered readers
// and three hashes: 130 KB of module, 2 MB of memory in each Envoy, and 40 KB
// of buffers for each body. With the whole body in hand the text already
// decoded is the window. The fuzz test holds the package against compress/gzip.
//
// The package does not compress, reads no stream piece by piece, and drops what
// a header says of names and times.
package gzip

import (
	"encoding/binary"
	"errors"

	"github.com/posterngw/postern/filters/wire/crc32"
)

// The errors of Decode.
var (
	ErrInvalid  = errors.New("not valid gzip")
	ErrTooLarge = errors.New("too large when decoded")
)

// Flags of a member's header (RFC 1952, section 2.3.1).
const (
	flagCRC     = 1 << 1
	flagExtra   = 1 << 2
	flagName    = 1 << 3
	flagComment = 1 << 4
)

const (
	headerSize  = 10
	trailerSize = 8 // CRC-32 and length of a member's text
)

// Decode returns the text of a gzip file, which may have several members. A
// text longer than limit bytes is ErrTooLarge, found before more than
// limit + 258 bytes are decoded; anything else that is wrong is ErrInvalid.
func Decode(body []byte, limit int) ([]byte, error) {
	d := decoder{out: make([]byte, 0, expected(body, limit)), limit: limit}
	for {
		var ok bool
		if body, ok = header(body); !ok {
			return nil, ErrInvalid
		}
		start := len(d.out)
		d.input(body)
		if err := d.blocks(start); err != nil {
			return nil, err
		}
		body = d.rest()
		if len(body) < trailerSize ||
			binary.LittleEndian.Uint32(body) != crc32.Sum(d.out[start:]) ||
			binary.LittleEndian.Uint32(body[4:]) != uint32(len(d.out)-start) {
			return nil, ErrInvalid
		}
		if body = body[trailerSize:]; len(body) == 0 {
			return d.out, nil
		}
	}
}

// expected guesses the length of the text from what the last member says, which
// may be a lie: deflate never makes text 1032 times shorter.
func expected(body []byte, limit int) int {
	if len(body) < headerSize+trailerSize {
		return 0
	}
	said := binary.LittleEndian.Uint32(body[len(body)-4:])
	return int(min(uint64(said), uint64(limit), 1032*uint64(len(body))))
}

// header passes a member's header (RFC 1952, section 2.3).
func header(b []byte) ([]byte, bool) {
	if len(b) < headerSize || b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 {
		return nil, false
	}
	all, flags := b, b[3]
	b = b[headerSize:]
	if flags&flagExtra != 0 {
		if len(b) < 2 || len(b) < 2+int(binary.LittleEndian.Uint16(b)) {
			return nil, false
		}
		b = b[2+int(binary.LittleEndian.Uint16(b)):]
	}
	for _, text := range [...]byte{flagName, flagComment} {
		if flags&text == 0 {
			continue
		}
		var ok bool
		if b, ok = afterZero(b); !ok {
			return nil, false
		}
	}
	if flags&flagCRC == 0 {
		return b, true
	}
	if len(b) < 2 || binary.LittleEndian.Uint16(b) != uint16(crc32.Sum(all[:len(all)-len(b)])) {
		return nil, false
	}
	return b[2:], true
}

func afterZero(b []byte) ([]byte, bool) {
	for i, c := range b {
		if c == 0 {
			return b[i+1:], true
		}
	}
	return nil, false
}
