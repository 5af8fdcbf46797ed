package dialect

import (
	"strconv"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// StatusError is what an error answer means by its status alone. A codec
// refines it by what the body says. The status for the client is a client's
// own only where the request is at fault: a provider that refuses the gateway's
// credential, or does not know the target's model, is a bad gateway.
func StatusError(status int) *llm.Error {
	e := &llm.Error{Source: llm.FromProvider, Message: "The provider answered with status " + strconv.Itoa(status) + "."}
	e.Class, e.Code = byStatus(status)
	e.Status = e.Class.Status()
	switch {
	case e.Class == llm.AuthError:
		e.Status = 502
		e.Message = "The provider refused the gateway's credential."
	case e.Class == llm.ClientError && status != 405:
		e.Status = status
	}
	return e
}

func byStatus(status int) (llm.Class, string) {
	switch status {
	case 401:
		return llm.AuthError, "provider_auth"
	case 403:
		return llm.AuthError, "provider_permission"
	case 402:
		return llm.QuotaExhausted, "provider_quota"
	case 404, 410:
		return llm.ProviderError, "provider_not_found"
	case 408, 504, 524:
		return llm.TimeoutError, "provider_timeout"
	case 413:
		return llm.ClientError, "request_too_large"
	case 429:
		return llm.RateLimited, "rate_limit_exceeded"
	case 498, 503, 529:
		return llm.Overloaded, "provider_overloaded"
	case 409, 425:
		return llm.ProviderError, "provider_conflict"
	}
	if status >= 400 && status < 500 {
		return llm.ClientError, "invalid_request"
	}
	return llm.ProviderError, "provider_error"
}

// Hint is what the words of an error's message mean where its status does not say it.
type Hint struct {
	Of      llm.Class // by the status; NoError: of any
	Class   llm.Class
	Phrases []string // in lower case; any of them will do
}

// codes are those of the classes that hints lead to.
var codes = [...]string{llm.ContextLength: "context_length_exceeded", llm.ContentFilter: "content_filter", llm.RateLimited: "rate_limit_exceeded",
	llm.QuotaExhausted: "provider_quota", llm.Overloaded: "provider_overloaded", llm.ProviderError: "provider_not_found"}

// Refine gives a classified error the meaning of the first hint that its message
// bears out, and the message.
func Refine(e *llm.Error, message string, hints []Hint) {
	for i := range hints {
		h := &hints[i]
		if (h.Of == llm.NoError || h.Of == e.Class) && Says(message, h.Phrases) {
			e.Class, e.Code = h.Class, codes[h.Class]
			e.Status = e.Class.Status()
			break
		}
	}
	Describe(e, message)
}

// Complaint is the message of an error body, under the one name of keys; empty where
// it has none. At most MaxMessage bytes are kept.
func Complaint(body []byte, keys *jsonx.Keys) string {
	var doc jsonx.Document
	if doc.Scan(body, keys, jsonx.Limits{}) != nil {
		return ""
	}
	return Plain(jsonx.Interior(doc.Raw(0)), MaxMessage)
}

// MaxMessage bounds what is kept of a provider's message, in bytes.
const MaxMessage = 1000

// Malformed is an answer that cannot be read; cause is for operators.
//
//go:noinline
func Malformed(cause string) *llm.Error {
	return &llm.Error{Class: llm.MalformedAnswer, Source: llm.FromProvider, Status: llm.MalformedAnswer.Status(),
		Code: "malformed_answer", Message: "The provider's answer cannot be read.", Cause: cause}
}

// Invalid is a request that is wrong in itself; param names the part.
//
//go:noinline
func Invalid(code, param, message string) *llm.Error {
	return &llm.Error{Class: llm.ClientError, Source: llm.FromClient, Status: 400, Code: code, Message: message, Param: param}
}

// Unsupported is a request that is right in itself, but that asks for what the
// target's dialect cannot carry; param names the part.
//
//go:noinline
func Unsupported(param, message string) *llm.Error {
	return &llm.Error{Class: llm.ClientError, Source: llm.FromPostern, Status: 400, Code: "unsupported_parameter",
		Message: message, Param: param}
}

// Describe chooses the message of a classified error answer that said message.
// What a provider says about the request is for the client; what it says about
// the gateway's account is not, and what it says about its key is not even
// logged.
func Describe(e *llm.Error, message string) {
	if e.Class != llm.AuthError {
		e.Cause = message
	}
	switch e.Class {
	case llm.ClientError, llm.ContextLength, llm.ContentFilter:
		if message != "" {
			e.Message = message
		}
	case llm.RateLimited:
		e.Message = "The provider's rate limit is reached."
	case llm.QuotaExhausted:
		e.Message = "The gateway's quota at the provider is used up."
	case llm.Overloaded:
		e.Message = "The provider is overloaded."
	}
}
