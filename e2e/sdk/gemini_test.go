package sdk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"

	"google.golang.org/genai"
)

var geminiKinds = map[string]fault{
	"wrong key": {401, "UNAUTHENTICATED"}, "unknown model": {404, "NOT_FOUND"}, "denied": {403, "PERMISSION_DENIED"},
	"rate limit": {429, "RESOURCE_EXHAUSTED"}, "internal error": {502, "INTERNAL"}, "refused": {400, "INVALID_ARGUMENT"},
}

// generateContent is google.golang.org/genai.
type generateContent struct{ *genai.Client }

func newGenerateContent(a access) client {
	attempts := int32(a.retries + 1)
	c, err := genai.NewClient(context.Background(), &genai.ClientConfig{APIKey: a.key, Backend: genai.BackendGeminiAPI, HTTPClient: a.http(),
		HTTPOptions: genai.HTTPOptions{BaseURL: a.url, RetryOptions: &genai.HTTPRetryOptions{Attempts: &attempts}}})
	if err != nil {
		panic(err) // of a test, and it says what is wrong
	}
	return generateContent{c}
}

func (generateContent) params(q question) ([]*genai.Content, *genai.GenerateContentConfig) {
	parts := []*genai.Part{genai.NewPartFromText(q.text)}
	if q.image {
		pixel, _ := base64.StdEncoding.DecodeString(onePixel) // a constant
		parts = append(parts, genai.NewPartFromBytes(pixel, "image/png"))
	}
	contents := []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)}
	var c genai.GenerateContentConfig
	if q.schema {
		c.ResponseMIMEType, c.ResponseJsonSchema = "application/json", weatherSchema
	}
	if q.tool || q.turn != nil {
		c.Tools = []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: toolName, ParametersJsonSchema: toolSchema}}}}
	}
	if q.tool {
		c.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{toolName}}}
	}
	if q.turn != nil {
		var results []*genai.Part
		for _, c := range q.turn.calls {
			part := genai.NewPartFromFunctionResponse(c.name, map[string]any{"output": q.turn.result})
			part.FunctionResponse.ID = c.id
			results = append(results, part)
		}
		contents = append(contents, q.turn.message.(*genai.Content), genai.NewContentFromParts(results, genai.RoleUser))
	}
	return contents, &c
}

func (c generateContent) Chat(ctx context.Context, q question) (answer, error) {
	contents, config := c.params(q)
	got, err := c.Models.GenerateContent(ctx, q.model, contents, config)
	if err != nil {
		return answer{}, err
	}
	turn := &genai.Content{}
	a, err := generated(got, turn, func(string) {})
	return a, err
}

// Stream puts the parts together as they come: the client has no accumulator.
func (c generateContent) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	contents, config := c.params(q)
	turn := &genai.Content{}
	var a answer
	for got, err := range c.Models.GenerateContentStream(ctx, q.model, contents, config) {
		if err != nil {
			return a, err
		}
		if a, err = generated(got, turn, each); err != nil {
			return a, err
		}
	}
	return a, ctx.Err()
}

// generated adds a response to the turn; the usage of the last one is that of all.
func generated(got *genai.GenerateContentResponse, turn *genai.Content, each func(string)) (answer, error) {
	if len(got.Candidates) > 1 {
		return answer{}, errors.New(strconv.Itoa(len(got.Candidates)) + " candidates")
	}
	a := answer{turn: turn, model: got.ModelVersion}
	for _, candidate := range got.Candidates {
		a.stop = string(candidate.FinishReason)
		if candidate.Content != nil {
			turn.Role = candidate.Content.Role
			for _, p := range candidate.Content.Parts {
				if !reflect.ValueOf(*p).IsZero() { // the API refuses what the client makes of the empty text that a stream ends in
					turn.Parts = append(turn.Parts, p)
				}
			}
			each(got.Text())
		}
	}
	if u := got.UsageMetadata; u != nil {
		a.in, a.out = int64(u.PromptTokenCount+u.ToolUsePromptTokenCount), int64(u.CandidatesTokenCount+u.ThoughtsTokenCount)
	}
	for _, p := range turn.Parts {
		if f := p.FunctionCall; f != nil {
			args, err := json.Marshal(f.Args)
			if err != nil {
				return a, err
			}
			a.calls = append(a.calls, call{f.ID, f.Name, string(args)})
		} else if !p.Thought {
			a.text += p.Text
		}
	}
	return a, nil
}

func (c generateContent) Embed(ctx context.Context, model string, texts []string) (vectors, error) {
	var contents []*genai.Content
	for _, t := range texts {
		contents = append(contents, genai.NewContentFromText(t, genai.RoleUser))
	}
	got, err := c.Models.EmbedContent(ctx, model, contents, nil)
	if err != nil {
		return vectors{}, err
	}
	v := vectors{in: -1}
	for _, e := range got.Embeddings {
		var f []float64
		for _, x := range e.Values {
			f = append(f, float64(x))
		}
		v.floats = append(v.floats, f)
	}
	return v, nil
}

func (generateContent) Fault(err error) (fault, bool) {
	var e genai.APIError
	if !errors.As(err, &e) {
		return fault{}, false
	}
	return fault{e.Code, e.Status}, true
}
