package price

import (
	"cmp"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
)

func usageFields(u *llm.Usage) []config.Field {
	return []config.Field{
		config.Int64("input", &u.Input), config.Int64("cache_read", &u.CacheRead), config.Int64("cache_write", &u.CacheWrite),
		config.Int64("cache_write_hour", &u.CacheWriteHour), config.Int64("input_audio", &u.InputAudio), config.Int64("output", &u.Output), config.Int64("reasoning", &u.Reasoning),
		config.Int64("output_audio", &u.OutputAudio),
	}
}

// The invoices in testdata were reckoned with fractions, apart from this code.
func TestInvoices(t *testing.T) {
	files, err := filepath.Glob("testdata/invoices/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			n, errs := config.ParseJSON(text)
			require.NoError(t, errs.Err())
			var why string
			var entry Entry
			var usage llm.Usage
			var service string
			var items Items
			var want int64
			require.NoError(t, config.Decode(n, []config.Field{
				config.String("why", &why),
				config.Object("price", &entry, EntryFields),
				config.Object("usage", &usage, usageFields),
				config.String("service", &service),
				config.Int64("requests", &items.Requests),
				config.Int64("images", &items.Images),
				config.Int64("micros", &want),
			}).Err())
			p := NewPrice(&entry)
			usage.Tier = llm.TierOf([]byte(service))
			require.Equal(t, Micros(want), p.Cost(&usage, items), why)
		})
	}
}

var (
	anyRate  = rapid.Int64Range(0, maxPrice*unit)
	anyRates = rapid.Custom(func(t *rapid.T) (r rates) {
		for i := range r {
			r[i] = anyRate.Draw(t, "rate")
		}
		return r
	})
	anyTier = rapid.Custom(func(t *rapid.T) tier {
		return tier{rapid.SampledFrom(tierNames).Draw(t, "service"), rapid.Int64Range(0, 1<<34).Draw(t, "above"), anyRates.Draw(t, "rates")}
	})
	anyPrice = rapid.Custom(func(t *rapid.T) Price {
		return Price{anyRates.Draw(t, "base"), rapid.SliceOfN(anyTier, 0, 5).Draw(t, "tiers")}
	})
	flatPrice = rapid.Custom(func(t *rapid.T) Price { return Price{base: anyRates.Draw(t, "base")} })
	tierNames = []llm.Tier{llm.StandardTier, llm.FlexTier, llm.PriorityTier, llm.BatchTier, llm.ReservedTier}
)

func anyUsage(most int64) *rapid.Generator[llm.Usage] {
	return rapid.Custom(func(t *rapid.T) llm.Usage {
		draw := func() int64 { return rapid.Int64Range(0, most).Draw(t, "tokens") }
		return llm.Usage{Input: draw(), CacheRead: draw(), CacheWrite: draw(), CacheWriteHour: draw(), InputAudio: draw(),
			Output: draw(), Reasoning: draw(), OutputAudio: draw(), Tier: rapid.SampledFrom(tierNames).Draw(t, "service")}
	})
}

// counts are the buckets of a record in the order of their rates.
func counts(u *llm.Usage) [request]*int64 {
	return [request]*int64{&u.Input, &u.CacheRead, &u.CacheWrite, &u.CacheWriteHour, &u.InputAudio,
		&u.Output, &u.Reasoning, &u.OutputAudio}
}

// pays finds the rates of a record the naive way: a tier of its service, else of
// the standard one, with the highest threshold that the prompt is above.
func pays(u *llm.Usage, p *Price) rates {
	for _, service := range []llm.Tier{u.Tier, llm.StandardTier} {
		best, found := int64(-1), rates{}
		for _, t := range p.tiers {
			reached := t.above == 0 || new(big.Int).Sub(total(u), big.NewInt(t.above)).Sign() > 0
			if t.service == service && reached && t.above > best {
				best, found = t.above, t.rates
			}
		}
		if best >= 0 {
			return found
		}
	}
	return p.base
}

func total(u *llm.Usage) *big.Int {
	n := new(big.Int)
	for i, tokens := range counts(u) {
		if i < output {
			n.Add(n, big.NewInt(*tokens))
		}
	}
	return n
}

// exact is the cost by arithmetic without bounds: floor(sum/unit + 1/2), at
// most what an int64 holds.
func exact(u *llm.Usage, n Items, p *Price) Micros {
	total, paid := big.NewInt(unit/2), pays(u, p)
	add := func(count, rate int64) { total.Add(total, new(big.Int).Mul(big.NewInt(count), big.NewInt(rate))) }
	for i, tokens := range counts(u) {
		add(*tokens, paid[i])
	}
	add(n.Requests*unit, paid[request])
	add(n.Images*unit, paid[image])
	total.Div(total, big.NewInt(unit))
	if !total.IsInt64() {
		return math.MaxInt64
	}
	return Micros(total.Int64())
}

func TestCostIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice.Draw(t, "price")
		u := anyUsage(1<<60).Draw(t, "usage")
		n := Items{rapid.Int64Range(0, 1).Draw(t, "requests"), rapid.Int64Range(0, 1000).Draw(t, "images")}
		require.Equal(t, exact(&u, n, &p), p.Cost(&u, n))
	})
}

func TestCostIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice.Draw(t, "price")
		rising(&p)
		u := anyUsage(1<<40).Draw(t, "usage")
		before := p.Cost(&u, Items{})
		for _, tokens := range counts(&u) {
			*tokens += rapid.Int64Range(0, 1<<40).Draw(t, "more")
			after := p.Cost(&u, Items{})
			require.GreaterOrEqual(t, after, before)
			before = after
		}
	})
}

// rising makes every tier at least as dear as those below it, as price lists are.
func rising(p *Price) {
	slices.SortFunc(p.tiers, func(a, b tier) int { return cmp.Compare(a.above, b.above) })
	floor := p.base
	for i := range p.tiers {
		for j := range floor {
			floor[j] = max(floor[j], p.tiers[i].rates[j])
		}
		p.tiers[i].rates = floor
	}
}

// A record costs what its parts cost by the same rates, but for their rounding: at
// most half a micro-unit each.
func TestCostIsTheSumOfItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := flatPrice.Draw(t, "price")
		u := anyUsage(1<<32).Draw(t, "usage")
		var sum Micros
		for i, tokens := range counts(&u) {
			var part llm.Usage
			*counts(&part)[i] = *tokens
			sum += p.Cost(&part, Items{})
		}
		require.InDelta(t, int64(sum), int64(p.Cost(&u, Items{})), 5)
	})
}

// One token decides which tier pays for all of them.
func TestTierBoundary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := flatPrice.Draw(t, "price")
		above := rapid.Int64Range(1, 1<<40).Draw(t, "above")
		long := flatPrice.Draw(t, "long")
		p.tiers = []tier{{above: above, rates: long.base}}
		cached := rapid.Int64Range(0, above).Draw(t, "cached")
		u := llm.Usage{Input: above - cached, CacheRead: cached, Output: 1000}
		short := Price{base: p.base}
		require.Equal(t, short.Cost(&u, Items{}), p.Cost(&u, Items{}))
		u.Input++
		require.Equal(t, long.Cost(&u, Items{}), p.Cost(&u, Items{}))
	})
}

// Nothing costs more than what was said before: that is what budgets reserve.
func TestMostIsABound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice.Draw(t, "price")
		u := anyUsage(1<<40).Draw(t, "usage")
		n := Items{1, rapid.Int64Range(0, 50).Draw(t, "images")}
		in := u.InputTotal() + rapid.Int64Range(0, 1<<40).Draw(t, "unused")
		require.GreaterOrEqual(t, p.Most(in, u.OutputTotal(), n), p.Cost(&u, n))
	})
}

func TestCostAtTheEdges(t *testing.T) {
	most := Price{base: rates{input: maxPrice * unit, output: maxPrice * unit, reasoning: maxPrice * unit, image: maxPrice * unit}}
	require.Equal(t, Micros(math.MaxInt64), most.Cost(&llm.Usage{Input: math.MaxInt64, Output: math.MaxInt64, Reasoning: math.MaxInt64}, Items{}))
	require.Equal(t, Micros(math.MaxInt64), most.Cost(&llm.Usage{}, Items{Images: math.MaxInt64}))
	require.Zero(t, most.Cost(&llm.Usage{Input: -5, Output: math.MinInt64}, Items{Images: -1}))
	require.Zero(t, new(Price).Cost(&llm.Usage{Input: math.MaxInt64}, Items{Requests: 1}))
}

func TestMicrosText(t *testing.T) {
	for m, want := range map[Micros]string{
		0: "0.000000", 1: "0.000001", 1234567: "1.234567", -1: "-0.000001", -2500000: "-2.500000",
		math.MaxInt64: "9223372036854.775807", math.MinInt64: "-9223372036854.775808",
	} {
		require.Equal(t, want, m.String())
	}
}

func decode(text string) (*Config, error) {
	n, errs := config.ParseJSON([]byte(text))
	if err := errs.Err(); err != nil {
		return nil, err
	}
	c := &Config{}
	return c, config.Decode(n, Fields(c)).Err()
}

func TestConfig(t *testing.T) {
	c, err := decode(`{"targets": {"openai/gpt-4o@2024": {"input": 2.5, "cache_read": 0, "output": 10}}}`)
	require.NoError(t, err)
	table := New(c, []Target{{Name: "openai/gpt-4o@2024"}, {Name: "other"}})
	require.Equal(t, "USD", table.Currency)
	p, ok := table.Of("openai/gpt-4o@2024")
	require.True(t, ok)
	require.Equal(t, Price{base: rates{input: 2_500_000, cacheWrite: 2_500_000, cacheWriteHour: 2_500_000, inputAudio: 2_500_000,
		output: 10_000_000, reasoning: 10_000_000, outputAudio: 10_000_000}}, *p)
	p, ok = table.Of("other")
	require.False(t, ok)
	require.Zero(t, p.Cost(&llm.Usage{Input: 1e6}, Items{}))
}

// A target's own price counts first, then the closest kind, then the pattern that
// says most.
func TestModels(t *testing.T) {
	c, err := decode(`{"targets": {"mine": {"input": 1, "output": 0}}, "models": {
		"openai/gpt-*": {"input": 2, "output": 0}, "openai/gpt-5*": {"input": 3, "output": 0},
		"openai/*-mini": {"input": 4, "output": 0}, "groq/gpt-5": {"input": 5, "output": 0},
		"bedrock/*.claude-*-v1:*": {"input": 6, "output": 0}}}`)
	require.NoError(t, err)
	openai, groq := []string{"openai"}, []string{"groq", "openai"}
	for want, target := range map[int64]Target{
		1: {Name: "mine", Kinds: openai, Model: "gpt-5"},
		2: {Name: "b", Kinds: openai, Model: "gpt-4o"},
		3: {Name: "c", Kinds: groq, Model: "gpt-5.1"},
		4: {Name: "d", Kinds: openai, Model: "o4-mini"},
		5: {Name: "e", Kinds: groq, Model: "gpt-5"},
		6: {Name: "f", Kinds: []string{"bedrock"}, Model: "us.anthropic.claude-x-v1:0"},
	} {
		p, ok := New(c, []Target{target}).Of(target.Name)
		require.True(t, ok, target.Name)
		require.Equal(t, want*unit, p.base[input], target.Name)
	}
	_, ok := New(c, []Target{{Name: "g", Kinds: []string{"bedrock"}, Model: "claude-x-v1:0"}}).Of("g")
	require.False(t, ok)
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "a", true}, {"*", "", true}, {"*a", "ba", true}, {"*a", "ab", false},
		{"a*b*c", "a1b2c", true}, {"a*b*c", "acb", false}, {"a*bc*c", "abc", false}, {"a**c", "abc", true}, {"", "a", false},
	} {
		require.Equal(t, c.want, matches(c.pattern, c.name), "%s on %s", c.pattern, c.name)
	}
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"currency": "usd"}`:                                                                                    "/currency: not the code of a currency",
		`{"targets": {"a": {"input": 1}}}`:                                                                       `missing key "output"`,
		`{"targets": {"a": {"input": -1, "output": 1}}}`:                                                         "/targets/a/input: -1 is out of range",
		`{"targets": {"a": {"input": 1000001, "output": 1}}}`:                                                    "out of range",
		`{"targets": {"a": {"input": 1e400, "output": 1}}}`:                                                      "too large",
		`{"targets": {"a": {"input": 0.0000001, "output": 1}}}`:                                                  "/targets/a/input: a price has at most six decimals",
		`{"targets": {"a": {"input": 1, "output": 1, "reasonig": 1}}}`:                                           `did you mean "reasoning"?`,
		`{"targets": {"a": {"input": "1.00", "output": 1}}}`:                                                     "expected a number",
		`{"targets": {"a": {"input": 1, "output": 1, "reasoning": -1}}}`:                                         "out of range",
		`{"targets": {"a": {"input": 1, "output": 1, "tiers": [{"input": 1, "output": 1}]}}}`:                    "/targets/a/tiers/0: this tier is the price itself",
		`{"targets": {"a": {"input": 1, "output": 1, "tiers": [{"service": "slow", "input": 1, "output": 1}]}}}`: "/targets/a/tiers/0/service",
		`{"models": {"a": {"input": 1, "output": 1, "tiers": [{"above": 5, "input": 1, "output": 1}, {"above": 5, "input": 2, "output": 1}]}}}`: "/models/a/tiers/1: an earlier tier",
	} {
		_, err := decode(text)
		require.ErrorContains(t, err, want)
	}
}

// A price is read as it is spelled, to the last of its six decimals.
func TestPricesAreReadExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyRate.Draw(t, "rate")
		c, err := decode(`{"targets": {"a": {"input": ` + Micros(want).String() + `, "output": 0}}}`)
		require.NoError(t, err)
		p, _ := New(c, []Target{{Name: "a"}}).Of("a")
		require.Equal(t, want, p.base[input])
	})
}

func TestFieldsAreDescribed(t *testing.T) {
	s := config.Describe(Fields(&Config{}))
	for _, f := range append(s.Fields, s.Fields[2].Items.Fields...) {
		require.NotEmpty(t, f.Doc, f.Name)
	}
}

// FuzzPrices throws texts at the table: whatever is accepted has an exact price.
func FuzzPrices(f *testing.F) {
	f.Add(`{"targets": {"a": {"input": 2.5, "cache_read": 0, "output": 1e1}}}`, int64(7))
	f.Add(`{"currency": "EUR", "targets": {}}`, int64(0))
	f.Fuzz(func(t *testing.T, text string, tokens int64) {
		c, err := decode(text)
		if err != nil {
			return
		}
		tokens &= 1<<60 - 1
		u := llm.Usage{Input: tokens, CacheRead: tokens, Reasoning: tokens}
		for i := range c.Targets {
			p := NewPrice(&c.Targets[i].Value)
			require.Equal(t, exact(&u, Items{}, &p), p.Cost(&u, Items{}))
		}
	})
}

func BenchmarkCost(b *testing.B) {
	p := Price{base: rates{2_500_000, 1_250_000, 2_500_000, 2_500_000, 40_000_000, 10_000_000, 10_000_000, 80_000_000},
		tiers: []tier{{above: 200_000}, {service: llm.BatchTier}}}
	u := llm.Usage{Input: 1024, CacheRead: 512, Output: 211, Reasoning: 1856}
	b.ReportAllocs()
	for b.Loop() {
		_ = p.Cost(&u, Items{Requests: 1})
	}
}
