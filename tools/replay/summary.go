package replay

import (
	"fmt"
	"io"
	"runtime"
	"sort"
	"sync"
	"text/tabwriter"
)

// Summary is what came of all exchanges, in their order.
type Summary struct {
	Passed   int       `json:"passed"`
	Failed   int       `json:"failed"`
	Skipped  int       `json:"skipped"`
	Outcomes []Outcome `json:"outcomes"`
}

// All replays exchanges on every processor. tell, if not nil, is told of each
// outcome, one at a time.
func All(list []Exchange, o Options, tell func(*Outcome)) *Summary {
	s := &Summary{Outcomes: make([]Outcome, len(list))}
	var lock sync.Mutex
	var wait sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				out := Run(&list[i], o)
				lock.Lock()
				s.Outcomes[i] = out
				s.count(&out)
				if tell != nil {
					tell(&out)
				}
				lock.Unlock()
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wait.Wait()
	return s
}

func (s *Summary) count(o *Outcome) {
	switch {
	case o.Failed():
		s.Failed++
	case o.Skipped != "":
		s.Skipped++
	default:
		s.Passed++
	}
}

// Table writes how the exchanges of each API fared, and why some were skipped.
func (s *Summary) Table(w io.Writer) error {
	type row struct{ passed, failed, skipped, pairs, apart int }
	rows, reasons := map[string]*row{}, map[string]int{}
	for i := range s.Outcomes {
		o := &s.Outcomes[i]
		name := o.API
		if name == "" {
			name = "(none)"
		}
		r := rows[name]
		if r == nil {
			r = &row{}
			rows[name] = r
		}
		r.pairs, r.apart = r.pairs+len(o.Pairs), r.apart+len(o.Apart)
		switch {
		case o.Failed():
			r.failed++
		case o.Skipped != "":
			r.skipped++
			reasons[o.Skipped]++
		default:
			r.passed++
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "API\tpassed\tfailed\tskipped\tpairs\tapart\t")
	for _, name := range sorted(rows) {
		r := rows[name]
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", name, r.passed, r.failed, r.skipped, r.pairs, r.apart)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, why := range sorted(reasons) {
		fmt.Fprintf(w, "skipped %d: %s\n", reasons[why], why)
	}
	return nil
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
