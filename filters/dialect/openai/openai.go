// Package openai is the codec of OpenAI's APIs, which many other providers and
// servers speak too (source: the OpenAI API reference and the types of the
// official SDKs): chat completions here, the others in packages below it, what
// they have in common in base.
//
// It stands on both sides and serves requests that keep the API with the
// client's own bytes. It does no HTTP, and decides nothing: what it cannot carry
// to a target it refuses or notes in the ledger, and unknown fields it keeps in
// Extra. How the servers differ is a table, base.Flavour.
//
// # What a change of API does to a chat request
//
// Refused, because the answer would lack what was asked for: audio output, the
// deprecated functions, custom and allowed tools. Kept in Extra, and so noted and
// not sent to another API: store, prediction, prompt_cache_*, moderation, and
// whatever is unknown here.
//
// # Reasoning
//
// OpenAI's own chat completions never show reasoning. Other servers do, as
// reasoning_content (DeepSeek, vLLM, xAI) or reasoning (OpenRouter, Groq); both
// are read, reasoning_content is written. Signatures and redacted blocks travel
// in OpenRouter's reasoning_details to the client and back, the format telling
// who made them; the signature of a tool call travels in
// extra_content.google.thought_signature.
//
// # Streams that keep the dialect
//
// A client that did not ask for usage does not get the extra chunk (choices
// empty, usage set). The "usage":null that include_usage adds to every other
// chunk stays: the schema allows it, every official SDK reads it, and cutting it
// would mean a copy of every chunk. Usage that rides in a chunk with choices
// stays for the same reason.
package openai

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/dialect/openai/embeddings"
	"github.com/posterngw/postern/filters/dialect/openai/responses"
	"github.com/posterngw/postern/filters/dialect/passthrough"
	"github.com/posterngw/postern/filters/llm"
)

// New returns the dialect.
func New() *dialect.Dialect {
	chat := Chat()
	return &dialect.Dialect{
		Name:     "openai",
		APIs:     []*dialect.API{chat, responses.API(), Complete(), embeddings.API(), Model(), others(chat)},
		Flavours: base.Flavours(),
		Kept:     base.Kept,
	}
}

// Chat returns the chat completions API.
func Chat() *dialect.API {
	return &dialect.API{Name: "chat", Operation: llm.Chat, Client: &client{}, Provider: &provider{}, Same: &same{},
		Translates: base.Lacks(base.ToResponses)}
}

// others returns the API of the paths that no codec reads.
func others(chat *dialect.API) *dialect.API {
	return passthrough.API(passthrough.Options{
		Split: func(l *dialect.Line) (rest, model string, ok bool) {
			rest, model, ok = base.Path(l)
			return rest, model, ok && (model == "" || base.Deployed(rest)) && l.Header("anthropic-version") == ""
		},
		InBody: base.NamesModel,
		Paths: []string{"images", "audio", "moderations", "files", "batches", "fine_tuning", "uploads", "vector_stores", "assistants",
			"threads", "responses", "conversations", "chat/completions", "evals", "containers", "videos", "realtime", "skills", "chatkit"},
		Join:   base.URL,
		Secret: []string{"api-version", "api-key"},
		Usage:  func(raw []byte) (llm.Usage, bool) { return base.ReadUsage(raw, nil) },
		Client: chat.Client, Provider: chat.Provider,
	})
}

// Model returns the API that shows one model.
func Model() *dialect.API {
	return &dialect.API{Name: "model", Operation: llm.Models, Client: &one{}}
}

// one is the client side of a path that names a model.
type one struct{ client }

// Recognise knows the path of one model.
func (*one) Recognise(l *dialect.Line) (dialect.Call, bool) {
	api, _, ok := base.Path(l)
	name, found := strings.CutPrefix(api, "models/")
	if !ok || !found || name == "" || l.Method != "GET" {
		return dialect.Call{}, false
	}
	return dialect.Call{Operation: llm.Models, Model: name}, true
}

// AppendModels writes the model alone.
func (*one) AppendModels(dst []byte, names []string) []byte {
	if len(names) != 1 {
		return base.Client{}.AppendModels(dst, names)
	}
	w := dialect.Writer{B: dst}
	base.WriteModel(&w, names[0])
	return w.B
}

type client struct{ base.Client }
type provider struct{ base.Provider }
type same struct{}

// Recognise knows the chat completions and the list of models.
func (*client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	if model, ok := base.Posts(l, "chat/completions"); ok {
		return dialect.Call{Operation: llm.Chat, Model: model}, true
	}
	api, _, ok := base.Path(l)
	if ok && l.Method == "GET" && api == "models" {
		return dialect.Call{Operation: llm.Models}, true
	}
	return dialect.Call{}, false
}

// Path appends the call to the provider's base path.
func (*provider) Path(f *llm.Facts, t *dialect.Target) string {
	if f.Operation == llm.Models {
		return base.URL(t, "models")
	}
	return base.URL(t, "chat/completions")
}
