package config

import (
	"strconv"
	"strings"
)

const (
	maxShown     = 60 // bytes of a value in a message
	maxListed    = 12 // names in a hint
	maxCompared  = 64 // bytes of a name that is compared
	maxNamesSeen = 4096
)

// suggest returns a hint for a name that is not among known: the nearest one,
// or the list of all.
func suggest(what, got string, known []string) string {
	if len(known) == 0 {
		return "there are no " + what
	}
	if best := nearest(got, known); best != "" {
		return "did you mean " + strconv.Quote(best) + "?"
	}
	return what + ": " + list(known)
}

// list joins names for a hint, bounded.
func list(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	more := strconv.Itoa(len(names) - maxListed)
	return strings.Join(names[:maxListed], ", ") + " and " + more + " more"
}

// nearest returns the known name with the smallest edit distance to got, or ""
// if none is near enough to be meant: one edit for every three characters, so
// that "us" is not taken for "eu".
func nearest(got string, known []string) string {
	if len(got) > maxCompared {
		return ""
	}
	best, least := "", len(got)/3+1
	for _, k := range known[:min(len(known), maxNamesSeen)] {
		if d := distance(strings.ToLower(got), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts insertions, deletions, substitutions and swaps of neighbours
// that turn a into b (optimal string alignment), in bytes.
func distance(a, b string) int {
	if len(b) > maxCompared {
		return maxCompared
	}
	var rows [3][maxCompared + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// Quote shows a text in a message, bounded.
func Quote(s string) string {
	if len(s) > maxShown {
		return strconv.Quote(strings.ToValidUTF8(s[:maxShown], "")) + "…"
	}
	return strconv.Quote(s)
}
