package openai_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

const responsesPath = "/v1/responses"

// respond is a request body with further members, as JSON.
func respond(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"model":"gpt-4o","input":"Say hello to Ada"` + members + `}`
}

// reason is the same for a model that reasons.
func reason(members string) string {
	return strings.Replace(respond(members), "gpt-4o", "gpt-5", 1)
}

const flatTool = `{"type":"function","name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}`

func TestResponse(t *testing.T) {
	body := client(t).Post(responsesPath, respond(`"temperature":0.5,"metadata":{"a":"b"},"instructions":"Be brief."`), 200)
	require.Regexp(t, `^resp_[0-9a-f]{50}$`, body["id"])
	require.Equal(t, "response", body["object"])
	require.Equal(t, "completed", body["status"])
	require.Equal(t, "gpt-4o-2024-08-06", body["model"])
	require.Equal(t, 0.5, body["temperature"])
	require.Equal(t, mt.J{"a": "b"}, body["metadata"])
	require.Equal(t, "Be brief.", body["instructions"])
	require.Regexp(t, `^msg_`, mt.Text(body, "output", 0, "id"))
	require.Contains(t, mt.Text(body, "output", 0, "content", 0, "text"), "Say hello to Ada")
	require.Equal(t, mt.Num(body, "usage", "total_tokens"), mt.Num(body, "usage", "input_tokens")+mt.Num(body, "usage", "output_tokens"))
}

// streamed sends a body both ways, holds the events against the grammar and the
// response at their end against the whole one.
func streamed(t *testing.T, body string) []mt.Event {
	whole := mt.New(t, mock.Options{}, mt.OpenAI()).Post(responsesPath, body, 200)
	events := mt.New(t, mock.Options{}, mt.OpenAI()).Stream(responsesPath, strings.TrimSuffix(body, "}")+`,"stream":true}`)
	g := grammar.Responses()
	for _, e := range events {
		require.NoError(t, g.Event(e.Name, e.Data), e.Data)
	}
	require.NoError(t, g.End())
	last := events[len(events)-1].JSON(t)
	require.Equal(t, whole["usage"], mt.At(last, "response", "usage"))
	require.Equal(t, whole["status"], mt.At(last, "response", "status"))
	require.Equal(t, mt.Len(whole, "output"), mt.Len(last, "response", "output"))
	return events
}

func TestResponseStreams(t *testing.T) {
	for name, body := range map[string]string{
		"text":      respond(""),
		"logprobs":  respond(`"include":["message.output_text.logprobs"],"top_logprobs":2`),
		"tool":      respond(`"tools":[` + flatTool + `]`),
		"tools":     strings.Replace(respond(`"tools":[`+flatTool+`]`), "Say hello", "Ask both", 1),
		"custom":    respond(`"tools":[{"type":"custom","name":"sh"}],"tool_choice":"required"`),
		"schema":    respond(`"text":{"format":{"type":"json_schema","name":"x","strict":true,"schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}}`),
		"length":    respond(`"max_output_tokens":16`),
		"reasoning": reason(`"reasoning":{"effort":"high","summary":"auto"},"include":["reasoning.encrypted_content"],"store":false`),
		"refusal":   strings.Replace(respond(""), "gpt-4o", "gpt-4o!refusal", 1),
		"filtered":  strings.Replace(respond(""), "gpt-4o", "gpt-4o!content-filter", 1),
		"nothing":   strings.Replace(respond(""), "gpt-4o", "gpt-4o!empty-choices", 1),
	} {
		t.Run(name, func(t *testing.T) { streamed(t, body) })
	}
}

func TestResponseReasoning(t *testing.T) {
	c := client(t)
	first := c.Post(responsesPath, reason(`"reasoning":{"summary":"auto"},"include":["reasoning.encrypted_content"],"store":false,"tools":[`+flatTool+`]`), 200)
	require.Equal(t, "reasoning", mt.Text(first, "output", 0, "type"))
	require.NotEmpty(t, mt.Text(first, "output", 0, "summary", 0, "text"))
	require.NotEmpty(t, mt.Text(first, "output", 0, "encrypted_content"))
	require.Equal(t, "function_call", mt.Text(first, "output", 1, "type"))

	items := append([]any{mt.J{"role": "user", "content": "x"}}, first["output"].([]any)...)
	items = append(items, mt.J{"type": "function_call_output", "call_id": mt.Text(first, "output", 1, "call_id"), "output": "rain"})
	next := mt.J{"model": "gpt-5", "input": items, "store": false}
	body := c.Post(responsesPath, next, 200)
	require.Contains(t, mt.Text(body, "output", 1, "content", 0, "text"), `The tool said "rain"`)

	thought := items[1].(mt.J)
	thought["encrypted_content"] = "gAAAAAaltered"
	require.Equal(t, "invalid_encrypted_content", mt.Text(c.Post(responsesPath, next, 400), "error", "code"))
	delete(thought, "encrypted_content")
	require.Contains(t, mt.Text(c.Post(responsesPath, next, 404), "error", "message"), "Items are not persisted")
}

func get(c *mt.Client, path string, status int) mt.J {
	resp, raw := c.Do(c.Request("GET", path, nil))
	require.Equal(c.T, status, resp.StatusCode, string(raw))
	return mt.Decode(c.T, raw)
}

func TestPreviousResponse(t *testing.T) {
	c := client(t)
	first := c.Post(responsesPath, respond(`"tools":[`+flatTool+`]`), 200)
	id := mt.Text(first, "id")
	require.Equal(t, first, get(c, responsesPath+"/"+id, 200))
	second := mt.J{"model": "gpt-4o", "previous_response_id": id, "input": []mt.J{
		{"type": "function_call_output", "call_id": mt.Text(first, "output", 0, "call_id"), "output": "rain"}}}
	require.Contains(t, mt.Text(c.Post(responsesPath, second, 200), "output", 0, "content", 0, "text"), "rain")
	reference := mt.J{"model": "gpt-4o", "input": []mt.J{{"type": "item_reference", "id": mt.Text(first, "output", 0, "id")}}}
	require.Contains(t, mt.Text(c.Post(responsesPath, reference, 400), "error", "message"), "No tool output found for function call")

	other := client(t)
	require.Equal(t, "previous_response_not_found", mt.Text(other.Post(responsesPath, second, 400), "error", "code"), "another mock has not got it")
	require.Contains(t, mt.Text(other.Post(responsesPath, reference, 404), "error", "message"), "not found")
	gone, _ := c.Do(c.Request("DELETE", responsesPath+"/"+id, nil))
	require.Equal(t, 200, gone.StatusCode)
	require.Contains(t, mt.Text(get(c, responsesPath+"/"+id, 404), "error", "message"), id)
}

var responseRefusals = map[string]struct {
	body                 string
	status               int
	message, param, code string
}{
	"no input":            {`{"model":"gpt-4o"}`, 400, "Missing required parameter: 'input'.", "input", "missing_required_parameter"},
	"messages":            {respond(`"messages":[]`), 400, "Unrecognized request argument supplied: messages", "", ""},
	"max_tokens":          {respond(`"max_tokens":3`), 400, "Unrecognized request argument supplied: max_tokens", "", ""},
	"few tokens":          {respond(`"max_output_tokens":5`), 400, "Expected a value >= 16, but got 5 instead.", "max_output_tokens", "integer_below_min_value"},
	"effort":              {respond(`"reasoning":{"effort":"low"}`), 400, "'reasoning.effort' is not supported with this model.", "reasoning.effort", "unsupported_parameter"},
	"temperature":         {reason(`"temperature":0.2`), 400, "'temperature' is not supported with this model.", "temperature", "unsupported_parameter"},
	"nested function":     {respond(`"tools":[{"type":"function","function":{"name":"f"}}]`), 400, "'tools[0].function'", "tools[0].function", "unknown_parameter"},
	"strict":              {respond(`"tools":[{"type":"function","name":"f","strict":true,"parameters":{"type":"object","properties":{"a":{}}}}]`), 400, "Invalid schema for function 'f'", "tools[0].parameters", "invalid_function_parameters"},
	"choice":              {respond(`"tools":[` + flatTool + `],"tool_choice":{"type":"function","name":"g"}`), 400, "not found in 'tools'", "tool_choice", ""},
	"stray output":        {`{"model":"gpt-4o","input":[{"type":"function_call_output","call_id":"call_1","output":"x"}]}`, 400, "No tool call found for function call output with call_id call_1.", "input", ""},
	"unanswered":          {`{"model":"gpt-4o","input":[{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}]}`, 400, "No tool output found for function call call_1.", "input", ""},
	"chat part":           {`{"model":"gpt-4o","input":[{"role":"user","content":[{"type":"text","text":"x"}]}]}`, 400, "Invalid value: 'text'.", "input[0].content[0].type", "invalid_value"},
	"assistant's input":   {`{"model":"gpt-4o","input":[{"role":"assistant","content":[{"type":"input_text","text":"x"}]}]}`, 400, "Invalid value: 'input_text'.", "input[0].content[0]", "invalid_value"},
	"image":               {`{"model":"gpt-4o","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,?"}]}]}`, 400, "Invalid base64 image_url.", "", "invalid_base64"},
	"no previous":         {respond(`"previous_response_id":"resp_1"`), 400, "Previous response with id 'resp_1' not found.", "previous_response_id", "previous_response_not_found"},
	"no conversation":     {respond(`"conversation":"conv_1"`), 404, "Conversation with id 'conv_1' not found.", "", ""},
	"no prompt":           {respond(`"prompt":{"id":"pmpt_1"}`), 404, "Prompt with id 'pmpt_1' not found.", "", ""},
	"background":          {respond(`"background":true`), 400, "'background' is not supported", "background", "unsupported_parameter"},
	"word json":           {respond(`"text":{"format":{"type":"json_object"}}`), 400, "must contain the word 'json'", "input", ""},
	"schema":              {respond(`"text":{"format":{"type":"json_schema","name":"x","strict":true,"schema":{"type":"object"}}}`), 400, "Invalid schema for response_format 'x'", "text.format.schema", "invalid_json_schema"},
	"options unstreamed":  {respond(`"stream_options":{"include_obfuscation":true}`), 400, "only allowed when 'stream' is enabled", "stream_options", ""},
	"unknown model":       {strings.Replace(respond(""), "gpt-4o", "gpt-9", 1), 404, "The model `gpt-9` does not exist", "", "model_not_found"},
	"thought of nothing":  {`{"model":"gpt-5","input":[{"type":"reasoning","id":"rs_1","summary":[]},{"role":"user","content":"x"}]}`, 404, "Item with id 'rs_1' not found.", "input", ""},
	"context":             {strings.Replace(respond(""), "Say hello", strings.Repeat("word ", 200_000), 1), 400, "maximum context length", "messages", "context_length_exceeded"},
	"rate limit":          {strings.Replace(respond(""), "gpt-4o", "mock-429", 1), 429, "Rate limit reached", "", "rate_limit_exceeded"},
	"a call without name": {`{"model":"gpt-4o","input":[{"type":"function_call","call_id":"c","arguments":"{}"}]}`, 400, "Missing required parameter: 'input[0].name'.", "input[0].name", "missing_required_parameter"},
}

func TestResponseRefusals(t *testing.T) {
	c := client(t)
	for name, want := range responseRefusals {
		t.Run(name, func(t *testing.T) {
			body := c.Post(responsesPath, want.body, want.status)
			require.Contains(t, mt.Text(body, "error", "message"), want.message)
			require.Equal(t, want.param, mt.Text(body, "error", "param"))
			require.Equal(t, want.code, mt.Text(body, "error", "code"))
		})
	}
}

func TestResponseBreaks(t *testing.T) {
	events := client(t).Stream(responsesPath, strings.Replace(respond(`"stream":true`), "gpt-4o", "gpt-4o!stream-error-mid", 1))
	last := events[len(events)-1]
	require.Equal(t, "error", last.Name)
	require.NotEmpty(t, mt.Text(last.JSON(t), "error", "message"))
}

func TestCompletion(t *testing.T) {
	c := client(t)
	const instruct = `{"model":"gpt-3.5-turbo-instruct","prompt":"Say hello","max_tokens":200`
	whole := c.Post("/v1/completions", instruct+`,"echo":true,"n":2}`, 200)
	require.Equal(t, "text_completion", whole["object"])
	require.Equal(t, 2, mt.Len(whole, "choices"))
	require.True(t, strings.HasPrefix(mt.Text(whole, "choices", 1, "text"), "Say hello"))
	events := c.Stream("/v1/completions", instruct+`,"echo":true,"n":2,"stream":true,"stream_options":{"include_usage":true}}`)
	text := map[int]string{}
	for _, e := range events[:len(events)-2] {
		text[mt.Num(e.JSON(t), "choices", 0, "index")] += mt.Text(e.JSON(t), "choices", 0, "text")
	}
	require.Equal(t, mt.Text(whole, "choices", 1, "text"), text[1])
	require.Equal(t, whole["usage"], events[len(events)-2].JSON(t)["usage"])
	require.Equal(t, "[DONE]", events[len(events)-1].Data)
	short := c.Post("/v1/completions", `{"model":"mock","prompt":"Say hello"}`, 200)
	require.Equal(t, "length", mt.Text(short, "choices", 0, "finish_reason"))
	refused := c.Post("/v1/completions", `{"model":"gpt-4o","prompt":"x"}`, 404)
	require.Contains(t, mt.Text(refused, "error", "message"), "This is a chat model")
	require.Equal(t, "prompt", mt.Text(c.Post("/v1/completions", `{"model":"mock"}`, 400), "error", "param"))
}
