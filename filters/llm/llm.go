// Package llm is the canonical vocabulary of Postern: what a request, an
// answer, a stream event, usage and an error are, whatever wire API they came
// in by and whatever wire API they leave by.
//
// A dialect is a codec between its own bytes and these types; no dialect knows
// another. Whatever a dialect carries that has no canonical place is kept raw
// in Extra, so that a codec can say what it drops.
//
// The package holds no codec, no framing, no I/O and no policy.
package llm

// Escaped is the interior of a JSON string as it stood in its document:
// without the quotes, still escaped, valid UTF-8. Two JSON dialects hand text
// to each other in this form, so translation neither unescapes nor escapes.
// It may be a view into a buffer that the next callback reuses: whoever keeps
// it beyond the call copies it.
type Escaped []byte

// Raw is one valid JSON value as it stood in its document. The lifetime rule
// of [Escaped] applies.
type Raw []byte

// Number is a JSON number as it was spelled; the empty Number is absent.
type Number string

// Field is a member of an object that has no canonical place.
type Field struct {
	Name  string // unescaped
	Value Raw
}

// Operation is what a call asks for, across dialects.
type Operation uint8

// The operations.
const (
	Unknown     Operation = iota
	Chat                  // an answer to a conversation
	Complete              // the continuation of a text
	Embed                 // vectors for texts
	Models                // the list of models
	CountTokens           // the size of a conversation
	Rerank                // an order of documents
	Passthrough           // a path of the dialect that is passed on unread
)

// Writes reports whether an operation's answer is tokens: vectors and ranks are not.
func (o Operation) Writes() bool { return o == Chat || o == Complete }

// String is the operation's name in OpenTelemetry's gen_ai.operation.name
// (semantic conventions v1.41.1), where it has one.
func (o Operation) String() string {
	switch o {
	case Chat:
		return "chat"
	case Complete:
		return "text_completion"
	case Embed:
		return "embeddings"
	case Models:
		return "models"
	case CountTokens:
		return "count_tokens"
	case Rerank:
		return "rerank"
	case Passthrough:
		return "passthrough"
	}
	return "unknown"
}
