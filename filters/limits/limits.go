// Package limits is the section `limits`: bounds on everything that clients and
// providers control. Whoever holds bytes of theirs asks here how many.
package limits

import (
	"time"
	"unicode/utf8"

	"github.com/posterngw/postern/filters/config"
)

// Limits bound everything that clients and providers control. Sizes are bytes.
type Limits struct {
	Body      int // of a request, decoded
	Answer    int // of a whole answer
	Event     int // of one event of a stream
	Headers   int // of a request, names and values
	Depth     int // of nested JSON
	Streams   int // at once in one VM
	InFlight  int // of request bodies that wait for a decision in one VM
	HoldBytes int // of a stream before its first content
	HoldTime  time.Duration
	Workers   int
}

// Cut bounds a client's text that ends up in records or messages: to n bytes, or a
// little less, so as not to cut a character.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Fields declares the section.
func Fields(l *Limits) []config.Field {
	return []config.Field{
		config.Bytes("body", &l.Body, config.Default("1MiB"), config.Range(1<<10, 64<<20),
			config.Doc("Largest request body, after decoding. The host's own buffer must be larger: the renderer sees to that.")),
		config.Bytes("answer", &l.Answer, config.Default("4MiB"), config.Range(1<<10, 64<<20),
			config.Doc("Largest whole answer of a provider. Streams have no such bound.")),
		config.Bytes("event", &l.Event, config.Default("256KiB"), config.Range(1<<10, 16<<20),
			config.Doc("Largest event of a stream. A larger one is skipped and counted.")),
		config.Bytes("headers", &l.Headers, config.Default("32KiB"), config.Range(1<<10, 1<<20),
			config.Doc("Largest request headers, names and values together. Beyond it requests are refused with 431.")),
		config.Int("depth", &l.Depth, config.Default(64), config.Range(8, 1000),
			config.Doc("Deepest nesting of JSON in requests and in the events of streams. Whole answers may nest 64 deep.")),
		config.Int("streams", &l.Streams, config.Default(4096), config.Range(1, 1_000_000),
			config.Doc("Most requests at once in one VM (one worker). Beyond it requests are refused with 503.")),
		config.Bytes("in_flight", &l.InFlight, config.Default("32MiB"), config.Range(64<<10, 4<<30),
			config.Doc("Most bytes of request bodies that wait in one VM. Beyond it requests are refused with 503 before memory is taken.")),
		config.Bytes("hold_bytes", &l.HoldBytes, config.Default("64KiB"), config.Range(1<<10, 1<<20),
			config.Doc("How much of a provider's stream is held back until its first content, so that a stream that fails before can still go to another target.")),
		config.Duration("hold_time", &l.HoldTime, config.Default(15*time.Second), config.Range(100*time.Millisecond, 10*time.Minute),
			config.Doc("How long a stream is held back until its first content.")),
		config.Int("workers", &l.Workers, config.Default(1), config.Range(1, 1024),
			config.Doc("How many workers the host has, in mode `callout`: nothing is shared there, so each has this share of every budget.")),
		config.Rule(func(r *config.Report) {
			if l.InFlight < l.Body {
				r.At("in_flight").Fail(config.OutOfRange, "in_flight is less than one body", "make it at least as large as limits.body")
			}
		}),
	}
}
