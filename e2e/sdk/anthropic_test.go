package sdk

import (
	"context"
	"errors"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

var anthropicKinds = map[string]fault{
	"wrong key": {401, "authentication_error"}, "unknown model": {404, "not_found_error"}, "denied": {403, "permission_error"},
	"rate limit": {429, "rate_limit_error"}, "internal error": {502, "api_error"}, "refused": {400, "invalid_request_error"},
}

// messages is anthropic-sdk-go.
type messages struct{ anthropic.Client }

func newMessages(a access) client {
	return messages{anthropic.NewClient(option.WithBaseURL(a.url), option.WithAPIKey(a.key), option.WithHTTPClient(a.http()), option.WithMaxRetries(a.retries))}
}

func (messages) params(q question) anthropic.MessageNewParams {
	blocks := []anthropic.ContentBlockParamUnion{anthropic.NewTextBlock(q.text)}
	if q.image {
		blocks = append(blocks, anthropic.NewImageBlockBase64("image/png", onePixel))
	}
	p := anthropic.MessageNewParams{Model: anthropic.Model(q.model), MaxTokens: 500, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(blocks...)}}
	if q.schema {
		p.OutputConfig.Format.Schema = weatherSchema
	}
	if q.tool || q.turn != nil {
		p.Tools = []anthropic.ToolUnionParam{anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: toolProperties, Required: []string{"city"}}, toolName)}
	}
	if q.tool {
		p.ToolChoice = anthropic.ToolChoiceParamOfTool(toolName)
	}
	if q.turn != nil {
		var results []anthropic.ContentBlockParamUnion
		for _, c := range q.turn.calls {
			results = append(results, anthropic.NewToolResultBlock(c.id, q.turn.result, false))
		}
		p.Messages = append(p.Messages, q.turn.message.(anthropic.Message).ToParam(), anthropic.NewUserMessage(results...))
	}
	return p
}

func (c messages) Chat(ctx context.Context, q question) (answer, error) {
	got, err := c.Messages.New(ctx, c.params(q))
	if err != nil {
		return answer{}, err
	}
	return messageAnswer(*got), nil
}

func (c messages) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	s := c.Messages.NewStreaming(ctx, c.params(q))
	defer s.Close() //nolint:errcheck // it was read
	var acc anthropic.Message
	for s.Next() {
		if err := acc.Accumulate(s.Current()); err != nil {
			return answer{}, err
		}
		each(s.Current().Delta.Text)
	}
	return messageAnswer(acc), s.Err()
}

func messageAnswer(got anthropic.Message) answer {
	u := got.Usage
	a := answer{turn: got, model: string(got.Model), stop: string(got.StopReason), in: u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens, out: u.OutputTokens}
	for _, block := range got.Content {
		switch b := block.AsAny().(type) {
		case anthropic.TextBlock:
			a.text += b.Text
		case anthropic.ToolUseBlock:
			a.calls = append(a.calls, call{b.ID, b.Name, string(b.Input)})
		}
	}
	return a
}

func (messages) Embed(context.Context, string, []string) (vectors, error) { return vectors{}, errNoAPI }

func (messages) Fault(err error) (fault, bool) {
	var e *anthropic.Error
	if !errors.As(err, &e) {
		return fault{}, false
	}
	return fault{e.StatusCode, string(e.Type())}, true
}
