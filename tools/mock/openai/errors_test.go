package openai_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

const chatPath = "/v1/chat/completions"

func client(t testing.TB) *mt.Client { return mt.New(t, mock.Options{}, mt.OpenAI()) }

// chat is a request body with further members, as JSON.
func chat(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"model":"gpt-4o","messages":[{"role":"user","content":"Say hello"}]` + members + `}`
}

// talk is a request body with these messages.
func talk(messages string) string { return `{"model":"gpt-4o","messages":[` + messages + `]}` }

const (
	weatherTool = `{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}`
	aCall       = `{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{}"}}]}`
)

var refusals = map[string]struct {
	body                 string
	status               int
	message, param, code string
}{
	"no JSON":                {`{"model":`, 400, "We could not parse the JSON body", "", ""},
	"not an object":          {`[]`, 400, "expected an object, but got an array instead", "", "invalid_type"},
	"duplicate key":          {`{"model":"gpt-4o","model":"gpt-4o","messages":[]}`, 400, "duplicate key 'model'", "", ""},
	"disguised duplicate":    {`{"model":"gpt-4o","\u006dodel":"gpt-4o","messages":[]}`, 400, "duplicate key 'model'", "", ""},
	"duplicate deep":         {talk(`{"role":"user","role":"user","content":"x"}`), 400, "duplicate key 'messages[0].role'", "", ""},
	"unknown member":         {chat(`"top_k":3`), 400, "Unrecognized request argument supplied: top_k", "", ""},
	"unknown members":        {chat(`"top_k":3,"foo":1`), 400, "Unrecognized request arguments supplied: top_k, foo", "", ""},
	"unknown deep":           {talk(`{"role":"user","content":"x","cache_control":{}}`), 400, "Unknown parameter: 'messages[0].cache_control'.", "messages[0].cache_control", "unknown_parameter"},
	"no model":               {`{"messages":[{"role":"user","content":"x"}]}`, 400, "you must provide a model parameter", "", ""},
	"unknown model":          {`{"model":"gpt-9","messages":[{"role":"user","content":"x"}]}`, 404, "The model `gpt-9` does not exist or you do not have access to it.", "", "model_not_found"},
	"no messages":            {`{"model":"gpt-4o"}`, 400, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter"},
	"empty messages":         {talk(``), 400, "Invalid 'messages': empty array.", "messages", "empty_array"},
	"role missing":           {talk(`{"content":"x"}`), 400, "Missing required parameter: 'messages[0].role'.", "messages[0].role", "missing_required_parameter"},
	"role unknown":           {talk(`{"role":"robot","content":"x"}`), 400, "Invalid value: 'robot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", "messages[0].role", "invalid_value"},
	"content missing":        {talk(`{"role":"user"}`), 400, "Missing required parameter: 'messages[0].content'.", "messages[0].content", "missing_required_parameter"},
	"content null":           {talk(`{"role":"user","content":null}`), 400, "Invalid value for 'content': expected a string, got null.", "messages.[0].content", ""},
	"assistant says nothing": {talk(`{"role":"user","content":"x"},{"role":"assistant","content":null}`), 400, "expected a string, got null", "messages.[1].content", ""},
	"part unknown":           {talk(`{"role":"user","content":[{"type":"video","video":1}]}`), 400, "Invalid value: 'video'.", "messages[0].content[0].type", "invalid_value"},
	"image for a system":     {talk(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://x/"}}]}`), 400, "Invalid value: 'image_url'. Supported values are: 'text'.", "messages[0].content[0].type", "invalid_value"},
	"stream a string":        {chat(`"stream":"yes"`), 400, "Invalid type for 'stream': expected a boolean, but got a string instead.", "stream", "invalid_type"},
	"max_tokens a decimal":   {chat(`"max_tokens":1.5`), 400, "Invalid type for 'max_tokens': expected an integer, but got a decimal number instead.", "max_tokens", "invalid_type"},
	"max_tokens low":         {chat(`"max_tokens":0`), 400, "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.", "max_tokens", "integer_below_min_value"},
	"temperature high":       {chat(`"temperature":2.1`), 400, "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.1 instead.", "temperature", "decimal_above_max_value"},
	"temperature low":        {chat(`"temperature":-0.1`), 400, "decimal below minimum value", "temperature", "decimal_below_min_value"},
	"n high":                 {chat(`"n":130`), 400, "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 130 instead.", "n", "integer_above_max_value"},
	"stops":                  {chat(`"stop":["a","b","c","d","e"]`), 400, "Invalid 'stop': array too long.", "stop", "array_above_max_length"},
	"tier":                   {chat(`"service_tier":"gold"`), 400, "Invalid value: 'gold'.", "service_tier", "invalid_value"},
	"stream_options":         {chat(`"stream_options":{"include_usage":true}`), 400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options", ""},
	"both bounds":            {chat(`"max_tokens":5,"max_completion_tokens":5`), 400, "at the same time is not supported", "max_tokens", "invalid_parameter_combination"},
	"top_logprobs alone":     {chat(`"top_logprobs":2`), 400, "'logprobs' must be set to true", "top_logprobs", ""},
	"effort":                 {chat(`"reasoning_effort":"low"`), 400, "Unrecognized request argument supplied: reasoning_effort", "", ""},
	"audio":                  {chat(`"modalities":["text","audio"]`), 400, "modality 'audio'", "modalities", "unsupported_value"},
	"bias":                   {chat(`"logit_bias":{"1":101}`), 400, "Invalid 'logit_bias'", "logit_bias", "invalid_value"},
	"metadata":               {chat(`"metadata":{"a":1}`), 400, "Invalid type for 'metadata.a': expected a string, but got an integer instead.", "metadata.a", "invalid_type"},
	"reasoning max_tokens":   {`{"model":"o3","max_tokens":5,"messages":[{"role":"user","content":"x"}]}`, 400, "Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter"},
	"reasoning warmth":       {`{"model":"mock-reason","temperature":0.2,"messages":[{"role":"user","content":"x"}]}`, 400, "'temperature' does not support 0.2 with this model. Only the default (1) value is supported.", "temperature", "unsupported_value"},
	"choice without tools":   {chat(`"tool_choice":"auto"`), 400, "'tool_choice' is only allowed when 'tools' are specified.", "tool_choice", ""},
	"parallel, no tools":     {chat(`"parallel_tool_calls":true`), 400, "'parallel_tool_calls' is only allowed", "parallel_tool_calls", ""},
	"unknown tool":           {chat(`"tools":[` + weatherTool + `],"tool_choice":{"type":"function","function":{"name":"x"}}`), 400, "Tool choice 'x' not found in 'tools' parameter.", "tool_choice", ""},
	"choice unknown":         {chat(`"tools":[` + weatherTool + `],"tool_choice":"any"`), 400, "Invalid value: 'any'. Supported values are: 'none', 'auto', and 'required'.", "tool_choice", "invalid_value"},
	"tool name":              {chat(`"tools":[{"type":"function","function":{"name":"a b"}}]`), 400, "string does not match pattern", "tools[0].function.name", "invalid_value"},
	"tool schema":            {chat(`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"string"}}}]`), 400, "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.", "tools[0].function.parameters", "invalid_function_parameters"},
	"tool of another API":    {chat(`"tools":[{"name":"f","input_schema":{}}]`), 400, "Missing required parameter: 'tools[0].type'.", "tools[0].type", "missing_required_parameter"},
	"strict tool":            {chat(`"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}]`), 400, "'additionalProperties' is required to be supplied and to be false", "tools[0].function.parameters", "invalid_function_parameters"},
	"json, not said":         {chat(`"response_format":{"type":"json_object"}`), 400, "'messages' must contain the word 'json'", "messages", ""},
	"schema missing":         {chat(`"response_format":{"type":"json_schema","json_schema":{"name":"x"}}`), 400, "Missing required parameter: 'response_format.json_schema.schema'.", "response_format.json_schema.schema", "missing_required_parameter"},
	"strict schema":          {chat(`"response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"object","additionalProperties":false,"properties":{"b":{}}}},"required":["a"]}}}`), 400, "In context=('properties', 'a'), 'required' is required to be supplied and to be an array including every key in properties. Missing 'b'.", "response_format", ""},
	"answer without call":    {talk(`{"role":"user","content":"x"},{"role":"tool","tool_call_id":"call_1","content":"y"}`), 400, "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'", "messages.[1].role", ""},
	"answer to another":      {talk(`{"role":"user","content":"x"},` + aCall + `,{"role":"tool","tool_call_id":"call_2","content":"y"}`), 400, "'tool_call_id' of 'call_2' not found", "messages.[2].tool_call_id", ""},
	"call without answer":    {talk(`{"role":"user","content":"x"},` + aCall + `,{"role":"user","content":"y"}`), 400, "did not have response messages: call_1", "messages.[2].role", ""},
	"call at the end":        {talk(`{"role":"user","content":"x"},` + aCall), 400, "did not have response messages: call_1", "messages.[2].role", ""},
	"image not loadable":     {talk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/tiff;base64,AAAA"}}]}`), 400, "unsupported image", "", "invalid_image_format"},
	"image not base64":       {talk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,???"}}]}`), 400, "Invalid base64 image_url.", "", "invalid_base64"},
	"too long":               {`{"model":"mock-small","messages":[{"role":"user","content":"` + strings.Repeat("word ", 5000) + `"}]}`, 400, "maximum context length", "messages", "context_length_exceeded"},
	"unknown behaviour":      {`{"model":"gpt-4o!nonsense","messages":[{"role":"user","content":"x"}]}`, 400, `unknown behaviour "nonsense"`, "", ""},
}

func TestRefusals(t *testing.T) {
	c := client(t)
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			body := c.Post(chatPath, tc.body, tc.status)
			require.Contains(t, mt.Text(body, "error", "message"), tc.message)
			require.Equal(t, "invalid_request_error", mt.Text(body, "error", "type"))
			require.Equal(t, tc.param, mt.Text(body, "error", "param"))
			require.Equal(t, tc.code, mt.Text(body, "error", "code"))
			require.Len(t, body["error"], 4)
		})
	}
	require.Empty(t, c.Mock.Stats().Billed, "refused requests cost nothing")
}

func TestAccepted(t *testing.T) {
	c := client(t)
	for name, body := range map[string]string{
		"nulls":               chat(`"temperature":null,"stop":null,"n":null,"stream":null,"stream_options":null,"max_tokens":null,"logprobs":null`),
		"long stop":           chat(`"stop":"a rather long stop sequence"`),
		"bounds":              chat(`"temperature":2,"top_p":0,"presence_penalty":-2,"n":1,"max_tokens":1`),
		"tools and answer":    talk(`{"role":"user","content":"x"},` + aCall + `,{"role":"tool","tool_call_id":"call_1","content":"y"}`),
		"an answer sent back": talk(`{"role":"user","content":"x"},{"role":"assistant","content":"y","refusal":null,"annotations":[]},{"role":"user","content":"z"}`),
		"system at the end":   talk(`{"role":"user","content":"x"},{"role":"system","content":"y"}`),
		"parts":               talk(`{"role":"user","content":[{"type":"text","text":"x"},{"type":"file","file":{"file_id":"f"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}`),
		"snapshot":            `{"model":"gpt-4o-2024-08-06","messages":[{"role":"user","content":"x"}]}`,
		"none without tools":  chat(`"tool_choice":"none"`),
	} {
		t.Run(name, func(t *testing.T) { c.Post(chatPath, body, 200) })
	}
}

func TestCredentials(t *testing.T) {
	c := mt.New(t, mock.Options{Keys: map[string][]string{"openai": {"sk-right-key-000001"}}}, mt.OpenAI())
	for name, tc := range map[string]struct {
		header  string
		status  int
		message string
		code    string
	}{
		"right":   {"Bearer sk-right-key-000001", 200, "", ""},
		"lower":   {"bearer sk-right-key-000001", 200, "", ""},
		"wrong":   {"Bearer sk-wrong-key-000002", 401, "Incorrect API key provided: sk-wrong*******0002.", "invalid_api_key"},
		"missing": {"", 401, "You didn't provide an API key.", ""},
		"basic":   {"Basic c2s=", 401, "You didn't provide an API key.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := c.Request("POST", chatPath, chat(""))
			req.Header.Set("authorization", tc.header)
			resp, raw := c.Do(req)
			require.Equal(t, tc.status, resp.StatusCode)
			body := mt.Decode(t, raw)
			require.Contains(t, mt.Text(body, "error", "message"), tc.message)
			require.Equal(t, tc.code, mt.Text(body, "error", "code"))
		})
	}
}

func TestMediaType(t *testing.T) {
	c := client(t)
	req := c.Request("POST", chatPath, chat(""))
	req.Header.Set("content-type", "text/plain")
	resp, raw := c.Do(req)
	require.Equal(t, 400, resp.StatusCode)
	require.Equal(t, "unsupported_content_type", mt.Text(mt.Decode(t, raw), "error", "code"))

	req = c.Request("POST", chatPath, chat(""))
	req.Header.Set("content-type", "application/json; charset=utf-8")
	resp, _ = c.Do(req)
	require.Equal(t, 200, resp.StatusCode)
}

func TestHeaders(t *testing.T) {
	c := client(t)
	resp, _ := c.Do(c.Request("POST", chatPath, chat("")))
	for _, name := range []string{
		"openai-organization", "openai-processing-ms", "openai-version", "set-cookie", "cf-ray",
		"x-ratelimit-limit-requests", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-requests",
		"x-ratelimit-remaining-tokens", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens",
	} {
		require.NotEmpty(t, resp.Header.Get(name), name)
	}
	require.Regexp(t, `^req_[0-9a-f]{32}$`, resp.Header.Get("x-request-id"))
	require.Equal(t, resp.Header.Get("x-request-id"), c.Mock.Requests()[0].RequestID)
}

func TestModels(t *testing.T) {
	c := mt.New(t, mock.Options{Models: []string{"my-model", "family-*"}}, mt.OpenAI())
	resp, raw := c.Do(c.Request("GET", "/v1/models", nil))
	require.Equal(t, 200, resp.StatusCode)
	list := mt.Decode(t, raw)
	require.Equal(t, "list", list["object"])
	ids := map[string]bool{}
	for i := range mt.Len(list, "data") {
		require.Equal(t, "model", mt.Text(list, "data", i, "object"))
		ids[mt.Text(list, "data", i, "id")] = true
	}
	require.True(t, ids["gpt-4o"] && ids["my-model"] && ids["text-embedding-3-small"])
	require.False(t, ids["family-*"])

	_, raw = c.Do(c.Request("GET", "/v1/models/gpt-4o", nil))
	require.Equal(t, "gpt-4o", mt.Decode(t, raw)["id"])
	resp, raw = c.Do(c.Request("GET", "/v1/models/none", nil))
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.Equal(t, "model_not_found", mt.Text(mt.Decode(t, raw), "error", "code"))

	c.Post(chatPath, `{"model":"family-x","messages":[{"role":"user","content":"x"}]}`, 200)
	c.Post(chatPath, `{"model":"familyx","messages":[{"role":"user","content":"x"}]}`, 404)
}
