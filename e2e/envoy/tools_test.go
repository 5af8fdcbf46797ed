package envoy

import (
	"encoding/json"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	sdk "github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"
)

// weather is a chat with one tool.
func weather(model string) openai.ChatCompletionNewParams {
	p := say(model, "What is the weather in Paris?")
	p.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(sdk.FunctionDefinitionParam{
		Name: "get_weather", Description: param.NewOpt("The weather in a city."),
		Parameters: sdk.FunctionParameters{
			"type": "object", "required": []string{"city"},
			"properties": map[string]any{"city": map[string]any{"type": "string"}},
		},
	})}
	return p
}

// answered adds the model's call and the tool's result to the chat.
func answered(t *testing.T, p openai.ChatCompletionNewParams, m openai.ChatCompletionMessage) openai.ChatCompletionNewParams {
	t.Helper()
	require.Len(t, m.ToolCalls, 1)
	call := m.ToolCalls[0]
	require.NotEmpty(t, call.ID)
	require.Equal(t, "get_weather", call.Function.Name)
	var args struct{ City string }
	require.NoError(t, json.Unmarshal([]byte(call.Function.Arguments), &args), "arguments %s", call.Function.Arguments)
	require.NotEmpty(t, args.City)
	p.Messages = append(p.Messages, m.ToParam(), openai.ToolMessage("nineteen degrees and drizzle", call.ID))
	return p
}

// Two turns: the model calls the tool, and its result comes back in an answer.
func TestTools(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			first := ask(t, weather(s.model))
			require.Nil(t, first.err)
			require.Equal(t, "tool_calls", first.answer.Choices[0].FinishReason)
			second := ask(t, answered(t, weather(s.model), first.answer.Choices[0].Message))
			require.Nil(t, second.err)
			require.Contains(t, second.answer.Choices[0].Message.Content, "drizzle")
			accounted(t, s, first, &first.answer.Usage)
			accounted(t, s, second, &second.answer.Usage)
		})
	}
}

func TestStreamedTools(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			first, acc := stream(t, weather(s.model))
			require.Nil(t, first.err)
			require.Nil(t, first.broke)
			require.Equal(t, "tool_calls", acc.Choices[0].FinishReason)
			second, acc := stream(t, answered(t, weather(s.model), acc.Choices[0].Message))
			require.Nil(t, second.err)
			require.Nil(t, second.broke)
			require.Contains(t, acc.Choices[0].Message.Content, "drizzle")
			accounted(t, s, first, nil)
			accounted(t, s, second, nil)
		})
	}
}

// Parallel calls keep their places in a stream.
func TestParallelTools(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			got, acc := stream(t, weather(s.model), behave("parallel-tools=3"))
			require.Nil(t, got.err)
			require.Nil(t, got.broke)
			calls := acc.Choices[0].Message.ToolCalls
			require.Len(t, calls, 3)
			for _, c := range calls {
				require.True(t, json.Valid([]byte(c.Function.Arguments)), "arguments %s", c.Function.Arguments)
			}
			accounted(t, s, got, nil)
		})
	}
}

// onePixel is a PNG.
const onePixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestImages(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			p := say(s.model, "")
			p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
				openai.TextContentPart("What is in this picture?"),
				openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: onePixel}),
			})}
			got := ask(t, p)
			require.Nil(t, got.err)
			require.NotEmpty(t, got.answer.Choices[0].Message.Content)
			accounted(t, s, got, &got.answer.Usage)
		})
	}
}
