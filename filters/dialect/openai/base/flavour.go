package base

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
)

// Feature is something that a server of the family takes, or not.
type Feature uint32

// The features.
const (
	TopK          Feature = 1 << iota // top_k
	Many                              // n
	Logprobs                          // logprobs, top_logprobs
	LogitBias                         // logit_bias
	Developer                         // the role developer
	Strict                            // strict, of tools and schemas
	Schema                            // response_format json_schema
	ToolChoice                        // tool_choice
	Parallel                          // parallel_tool_calls
	StreamOptions                     // stream_options.include_usage; without it usage comes unasked
	Effort                            // reasoning_effort
	EffortObject                      // reasoning: {effort, max_tokens, enabled}
	Tier                              // service_tier
	Verbosity                         // verbosity
	Metadata                          // metadata
	User                              // user
	Search                            // web_search_options
	Penalties                         // presence_penalty, frequency_penalty
	Responses                         // POST /responses
	ToResponses                       // requests of other APIs are translated to /responses
	Azure                             // Azure's paths and header
	Files                             // file parts by id
	Details                           // reasoning_details with signatures
	Completions                       // POST /completions
	Embeddings                        // POST /embeddings
	Names                             // the name of a turn's speaker
	Thinking                          // thinking: {type: "disabled"}, where no effort turns it off
	Links                             // images by URL
)

// Flavour is how a server that speaks the dialect differs from OpenAI.
type Flavour struct {
	MaxTokens string // the member that bounds the output
	Seed      string // the member for the seed; empty: none
	Required  string // tool_choice that forces some call
	Reasoning string // the member for reasoning in assistant turns; empty: it takes none
	has       Feature
}

// Has reports whether a server takes all of the features.
func (f *Flavour) Has(x Feature) bool { return f.has&x == x }

// common is what nearly all servers take.
const common = Many | Logprobs | LogitBias | Strict | Schema | ToolChoice | Parallel | StreamOptions | Effort | User | Penalties | Names | Links

// own is what OpenAI itself takes.
const own = common | Developer | Tier | Verbosity | Metadata | Search | Responses | Files | Completions | Embeddings

// flavours is the quirks table. Sources: recorded answers, and of 2026
//
//   - Mistral: the request's fields in its Python client, whose reasoning_effort knows
//     "none" and "high" alone
//   - Groq: its page on compatibility with OpenAI, and its Python client
//   - Azure: the reference of its preview API 2025-04-01
//   - DeepSeek: its guide to thinking, and clients' lists of a request's fields
//   - xAI: what clients say of its fields, of which it calls metadata and service_tier
//     unsupported; its own reference was not at hand
//   - OpenRouter: the request in its TypeScript SDK; top_k, verbosity and a budget for
//     reasoning are in its guides
//   - vLLM and Ollama: the structures that their sources read a request into
//
// A member that is taken and not known costs a 400, one that is not taken a loss that
// is noted.
var flavours = []struct {
	name string
	Flavour
}{
	{"", Flavour{"max_completion_tokens", "seed", "required", "", own}},
	{"responses", Flavour{"max_completion_tokens", "seed", "required", "", own | ToResponses}},
	{"azure", Flavour{"max_completion_tokens", "seed", "required", "", own&^Search | Azure}},
	{"azure-responses", Flavour{"max_completion_tokens", "seed", "required", "", own&^Search | Azure | ToResponses}},
	{"mistral", Flavour{"max_tokens", "random_seed", "any", "", common&^(Logprobs|LogitBias|StreamOptions|User|Effort) | Metadata | Embeddings}},
	{"groq", Flavour{"max_completion_tokens", "seed", "required", "reasoning", common&^(Many|Logprobs|LogitBias|Penalties|Names) | Tier | Responses}},
	{"deepseek", Flavour{"max_tokens", "", "required", "reasoning_content", Logprobs | ToolChoice | StreamOptions | Penalties | Names | Effort | Thinking | Links}},
	{"xai", Flavour{"max_completion_tokens", "seed", "required", "reasoning_content", common&^LogitBias | Responses}},
	{"openrouter", Flavour{"max_tokens", "seed", "required", "reasoning",
		common&^(Many|Effort) | TopK | Tier | Developer | EffortObject | Verbosity | Metadata | Details | Completions | Embeddings}},
	{"vllm", Flavour{"max_tokens", "seed", "required", "reasoning", common | TopK | Completions | Embeddings}},
	{"ollama", Flavour{"max_tokens", "seed", "required", "reasoning", Schema | StreamOptions | Effort | Penalties | Names | Completions | Embeddings}},
	{"compatible", Flavour{"max_tokens", "seed", "required", "reasoning_content", common | TopK | Details | Completions | Embeddings}},
}

// Flavours are the names of the variants.
func Flavours() []string {
	names := make([]string, 0, len(flavours))
	for i := range flavours[1:] {
		names = append(names, flavours[1+i].name)
	}
	return names
}

// FlavourOf finds a target's flavour. Names that the table lacks are "compatible".
func FlavourOf(t *dialect.Target) *Flavour {
	last := len(flavours) - 1
	for i := range flavours {
		if i == last || flavours[i].name == t.Flavour {
			return &flavours[i].Flavour
		}
	}
	return nil
}

// Takes returns a check that a target has the features.
func Takes(x Feature) func(*dialect.Target) bool {
	return func(t *dialect.Target) bool { return FlavourOf(t).Has(x) }
}

// Lacks returns a check that a target has none of the features.
func Lacks(x Feature) func(*dialect.Target) bool {
	return func(t *dialect.Target) bool { return FlavourOf(t).has&x == 0 }
}

// URL is the upstream path of an API ("chat/completions"). The base path is
// "/v1" where the configuration names only a host. Azure with a version has the
// model in the path and the version in the query; without one it is asked in
// the v1 form.
func URL(t *dialect.Target, api string) string {
	path := t.BasePath
	switch azure := FlavourOf(t).Has(Azure); {
	case azure && t.Version != "":
		path = strings.TrimSuffix(strings.TrimSuffix(path, "/v1"), "/openai") + "/openai/"
		if t.Model != "" && Deployed(api) {
			path += "deployments/" + t.Model + "/"
		}
		if strings.Contains(api, "?") {
			return path + api + "&api-version=" + t.Version
		}
		return path + api + "?api-version=" + t.Version
	case azure:
		path = strings.TrimSuffix(strings.TrimSuffix(path, "/v1"), "/openai") + "/openai/v1"
	case path == "":
		path = "/v1"
	}
	return path + "/" + api
}

// Deployed reports whether Azure has an API under each deployment, as of the
// reference of its inference API of 2025-04-01-preview.
func Deployed(api string) bool {
	api, _, _ = strings.Cut(api, "?")
	switch api {
	case "chat/completions", "completions", "embeddings", "images/generations", "images/edits",
		"audio/transcriptions", "audio/translations", "audio/speech":
		return true
	}
	return false
}

// NamesModel reports whether a target is told the model in the body: all but
// deployments in the path are.
func NamesModel(t *dialect.Target, api string) bool {
	return !FlavourOf(t).Has(Azure) || t.Version == "" || !Deployed(api)
}

// Credential is a bearer token, or Azure's api-key header.
func (Provider) Credential(t *dialect.Target, key string) (name, value string) {
	if FlavourOf(t).Has(Azure) {
		return "api-key", key
	}
	return "authorization", "Bearer " + key
}
