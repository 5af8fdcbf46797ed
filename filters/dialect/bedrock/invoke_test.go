package bedrock_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/dialect/bedrock"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

var (
	invoke = bedrock.Invoke(anthropic.Messages(), openai.Chat())
	limits = dialect.Limits{Event: 1 << 20}
)

func said(role llm.Role, text string) llm.Message {
	return llm.Message{Role: role, Parts: []llm.Part{{Text: llm.Escaped(text)}}}
}

// talk is a conversation with everything that a text can hold.
func talk() *llm.Request {
	return &llm.Request{
		Facts:    llm.Facts{Operation: llm.Chat, Choices: 1, MaxTokens: 64},
		Messages: []llm.Message{said(llm.System, "Be brief."), said(llm.User, "Hi"), said(llm.User, `\"there\"`), said(llm.Assistant, "Hello"), said(llm.User, "Why?")},
		Sampling: llm.Sampling{Temperature: "0.5", TopP: "0.9", TopK: "5", Seed: "7"},
		Stop:     []llm.Escaped{llm.Escaped("END")},
	}
}

// TestBodies holds what each family is asked (source: "Inference request parameters
// and response fields for foundation models" of the Bedrock user guide).
func TestBodies(t *testing.T) {
	for model, c := range map[string]struct{ body, loss string }{
		"meta.llama3-70b-instruct-v1:0": {`{"prompt":"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>` +
			`<|start_header_id|>user<|end_header_id|>\n\nHi\n\"there\"<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>` +
			`<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",` +
			`"max_gen_len":64,"temperature":0.5,"top_p":0.9}`, "dropped top_k, dropped seed, dropped stop"},
		"us.meta.llama4-scout-17b-instruct-v1:0": {`{"prompt":"<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|>` +
			`<|header_start|>user<|header_end|>\n\nHi\n\"there\"<|eot|><|header_start|>assistant<|header_end|>\n\nHello<|eot|>` +
			`<|header_start|>user<|header_end|>\n\nWhy?<|eot|><|header_start|>assistant<|header_end|>\n\n",` +
			`"max_gen_len":64,"temperature":0.5,"top_p":0.9}`, "dropped top_k, dropped seed, dropped stop"},
		"meta.llama2-13b-chat-v1": {`{"prompt":"<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi\n\"there\" [/INST] Hello </s><s>[INST] Why? [/INST]",` +
			`"max_gen_len":64,"temperature":0.5,"top_p":0.9}`, "dropped top_k, dropped seed, dropped stop"},
		"mistral.mixtral-8x7b-instruct-v0:1": {`{"prompt":"<s>[INST] Be brief.\n\nHi\n\"there\" [/INST] Hello</s>[INST] Why? [/INST]",` +
			`"max_tokens":64,"temperature":0.5,"top_p":0.9,"top_k":5,"stop":["END"]}`, "dropped seed"},
		"mistral.mistral-large-2407-v1:0": {`{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},{"role":"user","content":"\"there\""},` +
			`{"role":"assistant","content":"Hello"},{"role":"user","content":"Why?"}],"max_tokens":64,"temperature":0.5,"top_p":0.9,"top_k":5,"seed":7,"stop":["END"]}`, ""},
		"amazon.titan-text-express-v1": {`{"inputText":"Be brief.\n\nUser: Hi\n\"there\"\nBot: Hello\nUser: Why?\nBot:",` +
			`"textGenerationConfig":{"maxTokenCount":64,"temperature":0.5,"topP":0.9,"stopSequences":["END"]}}`, "dropped top_k, dropped seed"},
		"cohere.command-text-v14": {`{"prompt":"Be brief.\n\nUser: Hi\n\"there\"\nChatbot: Hello\nUser: Why?\nChatbot:",` +
			`"max_tokens":64,"temperature":0.5,"p":0.9,"k":5,"stop_sequences":["END"]}`, "dropped seed"},
		"cohere.command-r-plus-v1:0": {`{"message":"Why?","chat_history":[{"role":"USER","message":"Hi"},{"role":"USER","message":"\"there\""},` +
			`{"role":"CHATBOT","message":"Hello"}],"preamble":"Be brief.","max_tokens":64,"temperature":0.5,"p":0.9,"k":5,"seed":7,"stop_sequences":["END"]}`, ""},
		"us.deepseek.r1-v1:0": {`{"prompt":"<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi\n\"there\"<｜Assistant｜>Hello<｜end▁of▁sentence｜><｜User｜>Why?<｜Assistant｜><think>\n",` +
			`"max_tokens":64,"temperature":0.5,"top_p":0.9,"stop":["END"]}`, "dropped top_k, dropped seed"},
		"eu.amazon.nova-lite-v1:0": {`{"schemaVersion":"messages-v1","system":[{"text":"Be brief."}],"messages":[{"role":"user","content":[{"text":"Hi"},{"text":"\"there\""}]},` +
			`{"role":"assistant","content":[{"text":"Hello"}]},{"role":"user","content":[{"text":"Why?"}]}],` +
			`"inferenceConfig":{"maxTokens":64,"temperature":0.5,"topP":0.9,"topK":5,"stopSequences":["END"]}}`, "dropped seed"},
		"arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-6-v1": {`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,` +
			`"system":"Be brief.","messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"text","text":"\"there\""}]},` +
			`{"role":"assistant","content":"Hello"},{"role":"user","content":"Why?"}],` +
			`"temperature":0.5,"top_k":5,"stop_sequences":["END"]}`, "*"},
	} {
		t.Run(model, func(t *testing.T) {
			var l dialect.Ledger
			body, e := invoke.Provider.Encode(nil, talk(), &dialect.Target{Model: model, Flavour: "invoke"}, &l)
			require.Nil(t, e)
			require.True(t, json.Valid(body), string(body))
			require.Equal(t, c.body, string(body))
			if c.loss != "*" {
				require.Equal(t, c.loss, string(l.Append(nil)))
			}
		})
	}
}

// TestInvokeBounds: numbers that a model refuses are moved to its bounds, which the
// ledger tells.
func TestInvokeBounds(t *testing.T) {
	for model, c := range map[string]struct{ body, loss string }{
		"meta.llama3-8b-instruct-v1:0":           {`"max_gen_len":2048,"temperature":1,"top_p":1`, "max_tokens temperature"},
		"us.meta.llama4-scout-17b-instruct-v1:0": {`"max_gen_len":9000,"temperature":1,"top_p":1`, "temperature"},
		"amazon.titan-text-premier-v1:0":         {`"maxTokenCount":3072,"temperature":1,"topP":1`, "max_tokens temperature"},
		"amazon.titan-text-express-v1":           {`"maxTokenCount":8192,"temperature":1,"topP":1`, "max_tokens temperature"},
		"cohere.command-r-v1:0": {`"max_tokens":4096,"temperature":1,"p":0.99,"presence_penalty":0,"frequency_penalty":0.5`,
			"max_tokens temperature top_p presence_penalty"},
	} {
		var l dialect.Ledger
		r := &llm.Request{Facts: llm.Facts{Operation: llm.Chat, Choices: 1, MaxTokens: 9000}, Messages: []llm.Message{said(llm.User, "Hi")},
			Sampling: llm.Sampling{Temperature: "1.5", TopP: "1", PresencePenalty: "-1", FrequencyPenalty: "0.5"}}
		body, e := invoke.Provider.Encode(nil, r, &dialect.Target{Model: model}, &l)
		require.Nil(t, e)
		require.True(t, json.Valid(body), string(body))
		require.Contains(t, string(body), c.body)
		var moved []string
		for _, x := range l.Entries {
			if x.Fate == dialect.Defaulted {
				moved = append(moved, x.Field)
			}
		}
		require.Equal(t, c.loss, strings.Join(moved, " "), model)
	}
}

// TestNovaBodies: Nova's have no documents, and the second Nova's no version.
func TestNovaBodies(t *testing.T) {
	r := &llm.Request{Facts: llm.Facts{Operation: llm.Chat, Choices: 1}, Messages: []llm.Message{said(llm.User, "Hi")}}
	body, e := invoke.Provider.Encode(nil, r, &dialect.Target{Model: "us.amazon.nova-2-lite-v1:0"}, nil)
	require.Nil(t, e)
	require.Equal(t, `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`, string(body))
	r.Messages[0].Parts = append(r.Messages[0].Parts, llm.Part{Kind: llm.DocumentPart, Media: llm.Media{Type: llm.Escaped("application/pdf"), Data: llm.Escaped("JVBERi0=")}})
	_, e = invoke.Provider.Encode(nil, r, &dialect.Target{Model: "amazon.nova-lite-v1:0"}, nil)
	require.NotNil(t, e)
	require.Equal(t, "messages[0].content", e.Param)
}

// TestInvokeJSON: where a model knows no such form an instruction asks for it.
func TestInvokeJSON(t *testing.T) {
	for model, want := range map[string]string{
		"meta.llama2-13b-chat-v1":            `{"prompt":"<s>[INST] <<SYS>>\nBe brief.\n` + instruction + `\n<</SYS>>\n\nHi [/INST]"}`,
		"mistral.mixtral-8x7b-instruct-v0:1": `{"prompt":"<s>[INST] Be brief.\n` + instruction + `\n\nHi [/INST]"}`,
		"cohere.command-r-v1:0":              `{"message":"Hi","chat_history":[],"preamble":"Be brief.\n` + instruction + `"}`,
		"amazon.nova-lite-v1:0":              `{"schemaVersion":"messages-v1","system":[{"text":"Be brief."},{"text":"` + instruction + `"}],"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`,
	} {
		var l dialect.Ledger
		r := &llm.Request{Facts: llm.Facts{Operation: llm.Chat, Choices: 1}, Format: &llm.Format{},
			Messages: []llm.Message{said(llm.System, "Be brief."), said(llm.User, "Hi")}}
		body, e := invoke.Provider.Encode(nil, r, &dialect.Target{Model: model}, &l)
		require.Nil(t, e)
		require.Equal(t, want, string(body))
		require.Equal(t, "defaulted response_format", string(l.Append(nil)))
		r.Messages = r.Messages[:1]
		body, e = invoke.Provider.Encode(nil, r, &dialect.Target{Model: model}, &l)
		require.Nil(t, e)
		require.Contains(t, string(body), instruction)
	}
}

const instruction = "Respond with one valid JSON object and nothing else."

// TestInvokeEmpty: nothing to say breaks no family's body.
func TestInvokeEmpty(t *testing.T) {
	for _, model := range []string{"meta.llama3", "mistral.mistral-7b", "mistral.mistral-large-2407", "amazon.titan-text", "amazon.nova", "cohere.command-r", "cohere.command", "anthropic.claude"} {
		for _, list := range [][]llm.Message{nil, {{Role: llm.System}}, {{Role: llm.Assistant}}, {{}}} {
			r := &llm.Request{Facts: llm.Facts{Operation: llm.Chat, Choices: 1, MaxTokens: 9}, Messages: list}
			body, e := invoke.Provider.Encode(nil, r, &dialect.Target{Model: model}, nil)
			require.True(t, e != nil || json.Valid(body), "%s %s", model, body)
		}
	}
}

func TestInvokeRefuses(t *testing.T) {
	for name, edit := range map[string]func(r *llm.Request){
		"tools":  func(r *llm.Request) { r.Tools = []llm.Tool{{Name: llm.Escaped("f")}} },
		"image":  func(r *llm.Request) { r.Messages[1].Parts[0].Kind = llm.ImagePart },
		"schema": func(r *llm.Request) { r.Format = &llm.Format{Schema: llm.Raw(`{"type":"object"}`)} },
		"many":   func(r *llm.Request) { r.Choices = 2 },
	} {
		r := talk()
		edit(r)
		_, e := invoke.Provider.Encode(nil, r, &dialect.Target{Model: "meta.llama3-8b-instruct-v1:0"}, nil)
		require.NotNil(t, e, name)
		require.NotEmpty(t, e.Param)
		if _, e = invoke.Provider.Encode(nil, r, &dialect.Target{Model: "amazon.nova-lite-v1:0"}, nil); name == "schema" {
			require.Equal(t, "response_format", e.Param)
		}
	}
	for _, model := range []string{"arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "amazon.rerank-v1:0"} {
		target := dialect.Target{Model: model}
		_, e := invoke.Provider.Encode(nil, talk(), &target, nil)
		require.Equal(t, "model", e.Param)
		_, e = invoke.Provider.Decode(nil, &target, []byte("{}"))
		require.Equal(t, "model", e.Param)
		events := dialecttest.Decode(invoke.Provider.NewDecoder(nil, &target, limits), aws.AppendChunk(nil, []byte(`{"a":1}`)))
		require.Equal(t, llm.Failure, events[len(events)-1].Kind)
	}
}

func TestInvokeAnswers(t *testing.T) {
	for model, c := range map[string]struct {
		body, text string
		finish     llm.Finish
		usage      string
	}{
		"meta.llama3":                      {`{"generation":"a","prompt_token_count":3,"generation_token_count":4,"stop_reason":"length"}`, "a", llm.FinishLength, "input=3 output=4 known=true"},
		"mistral.mistral-7b-instruct-v0:2": {`{"outputs":[{"text":"a","stop_reason":"stop"}]}`, "a", llm.FinishStop, "known=false"},
		"mistral.pixtral-large-2502-v1:0":  {`{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"stop_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`, "a", llm.FinishStop, "input=3 output=4 known=true"},
		"amazon.titan-text-lite-v1":        {`{"inputTextTokenCount":3.0,"results":[{"tokenCount":4.0,"outputText":"a","completionReason":"FINISH"}]}`, "a", llm.FinishStop, "input=3 output=4 known=true"},
		"cohere.command-text-v14":          {`{"generations":[{"finish_reason":"MAX_TOKENS","id":"1","text":"a"}],"id":"2","prompt":"p"}`, "a", llm.FinishLength, "known=false"},
		"cohere.command-r-v1:0":            {`{"response_id":"1","text":"a","generation_id":"2","finish_reason":"COMPLETE"}`, "a", llm.FinishStop, "known=false"},
		"us.deepseek.r1-v1:0":              {`{"choices":[{"text":"a","stop_reason":"stop"}]}`, "a", llm.FinishStop, "known=false"},
		"amazon.nova-micro-v1:0":           {`{"output":{"message":{"content":[{"text":"a"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":4,"cacheReadInputTokenCount":5,"cacheWriteInputTokenCount":6}}`, "a", llm.FinishStop, "input=3 cache_read=5 cache_write=6 output=4 known=true"},
		"anthropic.claude-3-haiku":         {`{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":4}}`, "a", llm.FinishStop, "input=3 output=4 known=true"},
		"amazon.titan-text-lite":           {`{"inputTextTokenCount":3,"results":[{"tokenCount":4,"outputText":"Sorry","completionReason":null}],"amazon-bedrock-guardrailAction":"INTERVENED"}`, "Sorry", llm.FinishFilter, "input=3 output=4 known=true"},
	} {
		t.Run(model, func(t *testing.T) {
			target := dialect.Target{Model: model}
			a, e := invoke.Provider.Decode(&llm.Facts{Choices: 1}, &target, []byte(c.body))
			require.Nil(t, e)
			require.Equal(t, c.text, dialecttest.Plain(a.Choices[0].Parts[0].Text))
			require.Equal(t, dialecttest.FinishName(c.finish), dialecttest.FinishName(a.Choices[0].Finish))
			require.Equal(t, c.usage, dialecttest.UsageText(&a.Usage))
			for _, bad := range []string{"", "{", "{}", "<html>", `{"__type":"ThrottlingException","message":"m"}`} {
				_, e := invoke.Provider.Decode(&llm.Facts{Choices: 1}, &target, []byte(bad))
				require.NotNil(t, e, bad)
			}
		})
	}
}

func chunks(events ...string) []byte {
	var out []byte
	for _, e := range events {
		out = aws.AppendChunk(out, []byte(e))
	}
	return out
}

const metrics = `"amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":4,"invocationLatency":5,"firstByteLatency":2}`

func TestInvokeStreams(t *testing.T) {
	for model, c := range map[string]struct {
		stream []byte
		finish llm.Finish
	}{
		"meta.llama3":                      {chunks(`{"generation":"a","prompt_token_count":3,"generation_token_count":1,"stop_reason":null}`, `{"generation":"b","prompt_token_count":null,"generation_token_count":4,"stop_reason":"stop",`+metrics+`}`), llm.FinishStop},
		"mistral.mistral-7b-instruct-v0:2": {chunks(`{"outputs":[{"text":"a","stop_reason":null}]}`, `{"outputs":[{"text":"b","stop_reason":"length"}],`+metrics+`}`), llm.FinishLength},
		"mistral.mistral-large-2407-v1:0":  {chunks(`{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}`, `{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}],`+metrics+`}`), llm.FinishStop},
		"amazon.titan-text-lite-v1":        {chunks(`{"outputText":"a","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":3}`, `{"outputText":"b","index":0,"totalOutputTextTokenCount":4,"completionReason":"FINISH","inputTextTokenCount":3,`+metrics+`}`), llm.FinishStop},
		"cohere.command-r-v1:0":            {chunks(`{"is_finished":false,"event_type":"text-generation","text":"a"}`, `{"is_finished":false,"event_type":"text-generation","text":"b"}`, `{"is_finished":true,"event_type":"stream-end","response":{},"finish_reason":"COMPLETE",`+metrics+`}`), llm.FinishStop},
		"cohere.command-text-v14":          {chunks(`{"index":0,"is_finished":false,"text":"a"}`, `{"index":0,"is_finished":false,"text":"b"}`, `{"index":0,"is_finished":true,"finish_reason":"COMPLETE","text":"",`+metrics+`}`), llm.FinishStop},
		"amazon.nova-lite-v1:0":            {chunks(`{"messageStart":{"role":"assistant"}}`, `{"contentBlockDelta":{"delta":{"text":"a"},"contentBlockIndex":0}}`, `{"contentBlockStop":{"contentBlockIndex":0}}`, `{"contentBlockDelta":{"delta":{"text":"b"},"contentBlockIndex":1}}`, `{"messageStop":{"stopReason":"max_tokens"}}`, `{"metadata":{"usage":{"inputTokens":3,"outputTokens":4}},`+metrics+`}`), llm.FinishLength},
		"anthropic.claude-3-haiku":         {chunks(`{"type":"message_start","message":{"id":"m","role":"assistant","model":"c","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}`, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}`, `{"type":"content_block_stop","index":0}`, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}`, `{"type":"message_stop",`+metrics+`}`), llm.FinishStop},
		"amazon.titan-text-express-v1":     {chunks(`{"outputText":"ab","index":0,"totalOutputTextTokenCount":4,"inputTextTokenCount":3,"amazon-bedrock-guardrailAction":"INTERVENED",` + metrics + `}`), llm.FinishFilter},
	} {
		t.Run(model, func(t *testing.T) {
			target := dialect.Target{Model: model}
			var want string
			dialecttest.OneCut(c.stream, func(cut ...[]byte) {
				events := dialecttest.Decode(invoke.Provider.NewDecoder(&llm.Facts{Stream: true, Choices: 1}, &target, limits), cut...)
				require.NoError(t, dialecttest.CheckEvents(events))
				if want == "" {
					want = dialecttest.Script(events)
					require.Equal(t, "ab", dialecttest.Said(events, 0, llm.TextPart))
					require.Contains(t, want, "finish 0 "+dialecttest.FinishName(c.finish))
					require.NotNil(t, dialecttest.Last(events), want)
					require.Equal(t, "input=3 output=4 known=true", dialecttest.UsageText(dialecttest.Last(events)))
					require.Equal(t, llm.End, events[len(events)-1].Kind)
				}
				require.Equal(t, want, dialecttest.Script(events))

				out, told := dialecttest.Tap(invoke.Same.NewTap(nil, limits, &dialect.Patch{}), cut...)
				require.True(t, string(out) == string(c.stream))
				require.NoError(t, dialecttest.CheckEvents(told))
				require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
			})
			for _, bad := range [][]byte{nil, c.stream[:len(c.stream)-1], append(append([]byte(nil), c.stream...), 'x'),
				aws.AppendException(chunks(`{}`), &llm.Error{Class: llm.Overloaded, Message: "m"}, "")} {
				events := dialecttest.Decode(invoke.Provider.NewDecoder(&llm.Facts{Stream: true, Choices: 1}, &target, limits), bad)
				require.NoError(t, dialecttest.CheckEvents(events))
				if string(bad) != string(c.stream)+"x" {
					require.Equal(t, llm.Failure, events[len(events)-1].Kind)
				}
				_, told := dialecttest.Tap(invoke.Same.NewTap(nil, limits, &dialect.Patch{}), bad)
				require.Equal(t, llm.Failure, told[len(told)-1].Kind)
			}
		})
	}
}

// TestClaudeClient serves a client of Claude on Bedrock by any target.
func TestClaudeClient(t *testing.T) {
	call, ok := invoke.Client.Recognise(&dialect.Line{Method: "POST", Path: "/model/fast/invoke-with-response-stream"})
	require.True(t, ok)
	require.Equal(t, dialect.Call{Operation: llm.Chat, Model: "fast", Stream: true}, call)
	doc, bad := jsonx.Scan([]byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`), invoke.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, e := invoke.Client.Facts(call, &doc)
	require.Nil(t, e)
	require.Equal(t, "fast 9 true", strings.Join([]string{f.Model, string(rune('0' + f.MaxTokens)), map[bool]string{true: "true"}[f.Stream]}, " "))
	r, e := invoke.Client.Decode(f, &doc)
	require.Nil(t, e)
	require.Equal(t, "Hi", string(r.Messages[0].Parts[0].Text))
	for _, s := range dialecttest.Streams(llm.Chat) {
		out := dialecttest.Encode(invoke.Client.NewEncoder(&f, "fast"), s.Value)
		frames, err := grammar.EventStream(out)
		require.NoError(t, err)
		g := grammar.Anthropic()
		for _, frame := range frames {
			require.Equal(t, "chunk", frame.Name)
			var chunk struct{ Bytes []byte }
			require.NoError(t, json.Unmarshal([]byte(frame.Data), &chunk))
			var event struct{ Type string }
			require.NoError(t, json.Unmarshal(chunk.Bytes, &event))
			require.NoError(t, g.Event(event.Type, string(chunk.Bytes)))
		}
		require.NoError(t, g.End())
	}
	a := llm.Answer{Choices: []llm.Choice{{Finish: llm.FinishStop}}}
	require.Contains(t, string(invoke.Client.AppendAnswer(nil, &f, "fast", &a, nil)), `"type":"message"`)
}

// TestOtherClient keeps bodies of other families for targets of this dialect.
func TestOtherClient(t *testing.T) {
	call := dialect.Call{Operation: llm.Chat, Model: "fast"}
	for body, limit := range map[string]int{`{"prompt":"a","max_gen_len":5}`: 5, `{"inputText":"a","textGenerationConfig":{"maxTokenCount":6}}`: 6,
		`{"messages":[],"inferenceConfig":{"max_new_tokens":7}}`: 7, `{"prompt":"a"}`: 0} {
		doc, bad := jsonx.Scan([]byte(body), invoke.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		f, e := invoke.Client.Facts(call, &doc)
		require.Nil(t, e)
		require.Equal(t, limit, f.MaxTokens)
		_, e = invoke.Client.Decode(f, &doc)
		require.Equal(t, "unsupported_parameter", e.Code)
		var edits jsonx.Edits
		invoke.Same.Request(&edits, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "m", MaxTokens: 9}})
		require.True(t, edits.Empty())
	}
	_, _, e := invoke.Same.Answer(nil, nil, []byte("<html>"), nil)
	require.Equal(t, llm.MalformedAnswer, e.Class)
}

// TestServes says in which API a target is asked.
func TestServes(t *testing.T) {
	d := bedrock.New(anthropic.Messages(), openai.Chat())
	doc, bad := jsonx.Scan([]byte(`{"anthropic_version":"v","max_tokens":9,"messages":[]}`), invoke.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	facts, _ := invoke.Client.Facts(dialect.Call{}, &doc)
	claude := facts.Form
	require.NotZero(t, claude)
	for _, c := range []struct {
		own     int // index of the client's API; -1: another dialect's
		op      llm.Operation
		form    uint8
		flavour string
		model   string
		want    string
		same    bool
	}{
		{-1, llm.Chat, 0, "", "", "converse", false}, {-1, llm.Chat, 0, "invoke", "", "invoke", false}, {-1, llm.Embed, 0, "", "", "embed", false},
		{0, llm.Chat, 0, "", "", "converse", true}, {0, llm.Chat, 0, "invoke", "", "invoke", false},
		{1, llm.Chat, 0, "", "meta.llama3", "invoke", true}, {1, llm.Chat, 0, "invoke", "amazon.nova-lite", "invoke", true},
		{1, llm.Chat, claude, "", "us.anthropic.claude-x", "invoke", true}, {1, llm.Chat, claude, "invoke", "anthropic.claude-x", "invoke", true},
		{1, llm.Chat, claude, "", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "invoke", true},
		{1, llm.Chat, claude, "", "us.amazon.nova-lite-v1:0", "converse", false}, {1, llm.Chat, claude, "invoke", "us.amazon.nova-lite-v1:0", "invoke", false},
		{1, llm.Chat, claude, "invoke", "meta.llama3-8b-instruct-v1:0", "invoke", false}, {1, llm.Chat, claude, "invoke", "openai.gpt-oss-20b-1:0", "invoke", false},
	} {
		var own *dialect.API
		if c.own >= 0 {
			own = d.APIs[c.own]
		}
		api, same := d.Serves(own, &llm.Facts{Operation: c.op, Form: c.form}, &dialect.Target{Flavour: c.flavour, Model: c.model})
		require.Equal(t, c.want, api.Name, c)
		require.Equal(t, c.same, same, c)
	}
}

func TestEmbed(t *testing.T) {
	embed := bedrock.Embed().Provider
	one := &llm.Request{Facts: llm.Facts{Operation: llm.Embed, Choices: 1}, Embed: &llm.EmbedRequest{Inputs: []llm.Part{{Text: llm.Escaped("a")}}, Dimensions: "256"}}
	two := &llm.Request{Facts: llm.Facts{Operation: llm.Embed, Choices: 1}, Embed: &llm.EmbedRequest{Inputs: []llm.Part{{Text: llm.Escaped("a")}, {Text: llm.Escaped("b")}},
		Task: llm.Escaped("search_query"), Truncate: llm.Escaped("END"), Dimensions: "256"}}
	for _, c := range []struct {
		model      string
		r          *llm.Request
		body, loss string
	}{
		{"amazon.titan-embed-text-v2:0", one, `{"inputText":"a","dimensions":256}`, ""},
		{"amazon.titan-embed-text-v1", one, `{"inputText":"a"}`, "dropped dimensions"},
		{"cohere.embed-english-v3", two, `{"texts":["a","b"],"input_type":"search_query","truncate":"END"}`, "dropped dimensions"},
		{"us.cohere.embed-v4:0", one, `{"texts":["a"],"input_type":"search_document","output_dimension":256}`, "defaulted input_type"},
	} {
		var l dialect.Ledger
		body, e := embed.Encode(nil, c.r, &dialect.Target{Model: c.model}, &l)
		require.Nil(t, e)
		require.Equal(t, c.body, string(body))
		require.Equal(t, c.loss, string(l.Append(nil)))
	}
	_, e := embed.Encode(nil, two, &dialect.Target{Model: "amazon.titan-embed-text-v2:0"}, nil)
	require.Equal(t, "input", e.Param)
	for body, want := range map[string]string{
		`{"embedding":[0.1,2],"inputTextTokenCount":3}`: "[0.1,2] known=true",
		`{"embeddings":[[1,2],[3]],"id":"x"}`:           "[1,2] [3] known=false",
		`{"embeddings":{"float":[[1,2]]}}`:              "[1,2] known=false",
	} {
		a, e := embed.Decode(nil, nil, []byte(body))
		require.Nil(t, e)
		var got []string
		for _, v := range a.Vectors {
			got = append(got, string(v.Values))
		}
		require.Equal(t, want, strings.Join(got, " ")+map[bool]string{true: " known=true", false: " known=false"}[a.Usage.Known])
	}
	for _, bad := range []string{"", "{}", `{"embeddings":[1]}`, `{"embedding":1}`} {
		_, e := embed.Decode(nil, nil, []byte(bad))
		require.Equal(t, llm.MalformedAnswer, e.Class, bad)
	}
	require.Equal(t, "/model/m/invoke", embed.Path(nil, &dialect.Target{Model: "m"}))
}

// legacy are recorded answers in forms that no request is translated to any more, by
// what tells them; as bytes that pass they are read like all.
var legacy = map[string]string{
	`"object":"text_completion"`: "an endpoint of SageMaker, whose bodies its model's name does not tell",
	`{"type":"completion"`:       "text completions of Claude 2, which take one text and no turns",
	`"generatedToken":`:          "Jurassic-2 of AI21, which takes one text and no turns",
}

// isLegacy reports whether an answer has one of those forms.
func isLegacy(answer string) bool {
	for tells := range legacy {
		if strings.Contains(answer, tells) {
			return true
		}
	}
	return false
}

// TestRecordedInvocations reads every recorded answer as its model's family, and as
// bytes that pass: both count what the provider reported.
func TestRecordedInvocations(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "bedrock-invoke.jsonl", "bedrock-invoke-stream.jsonl") {
		t.Run(r.ID, func(t *testing.T) {
			at, err := url.Parse(r.URL)
			require.NoError(t, err)
			call, ok := invoke.Client.Recognise(&dialect.Line{Method: r.Method, Path: at.EscapedPath()})
			require.True(t, ok)
			target := dialect.Target{Model: call.Model}
			f := llm.Facts{Stream: call.Stream, Choices: 1}
			if r.Status != 200 {
				e := invoke.Provider.Classify(r.Status, func(n string) string { return r.Headers[n] }, []byte(r.Response))
				require.NotZero(t, e.Class)
				return
			}
			if !call.Stream {
				usage, _, e := invoke.Same.Answer(nil, &f, []byte(r.Response), nil)
				require.Nil(t, e)
				if strings.Contains(call.Model, "embed") {
					return
				}
				a, e := invoke.Provider.Decode(&f, &target, []byte(r.Response))
				if isLegacy(r.Response) {
					require.NotNil(t, e, "it is refused, not misread")
					return
				}
				require.Nil(t, e, r.Response)
				require.Equal(t, dialecttest.UsageText(&a.Usage), dialecttest.UsageText(&usage))
				return
			}
			stream, err := base64.StdEncoding.DecodeString(r.Response)
			require.NoError(t, err)
			events := dialecttest.Decode(invoke.Provider.NewDecoder(&f, &target, limits), stream)
			require.NoError(t, dialecttest.CheckEvents(events))
			require.Equal(t, llm.End, events[len(events)-1].Kind)
			require.NotNil(t, dialecttest.Last(events))
			dialecttest.Partitions(stream, 3, 4, func(cut ...[]byte) {
				out, told := dialecttest.Tap(invoke.Same.NewTap(&f, limits, &dialect.Patch{}), cut...)
				require.True(t, string(out) == string(stream))
				require.Equal(t, dialecttest.UsageText(dialecttest.Last(events)), dialecttest.UsageText(dialecttest.Last(told)))
			})
		})
	}
}

func FuzzInvoke(f *testing.F) {
	f.Add(chunks(`{"generation":"a","stop_reason":"stop"}`), uint8(0))
	models := []string{"meta.llama3", "mistral.mistral-7b", "mistral.mistral-large-2407", "amazon.titan-text", "amazon.nova", "cohere.command-r", "anthropic.claude"}
	f.Fuzz(func(t *testing.T, data []byte, which uint8) {
		target := dialect.Target{Model: models[int(which)%len(models)]}
		facts := llm.Facts{Stream: true, Choices: 1}
		for _, stream := range [][]byte{data, aws.AppendChunk(nil, data)} {
			events := dialecttest.Decode(invoke.Provider.NewDecoder(&facts, &target, limits), stream)
			require.NoError(t, dialecttest.CheckEvents(events))
			_, told := dialecttest.Tap(invoke.Same.NewTap(&facts, limits, &dialect.Patch{}), stream)
			require.NoError(t, dialecttest.CheckEvents(told))
		}
		if _, e := invoke.Provider.Decode(&facts, &target, data); e != nil {
			require.NotZero(t, e.Class)
		}
	})
}
