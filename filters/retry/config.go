package retry

import (
	"time"

	"github.com/posterngw/postern/filters/config"
)

// Config is the section `retries`.
type Config struct {
	Budget  Limits
	Models  []config.Named[Limits]
	Repeats RepeatsConfig
}

// Limits are one budget. In an override what is unset is inherited: a number
// below 0.
type Limits struct {
	MinPerSecond float64
	Share        float64
	Window       time.Duration
}

// RepeatsConfig says what is recognised as an agent's own retry.
type RepeatsConfig struct {
	Window  time.Duration
	Entries int
}

const (
	maxModels  = 2000
	maxEntries = 1 << 16
)

// Fields is the table of the section `retries`. It refers to names in the
// namespace "models".
func Fields(c *Config) []config.Field {
	override := func(_ string, l *Limits) []config.Field {
		*l = Limits{-1, -1, -1}
		return limitFields(l)
	}
	return append(limitFields(&c.Budget, config.Default(10.0), config.Default(0.2), config.Default(10*time.Second)),
		config.Map("models", &c.Models, override, config.Length(0, maxModels),
			config.Doc("What differs for a model, by its name.")),
		config.Object("repeats", &c.Repeats, repeatFields,
			config.Doc("What is recognised as an agent's own retry: the same body in the same conversation again.")),
		config.Rule(c.check))
}

// limitFields take the defaults of their three keys, or none.
func limitFields(l *Limits, defaults ...config.Option) []config.Field {
	with := func(i int, opts ...config.Option) []config.Option {
		if i < len(defaults) {
			opts = append(opts, defaults[i])
		}
		return opts
	}
	return []config.Field{
		config.Float("min_per_second", &l.MinPerSecond, with(0, config.Range(0.0, 10_000.0),
			config.Doc("Retries per second that each worker may make of a model however few requests there are."))...),
		config.Float("share", &l.Share, with(1, config.Range(0.0, 10.0),
			config.Doc("Retries that there may be in addition, as a share of the model's requests within `window`."))...),
		config.Duration("window", &l.Window, with(2, config.Range(time.Second, time.Hour),
			config.Doc("The time over which requests and retries are counted. It slides in steps of an eighth."))...),
	}
}

func repeatFields(r *RepeatsConfig) []config.Field {
	return []config.Field{
		config.Duration("window", &r.Window, config.Default(time.Minute), config.Range(time.Second, time.Hour),
			config.Doc("How long after the last time the same request counts as a repeat.")),
		config.Int("entries", &r.Entries, config.Default(1024), config.Range(16, maxEntries),
			config.Doc("How many requests each worker remembers, of 32 bytes each; rounded up to a power of two. Beyond it those go that were not repeated.")),
	}
}

// check wants overrides to name a model.
func (c *Config) check(r *config.Report) {
	for i := range c.Models {
		r.At("models", c.Models[i].Name).Refer("models", c.Models[i].Name)
	}
}

// limits are those of one model.
func (c *Config) limits(model string) Limits {
	l := c.Budget
	for i := range c.Models {
		if o := &c.Models[i].Value; c.Models[i].Name == model {
			l = l.over(o)
		}
	}
	return l
}

func (l Limits) over(o *Limits) Limits {
	if o.MinPerSecond >= 0 {
		l.MinPerSecond = o.MinPerSecond
	}
	if o.Share >= 0 {
		l.Share = o.Share
	}
	if o.Window >= 0 {
		l.Window = o.Window
	}
	return l
}
