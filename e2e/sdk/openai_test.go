package sdk

import (
	"context"
	"errors"
	"strconv"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	openaishared "github.com/openai/openai-go/v3/shared"
)

// openaiKinds are the types of OpenAI's errors.
var openaiKinds = map[string]fault{
	"wrong key": {401, "invalid_request_error"}, "unknown model": {404, "invalid_request_error"}, "denied": {403, "request_forbidden"},
	"rate limit": {429, "requests"}, "internal error": {502, "server_error"}, "refused": {400, "invalid_request_error"},
}

// chatCompletions is openai-go's older API.
type chatCompletions struct{ openai.Client }

func newOpenAI(a access) openai.Client {
	return openai.NewClient(option.WithBaseURL(a.url+"/v1"), option.WithAPIKey(a.key), option.WithHTTPClient(a.http()), option.WithMaxRetries(a.retries))
}

func newChatCompletions(a access) client { return chatCompletions{newOpenAI(a)} }

func (c chatCompletions) params(q question) openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{Model: q.model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(q.text)}}
	if q.image {
		p.Messages[0] = openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(q.text),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + onePixel})})
	}
	if q.schema {
		p.ResponseFormat.OfJSONSchema = &openaishared.ResponseFormatJSONSchemaParam{JSONSchema: openaishared.ResponseFormatJSONSchemaJSONSchemaParam{
			Name: "weather", Schema: weatherSchema, Strict: param.NewOpt(true)}}
	}
	if q.tool || q.turn != nil {
		p.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openaishared.FunctionDefinitionParam{Name: toolName, Parameters: toolSchema})}
	}
	if q.tool {
		p.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: toolName})
	}
	if q.turn != nil {
		p.Messages = append(p.Messages, q.turn.message.(openai.ChatCompletionMessage).ToParam())
		for _, c := range q.turn.calls {
			p.Messages = append(p.Messages, openai.ToolMessage(q.turn.result, c.id))
		}
	}
	return p
}

func (c chatCompletions) Chat(ctx context.Context, q question) (answer, error) {
	got, err := c.Client.Chat.Completions.New(ctx, c.params(q))
	if err != nil {
		return answer{}, err
	}
	return chatAnswer(got)
}

func (c chatCompletions) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	p := c.params(q)
	p.StreamOptions.IncludeUsage = param.NewOpt(true)
	s := c.Client.Chat.Completions.NewStreaming(ctx, p)
	defer s.Close() //nolint:errcheck // it was read
	var acc openai.ChatCompletionAccumulator
	for s.Next() {
		if !acc.AddChunk(s.Current()) {
			return answer{}, errors.New("the accumulator refuses " + s.Current().RawJSON())
		}
		for _, choice := range s.Current().Choices {
			each(choice.Delta.Content)
		}
	}
	if s.Err() != nil {
		return answer{}, s.Err()
	}
	return chatAnswer(&acc.ChatCompletion)
}

func chatAnswer(got *openai.ChatCompletion) (answer, error) {
	if len(got.Choices) != 1 {
		return answer{}, errors.New(strconv.Itoa(len(got.Choices)) + " choices")
	}
	m := got.Choices[0].Message
	a := answer{text: m.Content, turn: m, model: got.Model, stop: got.Choices[0].FinishReason, in: got.Usage.PromptTokens, out: got.Usage.CompletionTokens}
	for _, c := range m.ToolCalls {
		a.calls = append(a.calls, call{c.ID, c.Function.Name, c.Function.Arguments})
	}
	return a, nil
}

func (c chatCompletions) Embed(ctx context.Context, model string, texts []string) (vectors, error) {
	return openaiEmbed(ctx, c.Client, model, texts)
}

func openaiEmbed(ctx context.Context, c openai.Client, model string, texts []string) (vectors, error) {
	got, err := c.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts}})
	if err != nil {
		return vectors{}, err
	}
	v := vectors{in: got.Usage.PromptTokens}
	for _, d := range got.Data {
		v.floats = append(v.floats, d.Embedding)
	}
	return v, nil
}

func (chatCompletions) Fault(err error) (fault, bool) { return openaiFault(err) }

func openaiFault(err error) (fault, bool) {
	var e *openai.Error
	if !errors.As(err, &e) {
		return fault{}, false
	}
	return fault{e.StatusCode, e.Type}, true
}
