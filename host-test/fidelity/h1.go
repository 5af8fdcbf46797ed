package fidelity

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// h1reader reads HTTP/1.1 messages, exactly as much as each says that it has.
type h1reader struct{ in *bufio.Reader }

func (r h1reader) line() (string, error) {
	line, err := r.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// head reads the first line and the headers in the order in which they came, the host as :authority.
func (r h1reader) head() (first string, list [][2]string, err error) {
	if first, err = r.line(); err != nil {
		return "", nil, err
	}
	for {
		line, err := r.line()
		if err != nil || line == "" {
			return first, list, err
		}
		name, value, _ := strings.Cut(line, ":")
		if name = strings.ToLower(name); name == "host" {
			name = ":authority"
		}
		list = append(list, [2]string{name, strings.TrimSpace(value)})
	}
}

// body reads the body that the headers announce.
func (r h1reader) body(headers [][2]string, take func([]byte)) error {
	var from io.Reader = http.NoBody
	for _, h := range headers {
		switch h[0] {
		case "content-length":
			n, err := strconv.ParseInt(h[1], 10, 64)
			if err != nil {
				return err
			}
			from = io.LimitReader(r.in, n)
		case "transfer-encoding":
			from = &dechunker{h1reader: r}
		}
	}
	p := make([]byte, 4096)
	for {
		n, err := from.Read(p)
		take(p[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// dechunker reads a chunked body, trailers ignored.
type dechunker struct {
	h1reader
	left int64
}

func (d *dechunker) Read(p []byte) (int, error) {
	if d.left == 0 {
		if err := d.next(); err != nil {
			return 0, err
		}
	}
	n, err := io.ReadFull(d.in, p[:min(int64(len(p)), d.left)])
	if d.left -= int64(n); d.left == 0 && err == nil {
		_, err = d.line()
	}
	return n, err
}

func (d *dechunker) next() error {
	line, err := d.line()
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	if d.left, err = strconv.ParseInt(line, 16, 64); err != nil || d.left > 0 {
		return err
	}
	if _, err = d.line(); err != nil {
		return err
	}
	return io.EOF
}

// h1writer writes one message.
type h1writer struct {
	to      io.Writer
	chunked bool
}

// begin writes a head; a message without a length that has not ended is chunked.
func (w *h1writer) begin(first string, headers [][2]string, end bool) error {
	b := []byte(first + "\r\n")
	sized := false
	for _, h := range headers {
		b = fmt.Appendf(b, "%s: %s\r\n", h[0], h[1])
		sized = sized || h[0] == "content-length"
	}
	if !end && !sized {
		w.chunked = true
		b = append(b, "transfer-encoding: chunked\r\n"...)
	}
	_, err := w.to.Write(append(b, "\r\n"...))
	return err
}

func (w *h1writer) data(b []byte, end bool) error {
	if w.chunked {
		var out []byte
		if len(b) > 0 {
			out = fmt.Appendf(nil, "%x\r\n%s\r\n", len(b), b)
		}
		if b = out; end {
			b = append(b, "0\r\n\r\n"...)
		}
	}
	_, err := w.to.Write(b)
	return err
}

func (w *h1writer) trailers(list [][2]string) error {
	out := []byte("0\r\n")
	for _, h := range list {
		out = fmt.Appendf(out, "%s: %s\r\n", h[0], h[1])
	}
	_, err := w.to.Write(append(out, "\r\n"...))
	return err
}

// h1server is one connection from the proxy.
type h1server struct {
	h1reader
	upstream *server
	nc       net.Conn
	answered atomic.Bool // the last byte of the answer is being written
}

func serveH1(u *server, nc net.Conn) {
	s := &h1server{h1reader: h1reader{bufio.NewReader(nc)}, upstream: u, nc: nc}
	defer nc.Close()
	for s.serve() == nil {
	}
}

func (s *h1server) serve() error {
	first, headers, err := s.head()
	if err != nil {
		return err
	}
	words := strings.Fields(first)
	if len(words) != 3 {
		return fmt.Errorf("request line %q", first)
	}
	headers = append([][2]string{{":method", words[0]}, {":path", words[1]}}, headers...)
	if isBarrier(headers) {
		_, err = io.WriteString(s.nc, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
		return err
	}
	s.answered.Store(false)
	x := &exchange{message: message{headers: headers, whole: true}, answer: &h1response{h1writer{to: s.nc}, s}}
	s.upstream.begin(x)
	err = s.body(headers, func(b []byte) {
		s.upstream.stage.do(func() { x.fresh = append(x.fresh, b...) })
	})
	if err != nil {
		s.upstream.stage.do(func() { x.cut = givenUp })
		return err
	}
	s.upstream.stage.do(func() { x.end = true })
	return s.rest(x)
}

// rest reads what follows the request until it has been answered: what comes before is smuggled.
func (s *h1server) rest(x *exchange) error {
	for !s.answered.Load() {
		_ = s.nc.SetReadDeadline(time.Now().Add(time.Millisecond))
		b, err := s.in.ReadByte()
		e, isNet := err.(net.Error)
		switch {
		case err == nil && s.answered.Load():
			_ = s.in.UnreadByte()
		case err == nil:
			s.upstream.stage.do(func() { x.extra = append(x.extra, b) })
		case !isNet || !e.Timeout():
			s.upstream.stage.do(func() {
				if !x.done {
					x.cut = givenUp
				}
			})
			return err
		}
	}
	return s.nc.SetReadDeadline(time.Time{})
}

// h1response answers a request.
type h1response struct {
	h1writer
	server *h1server
}

func (r *h1response) headers(list [][2]string, end bool) error {
	if end {
		r.server.answered.Store(true)
		list = append(list, [2]string{"content-length", "0"})
	}
	return r.begin("HTTP/1.1 "+list[0][1]+" -", list[1:], end)
}

func (r *h1response) data(b []byte, end bool) error {
	r.server.answered.Store(end)
	return r.h1writer.data(b, end)
}

func (r *h1response) trailers(list [][2]string) error {
	r.server.answered.Store(true)
	return r.h1writer.trailers(list)
}

func (r *h1response) reset(Break) error { return r.server.nc.Close() }

// h1request is a client's request on a connection of its own.
type h1request struct {
	h1writer
	nc net.Conn
}

// askH1 begins a request and reads its answer into s.
func askH1(address string, headers [][2]string, end bool, s *clientStream, st *stage) error {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	r := &h1request{h1writer{to: nc}, nc}
	s.ask, s.whole = r, true
	go s.readH1(h1reader{bufio.NewReader(nc)}, st)
	first := headers[0][1] + " " + headers[2][1] + " HTTP/1.1"
	return r.begin(first, append([][2]string{{"host", headers[3][1]}}, headers[4:]...), end)
}

func (r *h1request) close() error { return r.nc.Close() }

// unframed are headers without those of HTTP/1.1 connections.
func unframed(list [][2]string) [][2]string {
	return slices.DeleteFunc(slices.Clone(list), func(h [2]string) bool { return h[0] == "transfer-encoding" || h[0] == "connection" })
}

func (s *clientStream) readH1(in h1reader, st *stage) {
	first, headers, err := in.head()
	if err == nil {
		words := strings.Fields(first)
		st.do(func() { s.headers = unframed(append([][2]string{{":status", words[1]}}, headers...)) })
		err = in.body(headers, func(b []byte) {
			st.do(func() { s.fresh = append(s.fresh, b...) })
		})
	}
	st.do(func() {
		if s.end = err == nil; err != nil && !s.aborted {
			s.cut = cut
		}
	})
}
