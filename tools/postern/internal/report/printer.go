package report

import (
	"fmt"
	"io"
	"sync"
)

// Printer writes lines in the background, so that a slow terminal does not
// hold a worker up.
type Printer struct {
	lines chan string
	done  sync.WaitGroup
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

// Print writes one line. It must not be called after Close.
func (p *Printer) Print(line string) { p.lines <- line }

// Close writes what waits.
func (p *Printer) Close() {
	close(p.lines)
	p.done.Wait()
}
