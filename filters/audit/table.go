package audit

import (
	"math"
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// version is that of the record's form. A field may be added without a new one.
const version = 1

// table is the record's form: it writes the JSON and the reference.
var table = []field{
	{name: "record", doc: "Version of the record's form: 1.", num: func(*Record) int64 { return version }},
	{name: "time", kind: "RFC 3339, ms", doc: "When the request's headers were there.",
		put: func(e *encoder, r *Record) { e.time(r.Time) }},
	{name: "request_id", doc: "The host's id of the request (x-request-id).", text: func(r *Record) string { return r.RequestID }},
	{name: "stream_id", doc: "The module's id of the stream, in one VM.", num: func(r *Record) int64 { return int64(r.StreamID) }},
	{name: "end", doc: "How the request ended: complete, client_abort, upstream_reset, local_reply, timeout or trap.", text: func(r *Record) string { return r.End.String() }},
	{name: "status", doc: "HTTP status sent to the client; 0 when it got none.", num: func(r *Record) int64 { return int64(r.Status) }, always: true},
	{name: "error", doc: "The error that the client got.", sub: []field{
		{name: "class", doc: "client, auth, policy, context_length, content_filter, rate_limited, quota_exhausted, overloaded, provider, timeout or malformed.", text: func(r *Record) string { return r.Error.Class.String() }},
		{name: "source", doc: "Who raised it: client, postern, provider or host.", text: errorSource},
		{name: "code", doc: "Its stable code.", text: func(r *Record) string { return r.Error.Code }},
		{name: "policy", doc: "The policy or budget that refused.", text: func(r *Record) string { return r.Error.Policy }},
	}},
	{name: "principal", doc: "Who asked.", sub: []field{
		{name: "organisation", doc: "Attribute of the principal.", text: func(r *Record) string { return r.Principal.Organisation }},
		{name: "team", doc: "Attribute of the principal.", text: func(r *Record) string { return r.Principal.Team }},
		{name: "application", doc: "Attribute of the principal.", text: func(r *Record) string { return r.Principal.Application }},
		{name: "user", doc: "Attribute of the principal.", text: func(r *Record) string { return r.Principal.User }},
		{name: "environment", doc: "Attribute of the principal.", text: func(r *Record) string { return r.Principal.Environment }},
		{name: "key", doc: "Id of the API key; never its secret.", text: func(r *Record) string { return r.Principal.Key }},
	}},
	{name: "dialect", doc: "The wire API that the client spoke.", text: func(r *Record) string { return r.Dialect }},
	{name: "api", doc: "The API of the dialect, for instance chat or responses.", text: func(r *Record) string { return r.API }},
	{name: "operation", doc: "What was asked for (gen_ai.operation.name).", text: func(r *Record) string { return r.Operation.String() }},
	{name: "model", doc: "The model that was asked for, as configured.", text: func(r *Record) string { return r.Model }},
	{name: "asked", doc: "What the client named, when it is not the model's own name.", text: func(r *Record) string { return r.Asked }},
	{name: "stream", doc: "Whether a streamed answer was asked for.", flag: func(r *Record) bool { return r.Stream }, always: true},
	{name: "target", doc: "The target that served, or was tried last.", text: func(r *Record) string { return r.Target }},
	{name: "provider", doc: "The target's provider.", text: func(r *Record) string { return r.Provider }},
	{name: "system", doc: "The provider's kind (gen_ai.provider.name).", text: func(r *Record) string { return r.System }},
	{name: "upstream_model", doc: "The provider's name of the model.", text: func(r *Record) string { return r.UpstreamModel }},
	{name: "boundary", doc: "The trust boundary that the target is in.", text: func(r *Record) string { return r.Boundary }},
	{name: "decision", doc: "What the policies said. Absent when the request failed before.", sub: []field{
		{name: "allowed", kind: "boolean", doc: "Whether it was allowed.", put: putAllowed},
		{name: "policies", kind: "list of texts", doc: "Ids of the policies that determined it, or default-deny.",
			put: func(e *encoder, r *Record) { e.texts(r.Decision.Policies) }},
		{name: "reason", doc: "Why, in words.", text: func(r *Record) string { return r.Decision.Reason }},
		{name: "shadow", doc: "It is what would have been decided: nothing was enforced (mode observe).", flag: func(r *Record) bool { return r.Decision.Shadow }},
	}},
	{name: "route", doc: "How the plan came about.", sub: []field{
		{name: "task", doc: "The task that the request was taken for.", text: func(r *Record) string { return r.Route.Task }},
		{name: "canary", doc: "The canary whose share the request belongs to.", text: func(r *Record) string { return r.Route.Canary }},
		{name: "obeyed", kind: "list of texts", doc: "The client's headers that changed the plan.",
			put: func(e *encoder, r *Record) { e.texts(r.Route.Obeyed) }},
		{name: "ignored", kind: "list of texts", doc: "The client's headers that would have, had a policy permitted it.",
			put: func(e *encoder, r *Record) { e.texts(r.Route.Ignored) }},
		{name: "input", doc: "Estimated tokens of the question.", num: func(r *Record) int64 { return r.Route.Input }},
		{name: "output", doc: "The most tokens that the answer may have; absent when nothing bounds them.", num: func(r *Record) int64 { return r.Route.Output }},
		{name: "cost", doc: "What these cost at the plan's first target, in millionths of the currency.", num: func(r *Record) int64 { return r.Route.Cost }},
		{name: "repeat", doc: "How often the same request came before, within `retries.repeats.window`: an agent's own retries.", num: func(r *Record) int64 { return int64(r.Route.Repeat) }},
		{name: "order", kind: "list of texts", doc: "The strategies that ordered the plan, the first one first.",
			put: func(e *encoder, r *Record) { e.texts(r.Route.Order) }},
		{name: "plan", kind: "list of objects", doc: "The targets to try, in order, when there are several.", put: putPlan, sub: []field{
			{name: "target", kind: "text", doc: "Its name."},
			{name: "scores", kind: "list of numbers", doc: "What each strategy of `order` says of it: the less the better; null is infinite."},
			{name: "shut_out", kind: "boolean", doc: "Failures have shut it out: it is tried when all others have failed."}}},
	}},
	{name: "excluded", kind: "list of objects", doc: "Targets left out of the plan.", put: putExcluded, sub: []field{
		{name: "target", kind: "text", doc: "Its name."},
		{name: "reason", kind: "text", doc: "Why it was left out."}}},
	{name: "attempts", kind: "list of objects", doc: "Tries of targets, in order.", put: putAttempts, sub: []field{
		{name: "target", kind: "text", doc: "Its name."},
		{name: "status", kind: "integer", doc: "The provider's HTTP status; absent when there was no answer."},
		{name: "class", kind: "text", doc: "Error class; absent when the attempt served."},
		{name: "ms", kind: "integer", doc: "How long it took."}}},
	{name: "losses", kind: "list of objects", doc: "What the translation to the target's API left out or weakened.", put: putLosses, sub: []field{
		{name: "field", kind: "text", doc: "The field, as a JSON pointer with * for any index."},
		{name: "fate", kind: "text", doc: "dropped, defaulted or refused."},
		{name: "why", kind: "text", doc: "Why."}}},
	{name: "finish", doc: "Why the model stopped: stop, length, tool_calls, content_filter, refusal, pause or other. Of several answers, the first.", text: func(r *Record) string { return r.Finish.String() }},
	{name: "usage", doc: "Tokens in disjoint buckets: none is counted twice.", sub: usage},
	{name: "cost", doc: "What the usage costs by the configured prices.", sub: []field{
		{name: "micros", doc: "In millionths of the currency.", num: func(r *Record) int64 { return r.Cost }},
		{name: "currency", doc: "ISO 4217.", text: cost},
		{name: "unknown", doc: "The target has no price, so that the usage cost nothing here.", flag: func(r *Record) bool { return r.CostUnknown }},
	}},
	{name: "budgets", kind: "list of objects", doc: "What the request did to budgets.", put: putBudgets, sub: []field{
		{name: "budget", kind: "text", doc: "Its name."},
		{name: "unit", kind: "text", doc: "requests or tokens."},
		{name: "reserved", kind: "integer", doc: "Set aside before the request."},
		{name: "settled", kind: "integer", doc: "Used."},
		{name: "remaining", kind: "integer", doc: "Left in the window, as far as the VM knew."},
		{name: "over", kind: "boolean", doc: "More was used than the limit (soft) or than was reserved."},
		{name: "unmetered", kind: "boolean", doc: "Admitted although the budget's store did not answer."}}},
	{name: "first_token_ms", doc: "Until the first content left for the client.", num: func(r *Record) int64 { return r.FirstToken.Milliseconds() }},
	{name: "total_ms", doc: "Until the end.", num: func(r *Record) int64 { return r.Total.Milliseconds() }, always: true},
	{name: "bytes_in", doc: "Of the body that the client sent.", num: func(r *Record) int64 { return r.BytesIn }, always: true},
	{name: "bytes_out", doc: "Of the body that the client got.", num: func(r *Record) int64 { return r.BytesOut }, always: true},
	{name: "overflowed", doc: "Events of the stream that were longer than the limit.", num: func(r *Record) int64 { return int64(r.Overflowed) }},
	{name: "digests", doc: "Digests of content, when configured: `sha256:` and 64 hexadecimal digits.", sub: []field{
		{name: "request", kind: "text", doc: "Of the body that the client sent.",
			put: func(e *encoder, r *Record) { e.sum(&r.RequestDigest) }},
		{name: "answer", kind: "text", doc: "Of the body that the client got.",
			put: func(e *encoder, r *Record) { e.sum(&r.AnswerDigest) }},
	}},
	{name: "trace_id", doc: "W3C trace id, 32 hexadecimal digits.", text: func(r *Record) string { return r.TraceID }},
	{name: "span_id", doc: "The gateway's span id, 16 hexadecimal digits.", text: func(r *Record) string { return r.SpanID }},
	{name: "config", doc: "Version of the configuration that served the request.", text: func(r *Record) string { return r.Config }},
	{name: "mode", doc: "native, paired, callout or observe.", text: func(r *Record) string { return r.Mode }},
	{name: "degraded", kind: "list of texts", doc: "Features that the host could not give.",
		put: func(e *encoder, r *Record) { e.texts(r.Degraded) }},
}

var usage = []field{
	{name: "input", doc: "Read afresh.", num: func(r *Record) int64 { return r.Usage.Input }},
	{name: "cache_read", doc: "Read from the provider's prompt cache.", num: func(r *Record) int64 { return r.Usage.CacheRead }},
	{name: "cache_write", doc: "Written to it.", num: func(r *Record) int64 { return r.Usage.CacheWrite }},
	{name: "cache_write_hour", doc: "Written to it to stay for an hour, where the provider tells that apart.", num: func(r *Record) int64 { return r.Usage.CacheWriteHour }},
	{name: "input_audio", doc: "Audio read.", num: func(r *Record) int64 { return r.Usage.InputAudio }},
	{name: "output", doc: "Visible output.", num: func(r *Record) int64 { return r.Usage.Output }},
	{name: "reasoning", doc: "Output that the client does not see as text.", num: func(r *Record) int64 { return r.Usage.Reasoning }},
	{name: "output_audio", doc: "Audio written.", num: func(r *Record) int64 { return r.Usage.OutputAudio }},
	{name: "tier", doc: "The service tier that served: flex, priority, batch or reserved (capacity bought ahead). Absent for the standard one.", text: func(r *Record) string { return r.Usage.Tier.String() }},
	{name: "known", doc: "Reported by the provider.", flag: func(r *Record) bool { return r.Usage.Known }},
	{name: "estimated", doc: "Counted by the gateway, because the provider did not say.", flag: func(r *Record) bool { return r.Usage.Estimated }},
	{name: "partial", doc: "The answer ended early: what was seen, no more.", flag: func(r *Record) bool { return r.Usage.Partial }},
}

func init() {
	for i := range table {
		table[i].prepare()
	}
}

// prepare spells the key, and says the kind where it follows from the getter.
func (f *field) prepare() {
	switch {
	case f.text != nil:
		f.kind = "text"
	case f.num != nil:
		f.kind = "integer"
	case f.flag != nil:
		f.kind = "boolean"
	case f.kind == "":
		f.kind = "object"
	}
	f.key = `,"` + f.name + `":`
	for i := range f.sub {
		f.sub[i].prepare()
	}
}

func errorSource(r *Record) string {
	if r.Error.Class == llm.NoError {
		return ""
	}
	return r.Error.Source.String()
}

func cost(r *Record) string {
	if r.Cost == 0 {
		return ""
	}
	return r.Currency
}

func putAllowed(e *encoder, r *Record) {
	if r.Decision.Made {
		e.bool(r.Decision.Allowed)
	}
}

func (e *encoder) texts(list []string) {
	e.list(len(list), func(i int) { e.text(list[i]) })
}

func putExcluded(e *encoder, r *Record) {
	e.list(len(r.Excluded), func(i int) {
		x := &r.Excluded[i]
		e.b = append(e.b, '{')
		e.textField("target", x.Target)
		e.textField("reason", x.Reason)
		e.b = append(e.b, '}')
	})
}

func putPlan(e *encoder, r *Record) {
	e.list(len(r.Route.Plan), func(i int) {
		p := &r.Route.Plan[i]
		e.b = append(e.b, '{')
		e.textField("target", p.Target)
		if len(p.Scores) > 0 {
			e.key("scores")
			e.list(len(p.Scores), func(k int) { e.number(p.Scores[k]) })
		}
		e.flagField("shut_out", p.Shut)
		e.b = append(e.b, '}')
	})
}

// number appends a number to four digits; null for what JSON has no number for.
func (e *encoder) number(v float64) {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		e.b = append(e.b, "null"...)
		return
	}
	e.b = strconv.AppendFloat(e.b, v, 'g', 4, 64)
}

func putAttempts(e *encoder, r *Record) {
	e.list(len(r.Attempts), func(i int) {
		a := &r.Attempts[i]
		e.b = append(e.b, '{')
		e.textField("target", a.Target)
		e.intField("status", int64(a.Status))
		e.textField("class", a.Class.String())
		e.key("ms")
		e.int(int64(a.Took / time.Millisecond))
		e.b = append(e.b, '}')
	})
}

func putLosses(e *encoder, r *Record) {
	e.list(len(r.Losses), func(i int) {
		x := &r.Losses[i]
		e.b = append(e.b, '{')
		e.textField("field", x.Field)
		e.textField("fate", x.Fate)
		e.textField("why", x.Why)
		e.b = append(e.b, '}')
	})
}

func putBudgets(e *encoder, r *Record) {
	e.list(len(r.Budgets), func(i int) { e.movement(&r.Budgets[i]) })
}

func (e *encoder) movement(m *Movement) {
	e.b = append(e.b, '{')
	e.textField("budget", m.Budget)
	e.textField("unit", m.Unit)
	e.intField("reserved", m.Reserved)
	e.intField("settled", m.Settled)
	e.key("remaining")
	e.int(m.Remaining)
	e.flagField("over", m.Over)
	e.flagField("unmetered", m.Unmetered)
	e.b = append(e.b, '}')
}

// FieldDoc is one line of the record's reference.
type FieldDoc struct {
	Path string // "principal.team", "attempts[].status"
	Kind string
	Doc  string
}

// Reference lists the record's fields in the order in which they are written.
func Reference() []FieldDoc {
	docs := reference(nil, "", table)
	return append(docs, FieldDoc{"truncated", "boolean", "Something was left out or cut, because it or the record was too long."})
}

func reference(docs []FieldDoc, prefix string, fs []field) []FieldDoc {
	for i := range fs {
		f := &fs[i]
		docs = append(docs, FieldDoc{prefix + f.name, f.kind, f.doc})
		below := prefix + f.name + "."
		if f.kind == "list of objects" {
			below = prefix + f.name + "[]."
		}
		docs = reference(docs, below, f.sub)
	}
	return docs
}
