package health

import (
	"time"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
)

// Config is the section `health`.
type Config struct {
	Settings  Settings
	Providers []config.Named[Settings]
	Targets   []config.Named[Settings]
}

// Settings say when a target is shut out and how it comes back. In an override
// what is unset is inherited: a number below 0, or a nil list.
type Settings struct {
	Failures       []string
	Consecutive    int
	ErrorRatio     float64
	MinRequests    int
	Window         time.Duration
	SlowFirstToken time.Duration
	SlowAnswer     time.Duration
	Open           time.Duration
	MaxOpen        time.Duration
	QuotaOpen      time.Duration
	Probes         int
	ProbeTimeout   time.Duration
	Ramp           time.Duration
	RampFrom       float64
}

// unset inherits everything.
var unset = Settings{nil, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}

const (
	maxOverrides = 2000
	// maxShut is the longest that a target is shut out at once, whatever a
	// provider asks for.
	maxShut = 24 * time.Hour
	// maxProbes fits into a byte of the shared value.
	maxProbes = 100
)

// mayFail are the classes that can speak of a target's health; the others speak
// of the request. All of them count unless `failures` says otherwise.
var mayFail = []llm.Class{llm.AuthError, llm.RateLimited, llm.QuotaExhausted, llm.Overloaded,
	llm.ProviderError, llm.TimeoutError, llm.MalformedAnswer}

func classNames() []string {
	names := make([]string, len(mayFail))
	for i, c := range mayFail {
		names[i] = c.String()
	}
	return names
}

// Fields is the table of the section `health`. It refers to names in the
// namespace "providers".
func Fields(c *Config) []config.Field {
	override := func(_ string, s *Settings) []config.Field {
		*s = unset
		return fields(s, false)
	}
	return append(fields(&c.Settings, true),
		config.Map("providers", &c.Providers, override, config.Length(0, maxOverrides),
			config.Doc("What differs for all targets of a provider, by the provider's name.")),
		config.Map("targets", &c.Targets, override, config.AnyKey(), config.Length(0, maxOverrides),
			config.Doc("What differs for a target, by its name. It goes before what its provider has.")),
		config.Rule(c.check))
}

// check wants overrides of providers to name one.
func (c *Config) check(r *config.Report) {
	for i := range c.Providers {
		r.At("providers", c.Providers[i].Name).Refer("providers", c.Providers[i].Name)
	}
}

// options are a key's own, with its default where nothing is inherited.
func options(base bool, def any, doc string, more ...config.Option) []config.Option {
	if base {
		more = append(more, config.Default(def))
	}
	return append(more, config.Doc(doc))
}

func fields(s *Settings, base bool) []config.Field {
	fs := append(triggerFields(s, base), recoveryFields(s, base)...)
	return append(fs, config.Rule(s.check))
}

func triggerFields(s *Settings, base bool) []config.Field {
	return []config.Field{
		config.Strings("failures", &s.Failures, options(base, classNames(),
			"The error classes that count as a failure of the target. Errors of other classes show that it works.",
			config.OneOf(classNames()...), config.Length(0, len(mayFail)))...),
		config.Int("consecutive", &s.Consecutive, options(base, 5,
			"A target is shut out after this many failures in a row. 0 does not count them.",
			config.Range(0, 10_000))...),
		config.Float("error_ratio", &s.ErrorRatio, options(base, 0.5,
			"A target is shut out when this share of its attempts within `window` failed. 0 does not look at the share.",
			config.Range(0.0, 1.0))...),
		config.Int("min_requests", &s.MinRequests, options(base, 20,
			"How many attempts there must be within `window` before their share of failures says anything.",
			config.Range(1, 1_000_000))...),
		config.Duration("window", &s.Window, options(base, 30*time.Second,
			"The time over which `error_ratio` looks. It slides in steps of an eighth.",
			config.Range(time.Second, time.Hour))...),
		config.Duration("slow_first_token", &s.SlowFirstToken, options(base, time.Duration(0),
			"A stream whose first content takes longer counts as a failure, although the client gets it. 0 does not.",
			config.Range(0, time.Hour))...),
		config.Duration("slow_answer", &s.SlowAnswer, options(base, time.Duration(0),
			"A whole answer that takes longer counts as a failure, although the client gets it. 0 does not.",
			config.Range(0, time.Hour))...),
	}
}

func recoveryFields(s *Settings, base bool) []config.Field {
	return []config.Field{
		config.Duration("open", &s.Open, options(base, 10*time.Second,
			"How long a target is shut out that failed; twice as long each time that it fails again before it has recovered. An error that says how long to wait (`retry-after`) shuts the target out for exactly that.",
			config.Range(100*time.Millisecond, time.Hour))...),
		config.Duration("max_open", &s.MaxOpen, options(base, 5*time.Minute,
			"The longest that `open` grows to.",
			config.Range(100*time.Millisecond, maxShut))...),
		config.Duration("quota_open", &s.QuotaOpen, options(base, 10*time.Minute,
			"How long a target is shut out whose quota is used up, if the provider does not say.",
			config.Range(time.Second, maxShut))...),
		config.Int("probes", &s.Probes, options(base, 1,
			"How many requests at a time try a target that was shut out, until one succeeds.",
			config.Range(1, maxProbes))...),
		config.Duration("probe_timeout", &s.ProbeTimeout, options(base, 2*time.Minute,
			"A try that has had no content after this time is given up, and another request may try.",
			config.Range(time.Second, time.Hour))...),
		config.Duration("ramp", &s.Ramp, options(base, 30*time.Second,
			"How long the traffic of a target that recovered takes to grow to all of it, at most as long as it was shut out. 0 gives it all at once.",
			config.Range(0, time.Hour))...),
		config.Float("ramp_from", &s.RampFrom, options(base, 0.1,
			"The share of its traffic that a target gets when it has just recovered.",
			config.Range(0.01, 1.0))...),
	}
}

func (s *Settings) check(r *config.Report) {
	if s.Open > 0 && s.MaxOpen > 0 && s.MaxOpen < s.Open {
		r.At("max_open").Fail(config.OutOfRange, "less than open", "at least what open says")
	}
}

// over lays what an override sets over what it inherits.
func (s Settings) over(o *Settings) Settings {
	if o.Failures != nil {
		s.Failures = o.Failures
	}
	for _, p := range [...]struct{ to, from *int }{{&s.Consecutive, &o.Consecutive},
		{&s.MinRequests, &o.MinRequests}, {&s.Probes, &o.Probes}} {
		inherit(p.to, *p.from)
	}
	for _, p := range [...]struct{ to, from *time.Duration }{{&s.Window, &o.Window},
		{&s.SlowFirstToken, &o.SlowFirstToken}, {&s.SlowAnswer, &o.SlowAnswer}, {&s.Open, &o.Open},
		{&s.MaxOpen, &o.MaxOpen}, {&s.QuotaOpen, &o.QuotaOpen}, {&s.ProbeTimeout, &o.ProbeTimeout}, {&s.Ramp, &o.Ramp}} {
		inherit(p.to, *p.from)
	}
	inherit(&s.ErrorRatio, o.ErrorRatio)
	inherit(&s.RampFrom, o.RampFrom)
	return s
}

func inherit[N int | float64 | time.Duration](to *N, from N) {
	if from >= 0 {
		*to = from
	}
}

// settings are those of one target.
func (c *Config) settings(t *Target) Settings {
	s := c.Settings
	for i := range c.Providers {
		if c.Providers[i].Name == t.Provider {
			s = s.over(&c.Providers[i].Value)
		}
	}
	for i := range c.Targets {
		if c.Targets[i].Name == t.Name {
			s = s.over(&c.Targets[i].Value)
		}
	}
	return s
}

// rule is Settings in the form that serves requests. Times are in ms.
type rule struct {
	failures    uint32 // a bit per class
	consecutive uint32 // 0: never
	ratio       float64
	least       uint32
	window      int64
	first       time.Duration
	answer      time.Duration
	open, limit int64
	quota       time.Duration
	probes      uint8
	lease       int64
	ramp        int64
	from        float64
}

func newRule(s *Settings) *rule {
	r := &rule{consecutive: uint32(s.Consecutive), ratio: s.ErrorRatio, least: uint32(s.MinRequests),
		window: s.Window.Milliseconds(), first: s.SlowFirstToken, answer: s.SlowAnswer,
		open: s.Open.Milliseconds(), limit: max(s.Open, s.MaxOpen).Milliseconds(), quota: s.QuotaOpen,
		probes: uint8(s.Probes), lease: s.ProbeTimeout.Milliseconds(), ramp: s.Ramp.Milliseconds(), from: s.RampFrom}
	for _, c := range mayFail {
		for _, name := range s.Failures {
			if c.String() == name {
				r.failures |= 1 << c
			}
		}
	}
	return r
}

// fails reports whether a class counts as a failure.
func (r *rule) fails(c llm.Class) bool { return r.failures>>c&1 != 0 }

// slow reports whether an answer took so long that it counts as a failure.
func (r *rule) slow(o *Outcome) bool {
	if o.FirstToken > 0 {
		return r.first > 0 && o.FirstToken > r.first
	}
	return r.answer > 0 && o.Took > r.answer
}
