// Package ollama is the codec of Ollama's own API: chat, generate and embed
// (source: the API reference in the project's documentation, as of version 0.12).
// Ollama also serves OpenAI's API; that is the other codec's.
//
// Its provider side takes requests of every dialect. Its client side passes
// requests on to targets of the dialect with the client's own bytes, and reads
// them for usage; it does not translate them: such a request is refused. It
// pulls, lists and removes no models, does no HTTP and decides nothing.
//
// # What a request becomes
//
//   - Turns keep their order and roles; instructions stay where they stood.
//   - Images go by value only; audio, documents and URLs are refused.
//   - Calls of tools and their results have no ids: a result names its tool.
//     Arguments must be a JSON object. A choice among tools cannot be made: no
//     tools at all are offered where none may be called.
//   - Parameters go into options; the bound on the output is num_predict.
//   - Reasoning is asked for by think: an effort as it is, a budget as true.
//   - A generate request is its prompt, unless it is more than one turn.
//
// # What an answer becomes
//
// Calls get ids by their place, thinking is reasoning. Streams are lines of JSON;
// a line with an error ends one.
package ollama

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// linesType is the media type of streams.
const linesType = "application/x-ndjson"

// New returns the dialect.
func New() *dialect.Dialect {
	return &dialect.Dialect{Name: "ollama", APIs: []*dialect.API{Chat(), Generate(), Embed()}}
}

// Chat returns the chat API.
func Chat() *dialect.API { return api("chat", "/api/chat", llm.Chat) }

// Generate returns the generate API.
func Generate() *dialect.API { return api("generate", "/api/generate", llm.Complete) }

// Embed returns the embed API.
func Embed() *dialect.API { return api("embed", "/api/embed", llm.Embed) }

func api(name, path string, op llm.Operation) *dialect.API {
	at := endpoint{op, path}
	return &dialect.API{Name: name, Operation: op, Client: client{at}, Provider: provider{at}, Same: same{}}
}

// endpoint is where an API is.
type endpoint struct {
	op   llm.Operation
	path string
}

type (
	client   struct{ endpoint }
	provider struct{ endpoint }
	same     struct{}
)

// The members of a request that are read.
const (
	kModel = iota
	kMessages
	kPrompt
	kInput
	kStream
	kOptions
	kTools
	kFormat
	kThink
	kImages
)

var keys = jsonx.NewKeys("model", "messages", "prompt", "input", "stream", "options", "tools", "format", "think", "images")

// Recognise knows the API's path.
func (c client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	return dialect.Call{Operation: c.op}, l.Method == "POST" && l.Path == c.path
}

// Token is a bearer token, as Ollama's own cloud takes it.
func (client) Token(l *dialect.Line) (token, header string) {
	if token = dialect.Bearer(l.Header); token != "" {
		header = "authorization"
	}
	return token, header
}

// Inspected lists the members that must not occur twice.
func (client) Inspected() *jsonx.Keys { return keys }

// Facts reads what deciding needs. Answers are streamed unless the client says no.
func (c client) Facts(call dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: keys}
	f := llm.Facts{Operation: call.Operation, Choices: 1, WantsUsage: true, Model: m.Required(kModel), Tools: dialect.Elements(m.Array(kTools))}
	f.Stream = c.op != llm.Embed && (m.Raw(kStream, jsonx.Boolean, jsonx.Boolean) == nil || m.Flag(kStream))
	if bound, ok := jsonx.Lookup(m.Object(kOptions), "num_predict"); ok {
		n, _ := jsonx.Int(bound)
		f.MaxTokens = int(min(max(n, 0), 1<<31-1))
	}
	data := 0
	count := func(list []byte) {
		for it := jsonx.Elements(list); it.Next(); {
			f.Images, data = f.Images+1, data+len(it.Value())
		}
	}
	count(m.Array(kImages))
	for it := jsonx.Elements(m.Array(kMessages)); it.Next(); {
		list, _ := jsonx.Lookup(it.Value(), "images")
		count(list)
	}
	f.TextBytes, f.Opening = len(doc.Body())-data, dialect.Opening(m.Array(kMessages), nil)
	f.Needs = needs(&m, &f)
	return f, m.Err
}

func needs(m *dialect.Members, f *llm.Facts) (n llm.Needs) {
	if f.Tools > 0 {
		n |= llm.NeedTools
	}
	if f.Images > 0 {
		n |= llm.NeedImages
	}
	if f.Stream {
		n |= llm.NeedStream
	}
	if v, ok := m.Doc.Get(kFormat); ok && v.Kind == jsonx.Object {
		n |= llm.NeedSchema
	}
	if v, ok := m.Doc.Get(kThink); ok && v.Kind != jsonx.Null && string(v.Raw(m.Doc.Body())) != "false" {
		n |= llm.NeedReasoning
	}
	return n
}

// Decode refuses: such requests are not translated.
func (c client) Decode(llm.Facts, *jsonx.Document) (*llm.Request, *llm.Error) {
	return nil, dialect.Unsupported("model", "This model is not served by an API that takes requests of "+c.path+".")
}

// Path appends the call to the provider's base path, which may end in /api or not.
func (p provider) Path(_ *llm.Facts, t *dialect.Target) string {
	return strings.TrimSuffix(t.BasePath, "/api") + p.path
}

// Headers is empty: the API needs none.
func (provider) Headers(*dialect.Target) [][2]string { return nil }

// Credential is a bearer token.
func (provider) Credential(_ *dialect.Target, key string) (name, value string) {
	return "authorization", "Bearer " + key
}

// Streams knows lines of JSON.
func (provider) Streams(mediaType string) bool { return mediaType == linesType }
