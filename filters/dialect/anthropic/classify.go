package anthropic

import (
	"time"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/date"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Classify reads an error answer by its status and by what its body says.
func (*provider) Classify(status int, h dialect.Header, body []byte) *llm.Error {
	var doc jsonx.Document
	f := failure{status: status}
	read := doc.Scan(body, messageKeys, jsonx.Limits{}) == nil
	if !read {
		doc.Hold(nil)
	}
	if isAWS(h, &doc) {
		return aws.Classify(status, h, body)
	}
	if read {
		f.read(&doc)
	}
	e := f.classify()
	e.After = dialect.RetryAfter(h)
	if e.After == 0 && e.Class == llm.RateLimited {
		e.After = resetAfter(h)
	}
	return e
}

// bodyError finds the error in an answer or in an event that came with a status
// of success; nil when there is none.
func bodyError(doc *jsonx.Document) *llm.Error {
	var f failure
	if !f.read(doc) {
		return nil
	}
	return f.classify()
}

// failure is what an error answer says.
type failure struct {
	status        int
	kind, message string
}

// read finds {"type": "error", "error": {"type", "message"}}.
func (f *failure) read(doc *jsonx.Document) bool {
	v, ok := doc.Get(mError)
	if !ok || v.Kind != jsonx.Object {
		return jsonx.Equal(interior(doc, mType), "error")
	}
	for it := jsonx.Members(v.Raw(doc.Body())); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "type":
			f.kind = dialect.Plain(dialect.Text(&it), 100)
		case "message":
			f.message = dialect.Plain(dialect.Text(&it), dialect.MaxMessage)
		}
	}
	return true
}

// statuses is the status of each error type (API reference, errors).
var statuses = map[string]int{
	"invalid_request_error": 400,
	"authentication_error":  401,
	"billing_error":         402,
	"permission_error":      403,
	"not_found_error":       404,
	"request_too_large":     413,
	"rate_limit_error":      429,
	"api_error":             500,
	"timeout_error":         504,
	"overloaded_error":      529,
}

// classify goes by the type, which a stream has and a status has not; the status
// counts where the type is unknown.
func (f *failure) classify() *llm.Error {
	if status, ok := statuses[f.kind]; ok {
		f.status = status
	} else if f.status < 400 {
		f.status = 500
	}
	e := dialect.StatusError(f.status)
	dialect.Refine(e, f.message, hints)
	return e
}

// hints tell by a message what the API calls an invalid request and is not.
var hints = []dialect.Hint{
	{Of: llm.ClientError, Class: llm.ContextLength, Phrases: []string{"prompt is too long", "exceed context limit", "exceeds the context",
		"context window", "maximum context length", "input is too long", "too many tokens"}},
	{Of: llm.ClientError, Class: llm.QuotaExhausted, Phrases: []string{"credit balance", "usage limits"}},
	{Of: llm.ClientError, Class: llm.ContentFilter, Phrases: []string{"content filtering policy"}},
}

// limits are the rate limits that the API reports in headers.
var limits = []string{"requests", "tokens", "input-tokens", "output-tokens"}

// resetAfter is when the limits that are used up are full again: the latest of
// anthropic-ratelimit-…-reset (RFC 3339), by the answer's own date.
func resetAfter(h dialect.Header) time.Duration {
	var after time.Duration
	for _, limit := range limits {
		prefix := "anthropic-ratelimit-" + limit
		if h(prefix+"-remaining") != "0" {
			continue
		}
		if t, err := date.RFC3339(h(prefix + "-reset")); err == nil {
			after = max(after, dialect.Until(t, h))
		}
	}
	return after
}
