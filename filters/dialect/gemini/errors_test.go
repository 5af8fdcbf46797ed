package gemini_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/llm"
)

func status(code, word, message, details string) string {
	return `{"error":{"code":` + code + `,"message":"` + message + `","status":"` + word + `","details":[` + details + `]}}`
}

const quota = `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"m","quotaId":"`

// The sources: the Gemini API's troubleshooting guide (T), its rate limits guide (R),
// the error model of Google Cloud APIs (G), Vertex AI's API errors (V), and answers
// that the SDKs' issues quote (I).
func TestClassify(t *testing.T) {
	current := "You exceeded your current quota, please check your plan and billing details."
	for name, c := range map[string]struct {
		status int
		body   string
		class  llm.Class
		client int
		code   string
	}{
		"argument (T)":    {400, status("400", "INVALID_ARGUMENT", "Invalid JSON payload received.", ""), llm.ClientError, 400, "invalid_request"},
		"context (T)":     {400, status("400", "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", ""), llm.ContextLength, 400, "context_length_exceeded"},
		"payload (T)":     {400, status("400", "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.", ""), llm.ClientError, 413, "request_too_large"},
		"key (G)":         {400, status("400", "INVALID_ARGUMENT", "API key not valid. secret", `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}`), llm.AuthError, 502, "provider_auth"},
		"expired (I)":     {400, status("400", "INVALID_ARGUMENT", "API key expired. Please renew the API key. secret", ""), llm.AuthError, 502, "provider_auth"},
		"place (T)":       {400, status("400", "FAILED_PRECONDITION", "User location is not supported for the API use. secret", ""), llm.AuthError, 502, "provider_permission"},
		"billing (T)":     {400, status("400", "FAILED_PRECONDITION", "Please enable billing on your project. secret", ""), llm.QuotaExhausted, 429, "provider_quota"},
		"token (V)":       {401, status("401", "UNAUTHENTICATED", "Request had invalid authentication credentials. secret", ""), llm.AuthError, 502, "provider_auth"},
		"permission (T)":  {403, status("403", "PERMISSION_DENIED", "secret", ""), llm.AuthError, 502, "provider_permission"},
		"model (T)":       {404, status("404", "NOT_FOUND", "models/x is not found for API version v1beta", ""), llm.ProviderError, 502, "provider_not_found"},
		"minute (R)":      {429, status("429", "RESOURCE_EXHAUSTED", current, quota+`GenerateRequestsPerMinutePerProjectPerModel"}]}`), llm.RateLimited, 429, "rate_limit_exceeded"},
		"day (R)":         {429, status("429", "RESOURCE_EXHAUSTED", current, quota+`GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}`), llm.QuotaExhausted, 429, "provider_quota"},
		"none (I)":        {429, status("429", "RESOURCE_EXHAUSTED", current+" Quota exceeded for metric: m, limit: 0, model: x", ""), llm.QuotaExhausted, 429, "provider_quota"},
		"shared (V)":      {429, status("429", "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.", ""), llm.RateLimited, 429, "rate_limit_exceeded"},
		"internal (T)":    {500, status("500", "INTERNAL", "An internal error has occurred.", ""), llm.ProviderError, 502, "provider_error"},
		"overloaded (T)":  {503, status("503", "UNAVAILABLE", "The model is overloaded. Please try again later.", ""), llm.Overloaded, 503, "provider_overloaded"},
		"deadline (T)":    {504, status("504", "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", ""), llm.TimeoutError, 504, "provider_timeout"},
		"cancelled (V)":   {499, status("499", "CANCELLED", "The operation was cancelled.", ""), llm.Overloaded, 503, "provider_overloaded"},
		"wrapped (I)":     {429, "[" + status("429", "RESOURCE_EXHAUSTED", "x", "") + "]", llm.RateLimited, 429, "rate_limit_exceeded"},
		"words (V)":       {400, status("400", "INVALID_ARGUMENT", "This prompt contains sensitive words that violate Google's Responsible AI practices.", ""), llm.ContentFilter, 400, "content_filter"},
		"temperature (V)": {400, status("400", "INVALID_ARGUMENT", "Unable to submit request because it has a temperature value of 1000", ""), llm.ClientError, 400, "invalid_request"},
		"html":            {502, "<html>", llm.ProviderError, 502, "provider_error"},
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

func TestRetryDelay(t *testing.T) {
	retry := `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}`
	headers := map[string]string{}
	look := func(n string) string { return headers[n] }
	body := []byte(status("429", "RESOURCE_EXHAUSTED", "x", retry))
	require.Equal(t, 34500*time.Millisecond, codec.Provider.Classify(429, look, body).After)
	headers["retry-after"] = "7"
	require.Equal(t, 7*time.Second, codec.Provider.Classify(429, look, body).After)
	for _, d := range []string{"x", "-1s", "1e300s", "NaNs"} {
		after := codec.Provider.Classify(429, func(string) string { return "" }, []byte(status("429", "RESOURCE_EXHAUSTED", "x", `{"retryDelay":"`+d+`"}`))).After
		require.True(t, after >= 0 && after <= 24*time.Hour, d)
	}
}

// Answers that come with success, and are errors or nothing.
func TestAnswerWithError(t *testing.T) {
	for body, class := range map[string]llm.Class{
		status("503", "UNAVAILABLE", "m", ""):                    llm.Overloaded,
		"[" + status("429", "RESOURCE_EXHAUSTED", "m", "") + "]": llm.RateLimited,
		`{"error":"x"}`:                     llm.ProviderError,
		`{"candidates":[]}`:                 llm.MalformedAnswer,
		`{"promptFeedback":{}}`:             llm.MalformedAnswer,
		`{"candidates":[],"candidates":[]}`: llm.MalformedAnswer,
		`<html>`:                            llm.MalformedAnswer,
		``:                                  llm.MalformedAnswer,
	} {
		_, err := codec.Provider.Decode(nil, nil, []byte(body))
		require.NotNil(t, err, body)
		require.Equal(t, class.String(), err.Class.String(), body)
	}
	a, err := codec.Provider.Decode(nil, nil, []byte(`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}`))
	require.Nil(t, err)
	require.Equal(t, llm.FinishFilter, a.Choices[0].Finish)
	require.Equal(t, int64(4), a.Usage.Total())
}
