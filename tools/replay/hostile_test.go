package replay

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// wire is how a provider says what is wrong, by dialect/api. Streams are given by
// the data of their events.
type wire struct {
	failed string // an error body
	empty  string // an answer without any content
	bare   string // a whole answer; TEXT and COUNT are put in
	// In a stream: the error, content with TEXT, and nothing but usage with COUNT.
	event, delta, usage, end string
}

var wires = map[string]wire{
	"openai/chat": {
		failed: `{"error":{"message":"no","type":"server_error","code":"x"}}`,
		empty:  `{"id":"c","model":"m","choices":[]}`,
		bare:   `{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"TEXT"},"finish_reason":"stop"}],"usage":{"prompt_tokens":COUNT,"completion_tokens":COUNT}}`,
		event:  `{"error":{"message":"no","type":"server_error","code":"x"}}`,
		delta:  `{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"TEXT"}}]}`,
		usage:  `{"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":COUNT,"completion_tokens":COUNT}}`,
		end:    `{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}|[DONE]`},
	"openai/responses": {
		failed: `{"error":{"message":"no","type":"server_error","code":"x"}}`,
		empty:  `{"id":"r","object":"response","status":"completed","model":"m","output":[]}`,
		bare:   `{"id":"r","object":"response","status":"completed","model":"m","output":[{"type":"message","id":"i","role":"assistant","content":[{"type":"output_text","text":"TEXT","annotations":[]}]}],"usage":{"input_tokens":COUNT,"output_tokens":COUNT}}`,
		event:  `{"type":"error","code":"x","message":"no"}`,
		delta:  `{"type":"response.output_text.delta","item_id":"i","output_index":0,"content_index":0,"delta":"TEXT"}`,
		usage:  `{"type":"response.in_progress","response":{"id":"r","status":"in_progress","usage":{"input_tokens":COUNT,"output_tokens":COUNT}}}`,
		end:    `{"type":"response.completed","response":{"id":"r","status":"completed","model":"m","output":[],"usage":{"input_tokens":1,"output_tokens":1}}}`},
	"anthropic/messages": {
		failed: `{"type":"error","error":{"type":"api_error","message":"no"}}`,
		empty:  `{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`,
		bare:   `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"TEXT"}],"stop_reason":"end_turn","usage":{"input_tokens":COUNT,"output_tokens":COUNT}}`,
		event:  `{"type":"error","error":{"type":"api_error","message":"no"}}`,
		delta:  `{"type":"message_start","message":{"id":"m","model":"m","usage":{"input_tokens":1}}}|{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}|{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"TEXT"}}`,
		usage:  `{"type":"message_delta","delta":{},"usage":{"output_tokens":COUNT}}`,
		end:    `{"type":"content_block_stop","index":0}|{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}|{"type":"message_stop"}`},
	"gemini/generateContent": {
		failed: `{"error":{"code":500,"message":"no","status":"INTERNAL"}}`,
		empty:  `{"candidates":[]}`,
		bare:   `{"candidates":[{"content":{"role":"model","parts":[{"text":"TEXT"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":COUNT,"candidatesTokenCount":COUNT,"totalTokenCount":COUNT}}`,
		event:  `{"error":{"code":500,"message":"no","status":"INTERNAL"}}`,
		delta:  `{"candidates":[{"content":{"role":"model","parts":[{"text":"TEXT"}]}}]}`,
		usage:  `{"usageMetadata":{"promptTokenCount":COUNT,"candidatesTokenCount":COUNT}}`,
		end:    `{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP"}]}`},
	"cohere/chat": {
		failed: `{"id":"e","message":"no"}`,
		empty:  `{"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[]}}`,
		bare:   `{"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"TEXT"}]},"usage":{"tokens":{"input_tokens":COUNT,"output_tokens":COUNT}}}`,
		event:  `{"type":"message-end","delta":{"finish_reason":"ERROR","error":"no"}}`,
		delta:  `{"type":"message-start","id":"c","delta":{"message":{"role":"assistant"}}}|{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}|{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"TEXT"}}}}`,
		usage:  `{"type":"debug","usage":{"tokens":{"input_tokens":COUNT}}}`,
		end:    `{"type":"content-end","index":0}|{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}}`},
	"bedrock/converse": {
		failed: `{"message":"no"}`,
		empty:  `{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1}}`,
		bare:   `{"output":{"message":{"role":"assistant","content":[{"text":"TEXT"}]}},"stopReason":"end_turn","usage":{"inputTokens":COUNT,"outputTokens":COUNT}}`,
		event:  `exception internalServerException {"message":"no"}`,
		delta:  `messageStart {"role":"assistant"}|contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"TEXT"}}`,
		usage:  `metadata {"usage":{"inputTokens":COUNT,"outputTokens":COUNT}}`,
		end:    `contentBlockStop {"contentBlockIndex":0}|messageStop {"stopReason":"end_turn"}|metadata {"usage":{"inputTokens":1,"outputTokens":1}}`},
	"ollama/chat": {
		failed: `{"error":"no"}`,
		empty:  `{"model":"m","done":true}`,
		bare:   `{"model":"m","message":{"role":"assistant","content":"TEXT"},"done":true,"done_reason":"stop","prompt_eval_count":COUNT,"eval_count":COUNT}`,
		event:  `{"error":"no"}`,
		delta:  `{"model":"m","message":{"role":"assistant","content":"TEXT"},"done":false}`,
		usage:  `{"model":"m","prompt_eval_count":COUNT,"eval_count":COUNT,"done":false}`,
		end:    `{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":1}`},
}

// nastyTexts are the interiors of JSON strings, nastyCounts numbers, that a provider
// should not send.
var (
	nastyTexts  = []string{"x", `\ud800`, `\udc00\ud83d`, `\u0000`, `\ufffe`, `<script>\u2028`}
	nastyCounts = []string{"1", "-1", "1e999", "99999999999999999999999999", "1.5", `"7"`, "null", "{}", "true"}
)

// stream frames events as the provider does.
func (w *wire) stream(name string, parts ...string) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		for _, e := range strings.Split(part, "|") {
			switch {
			case strings.HasPrefix(name, "bedrock/"):
				kind, data, _ := strings.Cut(e, " ")
				header := ":event-type"
				if kind == "exception" {
					kind, data, _ = strings.Cut(data, " ")
					header = ":exception-type"
				}
				writer := eventstream.Writer{B: b.Bytes()}
				writer.Begin()
				writer.Text(":message-type", strings.TrimSuffix(header[1:], "-type"))
				writer.Text(header, kind)
				writer.Body()
				writer.B = append(writer.B, data...)
				writer.End()
				b = *bytes.NewBuffer(writer.B)
			case strings.HasPrefix(name, "ollama/"):
				b.WriteString(e + "\n")
			default:
				b.WriteString("data: " + e + "\n\n")
			}
		}
	}
	return b.Bytes()
}

// eachPair goes through all providers of chats and the clients that have a grammar.
func eachPair(t *testing.T, check func(t *testing.T, provider string, p *dialect.API, client string, c *dialect.API)) {
	dialects := builtin.Dialects()
	for _, pd := range dialects {
		for _, p := range pd.APIs {
			provider := pd.Name + "/" + p.Name
			if _, ok := wires[provider]; !ok || p.Provider == nil {
				continue
			}
			for _, cd := range dialects {
				for _, c := range cd.APIs {
					if client := cd.Name + "/" + c.Name; c.Client != nil && c.Operation == llm.Chat && apis[client].grammar != nil {
						t.Run(provider+" "+client, func(t *testing.T) { check(t, provider, p, client, c) })
					}
				}
			}
		}
	}
}

// requireFailure checks that an error is typed, and that the client's body of it is JSON.
func requireFailure(t *testing.T, fault *llm.Error, c *dialect.API) {
	require.NotNil(t, fault)
	require.NotZero(t, fault.Class)
	require.GreaterOrEqual(t, fault.Status, 400)
	require.NotEmpty(t, fault.Code)
	require.True(t, json.Valid(c.Client.AppendError(nil, fault, "r")))
}

// TestHostileAnswers: a status of success with an error body, HTML, nothing, or no
// content at all; texts that are no text and counts that are no counts. The client
// gets a typed error or an answer in its own API, and no count below zero.
func TestHostileAnswers(t *testing.T) {
	eachPair(t, func(t *testing.T, provider string, p *dialect.API, _ string, c *dialect.API) {
		w := wires[provider]
		f := llm.Facts{Operation: llm.Chat, Choices: 1, WantsUsage: true}
		for _, body := range []string{w.failed, "", "null", "[]", `"x"`, "<html>Bad gateway</html>", w.bare[:len(w.bare)/2], w.bare + "x"} {
			_, fault := p.Provider.Decode(&f, &dialect.Target{}, []byte(body))
			require.NotNil(t, fault, body)
			requireFailure(t, fault, c)
		}
		bodies := []string{w.empty}
		for _, text := range nastyTexts {
			bodies = append(bodies, strings.NewReplacer("TEXT", text, "COUNT", "1").Replace(w.bare))
		}
		for _, count := range nastyCounts {
			bodies = append(bodies, strings.NewReplacer("TEXT", "x", "COUNT", count).Replace(w.bare))
		}
		for _, body := range bodies {
			a, fault := p.Provider.Decode(&f, &dialect.Target{}, []byte(body))
			if fault != nil {
				requireFailure(t, fault, c)
				continue
			}
			requireCounts(t, &a.Usage)
			out := c.Client.AppendAnswer(nil, &f, "m", a, nil)
			require.True(t, json.Valid(out), "%s\n%s", body, out)
		}
	})
}

func requireCounts(t *testing.T, u *llm.Usage) {
	for _, n := range []int64{u.Input, u.CacheRead, u.CacheWrite, u.CacheWriteHour, u.InputAudio, u.Output, u.Reasoning, u.OutputAudio, u.Total()} {
		require.GreaterOrEqual(t, n, int64(0))
		require.Less(t, n, int64(1)<<53, "sums stay exact")
	}
}

// TestHostileStreams does the same for streams, and for what only these can do:
// errors before and behind content, usage alone, an event over the limit, no end, a
// checksum that is wrong. Every stream that leaves obeys the client's grammar.
func TestHostileStreams(t *testing.T) {
	eachPair(t, func(t *testing.T, provider string, p *dialect.API, client string, c *dialect.API) {
		w, known := wires[provider], apis[client]
		put := func(part, text, count string) string {
			return strings.NewReplacer("TEXT", text, "COUNT", count).Replace(part)
		}
		delta := put(w.delta, "x", "1")
		fails := map[string][]byte{
			"error first": w.stream(provider, w.event), "error later": w.stream(provider, delta, w.event),
			"html": []byte("<html>\n\nBad gateway</html>\n"), "nothing": nil, "no end": w.stream(provider, delta),
			"usage alone": w.stream(provider, put(w.usage, "", "1")),
			"cut":         w.stream(provider, delta, w.end)[:len(w.stream(provider, delta))+3],
		}
		passes := map[string][]byte{"good": w.stream(provider, delta, w.end)}
		long := w.stream(provider, delta, put(w.usage, "", strings.Repeat(" ", 5000)+"1"), w.end)
		if strings.HasPrefix(provider, "bedrock/") { // where a message ends is not known without its length
			broken := w.stream(provider, delta, w.end)
			broken[len(w.stream(provider, delta))-1] ^= 1
			fails["checksum"], fails["long event"] = broken, long
		} else {
			passes["long event"] = long
		}
		for _, text := range nastyTexts {
			passes["text "+text] = w.stream(provider, put(w.delta, text, "1"), w.end)
		}
		for _, count := range nastyCounts {
			passes["count "+count] = w.stream(provider, delta, put(w.usage, "", count), w.end)
		}
		for name, stream := range fails {
			last := hostileStream(t, name, p, c, &known, stream)
			require.Equal(t, llm.Failure, last.Kind, name)
			requireFailure(t, last.Err, c)
		}
		for name, stream := range passes {
			require.Equal(t, llm.End, hostileStream(t, name, p, c, &known, stream).Kind, name)
		}
	})
}

// hostileStream translates a stream and returns how it ended.
func hostileStream(t *testing.T, name string, p, c *dialect.API, known *api, stream []byte) llm.Event {
	f := llm.Facts{Operation: llm.Chat, Stream: true, Choices: 1, WantsUsage: true, Received: 1}
	events := dialecttest.Decode(p.Provider.NewDecoder(&f, &dialect.Target{}, dialect.Limits{Event: 4 << 10, Depth: 64}), stream)
	require.NoError(t, dialecttest.CheckEvents(events), name)
	for i := range events {
		if events[i].Kind == llm.UsageEvent {
			requireCounts(t, events[i].Usage)
		}
	}
	out := dialecttest.Encode(c.Client.NewEncoder(&f, "m"), events)
	last := events[len(events)-1]
	if last.Kind == llm.Failure {
		out = c.Client.AppendStreamError(out, last.Err, "r")
	}
	require.NoError(t, known.obeys(out), "%s\n%s", name, out)
	return last
}

// TestHostileRequests: unknown roles, results without a call, texts that are no
// text, numbers beyond all bounds. Each is refused in a typed way, or becomes JSON.
func TestHostileRequests(t *testing.T) {
	eachPair(t, func(t *testing.T, _ string, p *dialect.API, client string, c *dialect.API) {
		for _, body := range hostileRequests(client) {
			doc, bad := jsonx.Scan([]byte(body), c.Client.Inspected(), jsonx.Limits{})
			require.Nil(t, bad, body)
			f, fault := c.Client.Facts(dialect.Call{Operation: llm.Chat, Model: "m"}, &doc)
			var r *llm.Request
			if fault == nil {
				r, fault = c.Client.Decode(f, &doc)
			}
			var out []byte
			if fault == nil {
				out, fault = p.Provider.Encode(nil, r, &dialect.Target{Model: "m"}, nil)
			}
			if fault != nil {
				requireFailure(t, fault, c)
				require.Equal(t, 400, fault.Status, body)
				continue
			}
			require.True(t, json.Valid(out), "%s\n%s", body, out)
		}
	})
}

// hostileRequests are requests in a client's words.
func hostileRequests(client string) (list []string) {
	const user = `{"role":"user","content":"hi"}`
	turns := map[string]string{
		"unknown role": `{"role":"wizard","content":"hi"}`, "no role": `{"content":"hi"}`, "no content": `{"role":"user"}`,
		"number": `{"role":"user","content":7}`, "nothing": `null`, "list": `[]`,
	}
	one := func(turn, more string) string {
		return `{"model":"m","max_tokens":9,"messages":[` + user + `,` + turn + `]` + more + `}`
	}
	results := []string{`{"role":"tool","tool_call_id":"c","content":"x"}`}
	limits := `,"max_tokens":N,"temperature":N`
	switch client {
	case "openai/responses":
		one = func(turn, more string) string { return `{"model":"m","input":[` + user + `,` + turn + `]` + more + `}` }
		results = []string{`{"type":"function_call_output","call_id":"c","output":"x"}`, `{"type":"wizardry"}`}
		limits = `,"max_output_tokens":N,"temperature":N`
	case "anthropic/messages":
		results = []string{`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"x"}]}`, `{"role":"user","content":[{"type":"wizardry"}]}`}
		one = func(turn, more string) string {
			return `{"model":"m","messages":[` + user + `,` + turn + `]` + more + `}`
		}
	case "bedrock/converse":
		one = func(turn, more string) string {
			return `{"messages":[{"role":"user","content":[{"text":"hi"}]},` + strings.ReplaceAll(turn, `"content":"hi"`, `"content":[{"text":"hi"}]`) + `]` + more + `}`
		}
		results = []string{`{"role":"user","content":[{"toolResult":{"toolUseId":"c","content":[{"text":"x"}]}}]}`, `{"role":"user","content":[{"wizardry":{}}]}`}
		limits = `,"inferenceConfig":{"maxTokens":N,"temperature":N}`
	case "gemini/generateContent":
		one = func(turn, more string) string {
			return `{"contents":[{"role":"user","parts":[{"text":"hi"}]},` + strings.ReplaceAll(turn, `"content":"hi"`, `"parts":[{"text":"hi"}]`) + `]` + more + `}`
		}
		results = []string{`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"a":1}}}]}`, `{"role":"user","parts":[{"wizardry":{}}]}`}
		limits = `,"generationConfig":{"maxOutputTokens":N,"temperature":N}`
	}
	for _, turn := range turns {
		list = append(list, one(turn, ""))
	}
	for _, turn := range results {
		list = append(list, one(turn, ""))
	}
	for _, text := range nastyTexts {
		list = append(list, strings.ReplaceAll(one(user, ""), "hi", text))
	}
	for _, n := range nastyCounts {
		body := one(user, strings.ReplaceAll(limits, "N", n))
		list = append(list, strings.Replace(body, `"max_tokens":9,`, "", 1))
	}
	return list
}
