// Package upstream serves mock providers on loopback for end-to-end tests.
//
// What they answer is package mock's affair; this one only listens.
package upstream

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/posterngw/postern/tools/mock"
)

// Server is a mock provider that listens.
type Server struct {
	*mock.Server
	URL    string // without a final slash
	server *http.Server
}

// Start serves one dialect of a new mock.
func Start(dialect string, o mock.Options) (*Server, error) {
	m := mock.New(o)
	handler, err := m.Handler(dialect)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Server: m, URL: "http://" + l.Addr().String(),
		server: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}}
	go s.server.Serve(l) //nolint:errcheck // it ends by Stop
	return s, nil
}

// Stop ends every answer and the listener.
func (s *Server) Stop() error {
	s.Close()
	return s.server.Close()
}

// Of returns the requests that belong to one request of a client: its attempts
// at this provider.
func (s *Server) Of(requestID string) []mock.Request {
	var seen []mock.Request
	for _, r := range s.Requests() {
		if r.Header.Get("x-request-id") == requestID {
			seen = append(seen, r)
		}
	}
	return seen
}

// Refusing returns the URL of a loopback port that refuses connections, and
// what gives it back: a socket that is bound but does not listen, so that no
// other process comes to listen there meanwhile.
func Refusing() (url string, release func() error, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	release = func() error { return syscall.Close(fd) }
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", nil, errors.Join(err, release())
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		return "", nil, errors.Join(err, release())
	}
	v4, ok := at.(*syscall.SockaddrInet4)
	if !ok {
		return "", nil, errors.Join(errors.New("not an IPv4 address"), release())
	}
	return "http://127.0.0.1:" + strconv.Itoa(v4.Port), release, nil
}
