package ollama_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/tools/mock"
	"github.com/posterngw/postern/tools/mock/internal/mocktest"
)

type j = mocktest.J

func client(t *testing.T) *mocktest.Client {
	return mocktest.New(t, mock.Options{}, http.Header{"Content-Type": {"application/json"}})
}

// with adds members to a plain question whose answer comes whole.
func with(more j) j {
	body := j{"model": "mock", "stream": false, "messages": []j{{"role": "user", "content": "Weather in Paris?"}}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

var tools = []j{{"type": "function", "function": j{"name": "weather", "parameters": j{"type": "object",
	"properties": j{"city": j{"type": "string"}}, "required": []string{"city"}}}}}

func TestWhole(t *testing.T) {
	c := client(t)
	out := c.Post("/api/chat", with(j{"keep_alive": nil, "format": ""}), 200)
	require.Contains(t, mocktest.Text(out, "message", "content"), `You said: "Weather in Paris?"`)
	require.Equal(t, []any{true, "stop"}, []any{out["done"], out["done_reason"]})
	require.Positive(t, mocktest.Num(out, "eval_count"))
	out = c.Post("/api/chat", with(j{"tools": tools}), 200)
	require.Equal(t, "Paris", mocktest.Text(out, "message", "tool_calls", 0, "function", "arguments", "city"))
	out = c.Post("/api/chat", with(j{"model": "qwen3:latest", "options": j{"num_predict": 4}}), 200)
	require.NotEmpty(t, mocktest.Text(out, "message", "thinking"))
	require.Equal(t, "length", out["done_reason"])
	out = c.Post("/api/chat", with(j{"format": j{"type": "object", "properties": j{"a": j{"type": "integer"}}, "required": []string{"a"}}}), 200)
	require.Equal(t, `{"a":`, mocktest.Text(out, "message", "content")[:5])
	out = c.Post("/api/chat", with(j{"messages": []j{}}), 200)
	require.Equal(t, "load", out["done_reason"])
	out = c.Post("/api/generate", j{"model": "mock", "prompt": "Hi", "stream": false}, 200)
	require.Contains(t, mocktest.Text(out, "response"), `You said: "Hi"`)
	out = c.Post("/api/embed", j{"model": "nomic-embed-text", "input": []string{"a b", "c"}}, 200)
	require.Equal(t, 768, mocktest.Len(out, "embeddings", 1))
	require.Equal(t, 3, mocktest.Num(out, "prompt_eval_count"))
	require.Equal(t, 8, mocktest.Len(c.Post("/api/embed", j{"model": "mock-embedding", "input": "a", "dimensions": 8}, 200), "embeddings", 0))
}

// TestStream reads lines, of which the last alone is done and counts.
func TestStream(t *testing.T) {
	c := client(t)
	for path, body := range map[string]j{
		"/api/chat": {"model": "mock-reason", "tools": tools, "messages": []j{{"role": "user", "content": "Weather?"}}}, "/api/generate": {"model": "mock", "prompt": "Hi"},
	} {
		res, raw := c.Do(c.Request("POST", path, body))
		require.Equal(t, 200, res.StatusCode)
		require.Equal(t, "application/x-ndjson", res.Header.Get("content-type"))
		lines := bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n"))
		require.Greater(t, len(lines), 5)
		for i, line := range lines {
			v := mocktest.Decode(t, line)
			require.Equal(t, i == len(lines)-1, v["done"])
			require.Equal(t, i == len(lines)-1, v["eval_count"] != nil)
		}
		require.Equal(t, path == "/api/chat", strings.Contains(string(raw), `"thinking"`))
	}
	_, raw := c.Do(c.Request("POST", "/api/chat", with(j{"stream": true, "model": "mock!stream-error-mid"})))
	require.True(t, strings.HasSuffix(string(raw), "{\"error\":\"server busy, please try again.  maximum pending requests exceeded\"}\n"))
	_, raw = c.Do(c.Request("POST", "/api/chat", j{"model": "bench-9-chunks", "stream": true}))
	require.Equal(t, 10, strings.Count(string(raw), "\n"))
}

func TestRefuses(t *testing.T) {
	c := client(t)
	for message, more := range map[string]j{
		"json: cannot unmarshal string into Go struct field stream of type bool":      {"stream": "yes"},
		"invalid role: developer, role must be one of":                                {"messages": []j{{"role": "developer", "content": "x"}}},
		"json: cannot unmarshal array into Go struct field messages[0].content of ty": {"messages": []j{{"role": "user", "content": []j{}}}},
		`option "temperature" must be of type number`:                                 {"options": j{"temperature": "hot"}},
		`json: unknown field "max_tokens"`:                                            {"max_tokens": 9},
		`invalid format: "xml"`:                                                       {"format": "xml"},
		`invalid think value: "much"`:                                                 {"think": "much"},
		`"mock" does not support thinking`:                                            {"think": true},
		"gemma3:1b does not support tools":                                            {"model": "gemma3:1b", "tools": tools},
		"model is required":                                                           {"model": ""},
		"the input length exceeds the context length":                                 {"model": "mock-small", "messages": []j{{"role": "user", "content": strings.Repeat("word ", 5000)}}},
	} {
		require.Contains(t, mocktest.Text(c.Post("/api/chat", with(more), 400), "error"), message)
	}
	require.Equal(t, "model 'nope' not found", c.Post("/api/chat", with(j{"model": "nope"}), 404)["error"])
	c.Post("/api/chat", with(j{"model": "mock-429"}), 429)
	c.Post("/api/embed", j{"model": "nomic-embed-text", "input": strings.Repeat("word ", 3000), "truncate": false}, 400)
}

func TestModels(t *testing.T) {
	c := client(t)
	_, raw := c.Do(c.Request("GET", "/api/tags", nil))
	require.Equal(t, "llama3.2:latest", mocktest.Text(mocktest.Decode(t, raw), "models", 0, "name"))
	_, raw = c.Do(c.Request("GET", "/api/version", nil))
	require.NotEmpty(t, mocktest.Decode(t, raw)["version"])
}

// TestRecordings sends what real clients sent to real servers, and compares the
// members of the answers.
func TestRecordings(t *testing.T) {
	m := mocktest.New(t, mock.Options{Models: []string{"*"}}, http.Header{"Content-Type": {"application/json"}})
	for _, r := range dialecttest.Recordings(t, "ollama-chat.jsonl", "ollama-generate.jsonl") {
		path := r.URL[strings.Index(r.URL, "/api/"):]
		res, raw := m.Do(m.Request("POST", path, r.Request))
		require.Equal(t, r.Status, res.StatusCode, "%s %s", r.Request, raw)
		require.Equal(t, r.Headers["content-type"], res.Header.Get("content-type"))
		ours := mocktest.Decode(t, lastLine(raw))
		var theirs j
		require.NoError(t, json.Unmarshal(lastLine([]byte(r.Response)), &theirs))
		for name := range theirs {
			if name != "context" && name != "prompt_eval_count" && name != "done_reason" {
				require.Contains(t, ours, name)
			}
		}
	}
}

func lastLine(raw []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	return lines[len(lines)-1]
}
