package audit

import (
	"time"

	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/llm"
)

// version is that of the record's form. A field may be added without a new one.
const version = 1

// table is the record's form: it writes the JSON and the reference.
var table = []field{
	num("record", "Version of the record's form: 1.", func(*Record) int64 { return version }),
	{name: "time", kind: "RFC 3339, ms", doc: "When the request's headers were there.",
		put: func(e *encoder, r *Record) { e.time(r.Time) }},
	text("request_id", "The host's id of the request (x-request-id).", func(r *Record) string { return r.RequestID }),
	num("stream_id", "The module's id of the stream, in one VM.", func(r *Record) int64 { return int64(r.StreamID) }),
	text("end", "How the request ended: complete, client_abort, upstream_reset, local_reply, timeout or trap.",
		func(r *Record) string { return r.End.String() }),
	always("status", "HTTP status sent to the client; 0 when it got none.", func(r *Record) int64 { return int64(r.Status) }),
	object("error", "The error that the client got.",
		text("class", "client, auth, policy, context_length, content_filter, rate_limited, quota_exhausted, overloaded, provider, timeout or malformed.",
			func(r *Record) string { return r.Error.Class.String() }),
		text("source", "Who raised it: client, postern, provider or host.", errorSource),
		text("code", "Its stable code.", func(r *Record) string { return r.Error.Code }),
		text("policy", "The policy or budget that refused.", func(r *Record) string { return r.Error.Policy })),
	object("principal", "Who asked.",
		text("organisation", "Attribute of the principal.", func(r *Record) string { return r.Principal.Organisation }),
		text("team", "Attribute of the principal.", func(r *Record) string { return r.Principal.Team }),
		text("application", "Attribute of the principal.", func(r *Record) string { return r.Principal.Application }),
		text("user", "Attribute of the principal.", func(r *Record) string { return r.Principal.User }),
		text("environment", "Attribute of the principal.", func(r *Record) string { return r.Principal.Environment }),
		text("key", "Id of the API key; never its secret.", func(r *Record) string { return r.Principal.Key })),
	text("dialect", "The wire API that the client spoke.", func(r *Record) string { return r.Dialect }),
	text("operation", "What was asked for (gen_ai.operation.name).", func(r *Record) string { return r.Operation.String() }),
	text("model", "The model that was asked for, as configured.", func(r *Record) string { return r.Model }),
	text("asked", "What the client named, when it is no configured model.", func(r *Record) string { return r.Asked }),
	{name: "stream", kind: "boolean", doc: "Whether a streamed answer was asked for.",
		put: func(e *encoder, r *Record) { e.bool(r.Stream) }},
	text("target", "The target that served, or was tried last.", func(r *Record) string { return r.Target }),
	text("provider", "The target's provider.", func(r *Record) string { return r.Provider }),
	text("system", "The provider's kind (gen_ai.provider.name).", func(r *Record) string { return r.System }),
	text("upstream_model", "The provider's name of the model.", func(r *Record) string { return r.UpstreamModel }),
	text("boundary", "The trust boundary that the target is in.", func(r *Record) string { return r.Boundary }),
	object("decision", "What the policies said. Absent when the request failed before.",
		field{name: "allowed", kind: "boolean", doc: "Whether it was allowed.", put: putAllowed},
		field{name: "policies", kind: "list of texts", doc: "Ids of the policies that determined it, or default-deny.",
			put: func(e *encoder, r *Record) { e.texts(r.Decision.Policies) }},
		text("reason", "Why, in words.", func(r *Record) string { return r.Decision.Reason })),
	{name: "excluded", kind: "list of objects", doc: "Targets left out of the plan.", put: putExcluded, sub: []field{

		{name: "target", kind: "text", doc: "Its name."},
		{name: "reason", kind: "text", doc: "Why it was left out."}}},
	{name: "attempts", kind: "list of objects", doc: "Tries of targets, in order.", put: putAttempts, sub: []field{
		{name: "target", kind: "text", doc: "Its name."},
		{name: "status", kind: "integer", doc: "The provider's HTTP status; absent when there was no answer."},
		{name: "class", kind: "text", doc: "Error class; absent when the attempt served."},
		{name: "ms", kind: "integer", doc: "How long it took."}}},
	usageTable,
	object("cost", "What the usage costs by the configured prices.",
		num("micros", "In millionths of the currency.", func(r *Record) int64 { return r.Cost }),
		text("currency", "ISO 4217.", cost)),
	{name: "budgets", kind: "list of objects", doc: "What the request did to budgets.", put: putBudgets, sub: []field{
		{name: "budget", kind: "text", doc: "Its name."},
		{name: "unit", kind: "text", doc: "requests or tokens."},
		{name: "reserved", kind: "integer", doc: "Set aside before the request."},
		{name: "settled", kind: "integer", doc: "Used."},
		{name: "remaining", kind: "integer", doc: "Left in the window, as far as the VM knew."},
		{name: "over", kind: "boolean", doc: "More was used than the limit (soft) or than was reserved."},
		{name: "unmetered", kind: "boolean", doc: "Admitted although the budget's store did not answer."}}},
	num("first_token_ms", "Until the first content left for the client.", func(r *Record) int64 { return r.FirstToken.Milliseconds() }),
	always("total_ms", "Until the end.", func(r *Record) int64 { return r.Total.Milliseconds() }),
	always("bytes_in", "Of the body that the client sent.", func(r *Record) int64 { return r.BytesIn }),
	always("bytes_out", "Of the body that the client got.", func(r *Record) int64 { return r.BytesOut }),
	num("overflowed", "Events of the stream that were longer than the limit.", func(r *Record) int64 { return int64(r.Overflowed) }),
	object("digests", "Digests of content, when configured: `sha256:` and 64 hexadecimal digits.",
		field{name: "request", kind: "text", doc: "Of the body that the client sent.",
			put: func(e *encoder, r *Record) { e.sum(&r.RequestDigest) }},
		field{name: "answer", kind: "text", doc: "Of the body that the client got.",
			put: func(e *encoder, r *Record) { e.sum(&r.AnswerDigest) }}),
	text("trace_id", "W3C trace id, 32 hexadecimal digits.", func(r *Record) string { return r.TraceID }),
	text("span_id", "The gateway's span id, 16 hexadecimal digits.", func(r *Record) string { return r.SpanID }),
	text("config", "Version of the configuration that served the request.", func(r *Record) string { return r.Config }),
	text("mode", "native, paired, callout or observe.", func(r *Record) string { return r.Mode }),
	{name: "degraded", kind: "list of texts", doc: "Features that the host could not give.",
		put: func(e *encoder, r *Record) { e.texts(r.Degraded) }},
}

var usageTable = object("usage", "Tokens in disjoint buckets: none is counted twice.",
	num("input", "Read afresh.", func(r *Record) int64 { return r.Usage.Input }),
	num("cache_read", "Read from the provider's prompt cache.", func(r *Record) int64 { return r.Usage.CacheRead }),
	num("cache_write", "Written to it.", func(r *Record) int64 { return r.Usage.CacheWrite }),
	num("input_audio", "Audio read.", func(r *Record) int64 { return r.Usage.InputAudio }),
	num("output", "Visible output.", func(r *Record) int64 { return r.Usage.Output }),
	num("reasoning", "Output that the client does not see as text.", func(r *Record) int64 { return r.Usage.Reasoning }),
	num("output_audio", "Audio written.", func(r *Record) int64 { return r.Usage.OutputAudio }),
	mark("known", "Reported by the provider.", func(r *Record) bool { return r.Usage.Known }),
	mark("estimated", "Counted by the gateway, because the provider did not say.", func(r *Record) bool { return r.Usage.Estimated }),
	mark("partial", "The answer ended early: what was seen, no more.", func(r *Record) bool { return r.Usage.Partial }))

func init() {
	for i := range table {
		table[i].prepare()
	}
}

// prepare spells the keys once.
func (f *field) prepare() {
	f.key = `,"` + f.name + `":`
	for i := range f.sub {
		f.sub[i].prepare()
	}
}

func text(name, doc string, get func(*Record) string) field {
	return field{name: name, kind: "text", doc: doc, text: get}
}

// num is a number that is left out when it is 0.
func num(name, doc string, get func(*Record) int64) field {
	return field{name: name, kind: "integer", doc: doc, num: get}
}

func always(name, doc string, get func(*Record) int64) field {
	return field{name: name, kind: "integer", doc: doc, num: get, always: true}
}

func mark(name, doc string, get func(*Record) bool) field {
	return field{name: name, kind: "boolean", doc: doc, put: func(e *encoder, r *Record) { e.flag(get(r)) }}
}

func object(name, doc string, sub ...field) field {
	return field{name: name, kind: "object", doc: doc, sub: sub, put: func(e *encoder, r *Record) { e.object(sub, r) }}
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

func putBudgets(e *encoder, r *Record) {
	e.list(len(r.Budgets), func(i int) { e.movement(&r.Budgets[i]) })
}

func (e *encoder) movement(m *budget.Movement) {
	e.b = append(e.b, '{')
	e.textField("budget", m.Budget)
	e.textField("unit", string(m.Unit))
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
