package main

import (
	"fmt"
	"time"
)

const mb = 1e6

// memory tells what the module keeps: at one and at two workers, idle and after
// a load.
func (b *bench) memory() error {
	fmt.Printf("\nMemory, MB\n\n| set-up | resident idle | resident after load | linear memory |\n|---|---|---|---|\n")
	for _, workers := range []int{1, 2} {
		for _, v := range []variant{bare, all} {
			v.name, v.workers = fmt.Sprintf("%s, %d worker(s)", v.name, workers), workers
			if err := b.weigh(v); err != nil {
				return err
			}
			b.stop(v.name)
		}
	}
	return nil
}

func (b *bench) weigh(v variant) error {
	p, err := b.start(v)
	if err != nil {
		return err
	}
	idle, err := p.Resident()
	if err != nil {
		return err
	}
	if err := b.warm(v); err != nil {
		return err
	}
	time.Sleep(flush)
	after, err := p.Resident()
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %.0f | %.0f | %.1f |\n", v.name, float64(idle)/mb, float64(after)/mb, float64(p.linear())/mb)
	return nil
}

// flush is how long the module's and Envoy's own counts may take to show.
const flush = 7 * time.Second

// The long run, in batches.
const (
	soakRequests = 200_000
	soakBatch    = 20_000
)

// soak shows whether memory stays flat: most requests are small, every batch
// has large ones, streams and translated ones.
func (b *bench) soak() error {
	b.scale = 1
	p, err := b.start(all)
	if err != nil {
		return err
	}
	fmt.Printf("\n| requests | resident MB | linear memory MB | CPU µs per 300 B request |\n|---|---|---|---|\n")
	for sent := 0; sent < soakRequests; sent += soakBatch {
		if err := b.warm(all); err != nil {
			return err
		}
		mixed := 0
		for _, r := range requests {
			mixed += 2 * r.count
		}
		s, err := b.measure(all, requests[0], false, 64, soakBatch-mixed)
		if err != nil {
			return err
		}
		time.Sleep(flush)
		resident, err := p.Resident()
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %.1f | %.1f |\n", sent+soakBatch, float64(resident)/mb, float64(p.linear())/mb, micros(s.cpu))
	}
	return p.failures()
}
