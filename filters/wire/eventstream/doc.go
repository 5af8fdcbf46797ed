// Package eventstream reads and writes AWS event streams
// (application/vnd.amazon.eventstream) as they pass through a proxy: chunk by
// chunk, with the bytes of every message at hand so that a stream can be passed
// on exactly as it came.
//
// A message is, in big-endian numbers: its length (4 bytes), the length of its
// headers (4), the CRC-32 of those eight bytes (4), the headers, the payload,
// and the CRC-32 of all that (4). A header is the length of its name (1), the
// name, a type (1) and a value whose size the type gives (source: AWS SDKs,
// event stream encoding; the vectors in the tests are made by the SDK for Go).
//
// Nothing of a message is handed out before both its checksums are right. A
// message whose length cannot be believed ends the stream with an [Error]:
// there is no mark at which reading could begin again.
//
// The package does not know what messages mean, does not verify signatures of
// messages (":chunk-signature"), and does no I/O.
package eventstream

// MediaType is the content type of an event stream.
const MediaType = "application/vnd.amazon.eventstream"

// DefaultMessage is the limit in bytes of one message when Limits does not say.
const DefaultMessage = 1 << 20

const (
	preludeSize = 12
	crcSize     = 4
	minMessage  = preludeSize + crcSize
)

// Limits bounds what a Framer holds.
type Limits struct {
	Message int // bytes of one message with its checksums; 0 means DefaultMessage
}

// Code tells what is wrong with a stream.
type Code uint8

// The codes.
const (
	BadPrelude Code = iota + 1 // the checksum of the lengths is wrong
	BadLength                  // the lengths contradict each other
	TooLarge                   // the message is longer than the limit
	BadMessage                 // the checksum of the message is wrong
	BadHeaders                 // the headers cannot be read
	Truncated                  // the stream ended within a message
)

// String says it in words.
func (c Code) String() string {
	names := [...]string{"", "the checksum of a message's lengths is wrong", "the lengths of a message contradict each other",
		"a message is too large", "the checksum of a message is wrong", "the headers of a message cannot be read",
		"the stream ended within a message"}
	if int(c) < len(names) {
		return names[c]
	}
	return names[0]
}

// Error is why a stream cannot be read on.
type Error struct {
	Code   Code
	Offset int64 // in the stream, of the message
}

// Error says what is wrong.
func (e *Error) Error() string { return "event stream: " + e.Code.String() }
