// Package responses is the codec of OpenAI's responses API (source: the OpenAI
// API reference, responses and their streaming events, and the types of the
// official SDKs).
//
// It stands on both sides. A request that the target takes in this API keeps its
// bytes; any other is translated. State that only the provider has
// (previous_response_id, conversation, prompt, item references, files by id,
// background) cannot be translated and is refused, as are the tools that only
// OpenAI runs, but for the web search and the code interpreter, which others
// have, too. Of finished calls of such tools in the input only a note is left:
// what they found stands in the text after them.
//
// # Reasoning
//
// A reasoning item's encrypted_content only holds together with the item's id,
// so both are the signature, "id:content". Signatures of other providers travel
// to clients of this API in encrypted_content, sealed.
//
// # Streams
//
// The API ends a stream with the whole response once more, so the encoder keeps
// the text that it wrote, up to a bound; beyond it the stream ends as failed.
package responses

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
)

// API returns the responses API.
func API() *dialect.API {
	return &dialect.API{Name: "responses", Operation: llm.Chat, Client: &client{}, Provider: &provider{}, Same: &same{}, Keeps: true,
		Takes: base.Takes(base.Responses), Translates: base.Takes(base.ToResponses)}
}

type client struct{ base.Client }
type provider struct{ base.Provider }
type same struct{}

// Recognise knows the creation of a response.
func (*client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	if _, ok := base.Posts(l, "responses"); !ok {
		return dialect.Call{}, false
	}
	return dialect.Call{Operation: llm.Chat}, true
}

// Path appends the call to the provider's base path.
func (*provider) Path(_ *llm.Facts, t *dialect.Target) string { return base.URL(t, "responses") }
