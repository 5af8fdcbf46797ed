package fidelity

import (
	"errors"
	"fmt"
	"slices"

	"github.com/posterngw/postern/host-test"
)

// Difference is a way in which hosttest answers otherwise than Envoy, and why it may.
type Difference struct {
	Envoy    []string // the lines that only Envoy has
	Hosttest []string // the lines that only hosttest has
	Why      string
}

// Result is a row as both have answered it.
type Result struct {
	Row      *Row
	Profiles []string // the profiles that were compared; they all answered the same
	Envoy    []string
	Hosttest []string
	Found    Difference // what differs, without a reason
	Why      string     // the reason, "" if nothing differs
}

// profiles are those in which a row can run: upstream filters alone run in the profile for these
// too.
func (r *Row) profiles() []hosttest.Profile {
	if r.Down == "" && r.Second == "" {
		return []hosttest.Profile{hosttest.Envoy(), hosttest.EnvoyUpstream()}
	}
	return []hosttest.Profile{hosttest.Envoy()}
}

// Compare runs one row on hosttest and holds it against a recorded transcript. An error says that
// they differ without a reason, that a reason is stale, or that the row could not be run.
func Compare(row *Row, recorded []string, probe hosttest.Module) (*Result, error) {
	result := &Result{Row: row, Envoy: recorded}
	for _, p := range row.profiles() {
		lines, err := Emulate(row, p, probe)
		if err != nil {
			return nil, fmt.Errorf("profile %s: %w", p.Name(), err)
		}
		if result.Hosttest != nil && !slices.Equal(lines, result.Hosttest) {
			return nil, fmt.Errorf("row %s: profile %s answers otherwise than %v", row.Name, p.Name(), result.Profiles)
		}
		result.Hosttest = lines
		result.Profiles = append(result.Profiles, p.Name())
	}
	result.Found = diff(result.Envoy, result.Hosttest)
	return result, result.explain()
}

// explain finds the reason of a difference.
func (r *Result) explain() error {
	known, listed := Differences[r.Row.Name]
	same := len(r.Found.Envoy) == 0 && len(r.Found.Hosttest) == 0
	switch {
	case same && listed:
		return fmt.Errorf("row %s: the difference that is listed is gone", r.Row.Name)
	case same:
		return nil
	case !listed || !slices.Equal(known.Envoy, r.Found.Envoy) || !slices.Equal(known.Hosttest, r.Found.Hosttest):
		return fmt.Errorf("row %s differs without a reason:\nonly envoy:%s\nonly hosttest:%s", r.Row.Name, list(r.Found.Envoy), list(r.Found.Hosttest))
	}
	r.Why = known.Why
	return nil
}

func list(lines []string) (out string) {
	for _, l := range lines {
		out += "\n\t" + l
	}
	return out
}

// diff is what two transcripts do not have in common, by their longest common subsequence.
func diff(a, b []string) (d Difference) {
	common := lcs(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			d.Envoy = append(d.Envoy, a[i])
			i++
		default:
			d.Hosttest = append(d.Hosttest, b[j])
			j++
		}
	}
	return d
}

// lcs has the length of the longest common subsequence of a[i:] and b[j:].
func lcs(a, b []string) [][]int {
	l := make([][]int, len(a)+1)
	for i := range l {
		l[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				l[i][j] = l[i+1][j+1] + 1
			} else {
				l[i][j] = max(l[i+1][j], l[i][j+1])
			}
		}
	}
	return l
}

// CompareAll compares the whole table.
func CompareAll(recording *Recording, probe hosttest.Module) ([]*Result, error) {
	var results []*Result
	var failed []error
	for i := range Rows {
		r, err := Compare(&Rows[i], recording.Rows[i].Lines, probe)
		failed = append(failed, err)
		results = append(results, r)
	}
	return results, errors.Join(failed...)
}
