// Command mock serves the mock of model providers.
//
//	mock -listen 127.0.0.1:0                        every dialect on one address
//	mock -openai 127.0.0.1:9001 -anthropic 127.0.0.1:9002
//	mock -list                                      the behaviours on demand
//
// For each listener it prints one line, "mock: NAME http://ADDRESS", as soon as
// it can be reached. HTTP/1.1 and HTTP/2 without TLS are spoken. It ends on SIGINT and
// SIGTERM. It is not a gateway and forwards nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/posterngw/postern/tools/mock"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mock:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	addresses map[string]*string // by dialect; "all" serves every one
	keys      map[string]*string
	models    *string
	behave    *string
	list      *bool
	opts      mock.Options
}

func parse(args []string) (*config, error) {
	fs := flag.NewFlagSet("mock", flag.ContinueOnError)
	c := &config{addresses: map[string]*string{}, keys: map[string]*string{}}
	c.addresses["all"] = fs.String("listen", "", "address that serves every dialect")
	for _, d := range mock.Dialects() {
		c.addresses[d] = fs.String(d, "", "address that serves the "+d+" dialect alone")
		c.keys[d] = fs.String(d+"-key", "", "the only key that the "+d+" dialect accepts")
	}
	c.models = fs.String("models", "", "further model names, separated by commas; name* for all that begin so")
	c.behave = fs.String("behave", "", "behaviours of every request, separated by commas")
	c.list = fs.Bool("list", false, "print the behaviours on demand")
	fs.DurationVar(&c.opts.FirstDelay, "first-delay", 0, "wait before the first content")
	fs.DurationVar(&c.opts.ChunkDelay, "chunk-delay", 0, "wait between contents")
	fs.IntVar(&c.opts.Chunks, "chunks", 0, "content chunks of a stream")
	fs.Uint64Var(&c.opts.Seed, "seed", 0, "seed of identifiers and texts")
	return c, fs.Parse(args)
}

func run(args []string) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	if *c.list {
		fmt.Println(strings.Join(mock.Table(), "\n"))
		return nil
	}
	c.opts.Keys = map[string][]string{}
	for d, key := range c.keys {
		if *key != "" {
			c.opts.Keys[d] = []string{*key}
		}
	}
	if *c.models != "" {
		c.opts.Models = strings.Split(*c.models, ",")
	}
	m := mock.New(c.opts)
	defer m.Close()
	if err := m.Behave(*c.behave); err != nil {
		return err
	}
	return serve(m, c)
}

// serve opens every listener and returns when a signal comes or one fails.
func serve(m *mock.Server, c *config) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	failed := make(chan error, len(c.addresses))
	var servers []*http.Server
	for _, name := range append([]string{"all"}, mock.Dialects()...) {
		if *c.addresses[name] == "" {
			continue
		}
		srv, url, err := start(m, name, *c.addresses[name], failed)
		if err != nil {
			return err
		}
		fmt.Printf("mock: %s %s\n", name, url)
		servers = append(servers, srv)
	}
	if len(servers) == 0 {
		return fmt.Errorf("nothing to serve: give -listen or the address of a dialect")
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	m.Close()
	for _, srv := range servers {
		shut(srv)
	}
	return err
}

func start(m *mock.Server, name, address string, failed chan<- error) (*http.Server, string, error) {
	var handler http.Handler = m
	if name != "all" {
		h, err := m.Handler(name)
		if err != nil {
			return nil, "", err
		}
		handler = h
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", err
	}
	srv := &http.Server{Handler: handler, Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	go func() { failed <- srv.Serve(l) }()
	return srv, "http://" + l.Addr().String(), nil
}

func shut(srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		srv.Close() //nolint:errcheck // the process ends
	}
}
