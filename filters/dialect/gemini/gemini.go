// Package gemini is the codec of Google's Gemini API (v1beta) and of the same
// methods on Vertex AI (source: the API reference for generateContent,
// countTokens, embedContent and predict, as of the google.golang.org/genai types
// v1.77).
//
// It stands on both sides and serves requests that keep the dialect with the
// client's own bytes. A client's stream is server-sent events where it asks for
// alt=sse, else one JSON array; providers are always asked for events. Files,
// caches, batches, live sessions and other methods of models are passed on as they
// are, see others; the bytes of a resumable upload go to the URL that its start is
// answered with, which is the provider's own.
// It does no HTTP and decides nothing.
//
// # What a request of another dialect becomes
//
//   - Instructions (system, developer) become the systemInstruction, in their
//     order; a conversation of instructions alone becomes a user's turn.
//   - Consecutive turns of a side become one; tool results come first in it. A
//     result is an object here: text that spells none stands in {"output": …}, an
//     error in {"error": …}. A result without its call is refused.
//   - Media go by value or by URL, of whose type the name of the file tells.
//   - JSON schemas go as they are to models that take them (responseJsonSchema,
//     parametersJsonSchema), and through [schema.OpenAPI] to those before.
//   - Effort becomes a thinking level, for the models before Gemini 3 a budget; a
//     budget becomes the level that comes nearest.
//   - Reasoning of other makers is left out. A call whose thought signature was lost
//     on the way gets the word by which the API knows that, since it refuses such calls
//     of Gemini 3 otherwise.
//   - parallel_tool_calls, logit_bias and the user's name are left out; metadata
//     becomes labels on Vertex.
//
// # What the answer of another dialect becomes
//
// Signatures of other makers travel in thoughtSignature, in base64 as the API's own,
// and are given back to their makers. A refusal's text is text. Citations become
// grounding.
package gemini

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// name is the dialect's, and the origin of its signatures.
const name = "gemini"

// vertex is the flavour of Vertex AI: other paths, bearer tokens, embeddings by predict.
const vertex = "vertex"

// New returns the dialect.
func New() *dialect.Dialect {
	return &dialect.Dialect{Name: name, Flavours: []string{vertex}, Kept: kept, APIs: []*dialect.API{
		Generate(), array(), CountTokens(), batchEmbed(), embed(), predict(), modelList(), model(), others(), vertexOthers(),
	}}
}

// Generate returns generateContent, whole and streamed as events.
func Generate() *dialect.API {
	return &dialect.API{Name: "generateContent", Operation: llm.Chat,
		Client: &client{}, Provider: &provider{}, Same: &same{}}
}

// array is streamGenerateContent for clients that get a JSON array.
func array() *dialect.API {
	return &dialect.API{Name: "streamGenerateContent", Operation: llm.Chat,
		Client: &arrayClient{}, Provider: &provider{}, Same: &arraySame{}}
}

type client struct{}
type provider struct{}
type same struct{}

// Path is the method's below the provider's base path.
func (*provider) Path(f *llm.Facts, t *dialect.Target) string {
	if f.Stream {
		return methodPath(t, "streamGenerateContent") + "?alt=sse"
	}
	return methodPath(t, "generateContent")
}

// methodPath is base path, model and method. On Vertex the base path names project
// and location; a model's name that is a resource's is not put under models.
func methodPath(t *dialect.Target, method string) string {
	base := t.BasePath
	resource := strings.HasPrefix(t.Model, "models/") || strings.HasPrefix(t.Model, "tunedModels/") ||
		strings.HasPrefix(t.Model, "publishers/") || strings.HasPrefix(t.Model, "endpoints/")
	switch {
	case t.Flavour == vertex && !resource:
		base += "/publishers/google/models"
	case t.Flavour == vertex:
	case base == "" && t.Version != "":
		base = "/" + t.Version
	case base == "":
		base = "/v1beta"
	}
	if t.Flavour != vertex && !resource {
		base += "/models"
	}
	return base + "/" + escapePath(t.Model) + ":" + method
}

// Headers is empty: the API needs none.
func (*provider) Headers(*dialect.Target) [][2]string { return nil }

// Credential is an API key, on Vertex a bearer token.
func (*provider) Credential(t *dialect.Target, key string) (name, value string) {
	if t != nil && t.Flavour == vertex {
		return "authorization", "Bearer " + key
	}
	return "x-goog-api-key", key
}

// generation tells what a model of Gemini takes by its name; models of a later
// generation than are known here are like the latest.
type generation struct {
	schemas bool // JSON schemas as they are
	levels  bool // thinking by level
	thinks  bool
	least   int // budget that turns thinking off, or comes nearest
	most    int // budget
}

func generationOf(model string) generation {
	pro := strings.Contains(model, "-pro")
	switch {
	case strings.Contains(model, "gemini-1") || strings.Contains(model, "gemini-2.0"):
		return generation{}
	case strings.Contains(model, "gemini-2.5") && pro:
		return generation{schemas: true, thinks: true, least: 128, most: 32768}
	case strings.Contains(model, "gemini-2.5"):
		return generation{schemas: true, thinks: true, most: 24576}
	}
	g := generation{schemas: true, levels: true, thinks: true, most: 32768}
	if pro {
		g.least = 1 // "minimal" is not for these
	}
	return g
}
