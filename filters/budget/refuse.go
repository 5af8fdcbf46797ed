package budget

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// refusal is the error of a need that does not fit.
func (r *rule) refusal(s *subject, need, after, now int64) *llm.Error {
	m := &r.meter
	e := &llm.Error{Class: llm.QuotaExhausted, Source: llm.FromPostern, Status: 429,
		Code: "budget_exceeded", Policy: m.Budget, After: time.Duration(after) * time.Millisecond}
	if m.bucket() || m.Window.short() {
		e.Class = llm.RateLimited
	}
	if need > m.full() {
		e.Message = "this request needs " + Amount(need, m.Unit) + ", more than budget " + m.Budget + " ever grants at once (" + Amount(m.full(), m.Unit) + ")"
		return e
	}
	if !m.bucket() {
		e.After = time.Duration(max(0, r.end-now)) * time.Millisecond
	}
	e.Message = "budget " + m.Budget + " is used up: " + Amount(m.Limit, m.Unit) + " per " + string(m.Window) +
		", " + number(s.left+s.free, m.Unit) + " left, " + number(need, m.Unit) + " needed"
	return e
}

// Amount is how much of a unit as people read it: "1 request", "5 tokens", "2.500000".
func Amount(n int64, u Unit) string {
	unit := " " + string(u)
	switch {
	case u == Money:
		unit = "" // the currency is not known here
	case n == 1:
		unit = unit[:len(unit)-1]
	}
	return number(n, u) + unit
}

// number writes an amount; of money in units of the currency.
func number(n int64, u Unit) string {
	if u != Money {
		return strconv.FormatInt(n, 10)
	}
	fraction := strconv.FormatInt(micro+n%micro, 10)[1:]
	return strconv.FormatInt(n/micro, 10) + "." + fraction
}

// unavailable is the error of a store that does not work.
func (r *rule) unavailable() *llm.Error {
	return &llm.Error{Class: llm.Overloaded, Source: llm.FromPostern, Status: 503,
		Code: "budget_unavailable", Policy: r.meter.Budget, After: time.Second,
		Message: "budget " + r.meter.Budget + " cannot be checked now",
		Cause:   "the budget's store does not answer or is full"}
}
