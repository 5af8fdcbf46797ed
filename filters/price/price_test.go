package price

import (
	"math"
	"math/big"
	"os"
	"path/filepath"
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
		config.Int64("input_audio", &u.InputAudio), config.Int64("output", &u.Output), config.Int64("reasoning", &u.Reasoning),
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
			var rates Rates
			var usage llm.Usage
			var want int64
			require.NoError(t, config.Decode(n, []config.Field{
				config.String("why", &why),
				config.Object("price", &rates, RateFields),
				config.Object("usage", &usage, usageFields),
				config.Int64("micros", &want),
			}).Err())
			p := NewPrice(&rates)
			require.Equal(t, Micros(want), p.Cost(&usage), why)
		})
	}
}

var (
	anyRate  = rapid.Int64Range(0, maxPrice*unit)
	anyPrice = rapid.Custom(func(t *rapid.T) Price {
		draw := func() int64 { return anyRate.Draw(t, "rate") }
		return Price{draw(), draw(), draw(), draw(), draw(), draw(), draw()}
	})
)

func anyUsage(most int64) *rapid.Generator[llm.Usage] {
	return rapid.Custom(func(t *rapid.T) llm.Usage {
		draw := func() int64 { return rapid.Int64Range(0, most).Draw(t, "tokens") }
		return llm.Usage{Input: draw(), CacheRead: draw(), CacheWrite: draw(), InputAudio: draw(),
			Output: draw(), Reasoning: draw(), OutputAudio: draw()}
	})
}

// buckets pairs every count with its price.
func buckets(u *llm.Usage, p *Price) [7]struct {
	tokens *int64
	rate   int64
} {
	return [7]struct {
		tokens *int64
		rate   int64
	}{{&u.Input, p.input}, {&u.CacheRead, p.cacheRead}, {&u.CacheWrite, p.cacheWrite}, {&u.InputAudio, p.inputAudio},
		{&u.Output, p.output}, {&u.Reasoning, p.reasoning}, {&u.OutputAudio, p.outputAudio}}
}

// exact is the cost by arithmetic without bounds: floor(sum/unit + 1/2), at
// most what an int64 holds.
func exact(u *llm.Usage, p *Price) Micros {
	total := big.NewInt(unit / 2)
	for _, b := range buckets(u, p) {
		total.Add(total, new(big.Int).Mul(big.NewInt(*b.tokens), big.NewInt(b.rate)))
	}
	total.Div(total, big.NewInt(unit))
	if !total.IsInt64() {
		return math.MaxInt64
	}
	return Micros(total.Int64())
}

func TestCostIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice.Draw(t, "price")
		u := anyUsage(math.MaxInt64).Draw(t, "usage")
		require.Equal(t, exact(&u, &p), p.Cost(&u))
	})
}

func TestCostIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice.Draw(t, "price")
		u := anyUsage(1<<40).Draw(t, "usage")
		before := p.Cost(&u)
		for _, b := range buckets(&u, &p) {
			*b.tokens += rapid.Int64Range(0, 1<<40).Draw(t, "more")
			after := p.Cost(&u)
			require.GreaterOrEqual(t, after, before)
			before = after
		}
	})
}

// A record costs what its parts cost, but for their rounding: at most half a
// micro-unit each.
func TestCostIsTheSumOfItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPrice.Draw(t, "price")
		u := anyUsage(1<<32).Draw(t, "usage")
		var sum Micros
		for i, b := range buckets(&u, &p) {
			var part llm.Usage
			*buckets(&part, &p)[i].tokens = *b.tokens
			sum += p.Cost(&part)
		}
		require.InDelta(t, int64(sum), int64(p.Cost(&u)), 4)
	})
}

func TestCostAtTheEdges(t *testing.T) {
	most := Price{input: maxPrice * unit, output: maxPrice * unit, reasoning: maxPrice * unit}
	require.Equal(t, Micros(math.MaxInt64), most.Cost(&llm.Usage{Input: math.MaxInt64, Output: math.MaxInt64, Reasoning: math.MaxInt64}))
	require.Zero(t, most.Cost(&llm.Usage{Input: -5, Output: math.MinInt64}))
	require.Zero(t, new(Price).Cost(&llm.Usage{Input: math.MaxInt64}))
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
	table := New(c)
	require.Equal(t, "USD", table.Currency)
	p, ok := table.Of("openai/gpt-4o@2024")
	require.True(t, ok)
	require.Equal(t, Price{input: 2_500_000, cacheWrite: 2_500_000, inputAudio: 2_500_000,
		output: 10_000_000, reasoning: 10_000_000, outputAudio: 10_000_000}, p)
	_, ok = table.Of("other")
	require.False(t, ok)
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"currency": "usd"}`:                                            "/currency: not the code of a currency",
		`{"targets": {"a": {"input": 1}}}`:                               `missing key "output"`,
		`{"targets": {"a": {"input": -1, "output": 1}}}`:                 "/targets/a/input: -1 is out of range",
		`{"targets": {"a": {"input": 1000001, "output": 1}}}`:            "out of range",
		`{"targets": {"a": {"input": 1e400, "output": 1}}}`:              "too large",
		`{"targets": {"a": {"input": 0.0000001, "output": 1}}}`:          "/targets/a/input: a price has at most six decimals",
		`{"targets": {"a": {"input": 1, "output": 1, "reasonig": 1}}}`:   `did you mean "reasoning"?`,
		`{"targets": {"a": {"input": "1.00", "output": 1}}}`:             "expected a number",
		`{"targets": {"a": {"input": 1, "output": 1, "reasoning": -1}}}`: "out of range",
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
		p, _ := New(c).Of("a")
		require.Equal(t, want, p.input)
	})
}

func TestFieldsAreDescribed(t *testing.T) {
	s := config.Describe(Fields(&Config{}))
	for _, f := range append(s.Fields, s.Fields[1].Items.Fields...) {
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
		table := New(c)
		tokens &= math.MaxInt64
		u := llm.Usage{Input: tokens, CacheRead: tokens, Reasoning: tokens}
		for _, p := range table.targets {
			require.Equal(t, exact(&u, &p), p.Cost(&u))
		}
	})
}

func BenchmarkCost(b *testing.B) {
	p := Price{2_500_000, 1_250_000, 2_500_000, 40_000_000, 10_000_000, 10_000_000, 80_000_000}
	u := llm.Usage{Input: 1024, CacheRead: 512, Output: 211, Reasoning: 1856}
	b.ReportAllocs()
	for b.Loop() {
		_ = p.Cost(&u)
	}
}
