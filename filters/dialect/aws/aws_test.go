package aws

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
)

func none(string) string { return "" }

// The errors of the Bedrock runtime's API reference (Converse, ConverseStream,
// InvokeModel: Errors), of "Troubleshooting Amazon Bedrock API error codes" in the
// user guide, and of "Common errors" of AWS's APIs; those with a name in a header
// are as the service was seen to answer.
func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		status       int
		header, body string
		class        llm.Class
		client       int
	}{
		"throttling":     {429, "ThrottlingException", `{"message":"Too many requests, please wait before trying again."}`, llm.RateLimited, 429},
		"throttled body": {429, "", `{"__type":"com.amazon.coral.availability#ThrottlingException","message":"m"}`, llm.RateLimited, 429},
		"code":           {400, "", `{"code":"ThrottlingException","message":"Rate exceeded"}`, llm.RateLimited, 429},
		"per day":        {429, "ThrottlingException:", `{"message":"Too many tokens per day, please wait before trying again."}`, llm.QuotaExhausted, 429},
		"quota":          {400, "ServiceQuotaExceededException", `{"message":"Your request exceeds the service quota for your account."}`, llm.QuotaExhausted, 429},
		"model name": {400, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/", `{"message":"The provided model identifier is invalid."}`,
			llm.ProviderError, 502},
		"on demand": {400, "ValidationException", `{"message":"Invocation of model ID x with on-demand throughput isn’t supported."}`, llm.ProviderError, 502},
		"too long":  {400, "ValidationException", `{"message":"Input is too long for requested model."}`, llm.ContextLength, 400},
		"too long for claude": {400, "ValidationException", `{"message":"The model returned the following errors: prompt is too long: 210000 tokens > 200000 maximum"}`,
			llm.ContextLength, 400},
		"too long for titan": {400, "ValidationException", `{"message":"Malformed input request: expected maxLength: 50000, actual: 60000, please reformat your input and try again."}`,
			llm.ContextLength, 400},
		"too many for embeddings": {400, "ValidationException", `{"message":"400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9001"}`,
			llm.ContextLength, 400},
		"filter":          {400, "ValidationException", `{"message":"The input was blocked by our content filters."}`, llm.ContentFilter, 400},
		"invalid":         {400, "ValidationException", `{"message":"The text field in the ContentBlock object at messages.0.content.0 is blank."}`, llm.ClientError, 400},
		"model timeout":   {408, "ModelTimeoutException", `{"message":"m"}`, llm.TimeoutError, 504},
		"not ready":       {429, "ModelNotReadyException", `{"message":"m"}`, llm.Overloaded, 503},
		"denied":          {403, "AccessDeniedException", `{"message":"You don't have access to the model of account 123 secret"}`, llm.AuthError, 502},
		"signature":       {403, "InvalidSignatureException", `{"message":"The request signature we calculated secret"}`, llm.AuthError, 502},
		"expired":         {403, "ExpiredTokenException", `{"message":"The security token included in the request is expired"}`, llm.AuthError, 502},
		"no such model":   {404, "ResourceNotFoundException", `{"message":"m"}`, llm.ProviderError, 502},
		"model failed":    {424, "ModelErrorException", `{"message":"m","originalStatusCode":500,"resourceName":"r"}`, llm.ProviderError, 502},
		"internal":        {500, "InternalServerException", `{"message":"m"}`, llm.ProviderError, 502},
		"unavailable":     {503, "ServiceUnavailableException", `{"message":"m"}`, llm.Overloaded, 503},
		"unknown":         {418, "NewException", `{"message":"m"}`, llm.ClientError, 418},
		"capital message": {400, "ValidationException", `{"Message":"input is too long"}`, llm.ContextLength, 400},
		"html":            {502, "", `<html>`, llm.ProviderError, 502},
		"empty":           {503, "", ``, llm.Overloaded, 503},
	} {
		t.Run(name, func(t *testing.T) {
			e := Classify(c.status, func(n string) string {
				if n == "x-amzn-errortype" {
					return c.header
				}
				return ""
			}, []byte(c.body))
			require.Equal(t, c.class.String(), e.Class.String())
			require.Equal(t, c.client, e.Status)
			require.NotContains(t, e.Error(), "secret")
		})
	}
	e := Classify(429, func(n string) string { return map[string]string{Pause: "1500"}[n] }, nil)
	require.Equal(t, 1500*time.Millisecond, e.After)
	e = Classify(429, func(n string) string { return map[string]string{"retry-after": "7"}[n] }, nil)
	require.Equal(t, 7*time.Second, e.After)
}

func exception(t *testing.T, kind, name, payload string) *llm.Error {
	var w eventstream.Writer
	w.Begin()
	w.Text(":message-type", kind)
	if kind == "error" {
		w.Text(":error-code", name)
		w.Text(":error-message", payload)
	} else {
		w.Text(":exception-type", name)
	}
	w.Body()
	w.B = append(w.B, payload...)
	w.End()
	f := eventstream.NewFramer(eventstream.Limits{})
	f.Feed(w.B)
	m, ok := f.Next()
	require.True(t, ok)
	return Exception(&m)
}

func TestExceptions(t *testing.T) {
	for name, class := range map[string]llm.Class{
		"throttlingException": llm.RateLimited, "modelStreamErrorException": llm.ProviderError, "internalServerException": llm.ProviderError,
		"serviceUnavailableException": llm.Overloaded, "validationException": llm.ClientError, "modelTimeoutException": llm.TimeoutError,
		"somethingNew": llm.ProviderError, "": llm.ProviderError,
	} {
		e := exception(t, "exception", name, `{"message":"m"}`)
		require.Equal(t, class.String(), e.Class.String(), name)
	}
	require.Equal(t, llm.ContextLength, exception(t, "exception", "validationException", `{"message":"Input is too long"}`).Class)
	e := exception(t, "error", "InternalFailure", "it broke")
	require.Equal(t, llm.ProviderError, e.Class)
	require.Equal(t, "it broke", e.Cause)
	require.Nil(t, exception(t, "event", "", "{}"))
}

// An exception that we write is read as the same class, or as the model's failure.
func TestAppendException(t *testing.T) {
	for c := llm.ClientError; c.String() != ""; c++ {
		b := AppendException(nil, &llm.Error{Class: c, Source: llm.FromPostern, Status: c.Status(), Message: "m", Param: "p"}, "r-1")
		f := eventstream.NewFramer(eventstream.Limits{})
		f.Feed(b)
		m, ok := f.Next()
		require.True(t, ok)
		require.Contains(t, string(m.Payload), `"requestId":"r-1"`)
		got := Exception(&m).Class
		switch c {
		case llm.ClientError, llm.RateLimited, llm.Overloaded, llm.ProviderError:
			require.Equal(t, c, got)
		case llm.QuotaExhausted:
			require.Equal(t, llm.RateLimited, got)
		case llm.ContextLength, llm.ContentFilter, llm.PolicyError:
			require.Equal(t, llm.ClientError, got)
		default:
			require.Equal(t, llm.ProviderError, got)
		}
	}
}

func TestErrorName(t *testing.T) {
	for want, e := range map[string]llm.Error{
		"ValidationException":         {Class: llm.ContextLength},
		"ResourceNotFoundException":   {Class: llm.ClientError, Status: 404},
		"AccessDeniedException":       {Class: llm.AuthError},
		"InternalServerException":     {Class: llm.AuthError, Source: llm.FromProvider},
		"ThrottlingException":         {Class: llm.QuotaExhausted},
		"ServiceUnavailableException": {Class: llm.Overloaded},
		"ModelTimeoutException":       {Class: llm.TimeoutError},
	} {
		require.Equal(t, want, ErrorName(&e))
	}
}

func TestPaths(t *testing.T) {
	for model, path := range map[string]string{
		"amazon.nova-lite-v1:0": "/model/amazon.nova-lite-v1%3A0/converse",
		"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2": "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2/converse",
		"a~b_c é": "/model/a~b_c%20%C3%A9/converse",
	} {
		require.Equal(t, path, ModelPath("", model, "converse"))
		got, action, ok := Action(path)
		require.True(t, ok)
		require.Equal(t, model+" converse", got+" "+action)
	}
	require.Equal(t, "/base/model/m/invoke", ModelPath("/base", "m", "invoke"))
	model, action, ok := Action("/model/arn:aws:bedrock:us-east-1:1:inference-profile/us.x/converse-stream")
	require.True(t, ok)
	require.Equal(t, "arn:aws:bedrock:us-east-1:1:inference-profile/us.x converse-stream", model+" "+action)
	for _, bad := range []string{"", "/model/", "/model/x", "/model//converse", "/models/x/converse", "/model/%/converse", "/model/%g0/converse", "/model/%0/converse"} {
		_, _, ok := Action(bad)
		require.False(t, ok, bad)
	}
}

func TestFamily(t *testing.T) {
	for model, want := range map[string]string{
		"anthropic.claude-3-haiku-20240307-v1:0":                                                    "anthropic.claude-3-haiku-20240307-v1:0",
		"us.anthropic.claude-opus-4-6-v1":                                                           "anthropic.claude-opus-4-6-v1",
		"global.amazon.nova-2-lite-v1:0":                                                            "amazon.nova-2-lite-v1:0",
		"us-gov.meta.llama3-70b-instruct-v1:0":                                                      "meta.llama3-70b-instruct-v1:0",
		"arn:aws:bedrock:us-east-1::foundation-model/Cohere.embed-english-v3":                       "cohere.embed-english-v3",
		"arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.mistral.pixtral-large-2502-v1": "mistral.pixtral-large-2502-v1",
		"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2":                 "",
		"my-anthropic.x": "", "": "",
	} {
		require.Equal(t, want, Family(model), model)
	}
}

func TestToken(t *testing.T) {
	for value, want := range map[string]string{
		"Bearer abc": "abc", "bearer  abc": "abc", "Bearer ": "", "": "",
		"AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00": "",
	} {
		token, header := Token(&dialect.Line{Header: func(name string) string {
			require.Equal(t, "authorization", name)
			return value
		}})
		require.Equal(t, want, token)
		require.Equal(t, want != "", header == "authorization")
	}
}

func TestCounted(t *testing.T) {
	h := map[string]string{"x-amzn-bedrock-input-token-count": "12", "x-amzn-bedrock-output-token-count": "34"}
	require.Equal(t, llm.Usage{Input: 12, Output: 34, Known: true}, Counted(func(n string) string { return h[n] }))
	h = map[string]string{"x-amzn-bedrock-input-token-count": "1e3", "x-amzn-bedrock-output-token-count": "99999999999999999999999999"}
	require.Equal(t, llm.Usage{}, Counted(func(n string) string { return h[n] }))
	require.Equal(t, llm.Usage{}, Counted(none))
}

func FuzzAction(f *testing.F) {
	f.Add("/model/a%3Ab/converse")
	f.Fuzz(func(t *testing.T, path string) {
		if model, action, ok := Action(path); ok {
			again, same, ok := Action(ModelPath("", model, action))
			require.True(t, ok)
			require.Equal(t, model+" "+action, again+" "+same)
		}
	})
}
