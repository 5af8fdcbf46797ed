package report

import (
	"fmt"
	"io"
	"sync"
)

// Printer writes lines in the background, so that a slow terminal does not
// hold a worker up.
type Printer struct {
	mu     sync.RWMutex // for closed
	closed bool
	lines  chan string
	done   sync.WaitGroup
}

// backlog is how many lines may wait; beyond it whoever prints waits too.
const backlog = 4096

// NewPrinter starts a printer. Close ends it.
func NewPrinter(w io.Writer) *Printer {
	p := &Printer{lines: make(chan string, backlog)}
	p.done.Go(func() {
		for line := range p.lines {
			fmt.Fprintln(w, line) //nolint:errcheck // nobody is left to tell
		}
	})
	return p
}

// Print writes one line; after Close it does nothing.
func (p *Printer) Print(line string) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.closed {
		p.lines <- line
	}
}

// Close writes what waits.
func (p *Printer) Close() {
	p.mu.Lock()
	p.closed = true
	close(p.lines)
	p.mu.Unlock()
	p.done.Wait()
}
