// Package core is what every dialect of the mock shares: the interface that a
// dialect implements, the table of behaviours on demand, and the decision what
// to answer (text, tool calls, structured output, reasoning, usage).
//
// A dialect turns a request into a Prompt, the core makes an Answer of it, and
// the dialect renders that Answer as one body or as frames. Everything here is
// a pure function of the request, the seed and a counter for identifiers. The
// core writes nothing to the network: pacing, cuts and odd framing are the
// server's, one package above.
package core

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Dialect is one provider's API.
type Dialect interface {
	// Name is the short name of the dialect: "openai".
	Name() string
	// Endpoints lists what the API answers; everything else is a stray.
	Endpoints() []Endpoint
	// Claims says whether these request headers are those of this API; it
	// settles paths that two dialects share, such as /v1/models.
	Claims(h http.Header) bool
	// Key returns the credential that the request carries, or "".
	Key(h http.Header) string
	// Fault words a kind of failure as the provider does.
	Fault(kind FaultKind, x *Exchange) Fault
	// Refuse renders a fault as the provider's own error answer.
	Refuse(x *Exchange, f Fault) Reply
	// Broken renders a fault as an event inside of a stream.
	Broken(x *Exchange, f Fault) Frame
	// Bench returns a precomputed answer for a benchmark model.
	Bench(b Bench) Reply
}

// Endpoint is one operation of an API.
type Endpoint struct {
	Method string
	Path   string // as for path.Match: * stands for one segment or a part of it
	Serve  func(*Exchange) Reply
}

// Bench names a precomputed answer. Exactly one of Bytes and Chunks is set.
type Bench struct {
	Model  string
	Bytes  int  // size of the whole answer's body
	Chunks int  // number of content events of the streamed answer
	Stream bool // what the request asked for
	Usage  bool // an OpenAI stream that ends with a usage event
}

// Exchange is one request on its way through the mock.
type Exchange struct {
	Method, Path string
	Query        url.Values
	Header       http.Header
	Body         []byte
	World        *World
	RequestID    string
	Scenario     Scenario // from the server and the request header; Ask adds the model's

	// Set by the dialect, for the record.
	Model  string // as asked for
	Stream bool
}

// World is what all requests of one server share.
type World struct {
	Seed     uint64
	Now      func() time.Time
	Models   []string // further model names, * matches any text
	Chunks   int      // content chunks of a stream; 0: one per token or so
	Parallel int      // tool calls in an answer that calls tools; 0: as the prompt asks
	// AlternateRoles makes dialects refuse two messages of one role in a row,
	// where the provider itself would merge them.
	AlternateRoles bool

	serial atomic.Uint64
	flaps  flaps
	shelf  shelf
}

// Reply is an answer before it is sent: either Body or Frames.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	Frames []Frame
	Usage  *Usage // what the provider would bill; nil when nothing was generated
	// Reports says that Body carries Usage; for streams each Frame says so.
	Reports bool
}

// FrameKind says what a frame of a stream is for; pacing and cuts go by it.
type FrameKind uint8

// The kinds of frames.
const (
	Opening FrameKind = iota // before anything was said: role, message_start, ping
	Content                  // text, reasoning, tool arguments
	Closing                  // finish reason, usage, end marker
)

// Frame is one event of a stream, with its framing.
type Frame struct {
	Kind    FrameKind
	Data    []byte
	Reports bool // it carries the final usage
}

// Usage is what one answer cost, in tokens. Input includes CacheRead and
// CacheWrite; Output includes Reasoning.
type Usage struct {
	Input, CacheRead, CacheWrite, AudioInput int
	Output, Reasoning                        int
}

// Add sums two usages.
func (u Usage) Add(v Usage) Usage {
	u.Input += v.Input
	u.CacheRead += v.CacheRead
	u.CacheWrite += v.CacheWrite
	u.AudioInput += v.AudioInput
	u.Output += v.Output
	u.Reasoning += v.Reasoning
	return u
}

// Negated takes back what Add added.
func (u Usage) Negated() Usage {
	return Usage{
		Input: -u.Input, CacheRead: -u.CacheRead, CacheWrite: -u.CacheWrite, AudioInput: -u.AudioInput,
		Output: -u.Output, Reasoning: -u.Reasoning,
	}
}

// FaultKind is a class of failure that every dialect words in its own way.
type FaultKind uint8

// The kinds of faults.
const (
	NoFault FaultKind = iota
	BadJSON
	BadMediaType
	NoKey
	BadKey
	Forbidden
	NoModel
	NoRoute
	BadMethod
	TooLarge
	Invalid
	RateLimited
	QuotaExhausted
	ContextLength
	ContentFiltered
	ServerError
	BadGateway
	Unavailable
	GatewayTimeout
	Overloaded
)

// Fault is a failure in a provider's words.
type Fault struct {
	Status            int
	Type, Code, Param string
	Message           string
	RetryAfter        time.Duration
}

// Faults are a dialect's failures, in its words; {model} and other words in
// braces stand for what a request says. ServerError must be among them.
type Faults map[FaultKind]Fault

// Of is the failure of a kind, or the server error where the dialect has no such
// kind, with its words replaced: pairs of a word in braces and what it stands for.
func (all Faults) Of(kind FaultKind, words ...string) Fault {
	f, ok := all[kind]
	if !ok {
		f = all[ServerError]
	}
	f.Message = strings.NewReplacer(words...).Replace(f.Message)
	return f
}

// SetRetryAfter tells in whole seconds when to come back, where the failure does.
func (f Fault) SetRetryAfter(h http.Header) {
	if f.RetryAfter > 0 {
		h.Set("retry-after", strconv.Itoa(int(f.RetryAfter/time.Second)))
	}
}

// Model is what a dialect's catalogue knows of a model.
type Model struct {
	ID        string // the name that clients ask for
	Snapshot  string // the dated name that answers carry
	Display   string
	Created   int64 // seconds since 1970
	Window    int   // context window in tokens
	Output    int   // most tokens of an answer; 0: no bound but the window
	Reasons   bool
	Embedding int // dimensions of an embedding model; 0 for others
}

// NextID returns an identifier of n characters that no other call of this
// World returns; the sequence depends on the seed alone.
func (w *World) NextID(prefix, alphabet string, n int) string {
	r := w.Rand("id", prefix, itoa(int(w.serial.Add(1))))
	return prefix + r.String(alphabet, n)
}

// LastSegment is the last segment of an escaped path, unescaped.
func LastSegment(escaped string) string {
	last := path.Base(escaped)
	if plain, err := url.PathUnescape(last); err == nil {
		return plain
	}
	return last
}
