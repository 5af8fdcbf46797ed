package cohere

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// Refuse implements core.Dialect.
func (Dialect) Refuse(x *core.Exchange, f core.Fault) core.Reply {
	h := header(x, jsonType)
	f.SetRetryAfter(h)
	return core.Reply{Status: f.Status, Header: h, Body: encode(object{"id": x.RequestID, "message": f.Message})}
}

// Broken implements core.Dialect.
func (Dialect) Broken(_ *core.Exchange, f core.Fault) core.Frame {
	return event(core.Closing, object{"type": "message-end", "delta": object{"finish_reason": "ERROR", "error": f.Message}})
}

// Fault implements core.Dialect.
func (Dialect) Fault(kind core.FaultKind, x *core.Exchange) core.Fault {
	return faults.Of(kind, "{model}", x.Model)
}

var faults = core.Faults{
	core.BadJSON:         {Status: 400, Message: "invalid request: the body is not valid JSON"},
	core.BadMediaType:    {Status: 415, Message: "unsupported content type: use application/json"},
	core.NoKey:           {Status: 401, Message: "no api key supplied"},
	core.BadKey:          {Status: 401, Message: "invalid api token"},
	core.Forbidden:       {Status: 403, Message: "forbidden: the api key has no access to this resource"},
	core.NoModel:         {Status: 404, Message: "model '{model}' not found, make sure the correct model ID was used and that you have access to the model."},
	core.NoRoute:         {Status: 404, Message: "not found"},
	core.BadMethod:       {Status: 405, Message: "method not allowed"},
	core.TooLarge:        {Status: 413, Message: "request entity too large"},
	core.Invalid:         {Status: 400, Message: "invalid request"},
	core.RateLimited:     {Status: 429, Message: "You are using a Trial key, which is limited to 40 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits."},
	core.QuotaExhausted:  {Status: 402, Message: "Please add or update your payment method to continue"},
	core.ContextLength:   {Status: 400, Message: "too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs. The limit for this model is 128000 tokens."},
	core.ContentFiltered: {Status: 498, Message: "a deny-listed token was found in the request"},
	core.ServerError:     {Status: 500, Message: "internal server error, this has been reported to our developers."},
	core.BadGateway:      {Status: 502, Message: "bad gateway"},
	core.Unavailable:     {Status: 503, Message: "service unavailable"},
	core.GatewayTimeout:  {Status: 504, Message: "timed out"},
	core.Overloaded:      {Status: 503, Message: "the service is overloaded, please try again later"},
}

func invalid(format string, args ...any) *core.Fault {
	return &core.Fault{Status: 400, Message: "invalid request: " + fmt.Sprintf(format, args...)}
}

// check holds a body against a field table. A member that the API does not know is
// the one thing that it calls unprocessable.
func check(body *strict.Value, spec *strict.Spec) *core.Fault {
	problems := strict.Check(body, spec)
	for _, p := range problems {
		if p.Reason == strict.Unknown {
			return &core.Fault{Status: http.StatusUnprocessableEntity,
				Message: "unknown field: parameter '" + p.Path.Last() + "' is not a valid field"}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return word(problems[0])
}

func word(p strict.Problem) *core.Fault {
	at := p.Path.Bracketed()
	switch p.Reason {
	case strict.Missing:
		return invalid("%s is required", at)
	case strict.WrongKind, strict.NotInteger:
		return &core.Fault{Status: 400, Message: "invalid type: parameter '" + at + "' is of type " + kind(p.Value.Kind, false) +
			" but should be of type " + kind(p.Spec.Kinds, p.Spec.Integer)}
	case strict.NotInEnum:
		return invalid("%s must be one of: %s", at, strings.Join(p.Enum, ", "))
	case strict.BelowMin, strict.AboveMax:
		if p.Spec.Max == nil {
			return invalid("%s must be greater than or equal to %s.", at, strict.Bound(p.Spec.Min))
		}
		return invalid("%s must be between %s and %s inclusive.", at, strict.Bound(p.Spec.Min), strict.Bound(p.Spec.Max))
	case strict.TooShort:
		return invalid("%s must not be empty", at)
	}
	return invalid("%s is too long", at)
}

func kind(k strict.Kind, integer bool) string {
	switch {
	case integer:
		return "integer"
	case k&strict.Object != 0:
		return "object"
	case k&strict.Array != 0:
		return "array"
	case k&strict.String != 0:
		return "string"
	case k&strict.Number != 0:
		return "float"
	case k&strict.Bool != 0:
		return "bool"
	}
	return "null"
}

// Bench implements core.Dialect.
func (Dialect) Bench(b core.Bench) core.Reply {
	n := max(b.Chunks, 1)
	u := core.Usage{Input: 75, Output: n}
	if !b.Stream {
		text := core.BenchText(max(b.Bytes-230, b.Chunks*5))
		body := encode(object{"id": "bench", "finish_reason": "COMPLETE", "usage": usageOf(&u),
			"message": object{"role": "assistant", "content": []object{{"type": "text", "text": text}}}})
		return core.Reply{Status: 200, Header: http.Header{"Content-Type": {jsonType}}, Body: body, Usage: &u, Reports: true}
	}
	text := " word"
	if b.Bytes > 0 {
		text = core.BenchText(b.Bytes)
	}
	s := streamer{}
	s.start("bench")
	s.content(core.Opening, "content-start", object{"type": "text", "text": ""})
	for range n {
		s.content(core.Content, "content-delta", object{"text": text})
	}
	s.indexed(core.Closing, "content-end", s.contents)
	s.end("COMPLETE", &u)
	return core.Reply{Status: 200, Header: http.Header{"Content-Type": {eventType}}, Frames: s.frames, Usage: &u}
}
