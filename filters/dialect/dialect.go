// Package dialect says what a wire API must offer to take part: a Client side
// for applications, a Provider side for targets, or both. Each is a codec to
// and from the canonical vocabulary in package llm, so N clients and M
// providers need N+M codecs.
//
// A Dialect is what a provider's endpoint speaks: a list of APIs, one for each
// form of request ("chat", "responses", "embeddings"). A request whose API the
// target takes itself keeps its bytes; any other is translated to the first API
// of the target's dialect that serves the operation.
//
// Beside the interfaces it holds what codecs share: a JSON writer, the two forms
// of a tool call's arguments, data: URLs, what an HTTP status means, how long
// an answer asks to wait, and the ledger of what a translation loses.
//
// The package knows no dialect by name; filters/builtin lists them.
// It holds no framing (filters/wire) and no accounting.
package dialect

import (
	"slices"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Dialect is what one kind of provider speaks.
type Dialect struct {
	Name string
	// APIs are in order of preference: of those that serve an operation the
	// first that a target takes is the one that requests are translated to.
	APIs []*API
	// Flavours are the names of the dialect's variants, the dialect's own ("")
	// left out. What differs is each codec's own knowledge (Target.Flavour).
	Flavours []string
	// Kept is how the ids begin of what a provider keeps for later requests;
	// empty: it keeps nothing.
	Kept []string
}

// API is one form of request of a dialect, with its answers. A side that it
// lacks is nil.
type API struct {
	Name      string // within the dialect: "chat"
	Operation llm.Operation
	Client    Client
	Provider  Provider
	// Same serves requests that the target takes in this very API; nil when
	// bytes are never kept.
	Same Same
	// Alike reports whether a target takes a body of the form that a request of this
	// API has (Facts.Form); nil: the API has one form.
	Alike func(f *llm.Facts, t *Target) bool
	// Takes reports whether a target of the dialect has this API; nil: all have.
	Takes func(t *Target) bool
	// Translates reports whether a target that has this API is asked in it for
	// requests of other APIs; nil: it is.
	Translates func(t *Target) bool
	// Keeps says that answers of this API name what the provider keeps.
	Keeps bool
	// Pause is the header in which clients of this API look for the milliseconds
	// to wait before they try again; without one it is retry-after alone.
	Pause string
}

// Serves returns the API that a request is sent in to a target of the dialect,
// and whether that is the request's own, so that its bytes are kept; nil when
// the target cannot serve the request's operation.
func (d *Dialect) Serves(own *API, f *llm.Facts, t *Target) (api *API, same bool) {
	for _, a := range d.APIs {
		if a == own && a.Same != nil && a.takes(t) && (a.Alike == nil || a.Alike(f, t)) {
			return a, true
		}
	}
	return d.translated(f.Operation, t), false
}

// translated is the API that requests of an operation are translated to.
func (d *Dialect) translated(op llm.Operation, t *Target) *API {
	for _, a := range d.APIs {
		if a.Operation == op && a.Provider != nil && a.takes(t) && (a.Translates == nil || a.Translates(t)) {
			return a
		}
	}
	if op == llm.Complete {
		return d.translated(llm.Chat, t) // the text to go on with is one turn
	}
	return nil
}

// Endpoint is the provider side of the first API that has one; nil when the
// dialect has none.
func (d *Dialect) Endpoint() Provider {
	for _, a := range d.APIs {
		if a.Provider != nil {
			return a.Provider
		}
	}
	return nil
}

func (a *API) takes(t *Target) bool { return a.Takes == nil || a.Takes(t) }

// Line is a request line with its headers, as recognising needs it.
type Line struct {
	Method string
	Path   string // without the query
	Query  string // without the question mark, as it came
	Header Header
}

// Call is what a request line says.
type Call struct {
	Operation llm.Operation
	Model     string // when the path names it; of operation Models: the one asked for
	Stream    bool   // when the path says so
	Form      uint8  // a codec's own note on the form of the request or its answer
	// Raw says that the body is not read as JSON: Facts is given a document
	// without members.
	Raw bool
	// Bare says that the request needs no body.
	Bare bool
	// Rest is what a passed-on call asks for: path below the dialect's root, and query.
	Rest string
	// Type is the content-type of a raw body.
	Type string
}

// Recognise finds the API that a request line belongs to; nil when it is none's. The
// first of the dialects is the most general, and asked last: of a path that several
// have, the others know their own clients.
func Recognise(dialects []*Dialect, l *Line) (*Dialect, *API, Call) {
	for _, d := range slices.Backward(dialects) {
		for _, a := range d.APIs {
			if a.Client == nil {
				continue
			}
			if call, ok := a.Client.Recognise(l); ok {
				return d, a, call
			}
		}
	}
	return nil, nil, Call{}
}

// Header looks a request or response header up by its lower-case name.
type Header func(name string) string

// Client is the side that an application speaks.
type Client interface {
	// Recognise tells which call a request line is.
	Recognise(l *Line) (Call, bool)
	// Token is the key that the application presents in this dialect's way,
	// and the name of the header that carries it; empty when there is none. A
	// key in the query has no header: queries do not reach providers.
	Token(l *Line) (token, header string)
	// Inspected lists the body's top-level members that Facts and Same read:
	// a body that has one of them twice is refused.
	Inspected() *jsonx.Keys
	// Facts reads what deciding needs; wrong types are client errors.
	Facts(c Call, doc *jsonx.Document) (llm.Facts, *llm.Error)
	// Decode reads the whole request; its fields are views into doc's body.
	Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error)
	// AppendAnswer writes a whole answer. model is the name to show; what the
	// API has no place for goes into the ledger.
	AppendAnswer(dst []byte, f *llm.Facts, model string, a *llm.Answer, l *Ledger) []byte
	// NewEncoder writes a streamed answer in this dialect's framing.
	NewEncoder(f *llm.Facts, model string) Encoder
	// StreamType is the content-type of a streamed answer.
	StreamType(f *llm.Facts) string
	// AppendError writes an error body.
	AppendError(dst []byte, e *llm.Error, requestID string) []byte
	// AppendStreamError writes the event that ends a stream that has begun.
	AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte
	// AppendModels writes the list of models; an API that shows one model is
	// given that alone.
	AppendModels(dst []byte, names []string) []byte
}

// Encoder writes one stream. It keeps the dialect's grammar whatever order of
// events it is handed, and its state does not grow with the stream. A Failure
// makes it write no more than what separates the error from what came before:
// the caller appends that with AppendStreamError, since it knows the id of the request.
type Encoder interface {
	Append(dst []byte, ev *llm.Event) []byte
}

// Target is what a codec must know of where a request goes.
type Target struct {
	Model     string // the provider's own name of the model
	BasePath  string // path prefix of the provider's URL, without a final slash
	Flavour   string // name of a variant of the dialect; empty: its own API
	Version   string // version of the API that the provider is asked for, where a flavour has one
	MaxTokens int    // output bound to write when the client gave none; 0: none
}

// Provider is the side that a target speaks.
type Provider interface {
	// Path is the upstream path of a call, base path and query included.
	Path(f *llm.Facts, t *Target) string
	// Headers are those that every request of this dialect needs, besides the
	// credential ("anthropic-version").
	Headers(t *Target) [][2]string
	// Credential is the header that carries a static key.
	Credential(t *Target, key string) (name, value string)
	// Encode writes the request. A field that the provider cannot take is an
	// error found when the plan is made; one that is left out or weakened goes
	// into the ledger.
	Encode(dst []byte, r *llm.Request, t *Target, l *Ledger) ([]byte, *llm.Error)
	// Decode reads a whole answer; its fields are views into body.
	Decode(f *llm.Facts, t *Target, body []byte) (*llm.Answer, *llm.Error)
	// Streams reports whether an answer of this media type is a stream that
	// NewDecoder reads.
	Streams(mediaType string) bool
	// NewDecoder reads a streamed answer.
	NewDecoder(f *llm.Facts, t *Target, lim Limits) Decoder
	// Classify reads an error answer; body may be cut.
	Classify(status int, h Header, body []byte) *llm.Error
}

// Counter is a Provider whose answers say in headers how many tokens they cost,
// for those whose bodies do not.
type Counter interface{ Counted(h Header) llm.Usage }

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
