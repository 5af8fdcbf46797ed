package sdk

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// bedrockKinds are the names of AWS's exceptions.
var bedrockKinds = map[string]fault{
	"wrong key": {401, "AccessDeniedException"}, "unknown model": {404, "ResourceNotFoundException"}, "denied": {403, "AccessDeniedException"},
	"rate limit": {429, "ThrottlingException"}, "internal error": {502, "InternalServerException"}, "refused": {400, "ValidationException"},
}

// converse is aws-sdk-go-v2's bedrockruntime with a bearer token.
type converse struct{ *bedrockruntime.Client }

func newConverse(a access) client { return converse{newBedrock(a)} }

func newBedrock(a access) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(a.url), HTTPClient: a.http(),
		BearerAuthSigner: plainly{}, BearerAuthTokenProvider: bearer.StaticTokenProvider{Token: bearer.Token{Value: a.key}}, AuthSchemePreference: []string{"httpBearerAuth"},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = a.retries + 1 }),
	})
}

// plainly signs without asking for TLS, which the client's own signer insists
// on: in front of this gateway there is none.
type plainly struct{}

func (plainly) SignWithBearerToken(_ context.Context, t bearer.Token, m bearer.Message) (bearer.Message, error) {
	r, ok := m.(*smithyhttp.Request)
	if !ok {
		return nil, errors.New("not a request over HTTP")
	}
	r.Header.Set("Authorization", "Bearer "+t.Value)
	return r, nil
}

func (converse) params(q question) *bedrockruntime.ConverseInput {
	content := []types.ContentBlock{&types.ContentBlockMemberText{Value: q.text}}
	if q.image {
		pixel, _ := base64.StdEncoding.DecodeString(onePixel) // a constant
		content = append(content, &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberBytes{Value: pixel}}})
	}
	p := &bedrockruntime.ConverseInput{ModelId: &q.model, Messages: []types.Message{{Role: types.ConversationRoleUser, Content: content}}}
	if q.schema {
		p.OutputConfig = &types.OutputConfig{TextFormat: &types.OutputFormat{Type: types.OutputFormatTypeJsonSchema,
			Structure: &types.OutputFormatStructureMemberJsonSchema{Value: types.JsonSchemaDefinition{Name: aws.String("weather"), Schema: aws.String(weatherText)}}}}
	}
	if q.tool || q.turn != nil {
		p.ToolConfig = &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String(toolName), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(toolSchema)}}}}}
	}
	if q.tool {
		p.ToolConfig.ToolChoice = &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(toolName)}}
	}
	if q.turn != nil {
		var results []types.ContentBlock
		for _, c := range q.turn.calls {
			results = append(results, &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: &c.id,
				Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: q.turn.result}}}})
		}
		p.Messages = append(p.Messages, q.turn.message.(types.Message), types.Message{Role: types.ConversationRoleUser, Content: results})
	}
	return p
}

func (c converse) Chat(ctx context.Context, q question) (answer, error) {
	got, err := c.Converse(ctx, c.params(q))
	if err != nil {
		return answer{}, err
	}
	m, ok := got.Output.(*types.ConverseOutputMemberMessage)
	if !ok {
		return answer{}, errors.New("an answer without a message")
	}
	return converseAnswer(m.Value, got.StopReason, got.Usage)
}

func converseAnswer(m types.Message, stop types.StopReason, u *types.TokenUsage) (answer, error) {
	a := answer{turn: m, stop: string(stop)}
	if u != nil {
		a.in = int64(*u.InputTokens + aws.ToInt32(u.CacheReadInputTokens) + aws.ToInt32(u.CacheWriteInputTokens))
		a.out = int64(*u.OutputTokens)
	}
	for _, block := range m.Content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			a.text += b.Value
		case *types.ContentBlockMemberCitationsContent:
			for _, c := range b.Value.Content {
				if text, ok := c.(*types.CitationGeneratedContentMemberText); ok {
					a.text += text.Value
				}
			}
		case *types.ContentBlockMemberToolUse:
			args, err := b.Value.Input.MarshalSmithyDocument()
			if err != nil {
				return a, err
			}
			a.calls = append(a.calls, call{*b.Value.ToolUseId, *b.Value.Name, string(args)})
		}
	}
	return a, nil
}

// Stream puts the blocks together as they come: the client has no accumulator.
func (c converse) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	p := c.params(q)
	got, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: p.ModelId, Messages: p.Messages, ToolConfig: p.ToolConfig, OutputConfig: p.OutputConfig})
	if err != nil {
		return answer{}, err
	}
	s := got.GetStream()
	defer s.Close() //nolint:errcheck // it was read
	var acc converseTurn
	for e := range s.Events() {
		if err := acc.add(e, each); err != nil {
			return answer{}, err
		}
	}
	if err := errors.Join(s.Err(), ctx.Err()); err != nil {
		return answer{}, err
	}
	return converseAnswer(acc.Message, acc.stop, acc.usage)
}

type converseTurn struct {
	types.Message
	open  types.ContentBlock
	args  string
	stop  types.StopReason
	usage *types.TokenUsage
}

func (t *converseTurn) add(e types.ConverseStreamOutput, each func(string)) error {
	switch e := e.(type) {
	case *types.ConverseStreamOutputMemberMessageStart:
		t.Role = e.Value.Role
	case *types.ConverseStreamOutputMemberContentBlockStart:
		if use, ok := e.Value.Start.(*types.ContentBlockStartMemberToolUse); ok {
			t.open = &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: use.Value.Name, ToolUseId: use.Value.ToolUseId}}
		}
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		t.delta(e.Value.Delta, each)
	case *types.ConverseStreamOutputMemberContentBlockStop:
		return t.close()
	case *types.ConverseStreamOutputMemberMessageStop:
		t.stop = e.Value.StopReason
	case *types.ConverseStreamOutputMemberMetadata:
		t.usage = e.Value.Usage
	}
	return nil
}

func (t *converseTurn) delta(d types.ContentBlockDelta, each func(string)) {
	switch d := d.(type) {
	case *types.ContentBlockDeltaMemberText:
		each(d.Value)
		if text, ok := t.open.(*types.ContentBlockMemberText); ok {
			text.Value += d.Value
		} else {
			t.open = &types.ContentBlockMemberText{Value: d.Value}
		}
	case *types.ContentBlockDeltaMemberToolUse:
		t.args += *d.Value.Input
	}
}

func (t *converseTurn) close() error {
	if use, ok := t.open.(*types.ContentBlockMemberToolUse); ok {
		args, err := object(t.args)
		if err != nil {
			return err
		}
		use.Value.Input = document.NewLazyDocument(args)
	}
	if t.open != nil {
		t.Content = append(t.Content, t.open)
	}
	t.open, t.args = nil, ""
	return nil
}

// Embed is left out: the client sends what a model's maker wants (InvokeModel),
// so there is no API that a gateway could translate.
func (converse) Embed(context.Context, string, []string) (vectors, error) { return vectors{}, errNoAPI }

func (converse) Fault(err error) (fault, bool) { return bedrockFault(err) }

func bedrockFault(err error) (fault, bool) {
	var e smithy.APIError
	var res *smithyhttp.ResponseError
	if !errors.As(err, &e) || !errors.As(err, &res) {
		return fault{}, false
	}
	if _, unknown := e.(*smithy.GenericAPIError); unknown { //nolint:errorlint // it wraps nothing
		return fault{res.HTTPStatusCode(), "generic " + e.ErrorCode()}, true
	}
	return fault{res.HTTPStatusCode(), e.ErrorCode()}, true
}
