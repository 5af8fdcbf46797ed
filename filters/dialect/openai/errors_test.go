package openai_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/llm"
)

func TestClassify(t *testing.T) {
	quota := `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`
	for name, c := range map[string]struct {
		status int
		body   string
		class  llm.Class
		client int
		code   string
	}{
		"bad request":      {400, `{"error":{"message":"m","type":"invalid_request_error","param":"messages","code":"empty_array"}}`, llm.ClientError, 400, "empty_array"},
		"no code":          {400, `{"error":{"message":"m"}}`, llm.ClientError, 400, "invalid_request"},
		"odd code":         {400, `{"error":{"message":"m","code":"a b\n"}}`, llm.ClientError, 400, "invalid_request"},
		"context":          {400, `{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}`, llm.ContextLength, 400, "context_length_exceeded"},
		"context, vllm":    {400, `{"object":"error","message":"This model's maximum context length is 2048 tokens. However, you requested 3000","type":"BadRequestError","code":400}`, llm.ContextLength, 400, "context_length_exceeded"},
		"context, mistral": {400, `{"object":"error","message":"Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","code":3051}`, llm.ContextLength, 400, "context_length_exceeded"},
		"filter":           {400, `{"error":{"code":"content_filter","message":"m"}}`, llm.ContentFilter, 400, "content_filter"},
		"key":              {401, `{"error":{"message":"Incorrect API key provided: sk-secret","code":"invalid_api_key"}}`, llm.AuthError, 502, "provider_auth"},
		"region":           {403, `{"error":{"message":"m","code":"unsupported_country_region_territory"}}`, llm.AuthError, 502, "provider_permission"},
		"model":            {404, `{"error":{"message":"m","code":"model_not_found"}}`, llm.ProviderError, 502, "provider_not_found"},
		"path":             {404, `<html>`, llm.ProviderError, 502, "provider_not_found"},
		"timeout":          {408, ``, llm.TimeoutError, 504, "provider_timeout"},
		"conflict":         {409, ``, llm.ProviderError, 502, "provider_conflict"},
		"large":            {413, ``, llm.ClientError, 413, "request_too_large"},
		"large, groq":      {413, `{"error":{"message":"Request too large for model in organization org_x on tokens per minute","type":"tokens","code":"rate_limit_exceeded"}}`, llm.RateLimited, 429, "rate_limit_exceeded"},
		"unprocessable":    {422, `{"error":{"message":"m"}}`, llm.ClientError, 422, "invalid_request"},
		"rate":             {429, `{"error":{"message":"Rate limit reached for gpt-4o in organization org-secret","type":"tokens","code":"rate_limit_exceeded"}}`, llm.RateLimited, 429, "rate_limit_exceeded"},
		"rate, no body":    {429, ``, llm.RateLimited, 429, "rate_limit_exceeded"},
		"quota":            {429, quota, llm.QuotaExhausted, 429, "provider_quota"},
		"balance":          {402, `{"error":{"message":"Insufficient Balance","type":"unknown_error"}}`, llm.QuotaExhausted, 429, "provider_quota"},
		"server":           {500, `{"error":{"message":"m","type":"server_error"}}`, llm.ProviderError, 502, "provider_error"},
		"gateway":          {502, `<html>bad gateway</html>`, llm.ProviderError, 502, "provider_error"},
		"overloaded":       {503, `{"error":{"message":"m"}}`, llm.Overloaded, 503, "provider_overloaded"},
		"slow down":        {500, `{"error":{"message":"m","code":"slow_down"}}`, llm.Overloaded, 503, "provider_overloaded"},
		"gateway timeout":  {504, ``, llm.TimeoutError, 504, "provider_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			e := codec.Provider.Classify(c.status, func(string) string { return "" }, []byte(c.body))
			require.Equal(t, c.class.String(), e.Class.String())
			require.Equal(t, c.client, e.Status)
			require.Equal(t, c.code, e.Code)
			require.NotContains(t, e.Message, "secret")
			if c.class == llm.AuthError {
				require.NotContains(t, e.Cause, "secret")
			}
		})
	}
}

func TestAfter(t *testing.T) {
	const date = "Mon, 23 Nov 2026 17:00:00 GMT"
	for name, c := range map[string]struct {
		headers map[string]string
		want    time.Duration
	}{
		"none":         {nil, 0},
		"seconds":      {map[string]string{"retry-after": "20"}, 20 * time.Second},
		"fraction":     {map[string]string{"retry-after": "0.5"}, 500 * time.Millisecond},
		"ms":           {map[string]string{"retry-after-ms": "250", "retry-after": "1"}, 250 * time.Millisecond},
		"date":         {map[string]string{"retry-after": "Mon, 23 Nov 2026 17:00:30 GMT", "date": date}, 30 * time.Second},
		"past":         {map[string]string{"retry-after": "Mon, 23 Nov 2026 16:00:30 GMT", "date": date}, 0},
		"no date":      {map[string]string{"retry-after": "Mon, 23 Nov 2026 17:00:30 GMT"}, 0},
		"junk":         {map[string]string{"retry-after": "soon"}, 0},
		"negative":     {map[string]string{"retry-after": "-5"}, 0},
		"not a number": {map[string]string{"retry-after": "NaN"}, 0},
		"for ever":     {map[string]string{"retry-after": "1e300"}, 24 * time.Hour},
		"reset":        {map[string]string{"x-ratelimit-reset-requests": "120ms", "x-ratelimit-reset-tokens": "6m0s"}, 6 * time.Minute},
		"used up":      {map[string]string{"x-ratelimit-reset-requests": "120ms", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "5"}, 120 * time.Millisecond},
		"tokens gone":  {map[string]string{"x-ratelimit-reset-requests": "9m", "x-ratelimit-reset-tokens": "7.5", "x-ratelimit-remaining-tokens": "0"}, 7500 * time.Millisecond},
		"reset junk":   {map[string]string{"x-ratelimit-reset-requests": "1e99", "x-ratelimit-reset-tokens": "-3s"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := codec.Provider.Classify(429, func(n string) string { return c.headers[n] }, nil)
			require.Equal(t, c.want, e.After)
		})
	}
}

func TestErrorBody(t *testing.T) {
	for _, c := range []struct {
		e          llm.Error
		kind, code string
	}{
		{llm.Error{Class: llm.ClientError, Code: "model_not_found", Param: "model"}, "invalid_request_error", "model_not_found"},
		{llm.Error{Class: llm.AuthError}, "invalid_request_error", "invalid_api_key"},
		{llm.Error{Class: llm.AuthError, Source: llm.FromProvider, Code: "provider_auth"}, "server_error", "provider_auth"},
		{llm.Error{Class: llm.PolicyError, Code: "policy_denied"}, "request_forbidden", "policy_denied"},
		{llm.Error{Class: llm.ContextLength}, "invalid_request_error", "context_length_exceeded"},
		{llm.Error{Class: llm.ContentFilter}, "invalid_request_error", "content_filter"},
		{llm.Error{Class: llm.RateLimited}, "requests", "rate_limit_exceeded"},
		{llm.Error{Class: llm.RateLimited, Param: "tokens"}, "tokens", "rate_limit_exceeded"},
		{llm.Error{Class: llm.QuotaExhausted}, "insufficient_quota", "insufficient_quota"},
		{llm.Error{Class: llm.Overloaded, Code: "gateway_overloaded"}, "server_error", "gateway_overloaded"},
		{llm.Error{Class: llm.ProviderError}, "server_error", ""},
	} {
		c.e.Message = "say \"x\"\x01"
		var got struct {
			Error struct {
				Message, Type string
				Param, Code   *string
				RequestID     string `json:"request_id"`
			}
		}
		require.NoError(t, json.Unmarshal(codec.Client.AppendError(nil, &c.e, "req-1"), &got))
		require.Equal(t, c.e.Message, got.Error.Message)
		require.Equal(t, c.kind, got.Error.Type)
		require.Equal(t, "req-1", got.Error.RequestID)
		if c.code == "" {
			require.Nil(t, got.Error.Code)
		} else {
			require.Equal(t, c.code, *got.Error.Code)
		}
	}
}

func TestModels(t *testing.T) {
	require.JSONEq(t, `{"object":"list","data":[{"id":"fast","object":"model","created":0,"owned_by":"postern"}]}`,
		string(codec.Client.AppendModels(nil, []string{"fast"})))
}

func TestUsage(t *testing.T) {
	for usage, want := range map[string]llm.Usage{
		`{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`: {Input: 10, Output: 5, Known: true},
		`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":3,"cache_write_tokens":1},"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":1}}`: {
			Input: 2, CacheRead: 4, CacheWrite: 1, InputAudio: 3, Output: 2, Reasoning: 2, OutputAudio: 1, Known: true},
		`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":9,"audio_tokens":9},"completion_tokens_details":{"reasoning_tokens":99}}`: {
			CacheRead: 9, InputAudio: 1, Reasoning: 5, Known: true},
		`{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}`: {Input: 10, Output: 5, Reasoning: 20, Known: true},
		`{"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}`:              {Input: 4, CacheRead: 6, Output: 5, Known: true},
		`{"prompt_tokens":-10,"completion_tokens":1e99}`:                                                                   {Known: true},
		`{"prompt_tokens":10,"prompt_tokens_details":null,"completion_tokens":null}`:                                       {Input: 10, Known: true},
		`{"total_tokens":10}`: {},
		`null`:                {},
		`[]`:                  {},
	} {
		a, err := codec.Provider.Decode(nil, nil, []byte(`{"choices":[],"usage":`+usage+`}`))
		require.Nil(t, err)
		require.Equal(t, want, a.Usage, usage)
	}
}
