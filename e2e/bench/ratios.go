package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/posterngw/postern/e2e/bench/internal/proc"
)

// series is a row of measurements: one variant under one load, over rounds.
type series struct {
	request    int // of requests
	translated bool
	c          int
	variant    string
}

var connections = []int{1, 8, 64}

// count shares time out: fewer requests where they are slower.
func (s series) count() int {
	n := requests[s.request].count
	if s.c == 1 {
		return n / 3
	}
	return n
}

// cases are all series, in the order in which a round measures them: what is
// compared stands side by side.
func cases() (list []series) {
	for i := range requests {
		for _, c := range connections {
			list = append(list, series{i, false, c, bare.name}, series{i, false, c, none.name}, series{i, false, c, all.name},
				series{i, false, c, pair.name}, series{i, true, c, pair.name}, series{i, true, c, none.name}, series{i, true, c, all.name})
			if i == 0 { // what a plan and circuits cost is the same whatever is asked
				list = append(list, series{i, false, c, two.name})
			}
		}
	}
	return list
}

// ratios compares Envoy without the module with Envoy with it.
func (b *bench) ratios() error {
	if err := b.warm(bare, none, two, all, pair); err != nil {
		return err
	}
	byName := map[string]variant{bare.name: bare, none.name: none, two.name: two, all.name: all, pair.name: pair}
	got := map[series][]sample{}
	for range b.rounds {
		for _, s := range cases() {
			m, err := b.measure(byName[s.variant], requests[s.request], s.translated, s.c, s.count())
			if err != nil {
				return err
			}
			got[s] = append(got[s], m)
		}
		fmt.Printf("load average: %s\n", proc.LoadAverage())
	}
	for _, p := range b.proxies {
		if err := p.failures(); err != nil {
			return err
		}
	}
	printRaw(got)
	printRatios(got)
	return nil
}

func printRaw(got map[series][]sample) {
	fmt.Printf("\nMeasured (medians over rounds)\n\n")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "request\tto\tc\tvariant\tCPU µs\trequests/s\tp50 µs\tp99 µs\t")
	for _, s := range cases() {
		ms := got[s]
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t\n", requests[s.request].name, provider(s.translated), s.c, s.variant,
			of(ms, cpu).mid, of(ms, rate).mid, of(ms, p50).mid, of(ms, p99).mid)
	}
	w.Flush() //nolint:errcheck // standard output
}

func provider(translated bool) string {
	if translated {
		return "anthropic"
	}
	return "openai"
}

// goal is what a number was to be at most, or for throughput at least.
func goal(s series) float64 {
	switch r := requests[s.request]; {
	case s.c != 8:
		return 0
	case r.stream && s.translated:
		return 2.0
	case r.stream:
		return 1.5
	case r.bytes > 1000 && !s.translated:
		return 3.5
	case r.bytes > 1000:
		return 0
	case s.variant == pair.name:
		return 2.2
	case s.translated || s.variant == all.name:
		return 2.4
	case s.variant == two.name:
		return 2.2
	}
	return 2.0
}

// printRatios is what the README quotes.
func printRatios(got map[series][]sample) {
	fmt.Printf("\nEnvoy with the module, as a multiple of Envoy without (median [least–greatest] of rounds)\n\n")
	fmt.Println("| request | provider | governance | CPU at c=8 | goal | requests/s at c=64 | added p50 at c=1 |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, s := range cases() {
		if s.c != 8 || s.variant == bare.name {
			continue
		}
		at := func(c int, variant string) []sample {
			return got[series{s.request, s.translated && variant != bare.name, c, variant}]
		}
		target := "–"
		if g := goal(s); g > 0 {
			target = fmt.Sprintf("≤ %.1f", g)
		}
		added := of(at(1, s.variant), p50).mid - of(at(1, bare.name), p50).mid
		fmt.Printf("| %s | %s | %s | %s | %s | %s | %+.2f ms |\n", requests[s.request].name, provider(s.translated), s.variant,
			ratio(at(8, s.variant), at(8, bare.name), cpu).ratio(), target,
			ratio(at(64, s.variant), at(64, bare.name), rate).ratio(), added/1000)
	}
}
