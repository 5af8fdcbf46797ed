package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

func TestWhole(t *testing.T) {
	body := client(t).Post(path, ask(""), 200)
	require.Regexp(t, `^msg_01[1-9A-HJ-NP-Za-km-z]{22}$`, body["id"])
	require.Equal(t, "message", body["type"])
	require.Equal(t, "assistant", body["role"])
	require.Equal(t, "claude-sonnet-4-5-20250929", body["model"])
	require.Contains(t, mt.Text(body, "content", 0, "text"), `"Say hello"`)
	require.Equal(t, "end_turn", body["stop_reason"])
	require.Nil(t, body["stop_sequence"])
	require.Equal(t, "standard", mt.Text(body, "usage", "service_tier"))
	require.NotZero(t, mt.Num(body, "usage", "input_tokens"))
	require.NotZero(t, mt.Num(body, "usage", "output_tokens"))
	require.Len(t, mt.At(body, "usage", "cache_creation"), 2)
}

// automaton holds a stream against the order of events that the API documents
// and returns the message that the events make.
func automaton(t *testing.T, events []mt.Event) mt.J {
	require.Equal(t, "message_start", events[0].Name)
	msg, _ := events[0].JSON(t)["message"].(mt.J)
	require.Empty(t, msg["content"])
	require.Nil(t, msg["stop_reason"])
	var blocks []any
	open, ended := false, false
	for _, e := range events[1:] {
		data := e.JSON(t)
		require.Equal(t, e.Name, data["type"])
		require.False(t, ended && e.Name != "message_stop", "%s after the end", e.Name)
		switch e.Name {
		case "content_block_start":
			require.False(t, open)
			require.Equal(t, len(blocks), mt.Num(data, "index"))
			block, _ := data["content_block"].(mt.J)
			blocks, open = append(blocks, block), true
		case "content_block_delta":
			require.True(t, open)
			apply(t, blocks[mt.Num(data, "index")].(mt.J), data["delta"])
		case "content_block_stop":
			require.True(t, open)
			seal(t, blocks[mt.Num(data, "index")].(mt.J))
			open = false
		case "message_delta":
			require.False(t, open)
			msg["stop_reason"], msg["stop_sequence"] = mt.At(data, "delta", "stop_reason"), mt.At(data, "delta", "stop_sequence")
			msg["usage"], ended = data["usage"], true
		}
	}
	require.True(t, ended)
	require.Equal(t, "message_stop", events[len(events)-1].Name)
	msg["content"] = blocks
	return msg
}

func apply(t *testing.T, block mt.J, delta any) {
	switch kind := mt.Text(delta, "type"); kind {
	case "text_delta":
		block["text"] = block["text"].(string) + mt.Text(delta, "text")
	case "thinking_delta":
		block["thinking"] = block["thinking"].(string) + mt.Text(delta, "thinking")
	case "signature_delta":
		block["signature"] = mt.Text(delta, "signature")
	case "input_json_delta":
		partial, _ := block["partial"].(string)
		block["partial"] = partial + mt.Text(delta, "partial_json")
	default:
		t.Fatalf("unknown delta %q", kind)
	}
}

func seal(t *testing.T, block mt.J) {
	if partial, ok := block["partial"].(string); ok {
		block["input"] = mt.Decode(t, []byte(partial))
		delete(block, "partial")
	}
}

func TestStream(t *testing.T) {
	for name, members := range map[string]string{
		"text":     `"temperature":1`,
		"tool":     tools,
		"parallel": tools + `,"system":"x"`,
		"thinking": thinking,
		"both":     thinking + `,` + tools,
		"cut":      `"stop_sequences":["hello"]`,
		"omitted":  `"thinking":{"type":"adaptive","display":"omitted"}`,
	} {
		t.Run(name, func(t *testing.T) {
			whole := client(t).Post(path, ask(members), 200)
			events := client(t).Stream(path, ask(members+`,"stream":true`))
			streamed := automaton(t, events)
			for _, same := range []string{"id", "model", "role", "type", "content", "stop_reason", "stop_sequence"} {
				require.Equal(t, whole[same], streamed[same], same)
			}
			for _, same := range []string{"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"} {
				require.Equal(t, mt.Num(whole, "usage", same), mt.Num(streamed, "usage", same), same)
			}
			start := events[0].JSON(t)
			require.Equal(t, mt.Num(whole, "usage", "input_tokens"), mt.Num(start, "message", "usage", "input_tokens"))
			require.Less(t, mt.Num(start, "message", "usage", "output_tokens"), 9)
		})
	}
}

func TestStreamHasPingAndPadding(t *testing.T) {
	c := client(t)
	_, raw := c.Do(c.Request("POST", path, ask(`"stream":true`)))
	require.Contains(t, string(raw), "event: ping\ndata: {\"type\": \"ping\"}\n\n")
	require.Contains(t, string(raw), "} \n")
}

func TestChunks(t *testing.T) {
	c := mt.New(t, mock.Options{Chunks: 51}, mt.Anthropic())
	n := 0
	for _, e := range c.Stream(path, ask(`"stream":true`)) {
		if e.Name == "content_block_delta" {
			n++
		}
	}
	require.Equal(t, 51, n)
}

func TestLimits(t *testing.T) {
	c := client(t)
	short := strings.Replace(ask(""), "4096", "4", 1)
	body := c.Post(path, short, 200)
	require.Equal(t, "max_tokens", body["stop_reason"])
	require.Equal(t, 4, mt.Num(body, "usage", "output_tokens"))

	body = c.Post(path, strings.Replace(ask(""), "4096", "0", 1), 200)
	require.Equal(t, "max_tokens", body["stop_reason"])
	require.Empty(t, body["content"])

	body = c.Post(path, ask(`"stop_sequences":["nothing","hello"]`), 200)
	require.Equal(t, "stop_sequence", body["stop_reason"])
	require.Equal(t, "hello", body["stop_sequence"])
}

func TestToolCall(t *testing.T) {
	c := client(t)
	question := strings.Replace(ask(tools), "Say hello", "What is the weather in Paris?", 1)
	body := c.Post(path, question, 200)
	require.Equal(t, "tool_use", body["stop_reason"])
	require.Equal(t, "text", mt.Text(body, "content", 0, "type"))
	call := mt.At(body, "content", 1)
	require.Regexp(t, `^toolu_01[1-9A-HJ-NP-Za-km-z]{22}$`, mt.Text(call, "id"))
	require.Equal(t, mt.J{"city": "Paris"}, mt.At(call, "input"))

	said, err := json.Marshal(body["content"])
	require.NoError(t, err)
	next := talk(user + `,{"role":"assistant","content":` + string(said) + `},{"role":"user","content":[` +
		`{"type":"tool_result","tool_use_id":"` + mt.Text(call, "id") + `","content":[{"type":"text","text":"22 degrees"}]}]}`)
	body = c.Post(path, next, 200)
	require.Equal(t, `The tool said "22 degrees".`, mt.Text(body, "content", 0, "text"))

	body = c.Post(path, ask(tools+`,"tool_choice":{"type":"any"}`), 200)
	require.Equal(t, 1, mt.Len(body, "content"), "a demanded call comes alone")
	body = c.Post(path, ask(tools+`,"tool_choice":{"type":"none"}`), 200)
	require.Equal(t, "end_turn", body["stop_reason"])

	both := strings.Replace(ask(tools), "Say hello", "Weather in Paris and Rome, both", 1)
	body = c.Post(path, both, 200)
	require.Equal(t, 3, mt.Len(body, "content"))
	require.Equal(t, mt.J{"city": "Rome"}, mt.At(body, "content", 2, "input"))
	body = c.Post(path, strings.TrimSuffix(both, "}")+`,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}}`, 200)
	require.Equal(t, 2, mt.Len(body, "content"))
}

// TestThinkingGoesRound sends thinking back with its signature, as a client
// must after a tool call.
func TestThinkingGoesRound(t *testing.T) {
	c := client(t)
	body := c.Post(path, ask(thinking+`,`+tools), 200)
	require.Equal(t, "thinking", mt.Text(body, "content", 0, "type"))
	require.NotEmpty(t, mt.Text(body, "content", 0, "signature"))
	require.NotZero(t, mt.Num(body, "usage", "output_tokens_details", "thinking_tokens"))

	said, err := json.Marshal(body["content"])
	require.NoError(t, err)
	id := mt.Text(body, "content", mt.Len(body, "content")-1, "id")
	next := `{"model":"claude-sonnet-4-5","max_tokens":4096,` + thinking + `,"messages":[` + user +
		`,{"role":"assistant","content":` + string(said) + `},{"role":"user","content":[` + result(id) + `]}]}`
	c.Post(path, next, 200)
	body = c.Post(path, strings.Replace(next, "decide", "DECIDE", 1), 400)
	require.Contains(t, mt.Text(body, "error", "message"), "Invalid `signature`")
}

func TestCacheUsage(t *testing.T) {
	c := client(t)
	long := `{"model":"claude-sonnet-4-5MODE","max_tokens":10,"system":[{"type":"text","text":"` + strings.Repeat("word ", 2000) +
		`","cache_control":{"type":"ephemeral"}}],"messages":[` + user + `]}`
	body := c.Post(path, strings.Replace(long, "MODE", "", 1), 200)
	written := mt.Num(body, "usage", "cache_creation_input_tokens")
	require.Greater(t, written, 2000)
	require.Equal(t, written, mt.Num(body, "usage", "cache_creation", "ephemeral_5m_input_tokens"))
	require.Zero(t, mt.Num(body, "usage", "cache_read_input_tokens"))

	body = c.Post(path, strings.Replace(long, "MODE", "!cached", 1), 200)
	read := mt.Num(body, "usage", "cache_read_input_tokens")
	require.NotZero(t, read)
	require.Zero(t, mt.Num(body, "usage", "cache_creation_input_tokens"))
	u := c.Mock.Stats().Reported["claude-sonnet-4-5!cached"]
	require.Equal(t, u.Input, read+mt.Num(body, "usage", "input_tokens"))
}

func TestImagesAndSystem(t *testing.T) {
	c := client(t)
	body := c.Post(path, `{"model":"claude-sonnet-4-5","max_tokens":100,"system":"Be brief.","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"text","text":"What is it?"}]}]}`, 200)
	require.Contains(t, mt.Text(body, "content", 0, "text"), "I see 1 image.")
	require.Contains(t, mt.Text(body, "content", 0, "text"), `I was told: "Be brief."`)
}

func TestCountTokens(t *testing.T) {
	c := client(t)
	count := c.Post(path+"/count_tokens", `{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Say hello"}]}`, 200)
	require.Len(t, count, 1)
	require.Equal(t, mt.Num(c.Post(path, ask(""), 200), "usage", "input_tokens"), mt.Num(count, "input_tokens"))
	c.Post(path+"/count_tokens", ask(""), 400)
	c.Post(path+"/count_tokens", `{"model":"claude-9","messages":[`+user+`]}`, 404)
	require.Len(t, c.Mock.Stats().Billed, 1, "counting costs nothing")
}

func TestModels(t *testing.T) {
	c := mt.New(t, mock.Options{Models: []string{"my-model"}}, mt.Anthropic())
	get := func(query string) mt.J {
		_, raw := c.Do(c.Request("GET", "/v1/models"+query, nil))
		return mt.Decode(t, raw)
	}
	all := get("")
	n := mt.Len(all, "data")
	require.False(t, all["has_more"].(bool))
	require.Equal(t, "my-model", all["last_id"])
	require.Equal(t, "model", mt.Text(all, "data", 0, "type"))
	require.Equal(t, "2025-11-01T00:00:00Z", mt.Text(all, "data", 0, "created_at"))

	page := get("?limit=2")
	require.True(t, page["has_more"].(bool))
	rest := get("?limit=1000&after_id=" + page["last_id"].(string))
	require.Equal(t, n-2, mt.Len(rest, "data"))
	require.Equal(t, "invalid_request_error", mt.Text(get("?limit=x"), "error", "type"))

	_, raw := c.Do(c.Request("GET", "/v1/models/claude-sonnet-4-5", nil))
	require.Equal(t, "claude-sonnet-4-5-20250929", mt.Decode(t, raw)["id"])
	resp, _ := c.Do(c.Request("GET", "/v1/models/none", nil))
	require.Equal(t, 404, resp.StatusCode)
}
