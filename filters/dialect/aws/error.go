package aws

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Pause is the header that AWS's clients obey when they try again.
const Pause = "x-amz-retry-after"

// Classify reads an error answer: its name stands in a header or in the body.
func Classify(status int, h dialect.Header, body []byte) *llm.Error {
	f := failure{status: status, name: shortName(h("x-amzn-errortype"))}
	f.read(body)
	e := f.classify()
	e.After = dialect.RetryAfter(h)
	return e
}

// Exception is the error that a message of an event stream is; nil when it is
// none. code is the name of an exception, or of an error.
func Exception(m *eventstream.Message) *llm.Error {
	f := failure{status: 500}
	switch string(m.Headers.Text(":message-type")) {
	case "exception":
		f.name = string(m.Headers.Text(":exception-type"))
		f.read(m.Payload)
	case "error":
		f.name = string(m.Headers.Text(":error-code"))
		f.message = bounded(string(m.Headers.Text(":error-message")))
	default:
		return nil
	}
	if f.name != "" {
		f.name = strings.ToUpper(f.name[:1]) + f.name[1:]
	}
	return f.classify()
}

// BrokenStream is the error for a stream that cannot be read on.
func BrokenStream(err *eventstream.Error) *llm.Error { return dialect.Malformed(err.Error()) }

// failure is what an error answer says.
type failure struct {
	status        int
	name, message string
}

func bounded(s string) string { return s[:min(len(s), dialect.MaxMessage)] }

// shortName is an error's name without its namespace and without what stands
// behind a colon: "com.amazon.coral#ValidationException:http://…".
func shortName(s string) string {
	s, _, _ = strings.Cut(s, ":")
	if at := strings.LastIndexByte(s, '#'); at >= 0 {
		s = s[at+1:]
	}
	return s
}

func (f *failure) read(body []byte) {
	if jsonx.Valid(body, jsonx.Limits{}) != nil {
		return
	}
	for it := jsonx.Members(body); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "__type", "code":
			if f.name == "" {
				f.name = shortName(dialect.Plain(dialect.Text(&it), 100))
			}
		case "message", "Message":
			f.message = dialect.Plain(dialect.Text(&it), dialect.MaxMessage)
		}
	}
}

// statuses is what each error means in the words of HTTP. Where it is not the
// status that AWS gives the error, AWS's own says less: a model that failed (424)
// is the provider's failure, a used-up quota comes as 400, a model that is not
// ready as 429.
var statuses = []struct {
	status int
	names  string
}{
	{429, "ThrottlingException TooManyRequestsException RequestLimitExceeded LimitExceededException SlowDown"},
	{402, "ServiceQuotaExceededException"},
	{503, "ModelNotReadyException ServiceUnavailableException ServiceUnavailable"},
	{408, "ModelTimeoutException RequestTimeout RequestTimeoutException"},
	{403, "AccessDeniedException UnrecognizedClientException InvalidSignatureException IncompleteSignatureException " +
		"ExpiredTokenException ExpiredToken MissingAuthenticationTokenException InvalidClientTokenId NotAuthorizedException " +
		"SignatureDoesNotMatch OptInRequired"},
	{404, "ResourceNotFoundException"},
	{500, "ModelErrorException ModelStreamErrorException InternalServerException InternalFailure ConflictException"},
	{400, "ValidationException"},
}

func (f *failure) classify() *llm.Error {
	known := false
	for _, s := range statuses {
		for names := s.names; names != "" && !known; {
			var name string
			name, names, _ = strings.Cut(names, " ")
			known = name == f.name
		}
		if known {
			f.status = s.status
			break
		}
	}
	if !known && f.status < 400 {
		f.status = 500
	}
	e := dialect.StatusError(f.status)
	dialect.Refine(e, f.message, hints)
	return e
}

// hints tell by a message what AWS calls invalid or throttled and is something else.
var hints = []dialect.Hint{
	{Of: llm.RateLimited, Class: llm.QuotaExhausted, Phrases: []string{"per day", "daily"}},
	{Of: llm.ClientError, Class: llm.ContextLength, Phrases: []string{"input is too long", "prompt is too long", "too many input tokens",
		"input tokens exceed", "context length", "context window", "exceed context limit", "expected maxlength", "maximum context",
		"input token count exceeds", "exceeds the maximum"}},
	{Of: llm.ClientError, Class: llm.ProviderError, Phrases: []string{"model identifier is invalid", "on-demand throughput", "model is not supported",
		"doesn't support the model", "end of its life", "model version is no longer", "does not exist", "isn't supported by this model"}},
	{Of: llm.ClientError, Class: llm.ContentFilter, Phrases: []string{"content filter", "guardrail", "content policy"}},
}

// ErrorName is the name that an error of this class and status has here.
func ErrorName(e *llm.Error) string {
	switch e.Class {
	case llm.ClientError:
		if e.Status == 404 {
			return "ResourceNotFoundException"
		}
		return "ValidationException"
	case llm.ContextLength, llm.ContentFilter:
		return "ValidationException"
	case llm.AuthError:
		if e.Source != llm.FromProvider {
			return "AccessDeniedException"
		}
	case llm.PolicyError:
		return "AccessDeniedException"
	case llm.RateLimited, llm.QuotaExhausted:
		return "ThrottlingException"
	case llm.Overloaded:
		return "ServiceUnavailableException"
	case llm.TimeoutError:
		return "ModelTimeoutException"
	}
	return "InternalServerException"
}

// AppendError writes an error body. The SDKs find the error's name in __type; the
// members param, causes and requestId are ours.
func AppendError(dst []byte, e *llm.Error, requestID string) []byte {
	return appendBody(dst, ErrorName(e), e, requestID)
}

// appendBody writes an error; in a stream its name stands in a header.
func appendBody(dst []byte, name string, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	if name != "" {
		w.Word("__type", name)
	}
	w.Quote("message", e.Message)
	if e.Param != "" {
		w.Quote("param", e.Param)
	}
	w.Causes(e)
	if requestID != "" {
		w.Quote("requestId", requestID)
	}
	w.Close('}')
	return w.B
}

// AppendException writes the message that ends a stream. A stream knows fewer
// exceptions than an answer does: what is none of them is the model's failure.
func AppendException(dst []byte, e *llm.Error, requestID string) []byte {
	name := "modelStreamErrorException"
	switch e.Class {
	case llm.ClientError, llm.ContextLength, llm.ContentFilter, llm.PolicyError:
		name = "validationException"
	case llm.RateLimited, llm.QuotaExhausted:
		name = "throttlingException"
	case llm.Overloaded:
		name = "serviceUnavailableException"
	case llm.AuthError:
		name = "internalServerException"
	}
	w := eventstream.Writer{B: dst}
	w.Begin()
	w.Text(":exception-type", name)
	w.Text(":content-type", "application/json")
	w.Text(":message-type", "exception")
	w.Body()
	w.B = appendBody(w.B, "", e, requestID)
	w.End()
	return w.B
}
