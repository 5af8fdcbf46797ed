package anthropic

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// errorBody is the API's error object; inside of a stream it has no request_id.
type errorBody struct {
	Type      string      `json:"type"`
	Error     errorDetail `json:"error"`
	RequestID string      `json:"request_id,omitempty"`
}

type errorDetail struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// Refuse implements core.Dialect.
func (Dialect) Refuse(x *core.Exchange, f core.Fault) core.Reply {
	h := header(x, jsonType)
	h.Set("x-should-retry", strconv.FormatBool(f.Status == 429 || f.Status >= 500))
	if f.RetryAfter > 0 {
		h.Set("retry-after", strconv.Itoa(int(f.RetryAfter/time.Second)))
		h.Set("anthropic-ratelimit-requests-remaining", "0")
		reset := x.World.Now().UTC().Add(f.RetryAfter).Truncate(time.Second)
		h.Set("anthropic-ratelimit-requests-reset", reset.Format(time.RFC3339))
	}
	body := encode(errorBody{"error", errorDetail{f.Type, f.Message}, x.RequestID})
	return core.Reply{Status: f.Status, Header: h, Body: body}
}

// Broken implements core.Dialect.
func (Dialect) Broken(_ *core.Exchange, f core.Fault) core.Frame {
	return core.Frame{Kind: core.Closing, Data: sse("error", encode(errorBody{Type: "error", Error: errorDetail{f.Type, f.Message}}))}
}

// Fault implements core.Dialect.
func (d Dialect) Fault(kind core.FaultKind, x *core.Exchange) core.Fault {
	return faults.Of(kind, "{model}", x.Model, "{method}", x.Method, "{path}", x.Path)
}

const (
	invalidRequest = "invalid_request_error"
	apiError       = "api_error"
)

var faults = core.Faults{
	core.BadJSON:         {Status: 400, Type: invalidRequest, Message: "The request body is not valid JSON"},
	core.BadMediaType:    {Status: 400, Type: invalidRequest, Message: "content-type: must be application/json"},
	core.NoKey:           {Status: 401, Type: "authentication_error", Message: "x-api-key header is required"},
	core.BadKey:          {Status: 401, Type: "authentication_error", Message: "invalid x-api-key"},
	core.Forbidden:       {Status: 403, Type: "permission_error", Message: "Your API key does not have permission to use the specified resource."},
	core.NoModel:         {Status: 404, Type: "not_found_error", Message: "model: {model}"},
	core.NoRoute:         {Status: 404, Type: "not_found_error", Message: "Not found"},
	core.BadMethod:       {Status: 405, Type: invalidRequest, Message: "Method Not Allowed"},
	core.TooLarge:        {Status: 413, Type: "request_too_large", Message: "Request exceeds the maximum size"},
	core.Invalid:         {Status: 400, Type: invalidRequest, Message: "Invalid request"},
	core.RateLimited:     {Status: 429, Type: "rate_limit_error", Message: "This request would exceed your organization's rate limit of 4,000 requests per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. Please try again later, or contact sales at https://www.anthropic.com/contact-sales to discuss your options for a rate limit increase."},
	core.QuotaExhausted:  {Status: 400, Type: invalidRequest, Message: "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."},
	core.ContextLength:   {Status: 400, Type: invalidRequest, Message: "prompt is too long: 210112 tokens > 200000 maximum"},
	core.ContentFiltered: {Status: 400, Type: invalidRequest, Message: "Output blocked by content filtering policy"},
	core.ServerError:     {Status: 500, Type: apiError, Message: "Internal server error"},
	core.BadGateway:      {Status: 502, Type: apiError, Message: "Bad gateway"},
	core.Unavailable:     {Status: 503, Type: apiError, Message: "Service unavailable"},
	core.GatewayTimeout:  {Status: 504, Type: "timeout_error", Message: "Request timed out"},
	core.Overloaded:      {Status: 529, Type: "overloaded_error", Message: "Overloaded"},
}

func invalid(format string, args ...any) *core.Fault {
	return &core.Fault{Status: 400, Type: invalidRequest, Message: fmt.Sprintf(format, args...)}
}

// check holds a body against a field table; members behind a beta header that
// the request carries are let through.
func check(x *core.Exchange, body *strict.Value, spec *strict.Spec) *core.Fault {
	for _, p := range strict.Check(body, spec) {
		if p.Reason == strict.Unknown && p.Path.Top() && hasBeta(x, betaFields[p.Path.Last()]) {
			continue
		}
		return invalid("%s", word(p))
	}
	return nil
}

func hasBeta(x *core.Exchange, prefix string) bool {
	if prefix == "" {
		return false
	}
	for _, beta := range strings.Split(strings.Join(x.Header.Values("anthropic-beta"), ","), ",") {
		if strings.HasPrefix(strings.TrimSpace(beta), prefix) {
			return true
		}
	}
	return false
}

// word puts a violation into the API's words.
func word(p strict.Problem) string {
	at := p.Path.Dotted()
	if at == "temperature" && (p.Reason == strict.BelowMin || p.Reason == strict.AboveMax) {
		return "temperature: range: 0..1"
	}
	if at == "messages" && p.Reason == strict.TooShort {
		return "messages: at least one message is required"
	}
	switch p.Reason {
	case strict.Unknown:
		return at + ": Extra inputs are not permitted"
	case strict.Missing:
		return at + ": Field required"
	case strict.WrongKind:
		return at + ": Input should be " + kindName(p.Spec)
	case strict.NotInteger:
		return at + ": Input should be a valid integer"
	case strict.BelowMin:
		return at + ": Input should be greater than or equal to " + strict.Bound(p.Spec.Min)
	case strict.AboveMax:
		return at + ": Input should be less than or equal to " + strict.Bound(p.Spec.Max)
	case strict.NotInEnum:
		return wordEnum(p, at)
	case strict.BadName:
		return at + ": String should match pattern '^[a-zA-Z0-9_-]+$'"
	}
	return wordLength(p, at)
}

func wordEnum(p strict.Problem, at string) string {
	if p.Spec.Tag == "" {
		return at + ": Input should be " + orList(p.Enum)
	}
	at = strings.TrimSuffix(strings.TrimSuffix(at, p.Spec.Tag), ".")
	return fmt.Sprintf("%s: Input tag '%s' found using '%s' does not match any of the expected tags: %s",
		at, p.Value.Str(), p.Spec.Tag, "'"+strings.Join(p.Enum, "', '")+"'")
}

func wordLength(p strict.Problem, at string) string {
	what, unit, n, low, high := "String", "character", len([]rune(p.Value.Text)), p.Spec.MinLen, p.Spec.MaxLen
	if p.Value.Kind == strict.Array {
		what, unit, n, low, high = "List", "item", len(p.Value.Items), p.Spec.MinItems, p.Spec.MaxItems
	}
	if p.Reason == strict.TooShort {
		return fmt.Sprintf("%s: %s should have at least %d %s(s), not %d", at, what, low, unit, n)
	}
	return fmt.Sprintf("%s: %s should have at most %d %s(s), not %d", at, what, high, unit, n)
}

func kindName(s *strict.Spec) string {
	switch {
	case s.Kinds&strict.Array != 0:
		return "a valid list"
	case s.Kinds&strict.Object != 0:
		return "an object"
	case s.Kinds&strict.Bool != 0:
		return "a valid boolean"
	case s.Kinds&strict.Number != 0 && s.Integer:
		return "a valid integer"
	case s.Kinds&strict.Number != 0:
		return "a valid number"
	}
	return "a valid string"
}

func orList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + v + "'"
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

func sorted(list []string) []string {
	sort.Strings(list)
	return list
}
