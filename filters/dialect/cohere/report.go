package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// AppendError writes {"id", "message"} (API reference, errors; the members code,
// param and causes are ours).
func (endpoint) AppendError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	if requestID != "" {
		w.Quote("id", requestID)
	}
	w.Quote("message", e.Message)
	if e.Code != "" {
		w.Quote("code", e.Code)
	}
	if e.Param != "" {
		w.Quote("param", e.Param)
	}
	w.Causes(e)
	w.Close('}')
	return w.B
}

// AppendStreamError writes the last event of a stream that broke: it finishes in
// ERROR and says why.
func (endpoint) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: append(dst, "event: message-end\ndata: "...)}
	w.Begin('{')
	w.Word("type", "message-end")
	if requestID != "" {
		w.Quote("id", requestID)
	}
	w.Object("delta")
	w.Quote("error", e.Message)
	w.Word("finish_reason", "ERROR")
	return append(w.B, "}}\n\ndata: [DONE]\n\n"...)
}

// AppendModels writes a page that holds all models.
func (endpoint) AppendModels(dst []byte, names []string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Array("models")
	for _, n := range names {
		w.Open('{')
		w.Quote("name", n)
		w.Literal("endpoints", `["chat","embed","rerank"]`)
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return w.B
}

var errorKeys = jsonx.NewKeys("message")

// Classify reads an error answer by its status and by what its body says.
func (endpoint) Classify(status int, h dialect.Header, body []byte) *llm.Error {
	e := classify(status, dialect.Complaint(body, errorKeys))
	e.After = dialect.RetryAfter(h)
	return e
}

// hints tell by a message what the API has no code for.
var hints = []dialect.Hint{
	{Of: llm.ClientError, Class: llm.ContextLength, Phrases: []string{"too many tokens: total", "too many tokens: size", "prompt exceeds context length",
		"context length", "reduce the length", "input is too long"}},
	{Of: llm.ClientError, Class: llm.ContentFilter, Phrases: []string{"blocked output", "blocked input", "deny-listed", "content policy", "toxic"}},
	{Of: llm.RateLimited, Class: llm.RateLimited, Phrases: []string{"/ minute"}},
	{Of: llm.RateLimited, Class: llm.QuotaExhausted, Phrases: []string{"/ month", "per month", "monthly", "billing", "payment", "credits"}},
}

// classify goes by the status; a status of success is an error of the server's
// own, told in an answer.
func classify(status int, message string) *llm.Error {
	if status < 400 {
		status = 500
	}
	e := dialect.StatusError(status)
	switch status {
	case 498: // a deny-listed token
		e.Class, e.Code = llm.ContentFilter, "content_filter"
	case 499: // cancelled, but not by us
		e.Class, e.Code = llm.ProviderError, "provider_cancelled"
	default:
		dialect.Refine(e, message, hints)
		return e
	}
	e.Status = e.Class.Status()
	dialect.Describe(e, message)
	return e
}

// scanAnswer validates an answer that came with a status of success, and finds
// the error that it may be nevertheless: where an answer has its content, or in
// place of it, an error has its message.
func scanAnswer(doc *jsonx.Document, body []byte, keys *jsonx.Keys, content int, kind jsonx.Kind) *llm.Error {
	if err := doc.Scan(body, keys, jsonx.Limits{}); err != nil {
		return dialect.Malformed(err.Error())
	}
	if jsonx.KindOf(doc.Raw(content)) == kind {
		return nil
	}
	if message, ok := jsonx.Lookup(body, "message"); ok && jsonx.KindOf(message) == jsonx.String {
		return classify(0, dialect.Plain(jsonx.Interior(message), dialect.MaxMessage))
	}
	return dialect.Malformed("no " + keys.Name(content))
}
