package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

func TestWhole(t *testing.T) {
	body := client(t).Post(chatPath, chat(""), 200)
	require.Regexp(t, `^chatcmpl-[A-Za-z0-9]{29}$`, body["id"])
	require.Equal(t, "chat.completion", body["object"])
	require.Equal(t, int(mt.Fixed.Unix()), mt.Num(body, "created"))
	require.Equal(t, "gpt-4o-2024-08-06", body["model"])
	require.Equal(t, "default", body["service_tier"])
	require.Regexp(t, `^fp_[0-9a-f]{10}$`, body["system_fingerprint"])
	require.Equal(t, "assistant", mt.Text(body, "choices", 0, "message", "role"))
	require.Contains(t, mt.Text(body, "choices", 0, "message", "content"), `"Say hello"`)
	require.Equal(t, "stop", mt.Text(body, "choices", 0, "finish_reason"))
	require.Equal(t, mt.Num(body, "usage", "total_tokens"),
		mt.Num(body, "usage", "prompt_tokens")+mt.Num(body, "usage", "completion_tokens"))
	require.Len(t, mt.At(body, "usage", "prompt_tokens_details"), 2)
	require.Len(t, mt.At(body, "usage", "completion_tokens_details"), 4)
}

func TestDeterministic(t *testing.T) {
	bodies := []string{chat(""), chat(`"n":2,"stream":true`), chat(`"tools":[` + weatherTool + `]`)}
	runs := make([][]string, 2)
	for i := range runs {
		c := mt.New(t, mock.Options{Seed: 7}, mt.OpenAI())
		for _, b := range bodies {
			_, raw := c.Do(c.Request("POST", chatPath, b))
			runs[i] = append(runs[i], string(raw))
		}
	}
	require.Equal(t, runs[0], runs[1])
	c := mt.New(t, mock.Options{Seed: 8}, mt.OpenAI())
	_, raw := c.Do(c.Request("POST", chatPath, bodies[0]))
	require.NotEqual(t, runs[0][0], string(raw))
}

func TestStream(t *testing.T) {
	c := client(t)
	whole := c.Post(chatPath, chat(""), 200)
	events := c.Stream(chatPath, chat(`"stream":true,"stream_options":{"include_usage":true}`))
	require.Equal(t, "[DONE]", events[len(events)-1].Data)

	first := events[0].JSON(t)
	require.Equal(t, mt.J{"role": "assistant", "content": "", "refusal": nil}, mt.At(first, "choices", 0, "delta"))
	require.Contains(t, first, "obfuscation")
	var text strings.Builder
	for _, e := range events[:len(events)-2] {
		chunk := e.JSON(t)
		require.Equal(t, "chat.completion.chunk", chunk["object"])
		require.Equal(t, first["id"], chunk["id"])
		require.Contains(t, chunk, "usage")
		require.Nil(t, chunk["usage"])
		text.WriteString(mt.Text(chunk, "choices", 0, "delta", "content"))
	}
	require.Equal(t, mt.Text(whole, "choices", 0, "message", "content"), text.String())

	finish := events[len(events)-3].JSON(t)
	require.Equal(t, mt.J{}, mt.At(finish, "choices", 0, "delta"))
	require.Equal(t, "stop", mt.Text(finish, "choices", 0, "finish_reason"))
	usage := events[len(events)-2].JSON(t)
	require.Empty(t, usage["choices"])
	require.Equal(t, whole["usage"], usage["usage"], "streamed and whole cost the same")
}

func TestStreamWithoutUsage(t *testing.T) {
	c := client(t)
	events := c.Stream(chatPath, chat(`"stream":true,"stream_options":{"include_obfuscation":false}`))
	for _, e := range events[:len(events)-1] {
		require.NotContains(t, e.JSON(t), "usage")
		require.NotContains(t, e.JSON(t), "obfuscation")
	}
	stats := c.Mock.Stats()
	require.NotZero(t, stats.Billed["gpt-4o"].Output)
	require.Empty(t, stats.Reported)
}

func TestChunks(t *testing.T) {
	for _, n := range []int{1, 5, 51, 200} {
		c := mt.New(t, mock.Options{Chunks: n}, mt.OpenAI())
		content := 0
		for _, e := range c.Stream(chatPath, chat(`"stream":true`)) {
			if strings.Contains(e.Data, `"delta":{"content"`) {
				content++
			}
		}
		require.Equal(t, n, content)
	}
}

func TestSeveralChoices(t *testing.T) {
	c := client(t)
	body := c.Post(chatPath, chat(`"n":3`), 200)
	require.Equal(t, 3, mt.Len(body, "choices"))
	require.Equal(t, 2, mt.Num(body, "choices", 2, "index"))

	texts, finished := map[int]string{}, map[int]bool{}
	for _, e := range c.Stream(chatPath, chat(`"n":3,"stream":true`)) {
		if e.Data == "[DONE]" {
			continue
		}
		chunk := e.JSON(t)
		i := mt.Num(chunk, "choices", 0, "index")
		require.False(t, finished[i])
		texts[i] += mt.Text(chunk, "choices", 0, "delta", "content")
		finished[i] = mt.Text(chunk, "choices", 0, "finish_reason") != ""
	}
	for i := range 3 {
		require.Equal(t, mt.Text(body, "choices", i, "message", "content"), texts[i])
		require.True(t, finished[i])
	}
}

func TestLimits(t *testing.T) {
	c := client(t)
	body := c.Post(chatPath, chat(`"max_tokens":4`), 200)
	require.Equal(t, "length", mt.Text(body, "choices", 0, "finish_reason"))
	require.Equal(t, 4, mt.Num(body, "usage", "completion_tokens"))

	body = c.Post(chatPath, chat(`"stop":"hello"`), 200)
	require.Equal(t, `You said: "Say `, mt.Text(body, "choices", 0, "message", "content"))
	require.Equal(t, "stop", mt.Text(body, "choices", 0, "finish_reason"))
}

func TestReasoning(t *testing.T) {
	c := client(t)
	ask := func(members string) mt.J {
		return c.Post(chatPath, `{"model":"mock-reason","messages":[{"role":"user","content":"x"}]`+members+`}`, 200)
	}
	body := ask("")
	require.Equal(t, 192, mt.Num(body, "usage", "completion_tokens_details", "reasoning_tokens"))
	require.Greater(t, mt.Num(body, "usage", "completion_tokens"), 192)
	require.NotContains(t, mt.At(body, "choices", 0), "logprobs")
	require.Equal(t, 64, mt.Num(ask(`,"reasoning_effort":"low"`), "usage", "completion_tokens_details", "reasoning_tokens"))

	body = ask(`,"max_completion_tokens":50`)
	require.Equal(t, "length", mt.Text(body, "choices", 0, "finish_reason"))
	require.Empty(t, mt.Text(body, "choices", 0, "message", "content"))
	require.Equal(t, 50, mt.Num(body, "usage", "completion_tokens_details", "reasoning_tokens"))
}

func TestToolCall(t *testing.T) {
	c := client(t)
	ask := `{"model":"gpt-4o","messages":[{"role":"user","content":"What is the weather in Paris?"}],"tools":[` + weatherTool + `]`
	body := c.Post(chatPath, ask+`}`, 200)
	require.Equal(t, "tool_calls", mt.Text(body, "choices", 0, "finish_reason"))
	require.Nil(t, mt.At(body, "choices", 0, "message", "content"))
	call := mt.At(body, "choices", 0, "message", "tool_calls", 0)
	require.Regexp(t, `^call_[A-Za-z0-9]{24}$`, mt.Text(call, "id"))
	require.Equal(t, mt.J{"name": "get_weather", "arguments": `{"city":"Paris"}`}, mt.At(call, "function"))

	id := mt.Text(call, "id")
	raw, err := json.Marshal(mt.At(body, "choices", 0, "message"))
	require.NoError(t, err)
	next := `{"model":"gpt-4o","messages":[{"role":"user","content":"x"},` + string(raw) +
		`,{"role":"tool","tool_call_id":"` + id + `","content":"22 degrees"}],"tools":[` + weatherTool + `]}`
	body = c.Post(chatPath, next, 200)
	require.Equal(t, `The tool said "22 degrees".`, mt.Text(body, "choices", 0, "message", "content"))

	body = c.Post(chatPath, ask+`,"tool_choice":"none"}`, 200)
	require.Nil(t, mt.At(body, "choices", 0, "message", "tool_calls"))
	body = c.Post(chatPath, ask+`,"tool_choice":{"type":"function","function":{"name":"get_weather"}}}`, 200)
	require.Equal(t, "stop", mt.Text(body, "choices", 0, "finish_reason"))
	require.Equal(t, 1, mt.Len(body, "choices", 0, "message", "tool_calls"))
}

// collect joins the tool calls of a stream.
func collect(t *testing.T, events []mt.Event) (calls []mt.J, opened []int) {
	for i, e := range events {
		if e.Data == "[DONE]" {
			continue
		}
		for j := range mt.Len(e.JSON(t), "choices", 0, "delta", "tool_calls") {
			part := mt.At(e.JSON(t), "choices", 0, "delta", "tool_calls", j)
			if mt.Text(part, "id") != "" {
				require.Equal(t, len(calls), mt.Num(part, "index"))
				calls = append(calls, mt.J{"name": mt.Text(part, "function", "name"), "arguments": ""})
				opened = append(opened, i)
			}
			call := calls[mt.Num(part, "index")]
			call["arguments"] = call["arguments"].(string) + mt.Text(part, "function", "arguments")
		}
	}
	return calls, opened
}

func TestToolCallStream(t *testing.T) {
	c := client(t)
	ask := `{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Weather in Paris and Rome, both please"}],"tools":[` + weatherTool + `]`
	calls, opened := collect(t, c.Stream(chatPath, ask+`,"parallel_tool_calls":false}`))
	require.Equal(t, []mt.J{{"name": "get_weather", "arguments": `{"city":"Paris"}`}}, calls)
	require.Equal(t, 0, opened[0], "a single call opens with the role")

	calls, opened = collect(t, c.Stream(chatPath, ask+`}`))
	require.Equal(t, []mt.J{
		{"name": "get_weather", "arguments": `{"city":"Paris"}`},
		{"name": "get_weather", "arguments": `{"city":"Rome"}`},
	}, calls)
	require.Equal(t, 1, opened[0], "several follow an event with the role alone")
}

func TestLegacyFunctions(t *testing.T) {
	c := client(t)
	ask := chat(`"functions":[{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}}]`)
	body := c.Post(chatPath, ask, 200)
	require.Equal(t, "function_call", mt.Text(body, "choices", 0, "finish_reason"))
	require.Equal(t, mt.J{"name": "f", "arguments": `{"a":7}`}, mt.At(body, "choices", 0, "message", "function_call"))

	var args strings.Builder
	for _, e := range c.Stream(chatPath, strings.TrimSuffix(ask, "}")+`,"stream":true}`) {
		if e.Data != "[DONE]" {
			args.WriteString(mt.Text(e.JSON(t), "choices", 0, "delta", "function_call", "arguments"))
		}
	}
	require.Equal(t, `{"a":7}`, args.String())
}

func TestCustomTool(t *testing.T) {
	c := client(t)
	body := c.Post(chatPath, chat(`"tools":[{"type":"custom","custom":{"name":"grep"}}]`), 200)
	call := mt.At(body, "choices", 0, "message", "tool_calls", 0)
	require.Equal(t, "custom", mt.Text(call, "type"))
	require.Equal(t, mt.J{"name": "grep", "input": "Say hello"}, mt.At(call, "custom"))
	events := c.Stream(chatPath, chat(`"stream":true,"tools":[{"type":"custom","custom":{"name":"grep"}}]`))
	var input strings.Builder
	for _, e := range events[:len(events)-1] {
		input.WriteString(mt.Text(e.JSON(t), "choices", 0, "delta", "tool_calls", 0, "custom", "input"))
	}
	require.Equal(t, "Say hello", input.String())
}

func TestStructuredOutput(t *testing.T) {
	c := client(t)
	format := `"response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"type":"object","additionalProperties":false,"properties":{"name":{"type":"string"},"age":{"type":["integer","null"]},"tags":{"type":"array","items":{"type":"string"}}},"required":["name","age","tags"]}}}`
	body := c.Post(chatPath, chat(format), 200)
	var out struct {
		Name string
		Age  int
		Tags []string
	}
	require.NoError(t, json.Unmarshal([]byte(mt.Text(body, "choices", 0, "message", "content")), &out))
	require.NotEmpty(t, out.Name)
	require.NotEmpty(t, out.Tags)

	body = c.Post(chatPath, `{"model":"gpt-4o","messages":[{"role":"user","content":"as JSON please"}],"response_format":{"type":"json_object"}}`, 200)
	require.JSONEq(t, `{"answer":"as JSON please"}`, mt.Text(body, "choices", 0, "message", "content"))
}

func TestLogprobs(t *testing.T) {
	c := client(t)
	body := c.Post(chatPath, chat(`"logprobs":true,"top_logprobs":2,"max_tokens":5`), 200)
	require.Equal(t, 5, mt.Len(body, "choices", 0, "logprobs", "content"))
	require.Equal(t, "You", mt.Text(body, "choices", 0, "logprobs", "content", 0, "token"))
	require.Equal(t, 2, mt.Len(body, "choices", 0, "logprobs", "content", 0, "top_logprobs"))
	events := c.Stream(chatPath, chat(`"logprobs":true,"stream":true`))
	require.Equal(t, 1, mt.Len(events[1].JSON(t), "choices", 0, "logprobs", "content"))
}

func TestMedia(t *testing.T) {
	c := client(t)
	plain := c.Post(chatPath, talk(`{"role":"user","content":"x"}`), 200)
	body := c.Post(chatPath, talk(`{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}}]}`), 200)
	require.Contains(t, mt.Text(body, "choices", 0, "message", "content"), "I see 2 images.")
	require.Equal(t, 255+85, mt.Num(body, "usage", "prompt_tokens")-mt.Num(plain, "usage", "prompt_tokens"))

	body = c.Post(chatPath, talk(`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"`+strings.Repeat("A", 2560)+`","format":"mp3"}}]}`), 200)
	require.Equal(t, 11, mt.Num(body, "usage", "prompt_tokens_details", "audio_tokens"))
}

func TestServiceTier(t *testing.T) {
	c := client(t)
	for asked, got := range map[string]string{"auto": "default", "flex": "flex", "fast": "priority"} {
		require.Equal(t, got, c.Post(chatPath, chat(`"service_tier":"`+asked+`"`), 200)["service_tier"])
	}
}
