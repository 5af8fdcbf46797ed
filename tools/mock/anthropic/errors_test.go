package anthropic_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

const path = "/v1/messages"

func client(t testing.TB) *mt.Client { return mt.New(t, mock.Options{}, mt.Anthropic()) }

// ask is a request body with further members, as JSON.
func ask(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"model":"claude-sonnet-4-5","max_tokens":4096,"messages":[{"role":"user","content":"Say hello"}]` + members + `}`
}

// talk is a request body with these messages.
func talk(messages string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":1024,"messages":[` + messages + `]}`
}

const (
	user     = `{"role":"user","content":"x"}`
	weather  = `{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}`
	tools    = `"tools":[` + weather + `]`
	aCall    = `{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}]}`
	thinking = `"thinking":{"type":"enabled","budget_tokens":1024}`
)

func result(id string) string {
	return `{"type":"tool_result","tool_use_id":"` + id + `","content":"y"}`
}

var refusals = map[string]struct {
	body    string
	message string
}{
	"no JSON":              {`{"model":`, "not valid JSON"},
	"duplicate key":        {strings.Replace(ask(""), `"max_tokens"`, `"max_tokens":1,"max_tokens"`, 1), "duplicate key 'max_tokens'"},
	"unknown member":       {ask(`"n":2`), "n: Extra inputs are not permitted"},
	"no max_tokens":        {`{"model":"claude-sonnet-4-5","messages":[` + user + `]}`, "max_tokens: Field required"},
	"no model":             {`{"max_tokens":5,"messages":[` + user + `]}`, "model: Field required"},
	"max_tokens a string":  {strings.Replace(ask(""), "4096", `"4096"`, 1), "max_tokens: Input should be a valid integer"},
	"max_tokens a decimal": {strings.Replace(ask(""), "4096", `1.5`, 1), "max_tokens: Input should be a valid integer"},
	"max_tokens negative":  {strings.Replace(ask(""), "4096", `-1`, 1), "max_tokens: Input should be greater than or equal to 0"},
	"max_tokens beyond":    {strings.Replace(ask(""), "4096", `64001`, 1), "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5-20250929"},
	"no messages":          {talk(""), "messages: at least one message is required"},
	"temperature":          {ask(`"temperature":1.2`), "temperature: range: 0..1"},
	"null":                 {ask(`"temperature":null`), "temperature: Input should be a valid number"},
	"both":                 {ask(`"temperature":0.5,"top_p":0.5`), "`temperature` and `top_p` cannot both be specified for this model."},
	"system first":         {talk(`{"role":"system","content":"x"},` + user), `messages: Unexpected role "system".`},
	"role":                 {talk(`{"role":"tool","content":"x"}`), "messages.0.role: Input should be 'user' or 'assistant'"},
	"assistant first":      {talk(`{"role":"assistant","content":"x"}`), `messages: first message must use the "user" role`},
	"empty content":        {talk(`{"role":"user","content":""}`), "messages.0: all messages must have non-empty content except for the optional final assistant message"},
	"empty text":           {talk(`{"role":"user","content":[{"type":"text","text":""}]}`), "messages: text content blocks must be non-empty"},
	"blank text":           {talk(`{"role":"user","content":[{"type":"text","text":" \n"}]}`), "messages: text content blocks must contain non-whitespace text"},
	"trailing space":       {talk(user + `,{"role":"assistant","content":"so "}`), "messages: final assistant content cannot end with trailing whitespace"},
	"empty system":         {ask(`"system":[{"type":"text","text":""}]`), "system: text content blocks must be non-empty"},
	"block of another API": {talk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}`), "messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of the expected tags: "},
	"block member":         {talk(`{"role":"user","content":[{"type":"text","text":"x","foo":1}]}`), "messages.0.content.0.text.foo: Extra inputs are not permitted"},
	"cached thinking":      {talk(user + `,{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"y","cache_control":{"type":"ephemeral"}}]}`), "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted"},
	"message member":       {talk(`{"role":"user","content":"x","name":"joe"}`), "messages.0.name: Extra inputs are not permitted"},
	"image type":           {talk(`{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/tiff","data":"AAAA"}}]}`), "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"},
	"image data":           {talk(`{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"?"}}]}`), "messages.0.content.0.image.source.base64: invalid base64 data"},
	"image address":        {talk(`{"role":"user","content":[{"type":"image","source":{"type":"url","url":"http://x/"}}]}`), "Only HTTPS URLs are supported."},
	"assistant image":      {talk(user + `,{"role":"assistant","content":[{"type":"image","source":{"type":"url","url":"https://x/"}}]}`), "messages.1.content.0: `image` blocks can only be in `user` messages"},
	"user call":            {talk(`{"role":"user","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}`), "`tool_use` blocks can only be in `assistant` messages"},
	"breakpoints":          {talk(`{"role":"user","content":[` + strings.Repeat(`{"type":"text","text":"x","cache_control":{"type":"ephemeral"}},`, 4) + `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}`), "A maximum of 4 blocks with cache_control may be provided. Found 5."},
	"stop":                 {ask(`"stop_sequences":[" "]`), "stop_sequences: each stop sequence must contain non-whitespace"},
	"stop a string":        {ask(`"stop_sequences":"x"`), "stop_sequences: Input should be a valid list"},
	"tool of another API":  {ask(`"tools":[{"type":"function","function":{"name":"f"}}]`), "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: "},
	"tool schema":          {ask(`"tools":[{"name":"f"}]`), "tools.0.custom.input_schema: Field required"},
	"tool schema type":     {ask(`"tools":[{"name":"f","input_schema":{}}]`), "tools.0.custom.input_schema.type: Field required"},
	"tool schema union":    {ask(`"tools":[{"name":"f","input_schema":{"type":"object","anyOf":[{}]}}]`), "input_schema does not support oneOf, allOf, or anyOf at the top level"},
	"tool name":            {ask(`"tools":[{"name":"a.b","input_schema":{"type":"object"}}]`), "tools.0.custom.name: String should match pattern"},
	"tool twice":           {ask(`"tools":[` + weather + `,` + weather + `]`), "tools: Tool names must be unique."},
	"choice alone":         {ask(`"tool_choice":{"type":"auto"}`), "tool_choice may only be specified while providing tools."},
	"choice a string":      {ask(tools + `,"tool_choice":"auto"`), "tool_choice: Input should be an object"},
	"choice unknown":       {ask(tools + `,"tool_choice":{"type":"required"}`), "tool_choice: Input tag 'required' found using 'type'"},
	"choice of none":       {ask(tools + `,"tool_choice":{"type":"tool","name":"x"}`), "Tool 'x' not found in provided tools"},
	"result without call":  {talk(`{"role":"user","content":[` + result("toolu_1") + `]}`), "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1."},
	"call without result":  {talk(user + `,` + aCall + `,` + user), "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1."},
	"call at the end":      {talk(user + `,` + aCall), "messages.1: `tool_use` ids were found without"},
	"result after text":    {talk(user + `,` + aCall + `,{"role":"user","content":[{"type":"text","text":"so"},` + result("toolu_1") + `]}`), "messages.1: `tool_use` ids were found without"},
	"result twice":         {talk(user + `,` + aCall + `,{"role":"user","content":[` + result("toolu_1") + `,` + result("toolu_1") + `]}`), "messages.2.content.1: each tool_use must have a single result."},
	"call id":              {talk(user + `,{"role":"assistant","content":[{"type":"tool_use","id":"a:b","name":"f","input":{}}]}`), "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"},
	"call input":           {talk(user + `,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"{}"}]}`), "messages.1.content.0.tool_use.input: Input should be an object"},
	"thinking budget":      {ask(`"thinking":{"type":"enabled","budget_tokens":10}`), "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"},
	"thinking beyond":      {ask(`"thinking":{"type":"enabled","budget_tokens":5000}`), "`max_tokens` must be greater than `thinking.budget_tokens`."},
	"thinking warm":        {ask(thinking + `,"temperature":0.5`), "`temperature` may only be set to 1 when thinking is enabled."},
	"thinking top_k":       {ask(thinking + `,"top_k":5`), "`top_k` must be unset when thinking is enabled."},
	"thinking forced":      {ask(thinking + `,` + tools + `,"tool_choice":{"type":"any"}`), "Thinking may not be enabled when tool_choice forces tool use."},
	"thinking left out":    {`{"model":"claude-sonnet-4-5","max_tokens":4096,` + thinking + `,"messages":[` + user + `,` + aCall + `,{"role":"user","content":[` + result("toolu_1") + `]}]}`, "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."},
	"thinking altered":     {talk(user + `,{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"y"},{"type":"text","text":"z"}]},` + user), "messages.1.content.0: Invalid `signature` in `thinking` block"},
	"cannot think":         {`{"model":"mock","max_tokens":4096,` + thinking + `,"messages":[` + user + `]}`, "'mock' does not support thinking."},
	"open schema":          {ask(`"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"object"}},"additionalProperties":false}}}`), "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"},
	"beta without header":  {ask(`"output_format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}`), "output_format: Extra inputs are not permitted"},
	"too long":             {`{"model":"mock-small","max_tokens":5,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 5000) + `"}]}`, "prompt is too long"},
}

func TestRefusals(t *testing.T) {
	c := client(t)
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			req := c.Request("POST", path, tc.body)
			resp, raw := c.Do(req)
			body := mt.Decode(t, raw)
			require.Equal(t, 400, resp.StatusCode)
			require.Contains(t, mt.Text(body, "error", "message"), tc.message)
			require.Equal(t, "error", body["type"])
			require.Equal(t, "invalid_request_error", mt.Text(body, "error", "type"))
			require.Equal(t, resp.Header.Get("request-id"), body["request_id"])
			require.Equal(t, "false", resp.Header.Get("x-should-retry"))
		})
	}
	require.Empty(t, c.Mock.Stats().Billed, "refused requests cost nothing")
}

func TestUnknownModel(t *testing.T) {
	body := client(t).Post(path, strings.Replace(ask(""), "claude-sonnet-4-5", "claude-9", 1), 404)
	require.Equal(t, mt.J{"type": "not_found_error", "message": "model: claude-9"}, body["error"])
}

func TestRoles(t *testing.T) {
	twice := talk(user + `,` + user + `,{"role":"assistant","content":"a"},` + user)
	client(t).Post(path, twice, 200)
	results := talk(user + `,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},` +
		`{"role":"user","content":[` + result("a") + `]},{"role":"user","content":[` + result("b") + `]}`)
	client(t).Post(path, results, 200)

	c := mt.New(t, mock.Options{AlternateRoles: true}, mt.Anthropic())
	body := c.Post(path, twice, 400)
	require.Equal(t, `messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row`, mt.Text(body, "error", "message"))
}

func TestVersion(t *testing.T) {
	c := client(t)
	for version, message := range map[string]string{
		"":           "anthropic-version: header is required",
		"2030-01-01": `anthropic-version: "2030-01-01" is not a valid version`,
	} {
		req := c.Request("POST", path, ask(""))
		req.Header.Set("anthropic-version", version)
		resp, raw := c.Do(req)
		require.Equal(t, 400, resp.StatusCode)
		require.Equal(t, message, mt.Text(mt.Decode(t, raw), "error", "message"))
	}
}

func TestBetaHeader(t *testing.T) {
	c := client(t)
	req := c.Request("POST", path, ask(`"output_format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer"}},"required":["a"]}}`))
	req.Header.Set("anthropic-beta", "other-2025-01-01, structured-outputs-2025-11-13")
	resp, raw := c.Do(req)
	require.Equal(t, 200, resp.StatusCode)
	require.JSONEq(t, `{"a":7}`, mt.Text(mt.Decode(t, raw), "content", 0, "text"))
}

func TestCredentials(t *testing.T) {
	c := mt.New(t, mock.Options{Keys: map[string][]string{"anthropic": {"right"}}}, mt.Anthropic())
	for key, message := range map[string]string{"right": "", "wrong": "invalid x-api-key", "": "x-api-key header is required"} {
		req := c.Request("POST", path, ask(""))
		req.Header.Set("x-api-key", key)
		resp, raw := c.Do(req)
		if message == "" {
			require.Equal(t, 200, resp.StatusCode)
			continue
		}
		require.Equal(t, 401, resp.StatusCode)
		require.Equal(t, mt.J{"type": "authentication_error", "message": message}, mt.Decode(t, raw)["error"])
	}
}

func TestHeaders(t *testing.T) {
	c := client(t)
	resp, _ := c.Do(c.Request("POST", path, ask("")))
	require.Regexp(t, `^req_011C[1-9A-HJ-NP-Za-km-z]{20}$`, resp.Header.Get("request-id"))
	require.NotEmpty(t, resp.Header.Get("anthropic-organization-id"))
	for _, what := range []string{"requests", "tokens", "input-tokens", "output-tokens"} {
		for _, which := range []string{"limit", "remaining", "reset"} {
			require.NotEmpty(t, resp.Header.Get("anthropic-ratelimit-"+what+"-"+which))
		}
	}
}
