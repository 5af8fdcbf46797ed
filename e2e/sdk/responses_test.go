package sdk

import (
	"context"
	"errors"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
)

// responsesAPI is openai-go's newer API. It has no accumulator: the last event
// holds the whole response.
type responsesAPI struct{ openai.Client }

func newResponses(a access) client { return responsesAPI{newOpenAI(a)} }

func (responsesAPI) params(q question) responses.ResponseNewParams {
	content := responses.ResponseInputMessageContentListParam{{OfInputText: &responses.ResponseInputTextParam{Text: q.text}}}
	if q.image {
		content = append(content, responses.ResponseInputContentUnionParam{OfInputImage: &responses.ResponseInputImageParam{
			ImageURL: param.NewOpt("data:image/png;base64," + onePixel), Detail: responses.ResponseInputImageDetailAuto}})
	}
	items := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage(content, responses.EasyInputMessageRoleUser)}
	p := responses.ResponseNewParams{Model: q.model, Store: param.NewOpt(false)}
	if q.schema {
		p.Text.Format = responses.ResponseFormatTextConfigParamOfJSONSchema("weather", weatherSchema)
	}
	if q.tool || q.turn != nil {
		p.Tools = []responses.ToolUnionParam{responses.ToolParamOfFunction(toolName, toolSchema, false)}
	}
	if q.tool {
		p.ToolChoice.OfFunctionTool = &responses.ToolChoiceFunctionParam{Name: toolName}
	}
	if q.turn != nil {
		for _, item := range q.turn.message.([]responses.ResponseOutputItemUnion) {
			if item.Type == "function_call" {
				items = append(items, responses.ResponseInputItemParamOfFunctionCall(item.Arguments.OfString, item.CallID, item.Name))
			}
		}
		for _, c := range q.turn.calls {
			result := responses.ResponseInputItemParamOfFunctionCallOutput(q.turn.result)
			result.OfFunctionCallOutput.CallID = param.NewOpt(c.id)
			items = append(items, result)
		}
	}
	p.Input.OfInputItemList = items
	return p
}

func (c responsesAPI) Chat(ctx context.Context, q question) (answer, error) {
	got, err := c.Responses.New(ctx, c.params(q))
	if err != nil {
		return answer{}, err
	}
	return responseAnswer(got), nil
}

func (c responsesAPI) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	s := c.Responses.NewStreaming(ctx, c.params(q))
	defer s.Close() //nolint:errcheck // it was read
	var done *responses.Response
	for s.Next() {
		switch e := s.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			each(e.Delta)
		case responses.ResponseCompletedEvent:
			done = &e.Response
		case responses.ResponseIncompleteEvent:
			done = &e.Response
		}
	}
	if s.Err() != nil {
		return answer{}, s.Err()
	}
	if done == nil {
		return answer{}, errors.New("the stream has no last event")
	}
	return responseAnswer(done), nil
}

func responseAnswer(got *responses.Response) answer {
	a := answer{text: got.OutputText(), turn: got.Output, model: got.Model, stop: string(got.Status), in: got.Usage.InputTokens, out: got.Usage.OutputTokens}
	for _, item := range got.Output {
		if item.Type == "function_call" {
			a.calls = append(a.calls, call{item.CallID, item.Name, item.Arguments.OfString})
		}
	}
	return a
}

func (c responsesAPI) Embed(ctx context.Context, model string, texts []string) (vectors, error) {
	return openaiEmbed(ctx, c.Client, model, texts)
}

func (responsesAPI) Fault(err error) (fault, bool) { return openaiFault(err) }
