package price

import (
	"math"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

const (
	decimals   = 6
	maxPrice   = 1_000_000 // per million tokens: one unit of currency a token
	maxTargets = 20_000
	// unset is the price of a bucket that the configuration does not name.
	unset = -1
)

// Config is the section `price`.
type Config struct {
	Currency string
	Targets  []config.Named[Rates]
}

// Rates are one target's prices in units of the currency per million tokens.
// A negative one is not set; see [NewPrice] for what takes its place.
type Rates struct {
	Input       float64
	CacheRead   float64
	CacheWrite  float64
	InputAudio  float64
	Output      float64
	Reasoning   float64
	OutputAudio float64
}

// Fields is the table of the section `price`.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.String("currency", &c.Currency, config.Default("USD"), config.Check(checkCurrency),
			config.Doc("ISO 4217 code of the currency of all prices. It is shown, never converted.")),
		config.Map("targets", &c.Targets, func(_ string, r *Rates) []config.Field { return RateFields(r) },
			config.AnyKey(), config.Length(0, maxTargets),
			config.Doc("Prices by the target's name. A target without prices costs nothing and its records say so.")),
	}
}

// RateFields is the table of one target's prices. It also marks every price in
// r as not set.
func RateFields(r *Rates) []config.Field {
	*r = Rates{CacheRead: unset, CacheWrite: unset, InputAudio: unset, Reasoning: unset, OutputAudio: unset}
	rate := func(name string, p *float64, doc string, opts ...config.Option) config.Field {
		opts = append(opts, config.Range(0.0, maxPrice), config.Check(checkRate), config.Doc(doc))
		return config.Float(name, p, opts...)
	}
	return []config.Field{
		rate("input", &r.Input, "Price of a million tokens read.", config.Required(), config.Example("2.50")),
		rate("cache_read", &r.CacheRead, "Price of a million tokens read from the prompt cache. Default: `input`."),
		rate("cache_write", &r.CacheWrite, "Price of a million tokens written to the prompt cache. Default: `input`."),
		rate("input_audio", &r.InputAudio, "Price of a million audio tokens read. Default: `input`."),
		rate("output", &r.Output, "Price of a million tokens written; 0 for embeddings.", config.Required(), config.Example("10.00")),
		rate("reasoning", &r.Reasoning, "Price of a million reasoning tokens. Default: `output`."),
		rate("output_audio", &r.OutputAudio, "Price of a million audio tokens written. Default: `output`."),
	}
}

func checkCurrency(s string) error {
	if len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return nil
	}
	return config.Problem("not the code of a currency", "three capital letters, for example USD")
}

// checkRate keeps prices exact: what has no more than six decimals is a whole
// number of micro-units.
func checkRate(v float64) error {
	_, fraction, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	if len(fraction) > decimals {
		return config.Problem("a price has at most six decimals", "")
	}
	return nil
}

// micros converts a price; instead takes the place of one that is not set.
func micros(v float64, instead int64) int64 {
	if v < 0 || math.IsNaN(v) {
		return instead
	}
	return int64(math.Round(min(v, maxPrice) * unit))
}
