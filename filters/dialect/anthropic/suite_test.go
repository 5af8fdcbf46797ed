package anthropic_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
)

func suite(t testing.TB) dialecttest.Suite {
	return dialecttest.Suite{
		API:     codec,
		Grammar: func(*llm.Facts) grammar.Grammar { return grammar.Anthropic() },
		Target:  dialect.Target{Model: "claude-sonnet-5"},
		Refused: []string{"audio", "many"},
		Normal:  normal,
		Answer: func(a *llm.Answer) {
			a.Created = 0
			for i := range a.Choices {
				if a.Choices[i].Finish == llm.FinishFilter {
					a.Choices[i].Finish = llm.FinishRefusal
				}
			}
		},
		Events: func(list []llm.Event) []llm.Event {
			start := list[0]
			start.Created = 0
			return append([]llm.Event{start, {Kind: llm.UsageEvent, Usage: &llm.Usage{Known: true}}}, list[1:]...)
		},
		Streams: dialecttest.Archive(t, "testdata/streams.txtar"),
	}
}

// normal is a request as the dialect gives it back: instructions first, turns of
// a side as one, without what the API lacks.
func normal(r *llm.Request) {
	var system, turns []llm.Message
	for _, m := range r.Messages {
		switch m.Role {
		case llm.System, llm.Developer:
			if system == nil {
				system = []llm.Message{{Role: llm.System}}
			}
			system[0].Parts = append(system[0].Parts, m.Parts...)
			continue
		case llm.ToolRole:
			m.Role = llm.User
		}
		if n := len(turns); n > 0 && turns[n-1].Role == m.Role {
			turns[n-1].Parts = append(turns[n-1].Parts, m.Parts...)
		} else {
			turns = append(turns, m)
		}
	}
	r.Messages = append(system, turns...)
	r.Sampling.Seed = ""
	if r.Format != nil {
		r.Format.Name = nil
	}
	r.WantsUsage = true
}

func TestSuite(t *testing.T) { suite(t).Run(t) }

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		class  llm.Class
		client int
	}{
		"invalid":      {400, `{"type":"error","error":{"type":"invalid_request_error","message":"messages: field required"}}`, llm.ClientError, 400},
		"too long":     {400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 209021 tokens > 200000 maximum"}}`, llm.ContextLength, 400},
		"with output":  {400, `{"type":"error","error":{"type":"invalid_request_error","message":"input length and 'max_tokens' exceed context limit: 190000 + 20000 > 200000"}}`, llm.ContextLength, 400},
		"credit":       {400, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}`, llm.QuotaExhausted, 429},
		"usage limits": {400, `{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits."}}`, llm.QuotaExhausted, 429},
		"filter":       {400, `{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}`, llm.ContentFilter, 400},
		"key":          {401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key sk-ant-secret"}}`, llm.AuthError, 502},
		"billing":      {402, `{"type":"error","error":{"type":"billing_error","message":"m"}}`, llm.QuotaExhausted, 429},
		"permission":   {403, `{"type":"error","error":{"type":"permission_error","message":"m secret"}}`, llm.AuthError, 502},
		"model":        {404, `{"type":"error","error":{"type":"not_found_error","message":"model: x"}}`, llm.ProviderError, 502},
		"large":        {413, `{"type":"error","error":{"type":"request_too_large","message":"m"}}`, llm.ClientError, 413},
		"rate":         {429, `{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's (secret) rate limit"}}`, llm.RateLimited, 429},
		"api":          {500, `{"type":"error","error":{"type":"api_error","message":"m"}}`, llm.ProviderError, 502},
		"timeout":      {504, `{"type":"error","error":{"type":"timeout_error","message":"m"}}`, llm.TimeoutError, 504},
		"overloaded":   {529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, llm.Overloaded, 503},
		"no body":      {529, ``, llm.Overloaded, 503},
		"html":         {502, `<html>`, llm.ProviderError, 502},
	} {
		t.Run(name, func(t *testing.T) {
			e := codec.Provider.Classify(c.status, func(string) string { return "" }, []byte(c.body))
			require.Equal(t, c.class.String(), e.Class.String())
			require.Equal(t, c.client, e.Status)
			require.NotContains(t, e.Message, "secret")
			if c.class == llm.AuthError {
				require.NotContains(t, e.Cause, "secret")
			}
		})
	}
}

func TestAfter(t *testing.T) {
	headers := map[string]string{"date": "Mon, 23 Nov 2026 17:00:00 GMT",
		"anthropic-ratelimit-requests-remaining": "5", "anthropic-ratelimit-requests-reset": "2026-11-23T18:00:00Z",
		"anthropic-ratelimit-input-tokens-remaining": "0", "anthropic-ratelimit-input-tokens-reset": "2026-11-23T17:00:42Z"}
	look := func(n string) string { return headers[n] }
	require.Equal(t, 42*time.Second, codec.Provider.Classify(429, look, nil).After)
	headers["retry-after"] = "7"
	require.Equal(t, 7*time.Second, codec.Provider.Classify(429, look, nil).After)
}

func TestAnswerWithError(t *testing.T) {
	for body, class := range map[string]llm.Class{
		`{"type":"error","error":{"type":"overloaded_error","message":"m"}}`: llm.Overloaded,
		`{"type":"error"}`:            llm.ProviderError,
		`{"type":"message"}`:          llm.MalformedAnswer,
		`{"content":[],"content":[]}`: llm.MalformedAnswer,
		`<html>`:                      llm.MalformedAnswer,
		``:                            llm.MalformedAnswer,
	} {
		_, err := codec.Provider.Decode(nil, nil, []byte(body))
		require.NotNil(t, err, body)
		require.Equal(t, class.String(), err.Class.String(), body)
	}
}

func TestPathAndHeaders(t *testing.T) {
	chat := llm.Facts{Operation: llm.Chat}
	for base, want := range map[string]string{"": "/v1/messages", "/v1": "/v1/messages", "/gateway": "/gateway/v1/messages"} {
		require.Equal(t, want, codec.Provider.Path(&chat, &dialect.Target{BasePath: base}))
	}
	require.Equal(t, [][2]string{{"anthropic-version", "2023-06-01"}}, codec.Provider.Headers(nil))
	name, value := codec.Provider.Credential(nil, "k")
	require.Equal(t, "x-api-key k", name+" "+value)
}
