package bedrock_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/tools/mock/internal/mocktest"
)

// bodies ask each family to say "sally port" again.
var bodies = []struct {
	model string
	body  j
	text  []any // where the answer stands
	piece string
}{
	{"us.anthropic.claude-sonnet-4-5-20250929-v1%3A0", j{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
		"messages": []j{{"role": "user", "content": "sally port"}}}, []any{"content", 0, "text"}, `"type":"text_delta","text":"`},
	{"amazon.nova-lite-v1%3A0", ask("sally port", j{"schemaVersion": "messages-v1", "inferenceConfig": j{"topK": 2}}),
		[]any{"output", "message", "content", 0, "text"}, `{"contentBlockDelta":{`},
	{"meta.llama3-70b-instruct-v1%3A0", j{"max_gen_len": 50, "prompt": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nsally port<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"},
		[]any{"generation"}, `"generation":"`},
	{"mistral.mistral-7b-instruct-v0%3A2", j{"prompt": "<s>[INST] sally port [/INST]", "top_k": 10}, []any{"outputs", 0, "text"}, `"outputs":[{`},
	{"amazon.titan-text-express-v1", j{"inputText": "User: sally port\nBot:", "textGenerationConfig": j{"topP": 1}}, []any{"results", 0, "outputText"}, `"outputText":"`},
	{"cohere.command-r-v1%3A0", j{"message": "sally port", "chat_history": []j{{"role": "USER", "message": "a"}}}, []any{"text"}, `"text-generation"`},
}

func TestInvoke(t *testing.T) {
	c := client(t)
	for _, b := range bodies {
		t.Run(b.model, func(t *testing.T) {
			res, raw := c.Do(c.Request("POST", "/model/"+b.model+"/invoke", b.body))
			require.Equal(t, 200, res.StatusCode, string(raw))
			require.NotEmpty(t, res.Header.Get("x-amzn-bedrock-output-token-count"))
			out := c.Post("/model/"+b.model+"/invoke", b.body, 200)
			require.Contains(t, mocktest.Text(out, b.text...), `You said: "sally port"`)

			res, raw = c.Do(c.Request("POST", "/model/"+b.model+"/invoke-with-response-stream", b.body))
			require.Equal(t, 200, res.StatusCode)
			chunks := aws.NewChunks(dialect.Limits{Event: 1 << 20})
			chunks.Feed(raw)
			var events []string
			for data, ok := chunks.Next(); ok; data, ok = chunks.Next() {
				events = append(events, string(data))
			}
			require.Nil(t, chunks.Err())
			require.Nil(t, chunks.Close())
			require.Contains(t, strings.Join(events, "\n"), b.piece)
			require.True(t, aws.Metrics([]byte(events[len(events)-1])).Known)

			b.body["unknown"] = 1
			out = c.Post("/model/"+b.model+"/invoke", b.body, 400)
			require.Contains(t, mocktest.Text(out, "message"), "unknown")
		})
	}
}

func TestInvokeRefuses(t *testing.T) {
	c := client(t)
	for _, b := range []struct {
		model string
		body  j
	}{
		{"us.anthropic.claude-sonnet-4-5-20250929-v1%3A0", j{"max_tokens": 50, "messages": []j{{"role": "user", "content": "a"}}}},
		{"us.anthropic.claude-sonnet-4-5-20250929-v1%3A0", j{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "model": "x", "messages": []j{{"role": "user", "content": "a"}}}},
		{"meta.llama3-70b-instruct-v1%3A0", j{"prompt": ""}},
		{"meta.llama3-70b-instruct-v1%3A0", j{"prompt": "a", "max_gen_len": "1"}},
		{"amazon.titan-text-express-v1", j{"inputText": "a", "textGenerationConfig": j{"max_tokens": 1}}},
		{"amazon.titan-embed-text-v1", j{"inputText": "a", "dimensions": 256}},
		{"amazon.titan-embed-text-v2%3A0", j{"inputText": "a", "dimensions": 300}},
		{"cohere.embed-english-v3", j{"texts": []string{"a"}}},
		{"amazon.nova-lite-v1%3A0", j{"messages": []j{{"role": "user", "content": []j{{"document": j{"format": "pdf", "name": "d", "source": j{"bytes": "JVBERi0="}}}}}}}},
		{"nobody.model", j{"prompt": "a"}},
	} {
		res, raw := c.Do(c.Request("POST", "/model/"+b.model+"/invoke", b.body))
		require.Equal(t, 400, res.StatusCode, string(raw))
		require.True(t, strings.HasPrefix(res.Header.Get("x-amzn-errortype"), "ValidationException"), b.model)
	}
}

// TestInvokeSays holds the words against an answer that was published: one for each
// thing that is wrong.
func TestInvokeSays(t *testing.T) {
	out := client(t).Post("/model/meta.llama3-70b-instruct-v1%3A0/invoke", j{"anthropic_version": "v", "max_tokens": 1}, 400)
	words := mocktest.Text(out, "message")
	require.Contains(t, words, "#: required key [prompt] not found")
	require.Contains(t, words, "#: extraneous key [max_tokens] is not permitted")
	require.Contains(t, words, "#: extraneous key [anthropic_version] is not permitted")
}

func TestInvokeVectors(t *testing.T) {
	c := client(t)
	out := c.Post("/model/amazon.titan-embed-text-v2%3A0/invoke", j{"inputText": "a sally port", "dimensions": 256}, 200)
	require.Len(t, out["embedding"], 256)
	require.EqualValues(t, 3, mocktest.Num(out, "inputTextTokenCount"))
	out = c.Post("/model/cohere.embed-v4%3A0/invoke", j{"texts": []string{"a", "b"}, "input_type": "search_query", "embedding_types": []string{"float"}}, 200)
	require.Len(t, out["embeddings"].(map[string]any)["float"], 2)
}
