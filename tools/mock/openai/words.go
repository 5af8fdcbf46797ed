package openai

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

const invalidRequest = "invalid_request_error"

// errorBody is the API's error object.
type errorBody struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	} `json:"error"`
}

func bodyOf(f core.Fault) errorBody {
	var b errorBody
	b.Error.Message, b.Error.Type = f.Message, f.Type
	b.Error.Param, b.Error.Code = orNull(f.Param), orNull(f.Code)
	return b
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Refuse implements core.Dialect.
func (Dialect) Refuse(x *core.Exchange, f core.Fault) core.Reply {
	h := header(x, jsonType)
	if f.RetryAfter > 0 {
		h.Set("retry-after", strconv.Itoa(int(f.RetryAfter/time.Second)))
		h.Set("retry-after-ms", strconv.FormatInt(f.RetryAfter.Milliseconds(), 10))
		h.Set("x-ratelimit-remaining-requests", "0")
		h.Set("x-ratelimit-reset-requests", f.RetryAfter.String())
	}
	return core.Reply{Status: f.Status, Header: h, Body: indented(bodyOf(f))}
}

// Broken implements core.Dialect.
func (Dialect) Broken(x *core.Exchange, f core.Fault) core.Frame {
	if x.Path == responsesPath {
		return namedEvent(core.Closing, "error", map[string]any{"type": "error", "sequence_number": brokenNumber, "error": bodyOf(f).Error})
	}
	return event(core.Closing, bodyOf(f))
}

// Fault implements core.Dialect.
func (d Dialect) Fault(kind core.FaultKind, x *core.Exchange) core.Fault {
	return faults.Of(kind, "{model}", x.Model, "{method}", x.Method, "{path}", x.Path,
		"{key}", masked(d.Key(x.Header)), "{type}", x.Header.Get("content-type"))
}

// masked shows a key as the API does: its ends.
func masked(key string) string {
	if len(key) <= 12 {
		return strings.Repeat("*", len(key))
	}
	return key[:8] + strings.Repeat("*", len(key)-12) + key[len(key)-4:]
}

var faults = core.Faults{
	core.BadJSON:         {Status: 400, Type: invalidRequest, Message: "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)"},
	core.BadMediaType:    {Status: 400, Type: invalidRequest, Code: "unsupported_content_type", Message: "Unsupported content type: '{type}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: {type}'. Please try again with a supported content type."},
	core.NoKey:           {Status: 401, Type: invalidRequest, Message: "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from https://platform.openai.com/account/api-keys."},
	core.BadKey:          {Status: 401, Type: invalidRequest, Code: "invalid_api_key", Message: "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys."},
	core.Forbidden:       {Status: 403, Type: invalidRequest, Code: "model_not_found", Message: "Project `proj_mock` does not have access to model `{model}`"},
	core.NoModel:         {Status: 404, Type: invalidRequest, Code: "model_not_found", Message: "The model `{model}` does not exist or you do not have access to it."},
	core.NoRoute:         {Status: 404, Type: invalidRequest, Message: "Invalid URL ({method} {path})"},
	core.BadMethod:       {Status: 405, Type: invalidRequest, Code: "method_not_supported", Message: "Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)"},
	core.TooLarge:        {Status: 413, Type: invalidRequest, Message: "Maximum content size limit exceeded"},
	core.Invalid:         {Status: 400, Type: invalidRequest, Message: "Invalid request."},
	core.RateLimited:     {Status: 429, Type: "requests", Code: "rate_limit_exceeded", Message: "Rate limit reached for {model} in organization org-mock on requests per min (RPM): Limit 10000, Used 10000, Requested 1. Please try again in 6ms. Visit https://platform.openai.com/account/rate-limits to learn more."},
	core.QuotaExhausted:  {Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", Message: "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."},
	core.ContextLength:   {Status: 400, Type: invalidRequest, Param: "messages", Code: "context_length_exceeded", Message: "This model's maximum context length is 128000 tokens. However, your messages resulted in 140112 tokens. Please reduce the length of the messages."},
	core.ContentFiltered: {Status: 400, Type: invalidRequest, Code: "content_policy_violation", Message: "Your request was rejected as a result of our safety system."},
	core.ServerError:     {Status: 500, Type: "server_error", Message: "The server had an error while processing your request. Sorry about that!"},
	core.BadGateway:      {Status: 502, Type: "server_error", Message: "Bad gateway."},
	core.Unavailable:     {Status: 503, Type: "server_error", Code: "service_unavailable", Message: "The engine is currently overloaded, please try again later"},
	core.GatewayTimeout:  {Status: 504, Type: "server_error", Message: "Gateway timeout."},
	core.Overloaded:      {Status: 529, Type: "server_error", Code: "server_is_overloaded", Message: "Our servers are currently overloaded. Please try again later."},
}

func invalid(param, code, format string, args ...any) *core.Fault {
	return &core.Fault{Status: 400, Type: invalidRequest, Param: param, Code: code, Message: fmt.Sprintf(format, args...)}
}

// check holds a body against a field table. Unknown members of the body come
// first, all in one message, then the first violation in the order of the
// document.
func check(body *strict.Value, spec *strict.Spec) *core.Fault {
	problems := strict.Check(body, spec)
	if len(problems) == 0 {
		return nil
	}
	var unknown []string
	for _, p := range problems {
		if p.Reason == strict.Unknown && p.Path.Top() {
			unknown = append(unknown, p.Path.Last())
		}
	}
	switch len(unknown) {
	case 0:
		return word(problems[0])
	case 1:
		return invalid("", "", "Unrecognized request argument supplied: %s", unknown[0])
	}
	return invalid("", "", "Unrecognized request arguments supplied: %s", strings.Join(unknown, ", "))
}

func word(p strict.Problem) *core.Fault {
	at := p.Path.Bracketed()
	switch p.Reason {
	case strict.Unknown:
		return invalid(at, "unknown_parameter", "Unknown parameter: '%s'.", at)
	case strict.Missing:
		return missing(at)
	case strict.WrongKind, strict.NotInteger:
		return invalid(at, "invalid_type", "Invalid type for '%s': expected %s, but got %s instead.", at, expected(p.Spec), got(p.Value))
	case strict.NotInEnum:
		return wrongValue(p, at)
	case strict.BelowMin:
		return outOfRange(p, at, "below", "minimum", ">=", strict.Bound(p.Spec.Min))
	case strict.AboveMax:
		return outOfRange(p, at, "above", "maximum", "<=", strict.Bound(p.Spec.Max))
	case strict.TooShort, strict.TooLong:
		return wrongLength(p, at)
	}
	return invalid(at, "invalid_value", "Invalid '%s': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", at)
}

func missing(at string) *core.Fault {
	if at == "model" {
		return invalid("", "", "you must provide a model parameter")
	}
	return invalid(at, "missing_required_parameter", "Missing required parameter: '%s'.", at)
}

func wrongValue(p strict.Problem, at string) *core.Fault {
	if p.Value != nil && p.Value.Kind != strict.String {
		return invalid(at, "invalid_type", "Invalid type for '%s': expected %s, but got %s instead.", at, oneOf(p.Enum), got(p.Value))
	}
	return invalid(at, "invalid_value", "Invalid value: '%s'. Supported values are: %s.", p.Value.Str(), quotedList(p.Enum))
}

func outOfRange(p strict.Problem, at, side, which, sign, bound string) *core.Fault {
	kind := "decimal"
	if p.Spec.Integer {
		kind = "integer"
	}
	code := kind + "_" + side + "_" + which[:3] + "_value"
	return invalid(at, code, "Invalid '%s': %s %s %s value. Expected a value %s %s, but got %s instead.", at, kind, side, which, sign, bound, p.Value.Text)
}

func wrongLength(p strict.Problem, at string) *core.Fault {
	if p.Value.Kind == strict.Array {
		return wrongCount(p, at)
	}
	n := len([]rune(p.Value.Text))
	if p.Reason == strict.TooShort {
		return invalid(at, "empty_string", "Invalid '%s': empty string. Expected a string with minimum length %d, but got an empty string instead.", at, p.Spec.MinLen)
	}
	return invalid(at, "string_above_max_length", "Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", at, p.Spec.MaxLen, n)
}

func wrongCount(p strict.Problem, at string) *core.Fault {
	if p.Reason == strict.TooShort {
		return invalid(at, "empty_array", "Invalid '%s': empty array. Expected an array with minimum length %d, but got an empty array instead.", at, p.Spec.MinItems)
	}
	return invalid(at, "array_above_max_length", "Invalid '%s': array too long. Expected an array with maximum length %d, but got an array with length %d instead.", at, p.Spec.MaxItems, len(p.Value.Items))
}

func expected(s *strict.Spec) string {
	var names []string
	for _, k := range []strict.Kind{strict.String, strict.Number, strict.Bool, strict.Array, strict.Object} {
		if s.Kinds&k != 0 {
			names = append(names, kindName(k, s))
		}
	}
	return oneOf(names)
}

func oneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return "one of " + strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func kindName(k strict.Kind, s *strict.Spec) string {
	switch k {
	case strict.String:
		return "a string"
	case strict.Bool:
		return "a boolean"
	case strict.Array:
		if s.Items != nil && s.Items.Kinds == strict.Object {
			return "an array of objects"
		}
		return "an array"
	case strict.Object:
		return "an object"
	}
	if s.Integer {
		return "an integer"
	}
	return "a decimal"
}

func got(v *strict.Value) string {
	switch v.Kind {
	case strict.Null:
		return "null"
	case strict.Number:
		if strings.ContainsAny(v.Text, ".eE") {
			return "a decimal number"
		}
		return "an integer"
	}
	return kindName(v.Kind, &strict.Spec{})
}

func quotedList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + v + "'"
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	if len(quoted) == 2 {
		return quoted[0] + " and " + quoted[1]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + ", and " + quoted[len(quoted)-1]
}
