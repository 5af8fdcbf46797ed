package bedrock

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

// Refuse implements core.Dialect.
func (Dialect) Refuse(x *core.Exchange, f core.Fault) core.Reply {
	h := header(x, jsonType)
	h.Set("x-amzn-errortype", f.Type+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	f.SetRetryAfter(h)
	return core.Reply{Status: f.Status, Header: h, Body: encode(object{"message": f.Message})}
}

// Broken implements core.Dialect.
func (Dialect) Broken(_ *core.Exchange, f core.Fault) core.Frame {
	name := strings.ToLower(f.Type[:1]) + f.Type[1:]
	return core.Frame{Kind: core.Closing, Data: frame("exception", name, encode(object{"message": f.Message}))}
}

// Fault implements core.Dialect.
func (Dialect) Fault(kind core.FaultKind, x *core.Exchange) core.Fault {
	return faults.Of(kind, "{model}", x.Model)
}

const validation = "ValidationException"

var faults = core.Faults{
	core.BadJSON:         {Status: 400, Type: "SerializationException", Message: "The request body is not valid JSON"},
	core.BadMediaType:    {Status: 415, Type: "UnsupportedMediaTypeException", Message: "The content type must be application/json"},
	core.NoKey:           {Status: 403, Type: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"},
	core.BadKey:          {Status: 403, Type: "UnrecognizedClientException", Message: "The security token included in the request is invalid."},
	core.Forbidden:       {Status: 403, Type: "AccessDeniedException", Message: "You don't have access to the model with the specified model ID."},
	core.NoModel:         {Status: 400, Type: validation, Message: "The provided model identifier is invalid."},
	core.NoRoute:         {Status: 404, Type: "UnknownOperationException", Message: "Unknown operation"},
	core.BadMethod:       {Status: 405, Type: "UnknownOperationException", Message: "Unknown operation"},
	core.TooLarge:        {Status: 413, Type: "RequestEntityTooLargeException", Message: "Request entity too large"},
	core.Invalid:         {Status: 400, Type: validation, Message: "Malformed input request, please reformat your input and try again."},
	core.RateLimited:     {Status: 429, Type: "ThrottlingException", Message: "Too many requests, please wait before trying again."},
	core.QuotaExhausted:  {Status: 400, Type: "ServiceQuotaExceededException", Message: "Your request exceeds the service quota for your account."},
	core.ContextLength:   {Status: 400, Type: validation, Message: "Input is too long for requested model."},
	core.ContentFiltered: {Status: 400, Type: validation, Message: "The input was blocked by our content filters."},
	core.ServerError:     {Status: 500, Type: "InternalServerException", Message: "The system encountered an unexpected error during processing. Try your request again."},
	core.BadGateway:      {Status: 424, Type: "ModelErrorException", Message: "The system encountered an unexpected error during processing. Try your request again."},
	core.Unavailable:     {Status: 503, Type: "ServiceUnavailableException", Message: "Bedrock is unable to process your request."},
	core.GatewayTimeout:  {Status: 408, Type: "ModelTimeoutException", Message: "Model has timed out in processing the request. Try your request again."},
	core.Overloaded:      {Status: 429, Type: "ModelNotReadyException", Message: "The model is not ready to serve inference requests."},
}

func invalid(format string, args ...any) *core.Fault {
	return &core.Fault{Status: 400, Type: validation, Message: fmt.Sprintf(format, args...)}
}

// Bench implements core.Dialect.
func (Dialect) Bench(b core.Bench) core.Reply {
	n := max(b.Chunks, 1)
	u := core.Usage{Input: 75, Output: n}
	if !b.Stream {
		text := core.BenchText(max(b.Bytes-200, b.Chunks*5))
		body := encode(object{"metrics": object{"latencyMs": 1}, "stopReason": "end_turn", "usage": usageOf(u),
			"output": object{"message": object{"role": "assistant", "content": []object{{"text": text}}}}})
		return core.Reply{Status: 200, Header: http.Header{"Content-Type": {jsonType}}, Body: body, Usage: &u, Reports: true}
	}
	text := " word"
	if b.Bytes > 0 {
		text = core.BenchText(b.Bytes)
	}
	var frames []core.Frame
	add := func(kind core.FrameKind, name string, v object) {
		frames = append(frames, core.Frame{Kind: kind, Data: frame("event", name, encode(v))})
	}
	add(core.Opening, "messageStart", object{"role": "assistant"})
	for range n {
		add(core.Content, "contentBlockDelta", object{"contentBlockIndex": 0, "delta": object{"text": text}})
	}
	add(core.Content, "contentBlockStop", object{"contentBlockIndex": 0})
	add(core.Closing, "messageStop", object{"stopReason": "end_turn"})
	add(core.Closing, "metadata", object{"metrics": object{"latencyMs": 1}, "usage": usageOf(u)})
	frames[len(frames)-1].Reports = true
	return core.Reply{Status: 200, Header: http.Header{"Content-Type": {eventType}}, Frames: frames, Usage: &u}
}
