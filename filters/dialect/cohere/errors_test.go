package cohere_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect/cohere"
	"github.com/posterngw/postern/filters/llm"
)

// The messages follow the API's page of errors ("Errors (status codes and
// description)") and the error types of cohere-go.
func TestClassify(t *testing.T) {
	for _, x := range []struct {
		status  int
		message string
		class   llm.Class
		code    string
		client  int
	}{
		{400, "invalid request: list of documents must not be empty", llm.ClientError, "invalid_request", 400},
		{400, "invalid request: temperature must be between 0 and 1.0 inclusive.", llm.ClientError, "invalid_request", 400},
		{400, "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292. Try using a shorter prompt", llm.ContextLength, "context_length_exceeded", 400},
		{400, "too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs", llm.ContextLength, "context_length_exceeded", 400},
		{400, "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model", llm.ClientError, "invalid_request", 400},
		{401, "invalid api token", llm.AuthError, "provider_auth", 502},
		{401, "no api key supplied", llm.AuthError, "provider_auth", 502},
		{402, "Please add or update your payment method", llm.QuotaExhausted, "provider_quota", 429},
		{403, "forbidden", llm.AuthError, "provider_permission", 502},
		{404, "model 'x' not found, make sure the correct model ID was used", llm.ProviderError, "provider_not_found", 502},
		{422, "unprocessable", llm.ClientError, "invalid_request", 422},
		{429, "You are using a Trial key, which is limited to 40 API calls / minute.", llm.RateLimited, "rate_limit_exceeded", 429},
		{429, "You are using a Trial key, which is limited to 1000 API calls / month.", llm.QuotaExhausted, "provider_quota", 429},
		{498, "a deny-listed token", llm.ContentFilter, "content_filter", 400},
		{499, "request cancelled", llm.ProviderError, "provider_cancelled", 502},
		{500, "internal server error, this has been reported to our developers", llm.ProviderError, "provider_error", 502},
		{501, "not implemented", llm.ProviderError, "provider_error", 502},
		{503, "service unavailable", llm.Overloaded, "provider_overloaded", 503},
		{504, "timed out", llm.TimeoutError, "provider_timeout", 504},
	} {
		h := func(name string) string { return map[string]string{"retry-after": "7"}[name] }
		e := cohere.Chat().Provider.Classify(x.status, h, []byte(`{"id":"1","message":"`+x.message+`"}`))
		require.Equal(t, x.class, e.Class, "%d %s", x.status, x.message)
		require.Equal(t, x.code, e.Code)
		require.Equal(t, x.client, e.Status, x.message)
		require.Equal(t, 7*time.Second, e.After)
		if x.class == llm.AuthError {
			require.NotContains(t, e.Error(), x.message)
		}
	}
}
