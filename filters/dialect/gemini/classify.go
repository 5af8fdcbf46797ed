package gemini

import (
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Classify reads an error answer by its status and by what its body says: a
// google.rpc.Status, in streams without events within an array.
func (*provider) Classify(status int, h dialect.Header, body []byte) *llm.Error {
	e := wrapped(body, status)
	if e == nil {
		f := failure{status: status}
		e = f.classify()
	}
	if after := dialect.RetryAfter(h); after > 0 {
		e.After = after
	}
	return e
}

// wrapped finds the error in a body that is valid JSON; nil when there is none.
func wrapped(body []byte, status int) *llm.Error {
	if jsonx.Valid(body, jsonx.Limits{}) != nil {
		return nil
	}
	if jsonx.KindOf(body) == jsonx.Array {
		body, _ = jsonx.Lookup(body, "0")
	}
	f := failure{status: status}
	if raw, ok := jsonx.Lookup(body, "error"); !ok || !f.read(raw) {
		return nil
	}
	return f.classify()
}

// bodyError finds the error in an answer or in an event that came with a status
// of success; nil when there is none.
func bodyError(doc *jsonx.Document) *llm.Error {
	f := failure{status: 200}
	if v, ok := doc.Get(aError); !ok || !f.read(v.Raw(doc.Body())) {
		return nil
	}
	return f.classify()
}

// failure is what an error answer says.
type failure struct {
	status                int
	word, message, reason string
	after                 time.Duration
	daily                 bool // a quota of a day is used up
}

// read finds {"code", "message", "status", "details"}, or a bare message.
func (f *failure) read(raw []byte) bool {
	switch jsonx.KindOf(raw) {
	case jsonx.String:
		f.message = dialect.Plain(jsonx.Interior(raw), dialect.MaxMessage)
		return true
	case jsonx.Object:
	default:
		return false
	}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "code":
			if n, ok := jsonx.Int(it.Value()); ok && f.status < 400 && n >= 400 && n <= 599 {
				f.status = int(n)
			}
		case "message":
			f.message = dialect.Plain(dialect.Text(&it), dialect.MaxMessage)
		case "status":
			f.word = dialect.Plain(dialect.Text(&it), 100)
		case "details":
			for d := jsonx.Elements(it.Value()); d.Next(); {
				f.detail(d.Value())
			}
		}
	}
	return true
}

// detail reads ErrorInfo, RetryInfo and QuotaFailure (google.rpc, error_details).
func (f *failure) detail(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "reason":
			f.reason = dialect.Plain(dialect.Text(&it), 100)
		case "retryDelay":
			f.after = delay(dialect.Plain(dialect.Text(&it), 32))
		case "violations":
			for v := jsonx.Elements(it.Value()); v.Next(); {
				id := dialect.Plain(getText(v.Value(), "quotaId"), 200)
				f.daily = f.daily || strings.Contains(id, "PerDay")
			}
		}
	}
}

// maxDelay bounds what is believed.
const maxDelay = 24 * time.Hour

// delay reads a duration as JSON spells it: "34.07s".
func delay(text string) time.Duration {
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64)
	if err != nil || !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, maxDelay.Seconds()) * float64(time.Second))
}

// statuses is the HTTP status of each code (google.rpc.Code), for errors that come
// in a stream.
var statuses = []struct {
	word   string
	status int
}{
	{"INVALID_ARGUMENT", 400}, {"FAILED_PRECONDITION", 400}, {"OUT_OF_RANGE", 400}, {"UNAUTHENTICATED", 401},
	{"PERMISSION_DENIED", 403}, {"NOT_FOUND", 404}, {"ABORTED", 409}, {"ALREADY_EXISTS", 409}, {"RESOURCE_EXHAUSTED", 429},
	{"CANCELLED", 499}, {"INTERNAL", 500}, {"UNKNOWN", 500}, {"DATA_LOSS", 500}, {"UNIMPLEMENTED", 501},
	{"UNAVAILABLE", 503}, {"DEADLINE_EXCEEDED", 504},
}

// The phrases by which messages tell what codes do not.
var (
	contextPhrases = []string{"input token count", "exceeds the maximum number of tokens", "maximum number of tokens allowed",
		"context length", "context window", "input context is too long", "prompt is too long"}
	largePhrases  = []string{"request payload size exceeds"}
	keyPhrases    = []string{"api key not valid", "api key expired", "api_key_invalid", "api key not found"}
	placePhrases  = []string{"user location is not supported", "is not available in your country"}
	quotaPhrases  = []string{"credits are depleted", "spending cap", "billing to be enabled", "billing account", "enable billing", "limit: 0"}
	filterPhrases = []string{"violate google's responsible ai", "prohibited use policy", "blocked by safety", "sensitive words"}
)

// classify goes by the status, or by the code where a stream has none, and by what
// the details and the message say.
func (f *failure) classify() *llm.Error {
	if f.status < 400 {
		f.status = 500
		for _, s := range statuses {
			if f.word == s.word {
				f.status = s.status
			}
		}
	}
	if f.status == 499 { // the provider gave up
		f.status = 503
	}
	e := dialect.StatusError(f.status)
	f.refine(e)
	dialect.Describe(e, f.message)
	if e.Class == llm.AuthError {
		e.Status, e.Message = 502, "The provider refused the gateway's credential."
	}
	e.After = f.after
	return e
}

func (f *failure) refine(e *llm.Error) {
	set := func(c llm.Class, code string) { e.Class, e.Code, e.Status = c, code, c.Status() }
	client, says := e.Class == llm.ClientError, func(p []string) bool { return dialect.Says(f.message, p) }
	switch {
	case strings.HasPrefix(f.reason, "API_KEY_"), client && says(keyPhrases):
		set(llm.AuthError, "provider_auth")
	case f.reason == "BILLING_DISABLED", (client || e.Class == llm.RateLimited) && says(quotaPhrases), f.daily && e.Class == llm.RateLimited:
		set(llm.QuotaExhausted, "provider_quota")
	case client && says(placePhrases):
		set(llm.AuthError, "provider_permission")
	case client && says(contextPhrases):
		set(llm.ContextLength, "context_length_exceeded")
	case client && says(filterPhrases):
		set(llm.ContentFilter, "content_filter")
	case client && says(largePhrases):
		e.Code, e.Status = "request_too_large", 413
	}
}
