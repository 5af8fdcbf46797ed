package hosts

import "github.com/posterngw/postern/filters/pipeline"

// State is how far a feature works.
type State uint8

// The states.
const (
	Works State = iota
	Weaker
	Refused
)

// Cell is a feature at a place.
type Cell struct {
	State State
	How   string // weaker: in which way; refused: why; works: with what beside the module
	Hint  string // what to write instead, if anything
	// Test is the scenario that passes where the feature works in this weaker way.
	Test string
}

// Feature is one row of the table.
type Feature struct {
	Name  string // its code is "host_" and this
	Title string
	// Test is the scenario that passes where the feature works, and fails where it
	// works in a weaker way.
	Test string
	// Cells are those of which there is more to say than that it works.
	Cells map[Place]Cell
	// Envoy and Istio are the tests of e2e/envoy, in both modes, and of e2e/istio that
	// ask for the feature on real servers.
	Envoy, Istio []string
	// Uses lists the places of a configuration that want the feature, as JSON pointers;
	// nil where it is in the nature of requests and answers.
	Uses func(c *pipeline.Config) []string
}

// At is the feature's cell at a place.
func (f *Feature) At(p Place) Cell { return f.Cells[p] }

// Code is what findings about the feature are called.
func (f *Feature) Code() string { return "host_" + f.Name }

// Scenarios of the module that serve as tests here, and the folder of those that
// are made for the table.
const (
	module   = "filters/postern/testdata/"
	observer = "filters/observe/testdata/"
	own      = "tools/hosts/testdata/"
)

func weaker(test, how string) Cell      { return Cell{State: Weaker, How: how, Test: own + test + ".txtar"} }
func refused(how, hint string) Cell     { return Cell{State: Refused, How: how, Hint: hint} }
func at(p Place, c Cell) map[Place]Cell { return map[Place]Cell{p: c} }
func paired(c Cell) map[Place]Cell {
	return map[Place]Cell{EnvoyPaired: c, IstioPaired: c}
}
func with(cells map[Place]Cell, p Place, c Cell) map[Place]Cell {
	cells[p] = c
	return cells
}

// unsaid is what becomes of causes where attempts are callouts.
var unsaid = Cell{State: Weaker, How: "a target that was not reached is `upstream_unavailable`, whatever the cause", Test: module + "paired/exhausted.txtar"}

// tests are those that run on real servers.
func tests(names ...string) []string { return names }

// mesh are those that ask a mesh's gateway in both modes.
var mesh = tests("TestNative", "TestPaired")

// Features are the rows of the table.
var Features = []Feature{
	{Name: "translate", Title: "Requests and whole answers in another dialect",
		Envoy: tests("TestWholeChat", "TestTools"), Istio: mesh, Test: own + "translate.txtar"},
	{Name: "keep", Title: "Bytes kept where client and provider speak one API",
		Envoy: tests("TestWholeChat"), Test: own + "keep.txtar"},
	{Name: "stream", Title: "Streams that are not rewritten, piece by piece",
		Envoy: tests("TestStreamedChat", "TestStreamSpellings"), Test: own + "stream.txtar"},
	{Name: "stream_translated", Title: "Streams that are rewritten (another dialect, another model's name), piece by piece",
		Envoy: tests("TestStreamedChat", "TestStreamedTools"), Istio: mesh,
		Test:  own + "stream-translated.txtar",
		Cells: at(APISIXCallout, weaker("stream-translated.whole", "the answer comes at once when it is whole, and says `buffered_stream`"))},
	{Name: "failover", Title: "Failover of requests that are answered whole",
		Envoy: tests("TestFailover", "TestFailoverToAnotherDialect", "TestRefusedConnection"), Istio: mesh, Test: own + "failover.txtar", Uses: chains},
	{Name: "failover_stream", Title: "Failover of streams, the next target's piece by piece",
		Envoy: tests("TestFailover", "TestFailoverUnderLoad"), Test: own + "failover-stream.txtar", Uses: chains,
		Cells: with(paired(weaker("failover-stream.whole", "a further target's stream comes at once when it is whole, and says `buffered_stream`")),
			APISIXCallout, weaker("failover-stream.whole", "streams of models with several targets come at once when they are whole, and say `buffered_stream`"))},
	{Name: "early_break", Title: "Failover of an answer that breaks off before its first content",
		Envoy: tests("TestPairedBreak", "TestFaults"), Test: own + "early-break.txtar", Uses: chains,
		Cells: paired(weaker("early-break.error", "the client gets the proxy's error, and no further target is asked"))},
	{Name: "circuits", Title: "Circuits of targets, for all workers", Test: own + "circuits.txtar", Uses: chains,
		Cells: at(APISIXCallout, weaker("circuits.alone", "each worker finds out for itself"))},
	{Name: "timeout", Title: "`timeout` of a target",
		Envoy: tests("TestDeadline", "TestFaults"), Test: own + "timeout.txtar", Uses: timeouts},
	{Name: "first_token", Title: "`first_token` of a target", Test: own + "first-token.txtar", Uses: firstTokens,
		Cells: at(APISIXCallout, weaker("first-token.none", "not watched: the proxy's own times hold"))},
	{Name: "idle", Title: "`idle` of a target", Test: own + "idle.txtar", Uses: idles,
		Cells: at(APISIXCallout, weaker("idle.host", "not watched: the proxy's own times hold"))},
	{Name: "deadline", Title: "`deadline` of a model", Test: own + "deadline.txtar", Uses: deadlines,
		Cells: at(APISIXCallout, weaker("deadline.between", "looked at between attempts only: one that runs has its own `timeout`"))},
	{Name: "budgets", Title: "Budgets, for all workers of a proxy",
		Envoy: tests("TestBudget"), Test: own + "budgets.txtar", Uses: budgets,
		Cells: at(APISIXCallout, weaker("budgets.share", "each of `limits.workers` workers has its share, begins anew with the worker, and says `budget_share`"))},
	{Name: "keys", Title: "API keys",
		Envoy: tests("TestTypedErrors"), Istio: mesh, Test: module + "keys.txtar"},
	{Name: "jwt", Title: "Identity by verified JWT claims", Test: own + "jwt.txtar", Uses: jwts, Istio: tests("TestClaims"),
		Cells: map[Place]Cell{
			EnvoyNative:   {How: "with a filter of the proxy that verifies tokens", Hint: "render with --filters"},
			EnvoyPaired:   {How: "with a filter of the proxy that verifies tokens", Hint: "render with --filters"},
			IstioNative:   {How: "with a RequestAuthentication of the mesh that verifies tokens"},
			IstioPaired:   {How: "with a RequestAuthentication of the mesh that verifies tokens"},
			APISIXCallout: refused("the proxy tells a module no claims", "identify by API keys"),
		}},
	{Name: "policy", Title: "Cedar policies, default deny",
		Envoy: tests("TestTypedErrors"), Istio: mesh, Test: module + "denied.txtar"},
	{Name: "kill", Title: "The kill switch", Test: module + "kill.txtar"},
	{Name: "routing", Title: "Order of targets by cost, latency, region, weight",
		Envoy: tests("TestCanary", "TestExamples"), Test: module + "route-order.txtar"},
	{Name: "environment_keys", Title: "Providers' keys from the environment",
		Envoy: tests("TestCredentialsStay"), Istio: mesh, Test: own + "environment-keys.txtar"},
	{Name: "aws", Title: "Signatures for AWS", Test: module + "credential-aws.txtar"},
	{Name: "own_keys", Title: "Keys that clients bring", Test: module + "credential-own.txtar"},
	{Name: "tokens", Title: "Credentials that are fetched or expire (`callout:`, Google, Entra, containers of AWS)", Test: own + "tokens.txtar", Uses: tokens,
		Cells: at(APISIXCallout, refused("what must be asked for is renewed by ticks, which the proxy has not", "give the key as env:NAME"))},
	{Name: "host_credentials", Title: "Credentials that the proxy adds (`host`)", Test: own + "host-credentials.txtar", Uses: hostCredentials,
		Cells: map[Place]Cell{
			IstioPaired:   refused("nothing is patched into clusters, so that no filter of the proxy adds a key", "give the key as env:NAME, or use mode native"),
			APISIXCallout: refused("the proxy adds no credential", "give the key as env:NAME"),
		}},
	{Name: "passthrough", Title: "Other paths of a provider passed on", Test: module + "passthrough-file.txtar"},
	{Name: "realtime", Title: "WebSockets passed on (`realtime: pass`)",
		Envoy: tests("TestRealtime"), Test: module + "realtime.txtar", Uses: realtimes,
		Cells: at(APISIXCallout, refused("WebSockets cannot be passed on", "leave `realtime` out"))},
	{Name: "state", Title: "Ids that lead back to their provider (`state.key`)", Test: module + "state-whole.txtar"},
	{Name: "gzip", Title: "Compressed requests",
		Envoy: tests("TestCompressedRequest"), Test: module + "gzip-request.txtar"},
	{Name: "gzip_answers", Title: "Compressed answers, though none is asked for", Test: own + "gzip-answers.txtar",
		Cells: at(APISIXCallout, weaker("gzip-answers.kept", "where a request is not rewritten, passed on as they come, and their usage is not known"))},
	{Name: "causes", Title: "Why each target failed, in the error when none served", Test: module + "exhausted.txtar", Uses: chains,
		Cells: with(paired(unsaid), APISIXCallout, unsaid)},
	{Name: "large_bodies", Title: "Bodies up to `limits.body`",
		Envoy: tests("TestLargeBody", "TestTooLarge"), Test: own + "large-bodies.txtar", Uses: largeBodies,
		Cells: at(IstioPaired, weaker("large-bodies.buffer", "the proxy refuses bodies over its own buffer, 1 MiB, with 413"))},
	{Name: "usage", Title: "Usage of streams, counted exactly",
		Envoy: tests("TestStreamedUsage", "TestReasoningUsage"), Test: own + "usage.txtar",
		Cells: at(APISIXCallout, weaker("usage.estimated", "estimated for OpenAI's streams that are not rewritten, where the client did not ask for usage"))},
	{Name: "provider_errors", Title: "Providers' errors in the client's dialect, without what is about the gateway's key",
		Envoy: tests("TestProviderErrors"), Test: own + "provider-errors.txtar",
		Cells: at(APISIXCallout, weaker("provider-errors.kept", "where a request is not rewritten, the provider's own, byte for byte"))},
	{Name: "host_errors", Title: "The proxy's own errors in the client's dialect",
		Envoy: tests("TestRefusedConnection", "TestTooLarge"), Test: own + "host-errors.txtar",
		Cells: at(APISIXCallout, weaker("host-errors.page", "where a request is not rewritten, the proxy's own page"))},
	{Name: "records", Title: "An audit record per request, in the access log",
		Envoy: tests("TestClientAbort"), Istio: mesh, Test: own + "records.txtar",
		Cells: with(at(IstioPaired, Cell{How: "where the mesh's own access log shows `%FILTER_STATE(wasm.postern.audit:PLAIN)%`"}),
			APISIXCallout, weaker("records.log", "that of a request whose client left is a line of the error log"))},
	{Name: "metrics", Title: "Metrics",
		Envoy: tests("TestPrometheus"), Test: own + "metrics.txtar",
		Cells: at(APISIXCallout, weaker("metrics.none", "none of the module's: use the access log's variables and the plugin `prometheus`"))},
	{Name: "trace", Title: "W3C trace context",
		Envoy: tests("TestTraceContext"), Test: module + "trace.txtar"},
	{Name: "models", Title: "The list of models that a principal may ask for",
		Envoy: tests("TestModels"), Test: module + "models.txtar"},
}

// Observed are the rows about a module that observes.
var Observed = []Feature{
	{Name: "observe_usage", Title: "Usage and cost of what passes, whole and streamed, in any of the dialects", Test: observer + "names.txtar"},
	{Name: "observe_identity", Title: "Who asked: keys and claims", Test: observer + "who.txtar"},
	{Name: "observe_ends", Title: "How each request ended", Test: observer + "ends.txtar",
		Cells: at(APISIXObserve, weaker("observe-ends.log", "the record of a request whose client left is a line of the error log"))},
	{Name: "observe_unread", Title: "What cannot be read is told in the record, and passes", Test: observer + "codings.txtar"},
	{Name: "observe_limits", Title: "Limits on what is kept", Test: observer + "limits.txtar"},
	{Name: "observe_shadow", Title: "Policies in shadow: what would have been decided (with postern.wasm)", Test: observer + "full/shadow.txtar"},
}
