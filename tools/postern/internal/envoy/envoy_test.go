package envoy_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/postern/internal/envoy"
)

// TestMain is an Envoy when it is called as one: the tests run this binary as
// the child. Its bootstrap holds no YAML but what to do, word by word.
func TestMain(m *testing.M) {
	if os.Getenv("POSTERN_FAKE_ENVOY") != "" {
		os.Exit(fake(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fake takes Envoy's flags, listens as its bootstrap says (listen address,
// admin address, what to do) and answers on its admin interface.
func fake(args []string) int {
	f := flag.NewFlagSet("envoy", flag.ContinueOnError)
	file := f.String("c", "", "")
	f.Bool("disable-hot-restart", false, "")
	f.String("log-level", "", "")
	f.Int("concurrency", 0, "")
	f.Int("file-flush-interval-msec", 0, "")
	if f.Parse(args) != nil {
		return 2
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return 3
	}
	var listen, admin, behaviour string
	if n, _ := fmt.Sscan(string(text), &listen, &admin, &behaviour); n != 3 {
		return 4
	}
	if behaviour == "refuse" {
		fmt.Fprintln(os.Stderr, "the configuration is refused")
		return 1
	}
	return play(listen, admin, behaviour)
}

func play(listen, admin, behaviour string) int {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	if behaviour == "stubborn" {
		signal.Ignore(os.Interrupt)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return 5
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /drain_listeners", func(http.ResponseWriter, *http.Request) {
		fmt.Println("drained")
		_ = l.Close()
	})
	active := 3
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		if active > 0 && behaviour != "busy" {
			active--
		}
		fmt.Fprintf(w, "http.postern.downstream_rq_active: %d\n", active)
	})
	fmt.Println("record", os.Getenv("POSTERN_TEST_VALUE"))
	go http.ListenAndServe(admin, mux) //nolint:errcheck // the test sees what is missing
	if behaviour == "die" {
		time.Sleep(200 * time.Millisecond)
		return 7
	}
	<-interrupted
	fmt.Println("interrupted")
	return 0
}

// output collects lines.
type output struct {
	mu    sync.Mutex
	lines []string
}

func (o *output) take(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
}

func (o *output) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.lines...)
}

func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

func start(t *testing.T, behaviour string, out *output, errs io.Writer) (*envoy.Envoy, error) {
	t.Setenv("POSTERN_FAKE_ENVOY", "1")
	t.Setenv("TMPDIR", t.TempDir())
	self, err := os.Executable()
	require.NoError(t, err)
	listen, admin := free(t), free(t)
	e, err := envoy.Start(t.Context(), envoy.Options{
		Binary: self, Bootstrap: []byte(listen + " " + admin + " " + behaviour), Env: []string{"POSTERN_TEST_VALUE=given"},
		Workers: 1, Listen: listen, Admin: admin, Line: out.take, Err: errs,
	})
	return e, err
}

func within(d time.Duration) func() (context.Context, context.CancelFunc) {
	return func() (context.Context, context.CancelFunc) { return context.WithTimeout(context.Background(), d) }
}

// TestServe drains, hands over all lines and leaves no file.
func TestServe(t *testing.T) {
	var out output
	e, err := start(t, "well", &out, io.Discard)
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(context.Background())
	interrupt()
	require.NoError(t, e.Serve(ctx, within(10*time.Second)))
	require.NoError(t, e.Close())
	require.Equal(t, []string{"record given", "drained", "interrupted"}, out.all())
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestDrainEnds waits for requests no longer than it may.
func TestDrainEnds(t *testing.T) {
	var out output
	e, err := start(t, "busy", &out, io.Discard)
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(context.Background())
	interrupt()
	began := time.Now()
	require.NoError(t, e.Serve(ctx, within(300*time.Millisecond)))
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	require.NoError(t, e.Close())
	require.Contains(t, out.all(), "interrupted")
}

// TestStubborn is ended by force.
func TestStubborn(t *testing.T) {
	var out output
	e, err := start(t, "stubborn", &out, io.Discard)
	require.NoError(t, err)
	require.NoError(t, e.Close())
	require.Equal(t, []string{"record given"}, out.all())
}

// TestRefuses says that it ended and lets it say why.
func TestRefuses(t *testing.T) {
	var errs bytes.Buffer
	_, err := start(t, "refuse", &output{}, &errs)
	require.EqualError(t, err, "envoy ended before it listened: exit status 1")
	require.Equal(t, "the configuration is refused\n", errs.String())
}

// TestDies notices an Envoy that ends by itself.
func TestDies(t *testing.T) {
	e, err := start(t, "die", &output{}, io.Discard)
	require.NoError(t, err)
	require.EqualError(t, e.Serve(context.Background(), within(time.Second)), "envoy ended: exit status 7")
	require.NoError(t, e.Close())
}

// TestFind takes $ENVOY first, then PATH, and never anything else.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "envoy")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700))
	t.Setenv("PATH", dir)
	t.Setenv("ENVOY", "")
	found, err := envoy.Find()
	require.NoError(t, err)
	require.Equal(t, path, found)
	t.Setenv("ENVOY", filepath.Join(dir, "other"))
	_, err = envoy.Find()
	require.True(t, errors.Is(err, os.ErrNotExist), err)
	t.Setenv("ENVOY", "")
	t.Setenv("PATH", "")
	_, err = envoy.Find()
	require.EqualError(t, err, "there is no envoy in PATH: install it, or set ENVOY to its path")
}
