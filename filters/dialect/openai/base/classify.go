package base

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Classify reads an error answer by its status and by what its body says.
func (Provider) Classify(status int, h dialect.Header, body []byte) *llm.Error {
	f := failure{status: status}
	if jsonx.Valid(body, jsonx.Limits{}) == nil {
		fault, _ := jsonx.Lookup(body, "error")
		object, _ := jsonx.Lookup(body, "object")
		f.read(fault, object, body)
	}
	e := f.classify()
	e.After = dialect.RetryAfter(h)
	if e.After == 0 && e.Class == llm.RateLimited {
		e.After = resetAfter(h)
	}
	return e
}

// Fault finds the error in an answer or in an event that came with a status of
// success; nil when there is none. fault and object are the members "error" and
// "object" of body, nil where they are absent.
func Fault(fault, object, body []byte) *llm.Error {
	var f failure
	if !f.read(fault, object, body) {
		return nil
	}
	return f.classify()
}

// Named is an error that is no more than a code and a message, in an answer that
// came with a status of success.
func Named(code, message []byte) *llm.Error {
	f := failure{code: dialect.Plain(code, 100), message: dialect.Plain(message, dialect.MaxMessage)}
	return f.classify()
}

// failure is what an error answer says.
type failure struct {
	status                         int
	message, kind, code, param, in string
}

// read finds the error object: {"error": {…}} or {"error": "…"}, or the document
// itself (vLLM: {"object": "error", "message": …}).
func (f *failure) read(fault, object, body []byte) bool {
	switch kind := jsonx.KindOf(fault); {
	case kind == jsonx.Object:
		f.object(fault)
	case kind == jsonx.String:
		f.message = dialect.Plain(jsonx.Interior(fault), dialect.MaxMessage)
	case jsonx.Equal(jsonx.Interior(object), "error"):
		f.object(body)
	default:
		return false
	}
	return true
}

func (f *failure) object(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "message":
			f.message = dialect.Plain(dialect.Text(&it), dialect.MaxMessage)
		case "type":
			f.kind = dialect.Plain(dialect.Text(&it), 100)
		case "param":
			f.param = dialect.Plain(dialect.Text(&it), 100)
		case "code":
			f.code = dialect.Plain(dialect.Text(&it), 100)
			f.number(it.Value())
		case "status", "status_code":
			f.number(it.Value())
		case "innererror": // Azure
			code, _ := jsonx.Lookup(it.Value(), "code")
			f.in = dialect.Plain(jsonx.Interior(code), 100)
		}
	}
}

// number takes an HTTP status from the body where the answer's own says nothing.
func (f *failure) number(raw []byte) {
	n, ok := jsonx.Int(raw)
	if ok && f.status < 400 && n >= 400 && n <= 599 {
		f.status = int(n)
	}
}

// meanings is what a code or a type means, whatever the status. Sources: the
// OpenAI error guide, Azure's, and recorded answers of the servers named.
var meanings = []struct {
	word  string
	class llm.Class
	code  string
}{
	{"context_length_exceeded", llm.ContextLength, "context_length_exceeded"},
	{"model_max_prompt_tokens_exceeded", llm.ContextLength, "context_length_exceeded"},
	{"insufficient_quota", llm.QuotaExhausted, "provider_quota"},
	{"billing_hard_limit_reached", llm.QuotaExhausted, "provider_quota"},
	{"billing_not_active", llm.QuotaExhausted, "provider_quota"},
	{"exceeded_current_quota_error", llm.QuotaExhausted, "provider_quota"}, // Moonshot
	{"insufficient_balance", llm.QuotaExhausted, "provider_quota"},
	{"content_filter", llm.ContentFilter, "content_filter"},
	{"ResponsibleAIPolicyViolation", llm.ContentFilter, "content_filter"}, // Azure
	{"content_policy_violation", llm.ContentFilter, "content_filter"},
	{"moderation_blocked", llm.ContentFilter, "content_filter"},
	{"invalid_prompt", llm.ContentFilter, "content_filter"},
	{"rate_limit_exceeded", llm.RateLimited, "rate_limit_exceeded"},
	{"rate_limit_error", llm.RateLimited, "rate_limit_exceeded"},
	{"server_is_overloaded", llm.Overloaded, "provider_overloaded"},
	{"slow_down", llm.Overloaded, "provider_overloaded"},
	{"overloaded_error", llm.Overloaded, "provider_overloaded"},
	{"engine_overloaded_error", llm.Overloaded, "provider_overloaded"}, // Moonshot
	{"service_unavailable_error", llm.Overloaded, "provider_overloaded"},
	{"model_not_found", llm.ProviderError, "provider_not_found"},
	{"DeploymentNotFound", llm.ProviderError, "provider_not_found"}, // Azure
	{"invalid_api_key", llm.AuthError, "provider_auth"},
	{"authentication_error", llm.AuthError, "provider_auth"},
	{"unsupported_country_region_territory", llm.AuthError, "provider_permission"},
}

// statuses is the status that a type stands for where there is no other.
var statuses = []struct {
	word   string
	status int
}{
	{"invalid_request_error", 400}, {"BadRequestError", 400}, {"permission_error", 403}, {"request_forbidden", 403},
	{"not_found_error", 404}, {"NotFoundError", 404}, {"requests", 429}, {"tokens", 429}, {"timeout", 504},
}

// contextPhrases tell in a message that the conversation is too long, where the
// server has no code for it.
var contextPhrases = []string{
	"maximum context length", "context length", "context window", "context_length", "reduce the length",
	"prompt is too long", "input is too long", "too many tokens", "maximum number of tokens", "max_prompt_length",
	"maximum prompt length", "prompt contains", "exceeds the available context",
}

// quotaPhrases tell that the account is empty, not that it is too fast.
var quotaPhrases = []string{
	"exceeded your current quota", "insufficient balance", "insufficient credits", "credit balance", "out of credits",
	"requires more credits", "billing details",
}

func (f *failure) classify() *llm.Error {
	if f.status < 400 {
		f.status = f.byType()
	}
	e := dialect.StatusError(f.status)
	if class, code := f.meaning(e.Class); class != llm.NoError {
		e.Class, e.Code = class, code
		e.Status = class.Status()
	}
	f.describe(e)
	return e
}

func (f *failure) byType() int {
	for _, s := range statuses {
		if f.kind == s.word {
			return s.status
		}
	}
	return 500
}

// meaning refines a class; NoError leaves it as it is.
func (f *failure) meaning(class llm.Class) (llm.Class, string) {
	for _, m := range meanings {
		if f.code == m.word || f.in == m.word || f.kind == m.word {
			return m.class, m.code
		}
	}
	switch {
	case class == llm.ClientError && dialect.Says(f.message, contextPhrases):
		return llm.ContextLength, "context_length_exceeded"
	case (class == llm.ClientError || class == llm.RateLimited) && dialect.Says(f.message, quotaPhrases):
		return llm.QuotaExhausted, "provider_quota"
	}
	return llm.NoError, ""
}

// describe chooses the message. What a provider says about the request is for
// the client; what it says about the gateway's account (key, organisation,
// limits) is not, and what it says about its key is not even logged.
func (f *failure) describe(e *llm.Error) {
	if e.Class != llm.AuthError {
		e.Cause = f.message
	}
	switch e.Class {
	case llm.ClientError:
		if isWord(f.code) {
			e.Code = f.code
		}
		fallthrough
	case llm.ContextLength, llm.ContentFilter:
		e.Param = f.param
		if f.message != "" {
			e.Message = f.message
		}
	case llm.AuthError:
		e.Status, e.Message = 502, "The provider refused the gateway's credential."
	case llm.RateLimited:
		e.Message = "The provider's rate limit is reached."
	case llm.QuotaExhausted:
		e.Message = "The gateway's quota at the provider is used up."
	case llm.Overloaded:
		e.Message = "The provider is overloaded."
	}
}

// isWord reports whether a code is fit to be passed on.
func isWord(code string) bool {
	for i := range len(code) {
		c := code[i] | 0x20
		if (c < 'a' || c > 'z') && (code[i] < '0' || code[i] > '9') && code[i] != '_' && code[i] != '.' {
			return false
		}
	}
	return code != ""
}

// resetAfter is when the limits that are used up are full again, or the later of
// both when none says that it is (OpenAI's rate limit guide: x-ratelimit-…,
// "1s", "6m0s", "120ms").
func resetAfter(h dialect.Header) time.Duration {
	requests, tokens := reset(h("x-ratelimit-reset-requests")), reset(h("x-ratelimit-reset-tokens"))
	switch {
	case h("x-ratelimit-remaining-requests") == "0" && h("x-ratelimit-remaining-tokens") != "0":
		return requests
	case h("x-ratelimit-remaining-tokens") == "0" && h("x-ratelimit-remaining-requests") != "0":
		return tokens
	}
	return max(requests, tokens)
}

// maxReset bounds what is believed.
const maxReset = 24 * time.Hour

func reset(v string) time.Duration {
	d, err := time.ParseDuration(v)
	if err != nil {
		seconds, err := strconv.ParseFloat(v, 64)
		if err != nil || !(seconds > 0 && seconds < maxReset.Seconds()) {
			return 0
		}
		d = time.Duration(seconds * float64(time.Second))
	}
	return min(max(d, 0), maxReset)
}
