// Package anthropic is the codec of Anthropic's messages API (source: the API
// reference for messages, streaming and errors, version 2023-06-01, as of the
// anthropic-sdk-go types v1.84).
//
// It stands on both sides and serves requests that keep the dialect with the
// client's own bytes. Claude on Vertex AI and on Amazon Bedrock is asked by flavours
// of it: of Bedrock's answers each chunk becomes the event that it holds. Clients of
// Vertex are served on its paths; those of Bedrock are package bedrock's. Of the API it knows messages, count_tokens and the list of
// models, for requests that name the API's version: the line is OpenAI's, too. Files,
// batches and the rest are passed on as they are, see others.
// It does no HTTP and decides nothing.
//
// # What a request of another dialect becomes
//
//   - Instructions (system, developer) become system blocks, in their order,
//     wherever they stood. A conversation of instructions alone becomes a user's turn.
//   - Consecutive turns of a side become one; tool results come first in it, as
//     the API wants. Empty texts are left out. Names of speakers are left out.
//   - Tool calls keep their ids; characters that the API does not take become '_',
//     in the call and in its result alike. Arguments must be a JSON object.
//   - Images and PDFs go by value or by URL. Audio and files by another provider's id are refused.
//   - max_tokens, which the API requires, is the request's, else the target's, else [DefaultMaxTokens].
//   - temperature above 1 becomes 1 (OpenAI's goes to 2); top_p is left out where
//     there is a temperature, because current models refuse the pair.
//   - Reasoning effort becomes adaptive thinking with output_config.effort; for
//     models up to Claude 4.5, or flavour "budget", a token budget of at most half of
//     max_tokens. A budget becomes an effort, and the other way round. The API refuses
//     thinking next to a forced tool, and a budget after a tool call whose thinking is
//     not in the conversation: there, thinking is left out. With thinking, temperature, top_p and top_k are.
//   - A JSON schema becomes output_config.format; JSON without one becomes an instruction.
//   - Schemas and strict tools go as they are, whatever of JSON Schema they use.
//   - More than one answer (n) is refused. seed, penalties and metadata are left
//     out; the user's name becomes metadata.user_id.
//
// # What the answer of another dialect becomes
//
// Of several answers the first is told. A filtered answer ends in "refusal", a
// refusal's text is text. A streamed answer's blocks do not overlap here: pieces
// of a tool call that come after the next block began are left out. Arguments of
// a whole answer that are no object, since the model was cut short, stand in
// {"raw_arguments": …}.
package anthropic

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/thinking"
	"github.com/posterngw/postern/filters/llm"
)

// DefaultMaxTokens bounds the output when neither the request nor the target
// does: what every model since Claude 3 takes.
const DefaultMaxTokens = 4096

// dialectName is also the origin of the signatures that these models make.
const dialectName = "anthropic"

// version is the API version that the codec speaks.
const version = "2023-06-01"

// New returns the dialect.
func New() *dialect.Dialect {
	return &dialect.Dialect{Name: dialectName, APIs: []*dialect.API{Messages(), CountTokens(), others()},
		Flavours: []string{"adaptive", "budget", vertex, bedrock}, Kept: kept}
}

// Messages returns the messages API.
func Messages() *dialect.API {
	return &dialect.API{Name: "messages", Operation: llm.Chat, Client: &client{}, Provider: &provider{}, Same: &same{}, Keeps: true}
}

type client struct{}
type provider struct{}
type same struct{}

// Path appends the call to the provider's base path, which may end in /v1 or not.
func (*provider) Path(f *llm.Facts, t *dialect.Target) string {
	if cloudOf(t) != nil {
		return cloudPath(f, t)
	}
	base := strings.TrimSuffix(t.BasePath, "/v1") + "/v1"
	switch f.Operation {
	case llm.Models:
		return base + "/models"
	case llm.CountTokens:
		return base + "/messages/count_tokens"
	}
	return base + "/messages"
}

// Headers names the version of the API.
func (*provider) Headers(t *dialect.Target) [][2]string {
	if cloudOf(t) != nil {
		return nil
	}
	return [][2]string{{"anthropic-version", version}}
}

// Credential is the x-api-key header; on other clouds it is their token.
func (*provider) Credential(t *dialect.Target, key string) (name, value string) {
	if cloudOf(t) != nil {
		return "authorization", "Bearer " + key
	}
	return "x-api-key", key
}

// byBudget reports whether the target's model thinks by a budget.
func byBudget(t *dialect.Target) bool {
	switch t.Flavour {
	case "budget":
		return true
	case "adaptive":
		return false
	}
	return thinking.ByBudget(t.Model)
}
