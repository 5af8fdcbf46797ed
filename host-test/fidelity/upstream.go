package fidelity

import (
	"net"
	"strings"
	"sync"

	"golang.org/x/net/http2"
)

// stage is what the client and the upstreams of one row have seen on a real proxy. Everything in it
// is under its lock; changed wakes those who wait.
type stage struct {
	mu       sync.Mutex
	changed  chan struct{}
	attempts []*exchange
	callouts []*exchange
	clients  []*clientStream
	passed   int // barriers that came back
	logged   []string
	access   []string
}

// exchange is a request that an upstream received, and the way to answer it.
type exchange struct {
	message
	answer responder
	done   bool // answered wholly, or broken off by the upstream
}

// responder writes an answer in its protocol.
type responder interface {
	headers(list [][2]string, end bool) error
	data(b []byte, end bool) error
	trailers(list [][2]string) error
	reset(how Break) error
}

// wake tells those who wait that something changed; the caller holds the lock.
func (s *stage) wake() {
	if s.changed != nil {
		close(s.changed)
	}
	s.changed = make(chan struct{})
}

// do runs f under the lock and wakes everybody.
func (s *stage) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.wake()
}

// server is one upstream cluster of a row.
type server struct {
	stage    *stage
	name     string // a, b or side
	http1    bool
	listener net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

func newServer(s *stage, name string, http1 bool) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &server{stage: s, name: name, http1: http1, listener: l}
	go u.accept()
	return u, nil
}

func (u *server) accept() {
	for {
		nc, err := u.listener.Accept()
		if err != nil {
			return
		}
		u.mu.Lock()
		u.conns = append(u.conns, nc)
		u.mu.Unlock()
		if u.http1 {
			go serveH1(u, nc)
		} else {
			go serveH2(u, nc)
		}
	}
}

func (u *server) close() {
	u.listener.Close()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range u.conns {
		c.Close()
	}
}

// begin takes a request down.
func (u *server) begin(e *exchange) {
	e.server = u.name
	u.stage.do(func() {
		if u.name == "side" {
			u.stage.callouts = append(u.stage.callouts, e)
		} else {
			u.stage.attempts = append(u.stage.attempts, e)
		}
	})
}

// isBarrier says that a request is one of those that only ask whether everything before it is done.
func isBarrier(headers [][2]string) bool {
	for _, h := range headers {
		if h[0] == ":path" {
			return strings.HasPrefix(h[1], "/~")
		}
	}
	return false
}

// h2server is one HTTP/2 connection from the proxy.
type h2server struct {
	upstream *server
	conn     *h2conn
	ready    chan struct{} // closed when conn is set
	open     map[uint32]*exchange
}

func serveH2(u *server, nc net.Conn) {
	s := &h2server{upstream: u, open: map[uint32]*exchange{}, ready: make(chan struct{})}
	conn, err := newH2(nc, true, s.take)
	if err != nil {
		nc.Close()
		return
	}
	s.conn = conn
	close(s.ready)
}

func (s *h2server) take(e h2event) {
	<-s.ready
	x := s.open[e.stream]
	switch {
	case e.closed:
		return
	case x == nil && e.headers != nil && isBarrier(e.headers):
		_ = s.conn.headers(e.stream, [][2]string{{":status", "200"}}, true)
	case x == nil && e.headers != nil:
		x = &exchange{answer: &h2response{s.conn, e.stream}}
		s.open[e.stream] = x
		x.message.headers, x.end = e.headers, e.end
		s.upstream.begin(x)
	case x != nil:
		s.upstream.stage.do(func() { x.receive(e) })
	}
}

// receive takes down a frame of a message that has begun.
func (m *message) receive(e h2event) {
	switch {
	case e.reset:
		m.cut = givenUp
	case e.headers != nil:
		m.trailers = e.headers
	default:
		m.fresh = append(m.fresh, e.data...)
	}
	m.end = m.end || e.end
}

type h2response struct {
	conn   *h2conn
	stream uint32
}

func (r *h2response) headers(list [][2]string, end bool) error {
	return r.conn.headers(r.stream, list, end)
}
func (r *h2response) data(b []byte, end bool) error   { return r.conn.data(r.stream, b, end) }
func (r *h2response) trailers(list [][2]string) error { return r.conn.headers(r.stream, list, true) }

func (r *h2response) reset(how Break) error {
	switch how {
	case CloseUpstream:
		return r.conn.nc.Close()
	case RefuseStream:
		return r.conn.reset(r.stream, http2.ErrCodeRefusedStream)
	}
	return r.conn.reset(r.stream, http2.ErrCodeInternal)
}
