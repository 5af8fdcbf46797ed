package price

import (
	"math"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
)

const (
	decimals   = 6
	maxPrice   = 1_000_000 // per million tokens: one unit of currency a token
	maxEntries = 20_000
	maxTiers   = 32
	// unset is the price of a bucket that the configuration does not name.
	unset = -1
)

// Config is the section `price`.
type Config struct {
	Table    string // a file that the tools put in its place; the module reads none
	AsOf     string // the day of the prices
	Currency string
	Targets  []config.Named[Entry]
	Models   []config.Named[Entry] // by pattern
}

// Entry is the price of one target or of the models of a pattern.
type Entry struct {
	Rates
	Tiers []Tier
}

// Tier is what replaces an entry's rates for some requests.
type Tier struct {
	Above   int64 // tokens of the prompt, cached ones included; 0: any
	Service string
	Rates
}

// Rates are prices in units of the currency: per million tokens, per request,
// per image. A negative one is not set; see [NewPrice] for what takes its place.
type Rates struct {
	Input, CacheRead, CacheWrite, CacheWriteHour, InputAudio float64
	Output, Reasoning, OutputAudio                           float64
	Request, Image                                           float64
}

// Fields is the table of the section `price`.
func Fields(c *Config) []config.Field {
	return append(TableFields(c),
		config.String("table", &c.Table, config.Length(1, 1024), config.Example("prices.yaml"),
			config.Doc("A file of prices beside this one: the members of this section but `table`. The tools read it and put it in its place; what this section says itself counts before it.")),
		config.Rule(func(r *config.Report) {
			if c.Table != "" {
				r.At("table").Fail(config.Invalid, "the file of prices was not put in its place", "render the configuration with postern, which reads it")
			}
		}))
}

// TableFields is the table of a file of prices.
func TableFields(c *Config) []config.Field {
	entry := func(_ string, e *Entry) []config.Field { return EntryFields(e) }
	return []config.Field{
		config.String("as_of", &c.AsOf, config.Check(checkDay), config.Example("\"2026-11-01\""),
			config.Doc("The day on which these were the prices. It is shown, and nothing depends on it.")),
		config.String("currency", &c.Currency, config.Default("USD"), config.Check(checkCurrency),
			config.Doc("ISO 4217 code of the currency of all prices. It is shown, never converted.")),
		config.Map("targets", &c.Targets, entry, config.AnyKey(), config.Length(0, maxEntries),
			config.Doc("Prices by the target's name. A target without a price costs nothing and its records say so.")),
		config.Map("models", &c.Models, entry, config.AnyKey(), config.Length(0, maxEntries),
			config.Doc("Prices by the provider's kind and its name of the model, for targets that have none of their own: `openai/gpt-4o`. The kind is the provider's flavour, or else its dialect. `*` stands for any characters; of several patterns that match, the one with the most other characters counts.")),
	}
}

// EntryFields is the table of one price.
func EntryFields(e *Entry) []config.Field {
	return append(RateFields(&e.Rates),
		config.List("tiers", &e.Tiers, tierFields, config.Length(0, maxTiers),
			config.Doc("Prices that replace these for some requests, all rates together. Of the tiers of the service that served the one with the highest `above` counts; a service without a tier pays what the standard one does.")),
		config.Rule(e.check))
}

func tierFields(t *Tier) []config.Field {
	return append([]config.Field{
		config.Int64("above", &t.Above, config.Range[int64](0, 1<<40), config.Example("200000"),
			config.Doc("For prompts of more tokens than this, cached ones included. 0 is any prompt.")),
		config.String("service", &t.Service, config.OneOf(services()...), config.Example("batch"),
			config.Doc("For answers of this service tier, as the provider names it in the answer. Default: the standard one.")),
	}, RateFields(&t.Rates)...)
}

func services() (names []string) {
	for t := llm.FlexTier; t.String() != ""; t++ {
		names = append(names, t.String())
	}
	return names
}

// RateFields is the table of one set of prices. It also marks every price in r
// as not set.
func RateFields(r *Rates) []config.Field {
	*r = Rates{CacheRead: unset, CacheWrite: unset, CacheWriteHour: unset, InputAudio: unset, Reasoning: unset, OutputAudio: unset}
	rate := func(name string, p *float64, doc string, opts ...config.Option) config.Field {
		opts = append(opts, config.Range(0.0, maxPrice), config.Check(checkRate), config.Doc(doc))
		return config.Float(name, p, opts...)
	}
	return []config.Field{
		rate("input", &r.Input, "Price of a million tokens read.", config.Required(), config.Example("2.50")),
		rate("cache_read", &r.CacheRead, "Price of a million tokens read from the prompt cache. Default: `input`."),
		rate("cache_write", &r.CacheWrite, "Price of a million tokens written to the prompt cache. Default: `input`."),
		rate("cache_write_hour", &r.CacheWriteHour, "Price of a million tokens written to the prompt cache to stay for an hour. Default: `cache_write`."),
		rate("input_audio", &r.InputAudio, "Price of a million audio tokens read. Default: `input`."),
		rate("output", &r.Output, "Price of a million tokens written; 0 for embeddings.", config.Required(), config.Example("10.00")),
		rate("reasoning", &r.Reasoning, "Price of a million reasoning tokens. Default: `output`."),
		rate("output_audio", &r.OutputAudio, "Price of a million audio tokens written. Default: `output`."),
		rate("request", &r.Request, "Price of one request that was served, beside its tokens."),
		rate("image", &r.Image, "Price of one image in a request, beside its tokens."),
	}
}

// check is the rule of one price: every tier can be told from the others.
func (e *Entry) check(r *config.Report) {
	for i := range e.Tiers {
		t := &e.Tiers[i]
		at := r.At("tiers", strconv.Itoa(i))
		if t.Above == 0 && t.Service == "" {
			at.Fail(config.Invalid, "this tier is the price itself", "give above, or service, or both")
		}
		for _, other := range e.Tiers[:i] {
			if t.Above == other.Above && t.Service == other.Service {
				at.Fail(config.Invalid, "an earlier tier is for the same requests", "")
			}
		}
	}
}

func checkCurrency(s string) error {
	if len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return nil
	}
	return config.Problem("not the code of a currency", "three capital letters, for example USD")
}

// checkDay takes a day as ISO 8601 writes it.
func checkDay(s string) error {
	ok := len(s) == len("2026-11-01")
	for i := 0; ok && i < len(s); i++ {
		ok = i == 4 || i == 7 || '0' <= s[i] && s[i] <= '9'
	}
	if ok && s[4] == '-' && s[7] == '-' && "01" <= s[5:7] && s[5:7] <= "12" && "01" <= s[8:] && s[8:] <= "31" {
		return nil
	}
	return config.Problem("not a day", "year, month and day in quotes, for example \"2026-11-01\"")
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
