package core

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// BehaviourHeader is the request header that asks for behaviours, separated by
// commas: "X-Mock-Behaviour: slow=5ms, crlf". Proxies pass it on.
const BehaviourHeader = "X-Mock-Behaviour"

// Behaviour is one thing that the mock does on demand.
type Behaviour struct {
	Name    string
	Arg     string // what the argument is; "" when it takes none
	Default string // of the argument
	Doc     string
	apply   func(*Scenario, string) error
}

// What a request can make the mock do is bounded.
const (
	maxDelay  = 10 * time.Minute
	maxTokens = 100_000
	maxHuge   = 16 << 20
	maxCalls  = 16
)

// Behaviours is the table of everything the mock does on demand; the package
// documentation of mock is checked against it.
var Behaviours = []Behaviour{
	fault("400", Invalid, "the provider's answer to a request that it does not understand"),
	fault("401", BadKey, "wrong credential"),
	fault("403", Forbidden, "a credential without the right"),
	fault("404", NoModel, "unknown model"),
	fault("413", TooLarge, "the body is too large"),
	fault("429", RateLimited, "rate limit without a hint when to come back"),
	{"rate-limit", "seconds", "7", "rate limit with retry-after", rateLimit},
	fault("quota", QuotaExhausted, "the account's money is spent"),
	fault("context-length", ContextLength, "the prompt is too long for the model"),
	fault("content-filter-400", ContentFiltered, "the prompt is refused by a content filter"),
	fault("500", ServerError, "internal error"),
	fault("502", BadGateway, "the provider's own proxy fails"),
	fault("503", Unavailable, "the provider is down"),
	fault("504", GatewayTimeout, "the provider's own proxy timed out"),
	fault("529", Overloaded, "overloaded"),
	{"flap", "count", "1", "answers 503 count times, then well count times, and so on, for each model name", whole(1, 1000, func(s *Scenario, n int) { s.Flap = n })},

	{"delay", "time", "100ms", "waits before the headers", wait(func(s *Scenario, d time.Duration) { s.HeaderDelay = d })},
	{"first", "time", "100ms", "waits before the first content of a stream", wait(func(s *Scenario, d time.Duration) { s.FirstDelay = d })},
	{"slow", "time", "2ms", "drips the body in pieces of 16 bytes, with this wait after each", wait(func(s *Scenario, d time.Duration) { s.DripSize, s.DripWait = 16, d })},
	{"bytewise", "", "", "sends every byte of the body in a write of its own", on(func(s *Scenario) { s.DripSize = 1 })},
	{"hang", "time", "10m", "never answers: waits, then closes", wait(func(s *Scenario, d time.Duration) { s.Cut, s.CutWait = HangBefore, d })},
	{"hang-mid-stream", "time", "10m", "stops talking in the middle of the body, then closes", wait(func(s *Scenario, d time.Duration) { s.Cut, s.CutWait = HangMid, d })},
	{"reset-before-headers", "", "", "resets the connection (or the HTTP/2 stream) instead of answering", on(func(s *Scenario) { s.Cut = ResetBefore })},
	{"close-after-request", "", "", "closes the connection in an orderly way instead of answering", on(func(s *Scenario) { s.Cut = CloseBefore })},
	{"reset-mid-stream", "", "", "resets in the middle of the body", on(func(s *Scenario) { s.Cut = ResetMid })},
	{"close-mid-stream", "", "", "closes in the middle of the body, without the end of the HTTP message", on(func(s *Scenario) { s.Cut = CloseMid })},
	{"cut-mid-stream", "", "", "ends the HTTP message well in the middle: no finish reason, no end marker", on(func(s *Scenario) { s.Cut = EndMid })},
	{"stream-error-first", "", "", "a stream that answers 200 and whose first event is an error", on(func(s *Scenario) { s.StreamError = ErrorFirst })},
	{"stream-error-opened", "", "", "a stream that opens (role, message_start) and then has an error before any content", on(func(s *Scenario) { s.StreamError = ErrorOpened })},
	{"stream-error-mid", "", "", "a stream that breaks with an error event in the middle", on(func(s *Scenario) { s.StreamError = ErrorMid })},

	{"html", "status", "200", "an HTML page, as a proxy in between would send", whole(200, 599, func(s *Scenario, n int) { s.HTML = n })},
	{"empty-body", "", "", "200 and not a byte", on(func(s *Scenario) { s.EmptyBody = true })},
	{"malformed", "", "", "JSON that breaks off (in a stream: one event of it) in a complete HTTP message", on(func(s *Scenario) { s.Malformed = true })},
	{"gzip", "", "", "a compressed body, although nobody asked", on(func(s *Scenario) { s.Gzip = true })},
	{"crlf", "", "", "events end their lines with CR LF", on(func(s *Scenario) { s.LineEnd = "\r\n" })},
	{"cr", "", "", "events end their lines with CR", on(func(s *Scenario) { s.LineEnd = "\r" })},
	{"bom", "", "", "the event stream begins with a byte order mark", on(func(s *Scenario) { s.BOM = true })},
	{"comments", "", "", "a comment line before each event", on(func(s *Scenario) { s.Comments = true })},
	{"no-space", "", "", "no space after the colon of an event's fields", on(func(s *Scenario) { s.NoSpace = true })},
	{"multi-line", "", "", "the data of each event in two lines", on(func(s *Scenario) { s.MultiLine = true })},
	{"pings", "count", "10", "that many keep-alives before the first content", whole(1, 10_000, func(s *Scenario, n int) { s.Pings = n })},
	{"unknown-events", "", "", "events and members that no client knows", on(func(s *Scenario) { s.Unknown = true })},
	{"huge-event", "bytes", "1048576", "the first content has that many bytes", whole(1, maxHuge, func(s *Scenario, n int) { s.Huge = n })},

	{"tokens", "count", "100", "a text of exactly that many tokens", whole(1, maxTokens, func(s *Scenario, n int) { s.Tokens = n })},
	{"chunks", "count", "51", "exactly that many content chunks", whole(1, maxTokens, func(s *Scenario, n int) { s.Chunks = n })},
	{"parallel-tools", "count", "2", "that many tool calls at once, when parallel calls are allowed", whole(1, maxCalls, func(s *Scenario, n int) { s.Parallel = n })},
	{"cached", "", "", "half of the prompt is billed as read from the cache", on(func(s *Scenario) { s.Cached = true })},
	{"content-filter", "", "", "200, and the answer is cut by a content filter", on(func(s *Scenario) { s.Filtered = true })},
	{"refusal", "", "", "200, and the model refuses", on(func(s *Scenario) { s.Refused = true })},
	{"empty-choices", "", "", "200 without a single choice or content block", on(func(s *Scenario) { s.EmptyChoices = true })},
	{"no-usage", "", "", "no usage, neither in a body nor in a stream", on(func(s *Scenario) { s.NoUsage = true })},
}

// apply reads "name" or "name=argument" and sets it.
func (s *Scenario) apply(spec string) error {
	name, arg, hasArg := strings.Cut(strings.TrimSpace(spec), "=")
	for _, b := range Behaviours {
		if b.Name != name {
			continue
		}
		if hasArg && b.Arg == "" {
			return fmt.Errorf("mock: behaviour %q takes no argument", name)
		}
		if !hasArg {
			arg = b.Default
		}
		if err := b.apply(s, arg); err != nil {
			return fmt.Errorf("mock: behaviour %q: %w", spec, err)
		}
		return nil
	}
	return fmt.Errorf("mock: unknown behaviour %q", name)
}

func known(spec string) bool {
	name, _, _ := strings.Cut(spec, "=")
	for _, b := range Behaviours {
		if b.Name == name {
			return true
		}
	}
	return false
}

func fault(name string, kind FaultKind, doc string) Behaviour {
	return Behaviour{Name: name, Doc: doc, apply: on(func(s *Scenario) { s.Fault = kind })}
}

func on(set func(*Scenario)) func(*Scenario, string) error {
	return func(s *Scenario, _ string) error {
		set(s)
		return nil
	}
}

func whole(low, high int, set func(*Scenario, int)) func(*Scenario, string) error {
	return func(s *Scenario, arg string) error {
		n, err := strconv.Atoi(arg)
		if err != nil || n < low || n > high {
			return fmt.Errorf("want a number from %d to %d", low, high)
		}
		set(s, n)
		return nil
	}
}

func wait(set func(*Scenario, time.Duration)) func(*Scenario, string) error {
	return func(s *Scenario, arg string) error {
		d, err := time.ParseDuration(arg)
		if err != nil || d < 0 || d > maxDelay {
			return fmt.Errorf("want a time such as 5ms, at most %s", maxDelay)
		}
		set(s, d)
		return nil
	}
}

func rateLimit(s *Scenario, arg string) error {
	return whole(0, 3600, func(s *Scenario, n int) {
		s.Fault, s.RetryAfter = RateLimited, time.Duration(n)*time.Second
	})(s, arg)
}
