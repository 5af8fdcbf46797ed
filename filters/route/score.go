package route

import (
	"math"
	"slices"
	"time"

	"github.com/posterngw/postern/filters/fasthash"
	"github.com/posterngw/postern/filters/health"
)

// Strategy is one way to prefer a target.
type Strategy uint8

// The strategies.
const (
	ByWeight      Strategy = iota // by chance, in proportion to the weights
	ByCost                        // what the request is estimated to cost
	ByLatency                     // how long it is estimated to take
	ByOutstanding                 // attempts that run, for each unit of weight
	ByRegion                      // the place of its region among the preferred ones
	BySticky                      // by a hash of what the request belongs to, in proportion to the weights
	strategies
)

var strategyNames = [strategies]string{"weight", "cost", "latency", "outstanding", "region", "sticky"}

// String is the strategy's stable name.
func (s Strategy) String() string { return strategyNames[s%strategies] }

// maxOrder is the most strategies that a model can have.
const maxOrder = 4

// Score is what the strategies of a model say of a target, in their order: the
// less the better.
type Score [maxOrder]float64

// Salts keep draws for different ends apart.
const (
	saltSticky = 1
	saltCanary = 2
)

// score asks every strategy about every candidate.
func (c *choice) score(list []candidate) {
	seed := c.Seed
	for k, strategy := range c.m.Order {
		for i := range list {
			list[i].score[k] = c.scoreOf(strategy, &list[i], &seed)
		}
	}
}

func (c *choice) scoreOf(s Strategy, one *candidate, seed *uint64) float64 {
	t := one.t
	switch s {
	case ByCost:
		return c.cost(t)
	case ByLatency:
		return c.latency(one)
	case ByOutstanding:
		return float64(one.how.Outstanding+1) / float64(t.Weight)
	case ByRegion:
		if i := slices.Index(c.m.Regions, t.Region); i >= 0 {
			return float64(i)
		}
		return float64(len(c.m.Regions))
	case BySticky:
		if c.Sticky != 0 {
			return race(fasthash.String(c.Sticky+saltSticky, t.Name), t.Weight)
		}
	}
	return race(Next(seed), t.Weight)
}

// race is the time at which a target that arrives at random, at a rate of its
// weight, arrives: those that come first are a draw without replacement in
// proportion to the weights (Efraimidis, Spirakis 2006). Of a hash it is
// weighted rendezvous hashing: when a target goes only its share moves.
func race(random uint64, weight int) float64 {
	return -math.Log(unit(random)) / float64(weight)
}

// unit makes a number in (0, 1) of 64 bits.
func unit(random uint64) float64 { return (float64(random>>11) + 0.5) / (1 << 53) }

// chance draws a number in (0, 1), the same for all requests that belong
// together.
func (c *choice) chance(salt uint64) float64 {
	seed := c.Seed + salt
	if c.Sticky != 0 {
		seed = c.Sticky + salt
	}
	return unit(Next(&seed))
}

// guessedOutput is how many tokens an answer is taken for whose length nothing
// bounds, and at most.
const guessedOutput = 500

func (c *choice) cost(t *Target) float64 {
	in, out := t.Estimate(c.Facts)
	if out == 0 {
		out = guessedOutput
	}
	micros, known := c.from.Cost(t, in, out)
	if !known {
		return math.Inf(1)
	}
	return float64(micros)
}

// latency estimates how long an answer takes, in steps of a fifth: targets that
// differ by less are left to the next strategy. One that was not measured comes
// first, so that it is.
func (c *choice) latency(one *candidate) float64 {
	_, out := one.t.Estimate(c.Facts)
	if out == 0 || out > guessedOutput {
		out = guessedOutput
	}
	took := one.how.FirstToken + one.how.PerToken*time.Duration(out)
	if took <= 0 {
		return 0
	}
	const step = 0.182 // of the logarithm: a fifth
	return 1 + math.Floor(math.Log(1+float64(took)/float64(time.Millisecond))/step)
}

// before reports whether a comes before b: one that is not shut out, then by
// priority, then by each score. Of equals the first configured comes first.
func (a *candidate) before(b *candidate) bool {
	if a.shut() != b.shut() {
		return b.shut()
	}
	if a.t.Priority != b.t.Priority {
		return a.t.Priority < b.t.Priority
	}
	for k := range a.score {
		if a.score[k] != b.score[k] {
			return a.score[k] < b.score[k]
		}
	}
	return false
}

// shut reports whether a target is shut out: it stands behind all that are not, and
// whether it may be tried there is found when it is asked for a pass.
func (a *candidate) shut() bool { return a.how.State == health.Open }

// sortCandidates keeps the order of equals. There are at most 64, and insertion
// is a tenth of the code of slices.SortStableFunc.
func sortCandidates(list []candidate) {
	for i := range list {
		for j := i; j > 0 && list[j].before(&list[j-1]); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}
