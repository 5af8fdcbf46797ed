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

// key is what the table says of a setting. The settings of a type and their
// keys stand in the same order.
type key struct {
	name   string
	def    any
	lo, hi float64
	doc    string
}

func (s *Settings) ints() [3]*int { return [...]*int{&s.Consecutive, &s.MinRequests, &s.Probes} }

var intKeys = [...]key{
	{"consecutive", 5, 0, 10_000,
		"A target is shut out after this many failures in a row. 0 does not count them."},
	{"min_requests", 20, 1, 1_000_000,
		"How many attempts there must be within `window` before their share of failures says anything."},
	{"probes", 1, 1, maxProbes,
		"How many requests at a time try a target that was shut out, until one succeeds."},
}

func (s *Settings) floats() [2]*float64 { return [...]*float64{&s.ErrorRatio, &s.RampFrom} }

var floatKeys = [...]key{
	{"error_ratio", 0.5, 0, 1,
		"A target is shut out when this share of its attempts within `window` failed. 0 does not look at the share."},
	{"ramp_from", 0.1, 0.01, 1,
		"The share of its traffic that a target gets when it has just recovered."},
}

func (s *Settings) durations() [8]*time.Duration {
	return [...]*time.Duration{&s.Window, &s.SlowFirstToken, &s.SlowAnswer, &s.Open, &s.MaxOpen,
		&s.QuotaOpen, &s.ProbeTimeout, &s.Ramp}
}

const (
	second = float64(time.Second)
	hour   = float64(time.Hour)
)

var durationKeys = [...]key{
	{"window", 30 * time.Second, second, hour,
		"The time over which `error_ratio` looks. It slides in steps of an eighth."},
	{"slow_first_token", time.Duration(0), 0, hour,
		"A stream whose first content takes longer counts as a failure, although the client gets it. 0 does not."},
	{"slow_answer", time.Duration(0), 0, hour,
		"A whole answer that takes longer counts as a failure, although the client gets it. 0 does not."},
	{"open", 10 * time.Second, second / 10, hour,
		"How long a target is shut out that failed; twice as long each time that it fails again before it has recovered. An error that says how long to wait (`retry-after`) shuts the target out for exactly that."},
	{"max_open", 5 * time.Minute, second / 10, 24 * hour,
		"The longest that `open` grows to."},
	{"quota_open", 10 * time.Minute, second, 24 * hour,
		"How long a target is shut out whose quota is used up, if the provider does not say."},
	{"probe_timeout", 2 * time.Minute, second, hour,
		"A try that has had no content after this time is given up, and another request may try."},
	{"ramp", 30 * time.Second, 0, hour,
		"How long the traffic of a target that recovered takes to grow to all of it, at most as long as it was shut out. 0 gives it all at once."},
}

// fields is the table of settings; in an override none has a default.
func fields(s *Settings, base bool) []config.Field {
	failures := withDefault(base, classNames(), config.OneOf(classNames()...), config.Length(0, len(mayFail)),
		config.Doc("The error classes that count as a failure of the target. Errors of other classes show that it works."))
	fs := append(make([]config.Field, 0, 16), config.Strings("failures", &s.Failures, failures...))
	for i, p := range s.ints() {
		k := &intKeys[i]
		fs = append(fs, config.Int(k.name, p, k.options(base)...))
	}
	for i, p := range s.floats() {
		k := &floatKeys[i]
		fs = append(fs, config.Float(k.name, p, k.options(base)...))
	}
	for i, p := range s.durations() {
		k := &durationKeys[i]
		fs = append(fs, config.Duration(k.name, p, k.options(base)...))
	}
	return append(fs, config.Rule(s.check))
}

//go:noinline
func (k *key) options(base bool) []config.Option {
	return withDefault(base, k.def, config.Range(k.lo, k.hi), config.Doc(k.doc))
}

// withDefault is not inlined: the module would hold it once more at each call.
//
//go:noinline
func withDefault(base bool, def any, opts ...config.Option) []config.Option {
	if base {
		opts = append(opts, config.Default(def))
	}
	return opts
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
	for i, p := range o.ints() {
		inherit(s.ints()[i], *p)
	}
	for i, p := range o.floats() {
		inherit(s.floats()[i], *p)
	}
	for i, p := range o.durations() {
		inherit(s.durations()[i], *p)
	}
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
