package gemini

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
)

// status is the body of an error: a google.rpc.Status.
type status struct {
	Error rpcStatus `json:"error"`
}

type rpcStatus struct {
	Code    int              `json:"code"`
	Message string           `json:"message"`
	Status  string           `json:"status"`
	Details []map[string]any `json:"details,omitempty"`
}

const rpc = "type.googleapis.com/google.rpc."

func statusOf(x *core.Exchange, f *core.Fault) status {
	out := status{rpcStatus{Code: f.Status, Message: f.Message, Status: f.Type}}
	add := func(kind string, members map[string]any) {
		members["@type"] = rpc + kind
		out.Error.Details = append(out.Error.Details, members)
	}
	switch {
	case f.Code == "API_KEY_INVALID":
		add("ErrorInfo", map[string]any{"reason": f.Code, "domain": "googleapis.com", "metadata": map[string]string{"service": "generativelanguage.googleapis.com"}})
	case f.Code != "":
		add("QuotaFailure", map[string]any{"violations": []map[string]any{{
			"quotaMetric": "generativelanguage.googleapis.com/generate_content_requests", "quotaId": f.Code,
			"quotaDimensions": map[string]string{"location": "global", "model": x.Model}, "quotaValue": "10"}}})
	case f.Param != "":
		add("BadRequest", map[string]any{"fieldViolations": []map[string]string{{"field": f.Param, "description": f.Message}}})
	}
	if f.RetryAfter > 0 {
		add("RetryInfo", map[string]any{"retryDelay": strconv.Itoa(int(f.RetryAfter/time.Second)) + "s"})
	}
	return out
}

// Refuse implements core.Dialect.
func (Dialect) Refuse(x *core.Exchange, f core.Fault) core.Reply {
	body := indented(statusOf(x, &f))
	if x.Stream && !events(x) {
		body = append(append([]byte("["), body...), ']')
	}
	return core.Reply{Status: f.Status, Header: header(x, jsonType), Body: body}
}

// Broken implements core.Dialect.
func (Dialect) Broken(x *core.Exchange, f core.Fault) core.Frame {
	first := x.Scenario.StreamError == core.ErrorFirst
	data := framed(x, statusOf(x, &f), first || x.Scenario.StreamError == core.ErrorOpened)
	if !events(x) {
		data = append(data, ']')
		if first {
			data = append([]byte("["), data...)
		}
	}
	return core.Frame{Kind: core.Closing, Data: data}
}

// Fault implements core.Dialect.
func (Dialect) Fault(kind core.FaultKind, x *core.Exchange) core.Fault {
	all := faults
	if _, own := vertexFaults[kind]; own && vertex(x) {
		all = vertexFaults
	}
	_, method := target(x)
	at, _, _ := strings.Cut(strings.TrimPrefix(x.Path, "/"), ":")
	version, resource, _ := strings.Cut(at, "/")
	return all.Of(kind, "{model}", x.Model, "{method}", method, "{version}", version, "{resource}", resource)
}

const (
	argument  = "INVALID_ARGUMENT"
	exhausted = "RESOURCE_EXHAUSTED"
	current   = "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)

var faults = core.Faults{
	core.BadJSON:         {Status: 400, Type: argument, Message: "Invalid JSON payload received. Expected an object key or }."},
	core.BadMediaType:    {Status: 400, Type: argument, Message: "Invalid content type. The content type must be application/json."},
	core.NoKey:           {Status: 403, Type: "PERMISSION_DENIED", Message: "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."},
	core.BadKey:          {Status: 400, Type: argument, Code: "API_KEY_INVALID", Message: "API key not valid. Please pass a valid API key."},
	core.Forbidden:       {Status: 403, Type: "PERMISSION_DENIED", Message: "Your project has been denied access. Please contact support."},
	core.NoModel:         {Status: 404, Type: "NOT_FOUND", Message: "models/{model} is not found for API version {version}, or is not supported for {method}. Call ListModels to see the list of available models and their supported methods."},
	core.NoRoute:         {Status: 404, Type: "NOT_FOUND", Message: "Requested entity was not found."},
	core.BadMethod:       {Status: 404, Type: "NOT_FOUND", Message: "Requested entity was not found."},
	core.TooLarge:        {Status: 400, Type: argument, Message: "Request payload size exceeds the limit: 20971520 bytes. Please use the Files API to upload files instead of sending inline data."},
	core.Invalid:         {Status: 400, Type: argument, Message: "Request contains an invalid argument."},
	core.RateLimited:     {Status: 429, Type: exhausted, Code: "GenerateRequestsPerMinutePerProjectPerModel", Message: current},
	core.QuotaExhausted:  {Status: 429, Type: exhausted, Code: "GenerateRequestsPerDayPerProjectPerModel", Message: current},
	core.ContextLength:   {Status: 400, Type: argument, Message: "The input token count exceeds the maximum number of tokens allowed (1048576)."},
	core.ContentFiltered: {Status: 400, Type: argument, Message: "This prompt contains sensitive words that violate Google's Responsible AI practices. Try rephrasing the prompt."},
	core.ServerError:     {Status: 500, Type: "INTERNAL", Message: "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"},
	core.BadGateway:      {Status: 502, Type: "UNAVAILABLE", Message: "Bad gateway."},
	core.Unavailable:     {Status: 503, Type: "UNAVAILABLE", Message: "The service is currently unavailable."},
	core.GatewayTimeout:  {Status: 504, Type: "DEADLINE_EXCEEDED", Message: "Deadline expired before operation could complete."},
	core.Overloaded:      {Status: 503, Type: "UNAVAILABLE", Message: "The model is overloaded. Please try again later."},
}

// vertexFaults are those that Vertex AI words otherwise.
var vertexFaults = core.Faults{
	core.NoKey:       {Status: 401, Type: "UNAUTHENTICATED", Message: "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."},
	core.BadKey:      {Status: 401, Type: "UNAUTHENTICATED", Message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."},
	core.NoModel:     {Status: 404, Type: "NOT_FOUND", Message: "Publisher Model `{resource}` not found."},
	core.RateLimited: {Status: 429, Type: exhausted, Message: "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."},
}

func invalid(format string, args ...any) *core.Fault {
	return &core.Fault{Status: 400, Type: argument, Message: fmt.Sprintf(format, args...)}
}

// rule is a violation that the API finds itself; it lists them by their fields.
func rule(at, format string, args ...any) *core.Fault {
	return invalid("* GenerateContentRequest.%s: %s\n", at, fmt.Sprintf(format, args...))
}

// Bench implements core.Dialect.
func (Dialect) Bench(b core.Bench) core.Reply {
	x := &core.Exchange{Model: b.Model, World: &core.World{}, RequestID: "bench", Query: map[string][]string{"alt": {"sse"}}}
	n := max(b.Chunks, 1)
	u := core.Usage{Input: 75, Output: n}
	one := func(text, finish string) *response {
		out := envelope(x)
		out.Candidates, out.Usage = []candidate{candidateOf(x, 0, []part{{Text: &text}}, finish)}, usageOf(x, u)
		return &out
	}
	if !b.Stream {
		body := encode(one(core.BenchText(max(b.Bytes-300, b.Chunks*5)), "STOP"))
		return core.Reply{Status: 200, Header: http.Header{"Content-Type": {jsonType}}, Body: body, Usage: &u, Reports: true}
	}
	text := " word"
	if b.Bytes > 0 {
		text = core.BenchText(b.Bytes)
	}
	var frames []core.Frame
	for range n {
		frames = append(frames, core.Frame{Kind: core.Content, Data: framed(x, one(text, ""), false)})
	}
	frames = append(frames, core.Frame{Kind: core.Closing, Data: framed(x, one("", "STOP"), false), Reports: true})
	return core.Reply{Status: 200, Header: http.Header{"Content-Type": {eventType}}, Frames: frames, Usage: &u}
}
