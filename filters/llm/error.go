package llm

import "time"

// Class groups errors by what can be done about them.
type Class uint8

// The error classes of the design; the failover table is keyed by them.
const (
	NoError         Class = iota
	ClientError           // the request is wrong, whoever serves it
	AuthError             // the client's or the provider's credential is refused
	PolicyError           // a rule of the platform forbids it
	ContextLength         // the conversation is longer than the model's window
	ContentFilter         // the provider's safety system refuses it
	RateLimited           // too fast; later is fine
	QuotaExhausted        // too much; later is not soon
	Overloaded            // the provider has no capacity now
	ProviderError         // the provider is broken
	TimeoutError          // it took too long
	MalformedAnswer       // the provider's answer cannot be read
	classes
)

var classNames = [classes]string{"", "client", "auth", "policy", "context_length", "content_filter",
	"rate_limited", "quota_exhausted", "overloaded", "provider", "timeout", "malformed"}

// String is the class's stable name, as in metrics, audit records and configuration.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return ""
}

// classStatus holds the HTTP status for the client of an error that brings none.
var classStatus = [classes]int{500, 400, 401, 403, 400, 400, 429, 429, 503, 502, 504, 502}

// Status is the HTTP status that tells a client of an error of this class.
// AuthError is the client's own: a provider that refuses the gateway's
// credential is a 502 for the client.
func (c Class) Status() int {
	if c < classes {
		return classStatus[c]
	}
	return classStatus[NoError]
}

// Source is who is to blame for, or at least who raised, an error.
type Source uint8

// The sources of errors.
const (
	FromClient Source = iota
	FromPostern
	FromProvider
	FromHost // the proxy itself: connection refused, time-out, body too large
)

// String is the source's stable name.
func (s Source) String() string {
	switch s {
	case FromPostern:
		return "postern"
	case FromProvider:
		return "provider"
	case FromHost:
		return "host"
	}
	return "client"
}

// Error is what went wrong, for both readers: Code and Message are stable and
// safe to show to a client; Cause is for operators and never leaves the gateway.
type Error struct {
	Class   Class
	Source  Source
	Status  int    // HTTP status for the client
	Code    string // stable, snake_case: "invalid_api_key", "model_not_found", …
	Message string
	Param   string // what part of the request is wrong: a JSON pointer or a field's name
	After   time.Duration
	Policy  string // the id of the forbidding policy, or default-deny
	Cause   string
	Targets []TargetError // of several that failed, each for a reason of its own
}

// TargetError is what is wrong with one of the targets that could have served.
type TargetError struct {
	Target string // empty: clients are not told of targets
	Class  Class
	Code   string        // as Error.Code, or ShutOut
	After  time.Duration // until it may be tried; 0: unknown
}

// ShutOut is the code of a target that was not tried, for what came before.
const ShutOut = "shut_out"

// Error is the operator's text.
func (e *Error) Error() string {
	s := e.Class.String() + ": " + e.Code + ": " + e.Message
	if e.Cause != "" {
		s += " (" + e.Cause + ")"
	}
	return s
}
