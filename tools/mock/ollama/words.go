package ollama

import (
	"fmt"
	"net/http"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// Refuse implements core.Dialect.
func (Dialect) Refuse(x *core.Exchange, f core.Fault) core.Reply {
	h := header(x, jsonType)
	f.SetRetryAfter(h)
	return core.Reply{Status: f.Status, Header: h, Body: encode(object{"error": f.Message})}
}

// Broken implements core.Dialect.
func (Dialect) Broken(_ *core.Exchange, f core.Fault) core.Frame {
	return line(core.Closing, object{"error": f.Message})
}

// Fault implements core.Dialect.
func (Dialect) Fault(kind core.FaultKind, x *core.Exchange) core.Fault {
	return faults.Of(kind, "{model}", x.Model)
}

var faults = core.Faults{
	core.BadJSON:         {Status: 400, Message: "invalid character 'x' looking for beginning of object key string"},
	core.BadMediaType:    {Status: 415, Message: "unsupported media type"},
	core.NoKey:           {Status: 401, Message: "unauthorized"},
	core.BadKey:          {Status: 401, Message: "unauthorized"},
	core.Forbidden:       {Status: 403, Message: "access to the model is forbidden"},
	core.NoModel:         {Status: 404, Message: "model '{model}' not found"},
	core.NoRoute:         {Status: 404, Message: "404 page not found"},
	core.BadMethod:       {Status: 405, Message: "405 method not allowed"},
	core.TooLarge:        {Status: 413, Message: "request body too large"},
	core.Invalid:         {Status: 400, Message: "invalid request"},
	core.RateLimited:     {Status: 429, Message: "too many requests"},
	core.QuotaExhausted:  {Status: 429, Message: "you've reached your hourly usage limit, please upgrade to continue"},
	core.ContextLength:   {Status: 400, Message: "the input length exceeds the context length"},
	core.ContentFiltered: {Status: 400, Message: "the request was blocked"},
	core.ServerError:     {Status: 500, Message: "llama runner process has terminated: exit status 2"},
	core.BadGateway:      {Status: 502, Message: "upstream connection failed"},
	core.Unavailable:     {Status: 503, Message: "server busy, please try again.  maximum pending requests exceeded"},
	core.GatewayTimeout:  {Status: 504, Message: "timed out waiting for llama runner to start"},
	core.Overloaded:      {Status: 503, Message: "server busy, please try again.  maximum pending requests exceeded"},
}

func invalid(format string, args ...any) *core.Fault {
	return &core.Fault{Status: 400, Message: fmt.Sprintf(format, args...)}
}

// check holds a body against a field table, and words the first violation as the
// server's JSON reader does.
func check(body *strict.Value, spec *strict.Spec) *core.Fault {
	problems := strict.Check(body, spec)
	if len(problems) == 0 {
		return nil
	}
	p := problems[0]
	at := p.Path.Last()
	option := len(p.Path) == 2 && p.Path[0].Key == "options"
	switch p.Reason {
	case strict.Unknown:
		return invalid("json: unknown field %q", at)
	case strict.Missing, strict.TooShort:
		return invalid("%s is required", at)
	case strict.NotInEnum:
		return invalid("invalid role: %s, role must be one of [system, user, assistant, tool]", p.Value.Str())
	}
	if option {
		return invalid("option %q must be of type %s", at, kind(p.Spec.Kinds))
	}
	return invalid("json: cannot unmarshal %s into Go struct field %s of type %s", kind(p.Value.Kind), p.Path.Bracketed(), kind(p.Spec.Kinds))
}

func kind(k strict.Kind) string {
	for _, x := range []struct {
		kind strict.Kind
		name string
	}{{strict.Object, "object"}, {strict.Array, "array"}, {strict.String, "string"}, {strict.Number, "number"}, {strict.Bool, "bool"}} {
		if k&x.kind != 0 {
			return x.name
		}
	}
	return "null"
}

// Bench implements core.Dialect.
func (Dialect) Bench(b core.Bench) core.Reply {
	n := max(b.Chunks, 1)
	u := core.Usage{Input: 75, Output: n}
	end := object{"model": b.Model, "created_at": "2026-01-01T00:00:00Z", "done": true, "done_reason": "stop"}
	count(end, &u)
	if !b.Stream {
		end["message"] = object{"role": "assistant", "content": core.BenchText(max(b.Bytes-330, b.Chunks*5))}
		return core.Reply{Status: 200, Header: http.Header{"Content-Type": {jsonType}}, Body: encode(end), Usage: &u, Reports: true}
	}
	text := " word"
	if b.Bytes > 0 {
		text = core.BenchText(b.Bytes)
	}
	var frames []core.Frame
	for range n {
		frames = append(frames, line(core.Content, object{"model": b.Model, "created_at": "2026-01-01T00:00:00Z", "done": false,
			"message": object{"role": "assistant", "content": text}}))
	}
	end["message"] = object{"role": "assistant", "content": ""}
	last := line(core.Closing, end)
	last.Reports = true
	return core.Reply{Status: 200, Header: http.Header{"Content-Type": {linesType}}, Frames: append(frames, last), Usage: &u}
}
