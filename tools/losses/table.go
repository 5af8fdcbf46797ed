package losses

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
)

// plain is what is known of a client's API: how it is asked, and its fields; none
// where it is never translated.
type plain struct {
	method, path string
	body         string
	fields       []dialecttest.Field
	here         map[string]string
}

const (
	chosen   = "chooses the target"
	streamed = "asks every target for usage in streams"
	written  = "vectors are written so, whatever form they come in"
	path     = "the model in the path counts"
	family   = "says whose body it is"
)

// plains are the client APIs by "dialect/api".
var plains = map[string]plain{
	"anthropic/messages": {"POST", "/v1/messages", `{"model":"m","max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}`,
		dialecttest.AnthropicFields, map[string]string{"/model": chosen}},
	"bedrock/converse": {"POST", "/model/m/converse", `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`,
		dialecttest.BedrockFields, nil},
	"bedrock/invoke": {"POST", "/model/m/invoke", `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}`,
		dialecttest.InvokeFields, map[string]string{"/anthropic_version": family}},
	"cohere/chat": {"POST", "/v2/chat", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		dialecttest.CohereFields, map[string]string{"/model": chosen}},
	"openai/chat": {"POST", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		dialecttest.OpenAIFields, map[string]string{"/model": chosen, "/stream_options": streamed}},
	"openai/completions": {"POST", "/v1/completions", `{"model":"m","prompt":"hi"}`,
		dialecttest.OpenAIFields, map[string]string{"/model": chosen, "/stream_options": streamed}},
	"openai/responses": {"POST", "/v1/responses", `{"model":"m","input":"hi"}`,
		dialecttest.OpenAIFields, map[string]string{"/model": chosen}},
	"openai/embeddings": {"POST", "/v1/embeddings", `{"model":"m","input":"hi"}`,
		dialecttest.OpenAIFields, map[string]string{"/model": chosen, "/encoding_format": written}},
	"anthropic/count_tokens": {"POST", "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		dialecttest.AnthropicFields, map[string]string{"/model": chosen}},
	"cohere/embed": {"POST", "/v2/embed", `{"model":"m","texts":["hi"]}`,
		dialecttest.CohereFields, map[string]string{"/model": chosen, "/embedding_types": written}},
	"cohere/rerank": {"POST", "/v2/rerank", `{"model":"m","query":"hi","documents":["a","b"]}`,
		dialecttest.CohereFields, map[string]string{"/model": chosen}},
	"gemini/countTokens": {"POST", "/v1beta/models/m:countTokens", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`,
		dialecttest.GeminiFields, nil},
	"gemini/embedContent": {"POST", "/v1beta/models/m:embedContent", `{"content":{"parts":[{"text":"hi"}]}}`,
		dialecttest.GeminiFields, map[string]string{"/model": path}},
	"gemini/batchEmbedContents": {"POST", "/v1beta/models/m:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"hi"}]}}]}`,
		dialecttest.GeminiFields, map[string]string{"/requests/0/model": path}},
	"gemini/predict": {"POST", "/v1/projects/p/locations/l/publishers/google/models/m:predict", `{"instances":[{"content":"hi"}]}`,
		dialecttest.GeminiFields, nil},
	"cohere/v1.embed": {"POST", "/v1/embed", `{"model":"m","texts":["hi"]}`,
		dialecttest.CohereFields, map[string]string{"/model": chosen, "/embedding_types": written}},
	"cohere/v1.rerank": {"POST", "/v1/rerank", `{"model":"m","query":"hi","documents":["a","b"]}`,
		dialecttest.CohereFields, map[string]string{"/model": chosen}},
	"cohere/v1.chat":     {"POST", "/v1/chat", `{"model":"m","message":"hi"}`, nil, nil},
	"cohere/v1.generate": {"POST", "/v1/generate", `{"model":"m","prompt":"hi"}`, nil, nil},
	"ollama/chat":        {"POST", "/api/chat", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, nil, nil},
	"ollama/generate":    {"POST", "/api/generate", `{"model":"m","prompt":"hi"}`, nil, nil},
	"ollama/embed":       {"POST", "/api/embed", `{"model":"m","input":"hi"}`, nil, nil},
	"gemini/generateContent": {"POST", "/v1beta/models/m:generateContent", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`,
		dialecttest.GeminiFields, nil},
}

// targets are the dialects' own APIs, each with a model that can do most, and one
// of vectors; of InvokeModel a model of each form of body. Those without a name are
// tried, and fare as one that has a name does.
var targets = []struct{ name, dialect, flavour, model, other string }{
	{"openai", "openai", "", "gpt-5", "text-embedding-3-large"},
	{"openai responses", "openai", "responses", "gpt-5", "text-embedding-3-large"},
	{"openai compatible", "openai", "compatible", "llama-4", "bge-m3"},
	{"anthropic", "anthropic", "", "claude-sonnet-4-5", ""},
	{"gemini", "gemini", "", "gemini-2.5-pro", "gemini-embedding-001"},
	{"bedrock", "bedrock", "", "anthropic.claude-sonnet-4-5-v1:0", "cohere.embed-v4:0"},
	{"invoke nova", "bedrock", "invoke", "amazon.nova-lite-v1:0", "amazon.titan-embed-text-v2:0"},
	{"invoke llama", "bedrock", "invoke", "meta.llama3-70b-instruct-v1:0", "amazon.titan-embed-text-v1"},
	{"", "bedrock", "invoke", "anthropic.claude-sonnet-4-5-v1:0", "cohere.embed-english-v3"},
	{"", "bedrock", "invoke", "openai.gpt-oss-120b-1:0", "cohere.embed-english-v3"},
	{"", "bedrock", "invoke", "amazon.titan-text-express-v1", "cohere.embed-english-v3"},
	{"", "bedrock", "invoke", "mistral.mixtral-8x7b-instruct-v0:1", "cohere.embed-english-v3"},
	{"", "bedrock", "invoke", "cohere.command-r-v1:0", "cohere.embed-english-v3"},
	{"", "bedrock", "invoke", "us.deepseek.r1-v1:0", "cohere.embed-english-v3"},
	{"cohere", "cohere", "", "command-a-03-2025", "embed-v4.0"},
	{"ollama", "ollama", "", "qwen3", "nomic-embed-text"},
}

// Clients are the client APIs of the dialects whose fields are known.
func Clients(dialects []*dialect.Dialect) []Client {
	var list []Client
	for _, d := range dialects {
		for _, a := range d.APIs {
			p, ok := plains[d.Name+"/"+a.Name]
			if !ok || a.Client == nil {
				continue
			}
			none := func(string) string { return "" }
			list = append(list, Client{Dialect: d, API: a, Plain: p.body, Here: p.here, Fields: of(p.fields, a.Name),
				Line: dialect.Line{Method: p.method, Path: p.path, Header: none}})
		}
	}
	return list
}

func of(fields []dialecttest.Field, api string) []dialecttest.Field {
	var list []dialecttest.Field
	for _, f := range fields {
		if f.API == api {
			list = append(list, f)
		}
	}
	return list
}

// Targets are those that every client is tried with.
func Targets(dialects []*dialect.Dialect) []Target {
	var list []Target
	for _, t := range targets {
		for _, d := range dialects {
			if d.Name == t.dialect {
				list = append(list, Target{Name: t.name, Dialect: d, Codec: dialect.Target{Model: t.model, Flavour: t.flavour}, Embedder: t.other})
			}
		}
	}
	return list
}
