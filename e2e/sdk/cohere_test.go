package sdk

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/cohere-ai/cohere-go/v2/core"
	"github.com/cohere-ai/cohere-go/v2/option"
	v2 "github.com/cohere-ai/cohere-go/v2/v2"
)

// cohereKinds are the types of cohere-go's errors; it has none for 502.
var cohereKinds = map[string]fault{
	"wrong key": {401, "UnauthorizedError"}, "unknown model": {404, "NotFoundError"}, "denied": {403, "ForbiddenError"},
	"rate limit": {429, "TooManyRequestsError"}, "internal error": {502, "APIError"}, "refused": {400, "BadRequestError"},
}

// cohereChat is cohere-go, version 2 of its API.
type cohereChat struct{ *v2.Client }

func newCohere(a access) client {
	over := &http.Client{Transport: mended{a.watch}}
	return cohereChat{v2.NewClient(option.WithBaseURL(a.url), option.WithToken(a.key), option.WithHTTPClient(over), option.WithMaxAttempts(uint(a.retries+1)))}
}

func to[T any](v T) *T { return &v }

func (cohereChat) params(q question) *cohere.V2ChatRequest {
	user := &cohere.UserMessageV2{Content: &cohere.UserMessageV2Content{String: q.text}}
	if q.image {
		user.Content = &cohere.UserMessageV2Content{ContentList: []*cohere.Content{{Type: "text", Text: &cohere.ChatTextContent{Text: q.text}},
			{Type: "image_url", ImageUrl: &cohere.ImageContent{ImageUrl: &cohere.ImageUrl{Url: "data:image/png;base64," + onePixel}}}}}
	}
	p := &cohere.V2ChatRequest{Model: q.model, Messages: cohere.ChatMessages{{Role: "user", User: user}}}
	if q.schema {
		p.ResponseFormat = &cohere.ResponseFormatV2{Type: "json_object", JsonObject: &cohere.JsonResponseFormatV2{JsonSchema: weatherSchema}}
	}
	if q.tool || q.turn != nil {
		p.Tools = []*cohere.ToolV2{{Type: to("function"), Function: &cohere.ToolV2Function{Name: toolName, Parameters: toolSchema}}}
	}
	if q.tool {
		p.ToolChoice = cohere.V2ChatRequestToolChoiceRequired.Ptr()
	}
	if q.turn != nil {
		m := q.turn.message.(*cohere.AssistantMessage)
		p.Messages = append(p.Messages, &cohere.ChatMessageV2{Role: "assistant", Assistant: m})
		for _, c := range q.turn.calls {
			p.Messages = append(p.Messages, &cohere.ChatMessageV2{Role: "tool", Tool: &cohere.ToolMessageV2{
				ToolCallId: c.id, Content: &cohere.ToolMessageV2Content{String: q.turn.result}}})
		}
	}
	return p
}

func (c cohereChat) Chat(ctx context.Context, q question) (answer, error) {
	got, err := c.Client.Chat(ctx, c.params(q))
	if err != nil {
		return answer{}, err
	}
	a := answer{stop: string(got.FinishReason)}
	for _, item := range got.Message.Content {
		if item.Text != nil {
			a.text += item.Text.Text
		}
	}
	return a.cohere(got.Message.ToolCalls, got.Message.ToolPlan, got.Usage), nil
}

// cohere fills in what whole answers and streams have in common.
func (a answer) cohere(calls []*cohere.ToolCallV2, plan *string, u *cohere.Usage) answer {
	a.turn = &cohere.AssistantMessage{ToolCalls: calls, ToolPlan: plan}
	for _, c := range calls {
		a.calls = append(a.calls, call{*c.Id, *c.Function.Name, *c.Function.Arguments})
	}
	if t := u.GetTokens(); t != nil && t.InputTokens != nil && t.OutputTokens != nil {
		a.in, a.out = int64(*t.InputTokens), int64(*t.OutputTokens)
	}
	return a
}

// Stream puts the deltas together as they come: the client has no accumulator.
func (c cohereChat) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	p := c.params(q)
	choice := (*cohere.V2ChatStreamRequestToolChoice)(p.ToolChoice)
	s, err := c.ChatStream(ctx, &cohere.V2ChatStreamRequest{Model: p.Model, Messages: p.Messages, Tools: p.Tools, ToolChoice: choice, ResponseFormat: p.ResponseFormat})
	if err != nil {
		return answer{}, err
	}
	defer s.Close() //nolint:errcheck // it was read
	var a answer
	var calls []*cohere.ToolCallV2
	var usage *cohere.Usage
	var plan *string
	for {
		e, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return a.cohere(calls, plan, usage), nil
		}
		if err != nil {
			return a, err
		}
		switch {
		case e.ContentDelta != nil:
			text := *e.ContentDelta.Delta.Message.Content.Text
			a.text += text
			each(text)
		case e.ToolPlanDelta != nil:
			plan = to(*orEmpty(plan) + *e.ToolPlanDelta.Delta.Message.ToolPlan)
		case e.ToolCallStart != nil:
			calls = append(calls, e.ToolCallStart.Delta.Message.ToolCalls)
		case e.ToolCallDelta != nil:
			f := calls[len(calls)-1].Function
			f.Arguments = to(*orEmpty(f.Arguments) + *e.ToolCallDelta.Delta.Message.ToolCalls.Function.Arguments)
		case e.MessageEnd != nil:
			a.stop, usage = string(*e.MessageEnd.Delta.FinishReason), e.MessageEnd.Delta.Usage
		}
	}
}

func orEmpty(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}

func (c cohereChat) Embed(ctx context.Context, model string, texts []string) (vectors, error) {
	got, err := c.Client.Embed(ctx, &cohere.V2EmbedRequest{Model: model, Texts: texts, InputType: cohere.EmbedInputTypeSearchDocument,
		EmbeddingTypes: []cohere.EmbeddingType{cohere.EmbeddingTypeFloat}})
	if err != nil {
		return vectors{}, err
	}
	v := vectors{floats: got.Embeddings.Float, in: -1}
	if b := got.Meta.GetBilledUnits(); b != nil && b.InputTokens != nil {
		v.in = int64(*b.InputTokens)
	}
	return v, nil
}

func (cohereChat) Fault(err error) (fault, bool) {
	var e *core.APIError
	if !errors.As(err, &e) {
		return fault{}, false
	}
	return fault{e.StatusCode, reflect.TypeOf(err).Elem().Name()}, true
}

// cohereNeeds is what cohere-go 2.15.3 cannot do without help of its transport.
const cohereNeeds = "a transport that gives the lines of a stream one by one, and a repeated request its body again"

// mended is a transport with what cohere-go 2.15.3 lacks. It takes what one read
// gives for whole lines, and a blank one for an event of its own: it reads no
// server's stream otherwise but by luck. And it sends a request again whose body
// was read by the first attempt, which net/http makes good only on a connection
// that was used before (a later version of the client's generator rewinds it).
type mended struct{ http.RoundTripper }

func (m mended) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = body
	}
	res, err := m.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasPrefix(res.Header.Get("content-type"), "text/event-stream") {
		res.Body = &lineBody{res.Body, bufio.NewReader(res.Body)}
	}
	return res, err
}

type lineBody struct {
	io.Closer
	text *bufio.Reader
}

func (b *lineBody) Read(p []byte) (int, error) {
	for {
		line, err := b.text.ReadSlice('\n')
		if err != nil || len(line) > len(p) {
			return 0, cmp.Or(err, io.ErrShortBuffer)
		}
		if bytes.HasPrefix(line, []byte("data: ")) {
			return copy(p, line), nil
		}
	}
}
