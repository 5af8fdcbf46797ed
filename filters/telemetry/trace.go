package telemetry

import (
	"encoding/binary"
	"encoding/hex"
)

// Traceparent is W3C trace context (Recommendation of November 2021, section
// 3.2): the trace, and the gateway's own span in it.
type Traceparent struct {
	Trace  [16]byte
	Parent [8]byte // the caller's span; zero when the trace began here
	Span   [8]byte // the gateway's
	Flags  byte    // 1: sampled, 2: the trace id is random; others are not passed on
}

const (
	// traceparentLen is the length of version 00.
	traceparentLen = 55
	// maxTraceparent bounds a header of a later version.
	maxTraceparent = 512
	knownFlags     = 3
)

// Start reads a request's traceparent header and makes the gateway's span. It
// returns false when nothing is to be sent: the header is absent or invalid and
// none is created, or trace context is off. random gives 64 random bits.
func (m Trace) Start(header string, random func() uint64) (Traceparent, bool) {
	if m == Off {
		return Traceparent{}, false
	}
	t, ok := ParseTraceparent(header)
	if !ok && m != Create {
		return Traceparent{}, false
	}
	if !ok {
		t = Traceparent{Flags: knownFlags}
		binary.BigEndian.PutUint64(t.Trace[:], random())
		binary.BigEndian.PutUint64(t.Trace[8:], max(1, random()))
	}
	binary.BigEndian.PutUint64(t.Span[:], max(1, random()))
	return t, true
}

// ParseTraceparent reads a header strictly: lower-case hexadecimal, no id of
// zeros, version 00 of exactly 55 bytes. A later version is read as far as 00
// goes; what follows must be set off by a dash.
func ParseTraceparent(s string) (Traceparent, bool) {
	var t Traceparent
	var version, flags [1]byte
	if len(s) < traceparentLen || len(s) > maxTraceparent || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return t, false
	}
	ok := unhex(version[:], s[:2]) && unhex(t.Trace[:], s[3:35]) &&
		unhex(t.Parent[:], s[36:52]) && unhex(flags[:], s[53:55])
	switch rest := s[traceparentLen:]; {
	case !ok, version[0] == 0xff, version[0] == 0 && rest != "", rest != "" && rest[0] != '-':
		return Traceparent{}, false
	case t.Trace == [16]byte{}, t.Parent == [8]byte{}:
		return Traceparent{}, false
	}
	t.Flags = flags[0] & knownFlags
	return t, true
}

// unhex decodes lower-case hexadecimal.
func unhex(dst []byte, s string) bool {
	for i := range dst {
		hi, lo := digit(s[2*i]), digit(s[2*i+1])
		if hi|lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// Append appends the header to send on: version 00, the gateway's span.
func (t *Traceparent) Append(dst []byte) []byte {
	dst = hex.AppendEncode(append(dst, "00-"...), t.Trace[:])
	dst = hex.AppendEncode(append(dst, '-'), t.Span[:])
	return hex.AppendEncode(append(dst, '-'), []byte{t.Flags})
}

// TraceID is the trace's id as in audit records.
func (t *Traceparent) TraceID() string { return hex.EncodeToString(t.Trace[:]) }

// SpanID is the gateway's span as in audit records.
func (t *Traceparent) SpanID() string { return hex.EncodeToString(t.Span[:]) }
