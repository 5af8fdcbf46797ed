package fidelity

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// clientStream is a request as its client sees it.
type clientStream struct {
	message
	ask     requester
	aborted bool
}

// requester sends the rest of a request.
type requester interface {
	data(b []byte, end bool) error
	trailers(list [][2]string) error
	close() error
}

type h2request struct {
	client *h2client
	stream uint32
}

func (r *h2request) data(b []byte, end bool) error { return r.client.conn.data(r.stream, b, end) }
func (r *h2request) trailers(list [][2]string) error {
	return r.client.conn.headers(r.stream, list, true)
}
func (r *h2request) close() error { return r.client.conn.nc.Close() }

// h2client is the row's connection to the proxy.
type h2client struct {
	stage *stage
	conn  *h2conn
	open  map[uint32]*clientStream // nil streams are barriers
}

func (w *real) connect() *h2client {
	if w.client != nil || w.err != nil {
		return w.client
	}
	nc, err := net.Dial("tcp", w.address)
	if err != nil {
		w.fail(err)
		return nil
	}
	c := &h2client{stage: w.stage, open: map[uint32]*clientStream{}}
	if c.conn, err = newH2(nc, false, c.take); err != nil {
		w.fail(err)
		return nil
	}
	w.client = c
	return c
}

func (w *real) hangUp() {
	if w.client != nil {
		w.client.conn.nc.Close()
		w.client = nil
	}
}

// take takes down a frame from the proxy.
func (c *h2client) take(e h2event) {
	c.stage.do(func() {
		s, known := c.open[e.stream]
		switch {
		case e.closed:
			c.hungUp()
		case known && s == nil && (e.end || e.reset):
			delete(c.open, e.stream)
			c.stage.passed++
		case known && s != nil:
			s.take(e)
		}
	})
}

// take takes down a frame of an answer.
func (s *clientStream) take(e h2event) {
	switch {
	case e.headers != nil && s.headers == nil:
		s.headers, s.end = e.headers, e.end
	case e.reset && s.end:
		// NO_ERROR behind a whole answer: the rest of the request is not wanted.
	case e.reset:
		s.cut = cut
	default:
		s.receive(e)
	}
}

// hungUp is the end of the connection.
func (c *h2client) hungUp() {
	for _, s := range c.open {
		if s != nil && !s.end && !s.aborted {
			s.cut = cut
		}
	}
}

// open sends a barrier.
func (w *real) open(path string) {
	c := w.connect()
	if c == nil {
		return
	}
	err := c.conn.open(request([]string{":method: GET", ":path: " + path}), true, func(id uint32) {
		c.stage.do(func() { c.open[id] = nil })
	})
	if err != nil {
		w.fail(err)
	}
}

// act does one step of the client and lets it take effect.
func (w *real) act(f func() error) {
	if w.err != nil {
		return
	}
	if err := f(); err != nil {
		w.fail(err)
		return
	}
	w.settle()
}

func (w *real) Request(end bool, headers ...string) {
	w.act(func() error {
		s := &clientStream{}
		w.current = s
		if w.row.Setup.ClientHTTP1 {
			w.stage.do(func() { w.stage.clients = append(w.stage.clients, s) })
			return askH1(w.address, request(headers), end, s, w.stage)
		}
		c := w.connect()
		if c == nil {
			return w.err
		}
		return c.conn.open(request(headers), end, func(id uint32) {
			c.stage.do(func() {
				s.ask, c.open[id] = &h2request{c, id}, s
				c.stage.clients = append(c.stage.clients, s)
			})
		})
	})
}

func (w *real) Client(stream int) {
	w.stage.mu.Lock()
	defer w.stage.mu.Unlock()
	if stream <= len(w.stage.clients) {
		w.current = w.stage.clients[stream-1]
	}
}

func (w *real) Body(data string, end bool) {
	w.act(func() error { return w.current.ask.data([]byte(data), end) })
}

func (w *real) Trailers(headers ...string) {
	w.act(func() error { return w.current.ask.trailers(pairs(headers)) })
}

// Abort closes the connection: that is how clients go away.
func (w *real) Abort() {
	w.act(func() error {
		w.stage.do(func() { w.current.aborted = true })
		err := w.current.ask.close()
		if !w.row.Setup.ClientHTTP1 {
			w.client = nil
		}
		n := len(w.stage.clients)
		w.wait("access log of the abort", func() bool { return len(w.stage.access) >= n })
		return err
	})
}

// attempt waits for the n-th request at the upstreams.
func (w *real) attempt(n int) *exchange {
	if !w.wait(fmt.Sprintf("attempt %d", n), func() bool { return len(w.stage.attempts) >= n }) {
		return nil
	}
	return w.stage.attempts[n-1]
}

func (w *real) answer(x *exchange, done bool, f func(responder) error) {
	w.act(func() error {
		if x == nil {
			return w.err
		}
		w.stage.do(func() { x.done = x.done || done })
		return f(x.answer)
	})
}

func (w *real) Respond(attempt int, status string, end bool, headers ...string) {
	w.answer(w.attempt(attempt), end, func(r responder) error { return r.headers(answer(status, headers), end) })
}

func (w *real) Chunk(attempt int, data string, end bool) {
	w.answer(w.attempt(attempt), end, func(r responder) error { return r.data([]byte(data), end) })
}

func (w *real) EndWith(attempt int, trailers ...string) {
	w.answer(w.attempt(attempt), true, func(r responder) error { return r.trailers(pairs(trailers)) })
}

func (w *real) Reset(attempt int, how Break) {
	w.answer(w.attempt(attempt), true, func(r responder) error { return r.reset(how) })
}

func (w *real) callout(n int) *exchange {
	if !w.wait(fmt.Sprintf("callout %d", n), func() bool { return len(w.stage.callouts) >= n }) {
		return nil
	}
	return w.stage.callouts[n-1]
}

func (w *real) Answer(callout int, status, body string, headers ...string) {
	w.answer(w.callout(callout), true, func(r responder) error {
		if err := r.headers(answer(status, headers), body == ""); err != nil || body == "" {
			return err
		}
		return r.data([]byte(body), true)
	})
}

func (w *real) BreakCall(callout int) {
	w.answer(w.callout(callout), true, func(r responder) error { return r.reset(ResetStream) })
}

// poll is how often the transcript is looked at while time passes.
const poll = time.Millisecond

func (w *real) Elapse(_ time.Duration, until string) {
	w.act(func() error {
		deadline := time.Now().Add(patience)
		for !strings.Contains(strings.Join(w.lines(), "\n"), until) {
			if time.Now().After(deadline) {
				return fmt.Errorf("waited in vain for %q", until)
			}
			time.Sleep(poll)
		}
		return nil
	})
}
