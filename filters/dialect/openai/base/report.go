package base

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

// AppendError writes {"error": {…}} (OpenAI API reference, error object; the
// members request_id and causes are ours).
func (Client) AppendError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Object("error")
	WriteError(&w, e, requestID)
	w.Close('}')
	w.Close('}')
	return w.B
}

// WriteError appends the members of an error object.
func WriteError(w *dialect.Writer, e *llm.Error, requestID string) {
	w.Quote("message", e.Message)
	w.Word("type", errorType(e))
	quoteOrNull(w, "param", e.Param)
	quoteOrNull(w, "code", errorCode(e))
	w.Causes(e)
	if requestID != "" {
		w.Quote("request_id", requestID)
	}
}

func quoteOrNull(w *dialect.Writer, name, text string) {
	if text == "" {
		w.Literal(name, "null")
		return
	}
	w.Quote(name, text)
}

// errorType is the word that OpenAI itself uses for an error of this class. A
// wrong key is an invalid request there, too.
func errorType(e *llm.Error) string {
	switch e.Class {
	case llm.ClientError, llm.ContextLength, llm.ContentFilter:
		return "invalid_request_error"
	case llm.AuthError:
		if e.Source == llm.FromProvider {
			return "server_error"
		}
		return "invalid_request_error"
	case llm.PolicyError:
		return "request_forbidden"
	case llm.RateLimited:
		if e.Param == "tokens" {
			return "tokens"
		}
		return "requests"
	case llm.QuotaExhausted:
		return "insufficient_quota"
	}
	return "server_error"
}

// errorCode is the error's own code, or OpenAI's for its class.
func errorCode(e *llm.Error) string {
	if e.Code != "" {
		return e.Code
	}
	switch e.Class {
	case llm.AuthError:
		return "invalid_api_key"
	case llm.ContextLength:
		return "context_length_exceeded"
	case llm.ContentFilter:
		return "content_filter"
	case llm.RateLimited:
		return "rate_limit_exceeded"
	case llm.QuotaExhausted:
		return "insufficient_quota"
	}
	return ""
}

// AppendStreamError writes the error as the last chunk, and [DONE] after it, so
// that readers which wait for that come to an end.
func (c Client) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	dst = sse.Append(dst, "", c.AppendError(nil, e, requestID))
	return sse.Append(dst, "", []byte("[DONE]"))
}

// WriteModel appends a model object.
func WriteModel(w *dialect.Writer, name string) {
	w.Open('{')
	w.Quote("id", name)
	w.Word("object", "model")
	w.Int("created", 0)
	w.Word("owned_by", "postern")
	w.Close('}')
}

// AppendModels writes a list object of model objects.
func (Client) AppendModels(dst []byte, names []string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Word("object", "list")
	w.Array("data")
	for _, n := range names {
		WriteModel(&w, n)
	}
	w.Close(']')
	w.Close('}')
	return w.B
}
