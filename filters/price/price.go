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

// What has a rate of its own; those of the input first.
const (
	input = iota
	cacheRead
	cacheWrite
	cacheWriteHour
	inputAudio
	output
	reasoning
	outputAudio
	request
	image
	buckets
)

// rates are micro-units: per million tokens, per request, per image.
type rates [buckets]int64

// tier is a set of rates and what it is for.
type tier struct {
	service llm.Tier
	above   int64
	rates   rates
}

// fits reports whether the tier is for prompts of so many tokens.
func (t *tier) fits(tokens int64) bool { return t.above == 0 || tokens > t.above }

// Price is what one target's usage costs. The zero Price is free.
type Price struct {
	base  rates
	tiers []tier
}

// Items is what is paid by the piece.
type Items struct{ Requests, Images int64 }

// NewPrice takes a decoded entry. A rate that is not set is that of `input` or
// `output`, whichever side its tokens are on; an hour's cache that of any other.
func NewPrice(e *Entry) Price {
	p := Price{base: newRates(&e.Rates)}
	for i := range e.Tiers {
		t := &e.Tiers[i]
		p.tiers = append(p.tiers, tier{llm.TierOf([]byte(t.Service)), t.Above, newRates(&t.Rates)})
	}
	return p
}

func newRates(r *Rates) rates {
	in, out := micros(r.Input, 0), micros(r.Output, 0)
	write := micros(r.CacheWrite, in)
	return rates{
		input: in, cacheRead: micros(r.CacheRead, in), cacheWrite: write, cacheWriteHour: micros(r.CacheWriteHour, write),
		inputAudio: micros(r.InputAudio, in),
		output:     out, reasoning: micros(r.Reasoning, out), outputAudio: micros(r.OutputAudio, out),
		request: micros(r.Request, 0), image: micros(r.Image, 0),
	}
}

// Cost is what a record costs: the exact sum over its buckets, rounded once,
// half up. A negative count is none; what no Micros can hold is the largest.
func (p *Price) Cost(u *llm.Usage, n Items) Micros {
	s := p.rates(u.Tier, u.InputTotal()).sum(&[buckets]int64{
		input: u.Input, cacheRead: u.CacheRead, cacheWrite: u.CacheWrite, cacheWriteHour: u.CacheWriteHour, inputAudio: u.InputAudio,
		output: u.Output, reasoning: u.Reasoning, outputAudio: u.OutputAudio,
		request: pieces(n.Requests), image: pieces(n.Images),
	})
	return s.rounded()
}

// Most is the most that a request of so many tokens can cost, whatever they are
// and whatever service serves it.
func (p *Price) Most(in, out int64, n Items) Micros {
	most := p.base.most(in, out, n)
	for i := range p.tiers {
		if t := &p.tiers[i]; t.fits(in) {
			most = max(most, t.rates.most(in, out, n))
		}
	}
	return most
}

func (r *rates) most(in, out int64, n Items) Micros {
	var s sum
	s.add(in, max(r[input], r[cacheRead], r[cacheWrite], r[cacheWriteHour], r[inputAudio]))
	s.add(out, max(r[output], r[reasoning], r[outputAudio]))
	s.add(pieces(n.Requests), r[request])
	s.add(pieces(n.Images), r[image])
	return s.rounded()
}

// rates finds those that a request is paid by.
func (p *Price) rates(service llm.Tier, tokens int64) *rates {
	t := p.tier(service, tokens)
	if t == nil && service != llm.StandardTier {
		t = p.tier(llm.StandardTier, tokens)
	}
	if t == nil {
		return &p.base
	}
	return &t.rates
}

func (p *Price) tier(service llm.Tier, tokens int64) (found *tier) {
	for i := range p.tiers {
		t := &p.tiers[i]
		if t.service == service && t.fits(tokens) && (found == nil || t.above > found.above) {
			found = t
		}
	}
	return found
}

// pieces counts pieces as tokens: what a million of them cost is a million times
// what one costs.
func pieces(n int64) int64 { return min(max(n, 0), math.MaxInt64/unit) * unit }

// sum is an unsigned number of 128 bits. Ten products of an int64 with a price
// of at most 10¹² stay far below its end.
type sum struct{ hi, lo uint64 }

func (r *rates) sum(counts *[buckets]int64) (s sum) {
	for i, n := range counts {
		s.add(n, r[i])
	}
	return s
}

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
