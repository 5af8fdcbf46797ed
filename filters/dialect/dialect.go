// Package dialect says what a wire API must offer to take part: a Client side
// for applications, a Provider side for targets, or both. Each is a codec to
// and from the canonical vocabulary in package llm, so N clients and M
// providers need N+M codecs.
//
// Beside the interfaces it holds what codecs share: a JSON writer, the two forms
// of a tool call's arguments, data: URLs, what an HTTP status means, and how long
// an answer asks to wait.
//
// The package knows no dialect by name; filters/postern/builtin.go lists them.
// It holds no framing (filters/wire) and no accounting.
package dialect

import (
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Dialect is one wire API. A side that it cannot stand on is nil.
type Dialect struct {
	Name     string
	Client   Client
	Provider Provider
	// Same serves requests whose client and target both speak this dialect.
	Same Same
}

// Call is what a request line says.
type Call struct {
	Operation llm.Operation
	Model     string // when the path names it
	Stream    bool   // when the path says so
}

// Header looks a request or response header up by its lower-case name.
type Header func(name string) string

// Client is the side that an application speaks.
type Client interface {
	// Recognise tells which call a request line is; path has no query.
	Recognise(method, path string) (Call, bool)
	// Token is the key that the application presents in this dialect's way,
	// and the name of the header that carries it; empty when there is none.
	Token(h Header) (token, header string)
	// Inspected lists the body's top-level members that Facts and Same read:
	// a body that has one of them twice is refused.
	Inspected() *jsonx.Keys
	// Facts reads what deciding needs; wrong types are client errors.
	Facts(c Call, doc *jsonx.Document) (llm.Facts, *llm.Error)
	// Decode reads the whole request; its fields are views into doc's body.
	Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error)
	// AppendAnswer writes a whole answer. model is the name to show.
	AppendAnswer(dst []byte, f *llm.Facts, model string, a *llm.Answer) []byte
	// NewEncoder writes a streamed answer in this dialect's framing.
	NewEncoder(f *llm.Facts, model string) Encoder
	// AppendError writes an error body.
	AppendError(dst []byte, e *llm.Error, requestID string) []byte
	// AppendStreamError writes the event that ends a stream that has begun.
	AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte
	// AppendModels writes the list of models.
	AppendModels(dst []byte, names []string) []byte
}

// Encoder writes one stream. It keeps the dialect's grammar whatever order of
// events it is handed, and its state does not grow with the stream. A Failure
// makes it write nothing more, not even the error: the caller appends that with
// AppendStreamError, since it knows the id of the request.
type Encoder interface {
	Append(dst []byte, ev *llm.Event) []byte
}

// Target is what a codec must know of where a request goes.
type Target struct {
	Model     string // the provider's own name of the model
	BasePath  string // path prefix of the provider's URL, without a final slash
	Flavour   string // name of a quirks table of the dialect; empty: its own API
	MaxTokens int    // output bound to write when the client gave none; 0: none
}

// Provider is the side that a target speaks.
type Provider interface {
	// Path is the upstream path of a call, base path included.
	Path(f *llm.Facts, t *Target) string
	// Headers are those that every request of this dialect needs, besides the
	// credential ("anthropic-version").
	Headers(t *Target) [][2]string
	// Credential is the header that carries a static key.
	Credential(t *Target, key string) (name, value string)
	// Encode writes the request. A field that the provider cannot take is an
	// error found when the plan is made.
	Encode(dst []byte, r *llm.Request, t *Target) ([]byte, *llm.Error)
	// Decode reads a whole answer; its fields are views into body.
	Decode(f *llm.Facts, body []byte) (*llm.Answer, *llm.Error)
	// NewDecoder reads a streamed answer.
	NewDecoder(f *llm.Facts, lim Limits) Decoder
	// Classify reads an error answer; body may be cut.
	Classify(status int, h Header, body []byte) *llm.Error
}

// Limits bound what a decoder keeps.
type Limits struct {
	Event int // bytes of one event
	Depth int // nesting of one JSON value
}

// Decoder turns the bytes of one stream into events. It takes chunks cut
// anywhere; an incomplete event yields nothing. The emitted event is valid
// during the call.
type Decoder interface {
	Write(chunk []byte, emit func(*llm.Event))
	// Close ends the stream: a stream that had not come to its end emits a
	// Failure of class malformed.
	Close(emit func(*llm.Event))
	// Overflowed counts events that were skipped because they were too long.
	Overflowed() int
}

// Patch says what must change in the bytes of a same-dialect request or answer.
type Patch struct {
	Target *Target
	// Model is the name to show in the answer; empty keeps the provider's.
	Model string
	// Usage asks the provider for usage in the stream, and cuts it from what
	// the client gets when the client did not ask.
	Usage bool
}

// Same keeps the bytes of a request or an answer and changes only what it must.
type Same interface {
	// Request adds the edits of a request. doc may be what an earlier target's
	// edits made of it.
	Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *Patch)
	// Answer reads a whole answer's usage and adds its edits.
	Answer(e *jsonx.Edits, f *llm.Facts, body []byte, p *Patch) (llm.Usage, llm.Finish, *llm.Error)
	// NewTap watches a streamed answer.
	NewTap(f *llm.Facts, lim Limits, p *Patch) Tap
}

// Tap passes a stream on and watches it. The bytes of an event that became a
// Failure are not passed on, nor is anything after it: the caller appends
// AppendStreamError.
type Tap interface {
	// Write takes a chunk and returns what to pass on: chunk itself when
	// nothing changes, else bytes that are valid until the next call. Only
	// whole events are passed on. It emits every event until one commits;
	// after that only FinishEvent, UsageEvent, End and Failure.
	Write(chunk []byte, emit func(*llm.Event)) []byte
	// Close ends the stream and returns what is left to pass on.
	Close(emit func(*llm.Event)) []byte
	// Seen estimates the output tokens that went by.
	Seen() int64
	Overflowed() int
}
