package fidelity

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// Record runs rows against a real Envoy, one after another, and returns their transcripts in order.
// It starts one process on loopback for all of them, and one more for each row that kills it, and
// stops them. wasm is the path of the probe.
func Record(binary, wasm string, rows []Row) ([][]string, error) {
	var together []Row
	for _, r := range rows {
		if !r.Setup.Kills {
			together = append(together, r)
		}
	}
	transcripts := map[string][]string{}
	if err := recordIn(binary, wasm, together, transcripts); err != nil {
		return nil, err
	}
	out := make([][]string, len(rows))
	for i, r := range rows {
		if r.Setup.Kills {
			if err := recordIn(binary, wasm, rows[i:i+1], transcripts); err != nil {
				return nil, err
			}
		}
		out[i] = transcripts[r.Name]
	}
	return out, nil
}

// recordIn runs rows in one Envoy.
func recordIn(binary, wasm string, rows []Row, transcripts map[string][]string) error {
	dir, err := os.MkdirTemp("", "fidelity")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &recorder{rows: rows, stages: map[string]*stage{}, servers: map[string]*server{}, ports: map[string]net.Addr{}}
	defer r.close()
	if err := r.serve(); err != nil {
		return err
	}
	if r.envoy, err = startEnvoy(binary, dir, bootstrap(rows, wasm, r.ports), r.take); err != nil {
		return err
	}
	defer r.envoy.stop()
	for i := range rows {
		lines, err := r.record(&rows[i])
		if err != nil {
			return fmt.Errorf("row %s: %w\n%s\nenvoy said:\n%s", rows[i].Name, err, strings.Join(lines, "\n"), r.envoy.said())
		}
		transcripts[rows[i].Name] = lines
	}
	return nil
}

// recorder is everything around one Envoy.
type recorder struct {
	rows    []Row
	envoy   *process
	stages  map[string]*stage   // by row
	servers map[string]*server  // by cluster
	ports   map[string]net.Addr // by cluster
}

// serve opens the upstreams of every row.
func (r *recorder) serve() error {
	r.stages[markRow] = &stage{}
	for i := range r.rows {
		row := &r.rows[i]
		if r.stages[row.Name] != nil {
			return fmt.Errorf("two rows are called %s", row.Name)
		}
		s := &stage{}
		r.stages[row.Name] = s
		for _, c := range clusters {
			if c == "a" && row.Setup.Dead {
				r.ports[row.cluster(c)] = &net.TCPAddr{Port: deadPort}
				continue
			}
			u, err := newServer(s, c, row.Setup.HTTP1 && c != "side")
			if err != nil {
				return err
			}
			r.servers[row.cluster(c)] = u
			r.ports[row.cluster(c)] = u.listener.Addr()
		}
	}
	return nil
}

// deadPort is one on which nobody listens.
const deadPort = 1

func (r *recorder) close() {
	for _, u := range r.servers {
		u.close()
	}
}

// take gives a line that Envoy wrote to the row that it is about.
func (r *recorder) take(line string) {
	kind, rest, _ := strings.Cut(line, " ")
	name, text, _ := strings.Cut(rest, " ")
	s := r.stages[name]
	if s == nil {
		return
	}
	s.do(func() {
		if kind+" " == accessPrefix {
			if !strings.HasPrefix(text, "/~") {
				s.access = append(s.access, text)
			}
		} else {
			s.logged = append(s.logged, text)
		}
	})
}

// record runs one row.
func (r *recorder) record(row *Row) ([]string, error) {
	w := &real{row: row, stage: r.stages[row.Name], address: r.envoy.ports[row.Name], gone: r.envoy.ended}
	defer w.hangUp()
	w.settle()
	row.Traffic(w)
	if row.Setup.Kills {
		return r.death(w)
	}
	w.finish()
	if w.err == nil {
		w.err = r.mark()
	}
	return w.lines(), w.err
}

// died is the last line of a row that ends the proxy.
const died = "the proxy died"

// death waits for the end of the proxy, and of its last words.
func (r *recorder) death(w *real) ([]string, error) {
	select {
	case <-r.envoy.ended:
		w.err, w.gone = nil, nil
		w.wait("the end of every stream", w.stage.ended)
		return append(w.lines(), died), w.err
	case <-time.After(patience):
		return w.lines(), errors.New("the proxy lives on")
	}
}

// mark waits until every line that Envoy has logged so far has been read: it makes the probe log one
// more, and sees it come.
func (r *recorder) mark() error {
	s := r.stages[markRow]
	s.mu.Lock()
	before := len(s.logged)
	s.mu.Unlock()
	w := &real{row: &Row{Name: markRow}, stage: s, address: r.envoy.ports[markRow]}
	defer w.hangUp()
	w.open("/~mark")
	w.wait("the mark", func() bool { return len(s.logged) > before })
	return w.err
}

// real is the World of one row on a real Envoy.
type real struct {
	row     *Row
	stage   *stage
	address string
	client  *h2client
	current *clientStream
	gone    <-chan struct{} // closed when the proxy has ended
	err     error
}

// patience is how long anything may take that must happen.
const patience = 10 * time.Second

// wait waits until a condition over the stage holds.
func (w *real) wait(what string, holds func() bool) bool {
	timeout := time.After(patience)
	for w.err == nil {
		w.stage.mu.Lock()
		if w.stage.changed == nil {
			w.stage.changed = make(chan struct{})
		}
		changed, ok := w.stage.changed, holds()
		w.stage.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-w.gone:
			w.fail(errors.New("the proxy ended while it was waited for " + what))
		case <-timeout:
			w.fail(errors.New("waited in vain for " + what))
		}
	}
	return false
}

func (w *real) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// rounds are enough for what a frame sets off on one connection to have its effect on another.
const rounds = 2

// settle waits until everything that was sent has been dealt with. A request through each cluster
// travels on the same connections, behind all frames of the row, and so does its answer.
func (w *real) settle() {
	for range rounds {
		want := 0
		w.stage.mu.Lock()
		before := w.stage.passed
		w.stage.mu.Unlock()
		for _, c := range clusters {
			w.open("/~" + c)
			want++
		}
		w.wait("barriers", func() bool { return w.stage.passed >= before+want })
	}
	w.stage.do(w.stage.step)
}

// step closes a step on every message.
func (s *stage) step() {
	for _, x := range append(append([]*exchange(nil), s.attempts...), s.callouts...) {
		x.step()
	}
	for _, c := range s.clients {
		c.step()
	}
}

// ended says that no client waits for anything any more.
func (s *stage) ended() bool {
	return !slices.ContainsFunc(s.clients, func(c *clientStream) bool { return !c.end && c.cut == "" && !c.aborted })
}

// finish waits for the end of every stream and its access log.
func (w *real) finish() {
	w.wait("the end of every stream", w.stage.ended)
	w.wait("access log", func() bool { return len(w.stage.access) >= len(w.stage.clients) })
	w.settle()
}

// lines are the transcript.
func (w *real) lines() []string {
	s := w.stage
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, l := range s.logged {
		out = append(out, w.row.plain(l))
	}
	for i, x := range s.attempts {
		out = append(out, x.attemptLines(i+1)...)
	}
	for i, x := range s.callouts {
		x.server = ""
		out = append(out, x.lines(fmt.Sprintf("callout %d", i+1))...)
	}
	for i, c := range s.clients {
		out = append(out, c.lines(fmt.Sprintf("client %d", i+1))...)
	}
	for _, l := range s.access {
		out = append(out, w.row.plain(readLog(l).String()))
	}
	return out
}

// readLog reads a line of the access log that bootstrap.go asks for.
func readLog(line string) logFields {
	f := strings.Split(line, "\t")
	for len(f) < 9 {
		f = append(f, "?")
	}
	for i := range f {
		if f[i] == "-" {
			f[i] = ""
		}
	}
	if f[4] == "" {
		f[4] = "0"
	}
	return logFields{f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]}
}
