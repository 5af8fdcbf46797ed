package bedrock_test

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
	return mocktest.New(t, mock.Options{}, http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer key"}})
}

func ask(text string, more j) j {
	body := j{"messages": []j{{"role": "user", "content": []j{{"text": text}}}}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

var tools = j{"toolConfig": j{"tools": []j{{"toolSpec": j{"name": "weather", "inputSchema": j{"json": j{"type": "object",
	"properties": j{"city": j{"type": "string"}}, "required": []string{"city"}}}}}}}}

func TestWhole(t *testing.T) {
	c := client(t)
	out := c.Post("/model/amazon.nova-lite-v1%3A0/converse", ask("Hi", j{"inferenceConfig": j{"maxTokens": 100}}), 200)
	require.Contains(t, mocktest.Text(out, "output", "message", "content", 0, "text"), `You said: "Hi"`)
	require.Equal(t, "end_turn", mocktest.Text(out, "stopReason"))
	require.Equal(t, mocktest.Num(out, "usage", "totalTokens"), mocktest.Num(out, "usage", "inputTokens")+mocktest.Num(out, "usage", "outputTokens"))
	out = c.Post("/model/mock/converse", ask("Weather in Paris?", tools), 200)
	require.Equal(t, "tool_use", mocktest.Text(out, "stopReason"))
	require.Equal(t, "weather", mocktest.Text(out, "output", "message", "content", 1, "toolUse", "name"))
	out = c.Post("/model/mock-reason/converse", ask("Hi", j{"additionalModelRequestFields": j{"thinking": j{"type": "enabled", "budget_tokens": 1024}}}), 200)
	require.NotEmpty(t, mocktest.Text(out, "output", "message", "content", 0, "reasoningContent", "reasoningText", "text"))
}

func TestStream(t *testing.T) {
	c := client(t)
	for name, more := range map[string]j{"text": nil, "tools": tools,
		"thinking": {"additionalModelRequestFields": j{"thinking": j{"type": "enabled", "budget_tokens": 1024}}}} {
		res, raw := c.Do(c.Request("POST", "/model/mock-reason/converse-stream", ask("Weather in Paris?", more)))
		require.Equal(t, 200, res.StatusCode, name)
		require.Equal(t, "application/vnd.amazon.eventstream", res.Header.Get("content-type"))
		require.NoError(t, grammar.CheckFrames(grammar.Converse(), raw, grammar.EventStream), name)
	}
	req := c.Request("POST", "/model/mock/converse-stream", ask("Hi", nil))
	req.Header.Set(mock.BehaviourHeader, "stream-error-mid")
	_, raw := c.Do(req)
	frames, err := grammar.EventStream(raw)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(frames[len(frames)-1].Name, "exception "), frames)
}

// TestRefuses holds the rules of the API that translations break most easily.
func TestRefuses(t *testing.T) {
	c := client(t)
	user := func(blocks ...j) j { return j{"role": "user", "content": append([]j{}, blocks...)} }
	assistant := func(blocks ...j) j { return j{"role": "assistant", "content": blocks} }
	text := j{"text": "a"}
	call := j{"toolUse": j{"toolUseId": "t1", "name": "f", "input": j{}}}
	for message, body := range map[string]j{
		"must start with a user":    {"messages": []j{assistant(text)}},
		"must alternate":            {"messages": []j{user(text), user(text)}},
		"is blank":                  {"messages": []j{user(j{"text": " \n"})}},
		"is empty":                  {"messages": []j{user([]j{}...)}},
		"toolConfig field must be":  {"messages": []j{user(text), assistant(call), user(j{"toolResult": j{"toolUseId": "t1", "content": []j{text}}})}},
		"Expected toolResult":       {"messages": []j{user(text), assistant(call), user(text)}},
		"exceeds the number of":     {"messages": []j{user(j{"toolResult": j{"toolUseId": "t1", "content": []j{text}}})}},
		"#/inferenceConfig/maxTok":  ask("a", j{"inferenceConfig": j{"maxTokens": "1"}}),
		"#/inferenceConfig/tempera": ask("a", j{"inferenceConfig": j{"temperature": 1.5}}),
		"#/model":                   ask("a", j{"model": "x"}),
	} {
		out := c.Post("/model/mock/converse", body, 400)
		require.Contains(t, mocktest.Text(out, "message"), message)
	}
	res, raw := c.Do(c.Request("POST", "/model/nope/converse", ask("a", nil)))
	require.Equal(t, 400, res.StatusCode)
	require.True(t, strings.HasPrefix(res.Header.Get("x-amzn-errortype"), "ValidationException:"))
	require.Contains(t, string(raw), "model identifier is invalid")
}

func TestFaults(t *testing.T) {
	c := client(t)
	for behaviour, want := range map[string]struct {
		status int
		name   string
	}{
		"429": {429, "ThrottlingException"}, "quota": {400, "ServiceQuotaExceededException"}, "503": {503, "ServiceUnavailableException"},
		"504": {408, "ModelTimeoutException"}, "529": {429, "ModelNotReadyException"}, "403": {403, "AccessDeniedException"},
	} {
		req := c.Request("POST", "/model/mock/converse", ask("a", nil))
		req.Header.Set(mock.BehaviourHeader, behaviour)
		res, _ := c.Do(req)
		require.Equal(t, want.status, res.StatusCode, behaviour)
		require.True(t, strings.HasPrefix(res.Header.Get("x-amzn-errortype"), want.name), behaviour)
	}
}
