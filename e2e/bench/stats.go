package main

import (
	"fmt"
	"slices"
	"time"
)

// spread is what rounds gave: median, least and greatest.
type spread struct{ mid, min, max float64 }

// over makes a spread; the values are sorted in place.
func over(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	n := len(values)
	return spread{mid: (values[(n-1)/2] + values[n/2]) / 2, min: values[0], max: values[n-1]}
}

// of reads one number of every sample.
func of(samples []sample, read func(sample) float64) spread {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = read(s)
	}
	return over(values)
}

// ratio compares two series of samples round by round.
func ratio(of, to []sample, read func(sample) float64) spread {
	values := make([]float64, 0, len(of))
	for i := range min(len(of), len(to)) {
		if base := read(to[i]); base > 0 {
			values = append(values, read(of[i])/base)
		}
	}
	return over(values)
}

func (s spread) ratio() string { return fmt.Sprintf("%.2f [%.2f–%.2f]", s.mid, s.min, s.max) }

func cpu(s sample) float64  { return micros(s.cpu) }
func rate(s sample) float64 { return s.Rate }
func p50(s sample) float64  { return micros(s.P50) }
func p99(s sample) float64  { return micros(s.P99) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
