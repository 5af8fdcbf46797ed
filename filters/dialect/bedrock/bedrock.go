// Package bedrock is the codec of Amazon Bedrock's runtime (source: its API
// reference, and the AWS SDK for Go v2, service/bedrockruntime v1.63).
//
// Converse and ConverseStream stand on both sides, and so do InvokeModel and
// InvokeModelWithResponseStream. Requests that keep the API keep their bytes: the
// model is in the path. The package does no HTTP, signs nothing and decides nothing.
//
// # InvokeModel
//
// Its bodies are the models' own. A client's go to targets of this dialect as they
// are, with the usage of any family counted. Claude's (they name anthropic_version)
// go to any target: as they are to Claude, and to a model whose name does not tell
// its family, else translated. A client of Claude gets Claude's answers from all.
//
// Targets of flavour "invoke" are asked by InvokeModel, with the body of the family
// that the model's name tells, also behind an inference profile's region or in an
// ARN: Claude, Nova, Llama, Mistral, Titan, Command, DeepSeek, and chat completions
// for the rest. Models that continue one text are written the conversation in the
// marks that they were trained on; they take no tools and no media, and their numbers
// are moved to the bounds that the user guide gives. A schema for the answer is
// refused where a body has none. Embeddings go by InvokeModel, whatever the flavour:
// Titan's one at a time, and Cohere's.
//
// # What a request of another dialect becomes under Converse
//
//   - Instructions become system blocks, in their order, wherever they stood.
//   - Consecutive turns of a side become one, tool results first. Blank texts are
//     left out, which the API refuses.
//   - Images, documents, video and audio go by value or from S3; by another URL or
//     by a provider's file id they are refused. A document's name is written in the
//     characters that the API takes.
//   - Cache markers become cache points behind the same content.
//   - Tool calls keep their ids but for characters that the API does not take; of
//     ids longer than 64 the end is kept. Where a conversation holds calls and no
//     tools are offered, the called ones are, because the API wants them. There is
//     no choice "none" and no way to forbid calls at once.
//   - Thinking, effort and top_k go to additionalModelRequestFields in the words of
//     the model's family, which its name tells: Claude, Nova, gpt-oss; see package
//     thinking for Claude.
//   - A JSON schema becomes outputConfig, JSON without one an instruction.
//   - Metadata becomes requestMetadata when all of it is such labels as AWS takes.
//   - More than one answer is refused; seed, penalties, biases, log probabilities,
//     verbosity and the user's name are left out.
//   - Reasoning goes back to the model only if the model signed it.
//
// # What the answer of another dialect becomes
//
// Of several answers the first is told. A filtered answer and a refusal end in
// content_filtered. How long the model took is not known: latencyMs is 0. Streamed
// blocks do not overlap.
package bedrock

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
)

// New returns the dialect. claude is the API whose bodies Claude takes under
// InvokeModel, chat that of the models that take chat completions.
func New(claude, chat *dialect.API) *dialect.Dialect {
	return &dialect.Dialect{Name: "bedrock", APIs: []*dialect.API{Converse(), Invoke(claude, chat), Embed(), others()},
		Flavours: []string{invokeFlavour}, Kept: kept}
}

// Converse returns the API of Converse and ConverseStream.
func Converse() *dialect.API {
	return &dialect.API{Name: "converse", Operation: llm.Chat, Client: &client{}, Provider: &provider{}, Same: &same{}, Pause: aws.Pause,
		Takes: func(t *dialect.Target) bool { return t.Flavour != invokeFlavour }}
}

type (
	client struct{ caller }
	same   struct{}
	// provider asks by Converse.
	provider struct{ runtime }
)

// Path names the model and whether the answer is streamed.
func (*provider) Path(f *llm.Facts, t *dialect.Target) string {
	if f.Stream {
		return aws.ModelPath(t.BasePath, t.Model, "converse-stream")
	}
	return aws.ModelPath(t.BasePath, t.Model, "converse")
}

// runtime is what all calls of the Bedrock runtime have in common for a provider.
type runtime struct{}

// Headers is empty: the API needs none.
func (runtime) Headers(*dialect.Target) [][2]string { return nil }

// Credential is an API key of Bedrock, as a bearer token.
func (runtime) Credential(_ *dialect.Target, key string) (name, value string) {
	return aws.Credential(key)
}

// Classify reads an error answer.
func (runtime) Classify(status int, h dialect.Header, body []byte) *llm.Error {
	return aws.Classify(status, h, body)
}

// Streams knows event streams.
func (runtime) Streams(mediaType string) bool { return mediaType == eventstream.MediaType }

// Counted is what the headers of an answer say of its tokens.
func (runtime) Counted(h dialect.Header) llm.Usage { return aws.Counted(h) }

// caller is the same for a client.
type caller struct{}

// Token is an API key of Bedrock.
func (caller) Token(l *dialect.Line) (token, header string) { return aws.Token(l) }

// StreamType is that of event streams.
func (caller) StreamType(*llm.Facts) string { return eventstream.MediaType }

// AppendError writes an error body.
func (caller) AppendError(dst []byte, e *llm.Error, requestID string) []byte {
	return aws.AppendError(dst, e, requestID)
}

// AppendStreamError writes the exception that ends a stream.
func (caller) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	return aws.AppendException(dst, e, requestID)
}

// AppendModels writes the answer of ListFoundationModels.
func (caller) AppendModels(dst []byte, names []string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Array("modelSummaries")
	for _, n := range names {
		w.Open('{')
		w.Quote("modelId", n)
		w.Quote("modelName", n)
		w.Quote("modelArn", "arn:aws:bedrock:::foundation-model/"+n)
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return w.B
}
