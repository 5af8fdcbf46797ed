package price

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/posterngw/postern/filters/llm"
)

// unit is how many micro-units one unit of the currency has, and how many
// tokens a price is for.
const unit = 1_000_000

// Micros is an amount of money in millionths of the currency's unit.
type Micros int64

// Append writes the amount as a decimal number of units: "0.001234".
func (m Micros) Append(dst []byte) []byte {
	v := uint64(m)
	if m < 0 {
		dst = append(dst, '-')
		v = -v
	}
	dst = strconv.AppendUint(dst, v/unit, 10)
	dst = append(dst, '.')
	for digit := uint64(unit / 10); digit > 0; digit /= 10 {
		dst = append(dst, '0'+byte(v/digit%10))
	}
	return dst
}

// String is what Append writes.
func (m Micros) String() string { return string(m.Append(nil)) }

// Price is what one target's tokens cost, in micro-units per million tokens.
// The zero Price is free.
type Price struct {
	input, cacheRead, cacheWrite, inputAudio, output, reasoning, outputAudio int64
}

// NewPrice takes decoded rates. A rate that is not set is that of `input` or
// `output`, whichever side its tokens are on.
func NewPrice(r *Rates) Price {
	in, out := micros(r.Input, 0), micros(r.Output, 0)
	return Price{
		input: in, cacheRead: micros(r.CacheRead, in), cacheWrite: micros(r.CacheWrite, in), inputAudio: micros(r.InputAudio, in),
		output: out, reasoning: micros(r.Reasoning, out), outputAudio: micros(r.OutputAudio, out),
	}
}

// Cost is what a record costs: the exact sum over its buckets, rounded once,
// half up. A negative count is none; what no Micros can hold is the largest.
func (p *Price) Cost(u *llm.Usage) Micros {
	var s sum
	s.add(u.Input, p.input)
	s.add(u.CacheRead, p.cacheRead)
	s.add(u.CacheWrite, p.cacheWrite)
	s.add(u.InputAudio, p.inputAudio)
	s.add(u.Output, p.output)
	s.add(u.Reasoning, p.reasoning)
	s.add(u.OutputAudio, p.outputAudio)
	return s.rounded()
}

// sum is an unsigned number of 128 bits. Seven products of an int64 with a
// price of at most 10¹² stay far below its end.
type sum struct{ hi, lo uint64 }

func (s *sum) add(tokens, rate int64) {
	if tokens <= 0 {
		return
	}
	hi, lo := bits.Mul64(uint64(tokens), uint64(rate))
	s.plus(hi, lo)
}

func (s *sum) plus(hi, lo uint64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi += hi + carry
}

func (s *sum) rounded() Micros {
	s.plus(0, unit/2)
	if s.hi >= unit { // the quotient would not fit into 64 bits
		return math.MaxInt64
	}
	q, _ := bits.Div64(s.hi, s.lo, unit)
	return Micros(min(q, math.MaxInt64))
}

// Table holds the prices of one configuration. It does not change.
type Table struct {
	Currency string
	targets  map[string]Price
}

// New builds the table of a decoded configuration.
func New(c *Config) *Table {
	t := &Table{Currency: c.Currency, targets: make(map[string]Price, len(c.Targets))}
	for i := range c.Targets {
		t.targets[c.Targets[i].Name] = NewPrice(&c.Targets[i].Value)
	}
	return t
}

// Of returns a target's price; false if it has none, and the zero Price then.
func (t *Table) Of(target string) (Price, bool) {
	p, ok := t.targets[target]
	return p, ok
}
