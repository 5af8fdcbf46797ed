package command_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/postern/internal/command"
)

// screen is what the command prints, readable while it runs.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// running is a gateway that `postern run` serves in this process.
type running struct {
	t         *testing.T
	out, errs screen
	interrupt context.CancelFunc
	code      chan int
	url, key  string
	client    *http.Client
	asked     int // requests that were answered or given up
}

// startLimit is how long a gateway may take to start while tests of other
// packages use the machine.
const startLimit = 2 * time.Minute

// module is the path of the module as it ships.
func module(t *testing.T) string {
	wasm, err := filepath.Abs("../../../../build/postern.wasm")
	require.NoError(t, err)
	require.FileExists(t, wasm, "run `make wasm` first")
	return wasm
}

// serve starts a gateway on a free port. Its end is checked by stop, or by the
// test's.
func serve(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, interrupt := context.WithCancel(context.Background())
	g := &running{t: t, interrupt: interrupt, code: make(chan int, 1), client: &http.Client{Transport: &http.Transport{}}}
	args = append([]string{"run", "--listen", "127.0.0.1:0", "--workers", "2", "--wasm", module(t)}, args...)
	go func() {
		g.code <- command.Main(ctx, args, command.Streams{In: strings.NewReader(""), Out: &g.out, Err: &g.errs})
	}()
	t.Cleanup(func() { interrupt(); g.client.CloseIdleConnections() })
	for began := time.Now(); !strings.Contains(g.out.String(), "NOTE\n"); time.Sleep(10 * time.Millisecond) {
		select {
		case code := <-g.code:
			require.Fail(t, "it ended", "code %d: %s", code, g.errs.String())
		default:
		}
		require.Less(t, time.Since(began), startLimit, g.errs.String())
	}
	g.url, g.key = g.after("url"), g.after("key")
	return g
}

// after is the word that stands after another at a line's start; empty when
// there is no such line.
func (g *running) after(word string) string {
	found := regexp.MustCompile(`(?m)^  ` + word + ` +(\S+)$`).FindStringSubmatch(g.out.String())
	if found == nil {
		return ""
	}
	return found[1]
}

// answer is one answer of the gateway.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

func (g *running) request(model string, more string) *http.Request {
	g.t.Helper()
	body := `{"model":"` + model + `",` + more + `"messages":[{"role":"user","content":"Say hello."}]}`
	r, err := http.NewRequest(http.MethodPost, g.url+"/chat/completions", strings.NewReader(body))
	require.NoError(g.t, err)
	r.Header.Set("Authorization", "Bearer "+g.key)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func (g *running) ask(model, more string) answer {
	g.t.Helper()
	return g.do(g.request(model, more))
}

func (g *running) do(r *http.Request) answer {
	g.t.Helper()
	a, err := g.client.Do(r)
	g.asked++
	require.NoError(g.t, err)
	defer func() { require.NoError(g.t, a.Body.Close()) }()
	body, err := io.ReadAll(a.Body)
	g.rows() // so that rows stand in the order of requests
	return answer{a.StatusCode, a.Header, string(body), err}
}

// rows are the lines printed for requests, once there is one for each that
// was asked.
func (g *running) rows() []string {
	g.t.Helper()
	var rows []string
	for began := time.Now(); len(rows) < g.asked; time.Sleep(5 * time.Millisecond) {
		require.Less(g.t, time.Since(began), 10*time.Second, "%d lines for %d requests", len(rows), g.asked)
		_, table, _ := strings.Cut(g.out.String(), "NOTE\n")
		rows = strings.SplitAfter(table, "\n")
		rows = rows[:len(rows)-1] // what follows the last line end
	}
	require.Len(g.t, rows, g.asked)
	return rows
}

// row is the line of the last request.
func (g *running) row() string {
	g.t.Helper()
	rows := g.rows()
	return strings.TrimSuffix(rows[len(rows)-1], "\n")
}

// stop interrupts and returns the exit code.
func (g *running) stop() int {
	g.t.Helper()
	g.interrupt()
	select {
	case code := <-g.code:
		return code
	case <-time.After(30 * time.Second):
		require.Fail(g.t, "it does not end")
		return -1
	}
}

// fails runs a command line to its end and returns its code and what it says.
func fails(t *testing.T, args ...string) (code int, errs string) {
	t.Helper()
	var out, said bytes.Buffer
	code = command.Main(context.Background(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &said})
	require.Empty(t, out.String())
	return code, said.String()
}
