package route

import "github.com/posterngw/postern/filters/llm"

// Step is what comes after an attempt that ended in an error.
type Step uint8

// What may come next.
const (
	Stop   Step = iota // the client gets the error
	Other              // the next target of the plan
	Larger             // the next target of the plan with a larger window
)

var stepNames = []string{Stop: "stop", Other: "next", Larger: "larger"}

// Failover says what comes next, by error class.
type Failover [16]Step

// class is a line of the class table.
type class struct {
	class llm.Class
	next  Step
	why   string
}

// classes is the class table: the one place where an error class becomes what
// happens next. A model may say otherwise.
var classes = [...]class{
	{llm.AuthError, Other, "a provider refuses the gateway's credential; another has its own"},
	{llm.ContextLength, Larger, "only more room helps"},
	{llm.ContentFilter, Stop, "asking elsewhere walks around a safety system, which is for the platform to decide"},
	{llm.RateLimited, Other, "and the target is left alone for as long as it asks to"},
	{llm.QuotaExhausted, Other, "and the target is left alone for as long as it asks to, or `health.quota_open`"},
	{llm.Overloaded, Other, "the provider has no capacity"},
	{llm.ProviderError, Other, "the provider is broken, or breaks off"},
	{llm.TimeoutError, Other, "the target's `timeout`, `first_token` or `idle` is over"},
	{llm.MalformedAnswer, Other, "the answer cannot be read"},
	{llm.ClientError, Stop, "the request is wrong, whoever serves it"},
}

// Of is what comes after class c.
func (f *Failover) Of(c llm.Class) Step { return f[c%llm.Class(len(f))] }

// Elsewhere reports whether any other target may do better after class c.
func (f *Failover) Elsewhere(c llm.Class) bool { return f.Of(c) == Other }

// defaults fills in what the class table says.
func (f *Failover) defaults() {
	for i := range classes {
		f[classes[i].class] = classes[i].next
	}
}

// After returns the place in the plan of the target that comes after the one at
// place i failed with class c; false when none does.
func (m *Model) After(targets []*Target, i int, c llm.Class) (next int, ok bool) {
	what := m.Failover.Of(c)
	if what == Stop {
		return 0, false
	}
	for next = i + 1; next < len(targets); next++ {
		if what == Other || targets[i].Window > 0 && targets[next].Window > targets[i].Window {
			return next, true
		}
	}
	return 0, false
}
