package demo

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/posterngw/postern/tools/mock"
)

// Mock is a mock of all providers on a loopback port.
type Mock struct {
	URL    string // without a final slash
	mock   *mock.Server
	server *http.Server
}

// The mock takes about as long as a fast model, so that streams can be seen to
// stream.
const (
	firstDelay = 30 * time.Millisecond
	chunkDelay = 8 * time.Millisecond
)

// StartMock listens and serves. Besides its own models the mock knows those
// given.
func StartMock(models []string) (*Mock, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mock providers: %w", err)
	}
	m := mock.New(mock.Options{Models: models, FirstDelay: firstDelay, ChunkDelay: chunkDelay})
	s := &Mock{URL: "http://" + l.Addr().String(), mock: m,
		server: &http.Server{Handler: m, ReadHeaderTimeout: 10 * time.Second}}
	go s.server.Serve(l) //nolint:errcheck // it ends by Close
	return s, nil
}

// Close ends every answer and the listener.
func (m *Mock) Close() error {
	m.mock.Close()
	return m.server.Close()
}
