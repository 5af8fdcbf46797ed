package anthropic

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

// AppendError writes {"type": "error", "error": {…}, "request_id": …} (API
// reference, errors; the members code, param and causes are ours).
func (*client) AppendError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Word("type", "error")
	w.Object("error")
	w.Word("type", errorType(e))
	w.Quote("message", e.Message)
	if e.Code != "" {
		w.Quote("code", e.Code)
	}
	if e.Param != "" {
		w.Quote("param", e.Param)
	}
	w.Causes(e)
	w.Close('}')
	if requestID != "" {
		w.Quote("request_id", requestID)
	}
	w.Close('}')
	return w.B
}

// errorType is the API's word for an error of this class and status.
func errorType(e *llm.Error) string {
	switch e.Class {
	case llm.ClientError:
		switch e.Status {
		case 404:
			return "not_found_error"
		case 413:
			return "request_too_large"
		}
		return "invalid_request_error"
	case llm.ContextLength, llm.ContentFilter:
		return "invalid_request_error"
	case llm.AuthError:
		if e.Source == llm.FromProvider {
			return "api_error"
		}
		return "authentication_error"
	case llm.PolicyError:
		return "permission_error"
	case llm.RateLimited, llm.QuotaExhausted:
		return "rate_limit_error"
	case llm.Overloaded:
		return "overloaded_error"
	case llm.TimeoutError:
		return "timeout_error"
	}
	return "api_error"
}

// AppendStreamError writes the error event, which ends a stream.
func (c *client) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	return sse.Append(dst, "error", c.AppendError(nil, e, requestID))
}

// AppendModels writes a page that holds all models.
func (*client) AppendModels(dst []byte, names []string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Array("data")
	for _, n := range names {
		w.Open('{')
		w.Word("type", "model")
		w.Quote("id", n)
		w.Quote("display_name", n)
		w.Word("created_at", "1970-01-01T00:00:00Z")
		w.Close('}')
	}
	w.Close(']')
	w.Literal("has_more", "false")
	if n := len(names); n > 0 {
		w.Quote("first_id", names[0])
		w.Quote("last_id", names[n-1])
	} else {
		w.Literal("first_id", "null")
		w.Literal("last_id", "null")
	}
	w.Close('}')
	return w.B
}
