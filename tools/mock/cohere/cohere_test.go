package cohere_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/tools/mock"
	"github.com/posterngw/postern/tools/mock/internal/mocktest"
)

type j = mocktest.J

func client(t *testing.T) *mocktest.Client {
	return mocktest.New(t, mock.Options{}, http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer key"},
		"X-Fern-Sdk-Name": {"cohere"}})
}

// with adds members to a plain question.
func with(more j) j {
	body := j{"model": "mock", "messages": []j{{"role": "user", "content": "Weather in Paris?"}}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

var tools = j{"tools": []j{{"type": "function", "function": j{"name": "weather", "parameters": j{"type": "object",
	"properties": j{"city": j{"type": "string"}}, "required": []string{"city"}}}}}}

var (
	user   = j{"role": "user", "content": "Weather?"}
	called = j{"role": "assistant", "tool_plan": "I look.", "tool_calls": []j{{"id": "c1", "type": "function", "function": j{"name": "weather", "arguments": "{}"}}}}
	result = j{"role": "tool", "tool_call_id": "c1", "content": []j{{"type": "document", "document": j{"data": j{"sky": "blue"}}}}}
)

func TestWhole(t *testing.T) {
	c := client(t)
	out := c.Post("/v2/chat", with(j{"logprobs": true}), 200)
	require.Contains(t, mocktest.Text(out, "message", "content", 0, "text"), `You said: "Weather in Paris?"`)
	require.Equal(t, "COMPLETE", out["finish_reason"])
	require.Equal(t, mocktest.Num(out, "usage", "tokens", "output_tokens"), mocktest.Len(out, "logprobs"))
	require.Less(t, mocktest.Num(out, "usage", "billed_units", "input_tokens"), mocktest.Num(out, "usage", "tokens", "input_tokens"))
	out = c.Post("/v2/chat", with(tools), 200)
	require.Equal(t, "TOOL_CALL", out["finish_reason"])
	require.Equal(t, "I will use weather.", mocktest.Text(out, "message", "tool_plan"))
	require.JSONEq(t, `{"city":"Paris"}`, mocktest.Text(out, "message", "tool_calls", 0, "function", "arguments"))
	out = c.Post("/v2/chat", with(j{"model": "mock-reason"}), 200)
	require.NotEmpty(t, mocktest.Text(out, "message", "content", 0, "thinking"))
	out = c.Post("/v2/chat", with(j{"max_tokens": 3}), 200)
	require.Equal(t, "MAX_TOKENS", out["finish_reason"])
}

// TestCitations holds that a citation's place is where its words are.
func TestCitations(t *testing.T) {
	c := client(t)
	for name, more := range map[string]j{
		"tool":     {"messages": []j{user, called, result}},
		"document": {"documents": []any{j{"id": "d7", "data": j{"text": "It rains."}}}},
	} {
		out := c.Post("/v2/chat", with(more), 200)
		text := []rune(mocktest.Text(out, "message", "content", 0, "text"))
		cite := mocktest.At(out, "message", "citations", 0)
		require.Equal(t, mocktest.Text(cite, "text"), string(text[mocktest.Num(cite, "start"):mocktest.Num(cite, "end")]))
		require.Equal(t, name, mocktest.Text(cite, "sources", 0, "type"))
		more["citation_options"] = j{"mode": "OFF"}
		require.Nil(t, mocktest.At(c.Post("/v2/chat", with(more), 200), "message", "citations"))
	}
}

func TestStream(t *testing.T) {
	c := client(t)
	for name, more := range map[string]j{"text": {}, "tools": {"tools": tools["tools"]}, "thinking": {"model": "mock-reason"},
		"citations": {"messages": []j{user, called, result}}, "logprobs": {"logprobs": true}, "pings": {"model": "mock!pings=3"}} {
		more["stream"] = true
		res, raw := c.Do(c.Request("POST", "/v2/chat", with(more)))
		require.Equal(t, 200, res.StatusCode, name)
		require.Equal(t, "text/event-stream", res.Header.Get("content-type"))
		require.NoError(t, grammar.Check(grammar.Cohere(), raw), name)
		require.Equal(t, name == "citations", strings.Contains(string(raw), "citation-start"))
	}
	_, raw := c.Do(c.Request("POST", "/v2/chat", with(j{"stream": true, "model": "mock!stream-error-mid"})))
	require.Contains(t, string(raw), `{"error":"the service is overloaded, please try again later","finish_reason":"ERROR"}`)
	_, raw = c.Do(c.Request("POST", "/v2/chat", with(j{"stream": true, "model": "bench-9-chunks"})))
	require.NoError(t, grammar.Check(grammar.Cohere(), raw))
	require.Equal(t, 9, strings.Count(string(raw), "event: content-delta"))
}

// TestRefuses holds the rules of the API that translations break most easily.
func TestRefuses(t *testing.T) {
	c := client(t)
	for message, more := range map[string]j{
		"temperature must be between 0 and 1 inclusive.":                                       {"temperature": 1.5},
		"p must be between 0.01 and 0.99 inclusive.":                                           {"p": 1},
		"messages must not be empty":                                                           {"messages": []j{}},
		"must be one of: assistant, system, tool, user":                                        {"messages": []j{{"role": "developer", "content": "x"}}},
		"message must be at least 1 token long or tool results must be specified.":             {"messages": []j{{"role": "user", "content": ""}}},
		"the last message must be":                                                             {"messages": []j{user, {"role": "assistant", "content": "x"}}},
		"not found in previous tool calls":                                                     {"messages": []j{user, result}},
		"must be followed by tool messages":                                                    {"messages": []j{user, called, user}},
		"tool_choice may only be":                                                              {"tool_choice": "REQUIRED"},
		"cannot be specified at once":                                                          {"frequency_penalty": 0.5, "presence_penalty": 0.5},
		"thinking is not supported":                                                            {"thinking": j{"type": "enabled"}},
		"invalid type: parameter 'max_tokens' is of type string but should be of type integer": {"max_tokens": "9"},
		"max tokens must be less than or equal to 8000, the maximum output for this model":     {"model": "command-a-03-2025", "max_tokens": 9000},
		"messages[0].content[0].type must be one of: image_url, text":                          {"messages": []j{{"role": "user", "content": []j{{"type": "input_audio"}}}}},
		"size limit exceeded":                                                                  {"model": "mock-small", "messages": []j{{"role": "user", "content": strings.Repeat("word ", 5000)}}},
	} {
		body := with(more)
		out := c.Post("/v2/chat", body, 400)
		require.Contains(t, mocktest.Text(out, "message"), message)
		require.NotEmpty(t, mocktest.Text(out, "id"))
	}
	require.Contains(t, mocktest.Text(c.Post("/v2/chat", j{"model": "mock"}, 400), "message"), "messages is required")
	out := c.Post("/v2/chat", with(j{"tools": []j{{"type": "function", "function": j{"name": "f", "strict": true}}}}), 422)
	require.Equal(t, "unknown field: parameter 'strict' is not a valid field", out["message"])
	require.Contains(t, mocktest.Text(c.Post("/v2/chat", with(j{"model": "nope"}), 404), "message"), "model 'nope' not found")
}

func TestFaults(t *testing.T) {
	c := client(t)
	for behaviour, status := range map[string]int{"401": 401, "429": 429, "quota": 402, "content-filter-400": 498, "503": 503, "529": 503} {
		c.Post("/v2/chat", with(j{"model": "mock-" + behaviour}), status)
	}
	res, _ := c.Do(c.Request("POST", "/v2/chat", with(j{"model": "mock-rate-limit"})))
	require.Equal(t, "7", res.Header.Get("retry-after"))
}

func TestEmbed(t *testing.T) {
	c := client(t)
	ask := j{"model": "mock-embedding", "input_type": "search_query", "texts": []string{"a b", "c"},
		"embedding_types": []string{"float", "int8", "uint8", "binary", "ubinary", "base64"}}
	out := c.Post("/v2/embed", ask, 200)
	for kind, n := range map[string]int{"float": 64, "int8": 64, "uint8": 64, "binary": 8, "ubinary": 8} {
		require.Equal(t, n, mocktest.Len(out, "embeddings", kind, 1), kind)
	}
	require.NotEmpty(t, mocktest.Text(out, "embeddings", "base64", 1))
	require.Equal(t, 3, mocktest.Num(out, "meta", "billed_units", "input_tokens"))
	image := j{"model": "embed-v4.0", "input_type": "image", "output_dimension": 256,
		"inputs": []j{{"content": []j{{"type": "text", "text": "a"}, {"type": "image_url", "image_url": j{"url": "data:image/png;base64,AA=="}}}}}}
	require.Equal(t, 256, mocktest.Len(c.Post("/v2/embed", image, 200), "embeddings", "float", 0))
	for message, body := range map[string]j{
		"valid input_type must be":        {"model": "embed-v4.0", "texts": []string{"a"}},
		"exactly one of":                  {"model": "embed-v4.0", "input_type": "image"},
		"must be one of 256":              {"model": "embed-v4.0", "input_type": "image", "texts": []string{"a"}, "output_dimension": 100},
		"output_dimension is not":         {"model": "embed-english-v3.0", "input_type": "image", "texts": []string{"a"}, "output_dimension": 256},
		"at most 96 - received 97":        {"model": "embed-v4.0", "input_type": "image", "texts": make([]string, 97)},
		"at least one of texts, images":   {"model": "embed-v4.0", "input_type": "image", "texts": []string{}},
		"input_type must be one of: sear": {"model": "embed-v4.0", "input_type": "RETRIEVAL_QUERY", "texts": []string{"a"}},
	} {
		require.Contains(t, mocktest.Text(c.Post("/v2/embed", body, 400), "message"), message)
	}
}

func TestRerank(t *testing.T) {
	c := client(t)
	ask := j{"model": "rerank-v3.5", "query": "capital of France", "top_n": 2, "documents": []string{"bread", "Paris is the capital of France", "of"}}
	out := c.Post("/v2/rerank", ask, 200)
	require.Equal(t, 2, mocktest.Len(out, "results"))
	require.Equal(t, 1, mocktest.Num(out, "results", 0, "index"))
	require.Equal(t, 1, mocktest.Num(out, "meta", "billed_units", "search_units"))
	for message, more := range map[string]j{"list of documents must not": {"documents": []string{}}, "query must not be empty": {"query": " "},
		"top_n must be greater": {"top_n": 0}} {
		body := j{}
		for _, from := range []j{ask, more} {
			for k, v := range from {
				body[k] = v
			}
		}
		require.Contains(t, mocktest.Text(c.Post("/v2/rerank", body, 400), "message"), message)
	}
}

// TestModels holds that the path which dialects share goes by who asks.
func TestModels(t *testing.T) {
	c := client(t)
	_, raw := c.Do(c.Request("GET", "/v1/models", nil))
	require.Equal(t, "command-a-03-2025", mocktest.Text(mocktest.Decode(t, raw), "models", 0, "name"))
	_, raw = c.Do(c.Request("GET", "/v1/models/rerank-v3.5", nil))
	require.Equal(t, "rerank", mocktest.Text(mocktest.Decode(t, raw), "endpoints", 0))
	res, _ := c.Do(c.Request("GET", "/v1/models/nope", nil))
	require.Equal(t, 404, res.StatusCode)
	c.Header.Del("X-Fern-Sdk-Name")
	_, raw = c.Do(c.Request("GET", "/v1/models", nil))
	require.Equal(t, "list", mocktest.Decode(t, raw)["object"])
}
