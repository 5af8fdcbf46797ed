// Package report prints one line for each request from the gateway's audit
// records, in columns.
//
// It is for people who watch a local gateway: it keeps nothing, and what reads
// records by program reads the records, not these lines.
package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Layout is the widths of all columns but the last: time, principal, model,
// target, status, tokens, first, total, cost.
type Layout [9]int

// widest bounds a column that fits its names.
const widest = 48

// NewLayout makes room for the names of a configuration's models and targets.
func NewLayout(models, targets []string) Layout {
	return Layout{8, 12, fit("MODEL", models), fit("TARGET", targets), 6, 11, 7, 7, 12}
}

func fit(title string, names []string) int {
	n := len(title)
	for _, s := range names {
		n = max(n, min(len(s), widest))
	}
	return n
}

// Header names the columns of Line.
func (l *Layout) Header() string {
	return l.row("TIME", "PRINCIPAL", "MODEL", "TARGET", "STATUS", "IN/OUT", "FIRST", "TOTAL", "COST", "NOTE")
}

// Line shows a record, its time in the given zone.
func (l *Layout) Line(r *Record, zone *time.Location) string {
	return l.row(
		r.Time.In(zone).Format(time.TimeOnly), r.Principal.name(), r.model(), r.Target,
		number(int64(r.Status)), r.tokens(), r.first(), millis(r.TotalMS), r.cost(), r.note())
}

// row lays cells out; an empty one is a dash, but for the last. Cells longer
// than their column move the rest: nothing is cut.
func (l *Layout) row(cells ...string) string {
	var b strings.Builder
	for i, c := range cells {
		if i == len(l) {
			b.WriteString(clean(c))
			break
		}
		if c == "" {
			c = "-"
		}
		fmt.Fprintf(&b, "%-*s  ", l[i], clean(c))
	}
	return strings.TrimRight(b.String(), " ")
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// clean keeps what a client wrote from steering a terminal.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, s)
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// tokens are those read and written; ~ marks what the gateway estimated.
func (r *Record) tokens() string {
	in, out := r.Usage.in(), r.Usage.out()
	if in == 0 && out == 0 {
		return ""
	}
	mark := ""
	if r.Usage.Estimated {
		mark = "~"
	}
	return fmt.Sprintf("%s%d/%d", mark, in, out)
}

// model is what was asked for: a model, or the operation that needs none.
func (r *Record) model() string {
	if m := first(r.Model, r.Asked); m != "" || r.Operation == "" {
		return m
	}
	return "(" + r.Operation + ")"
}

func (r *Record) first() string {
	if r.FirstTokenMS == 0 {
		return ""
	}
	return millis(r.FirstTokenMS)
}

func millis(ms int64) string {
	if ms < 10_000 {
		return strconv.FormatInt(ms, 10) + "ms"
	}
	return strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64) + "s"
}

// cost is the price in whole units and six decimals.
func (r *Record) cost() string {
	if r.Cost.Micros == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%06d %s", r.Cost.Micros/1_000_000, r.Cost.Micros%1_000_000, r.Cost.Currency)
}

// note says what went otherwise than it should: more than one attempt, the
// error, who ended it.
func (r *Record) note() string {
	var notes []string
	if n := len(r.Attempts); n > 1 {
		notes = append(notes, strconv.Itoa(n)+" attempts")
	}
	if e := first(r.Error.Code, r.Error.Class); e != "" {
		if r.Error.Policy != "" {
			e += " (" + r.Error.Policy + ")"
		}
		notes = append(notes, e)
	}
	if r.End == "client_abort" || r.End == "upstream_reset" || r.End == "trap" {
		notes = append(notes, r.End)
	}
	return strings.Join(notes, ", ")
}
