// Package local is the gateway that runs without a proxy: the module on an
// emulated one (package hosttest) behind net/http, HTTP/1.1 and HTTP/2 without
// TLS, one VM for each worker.
//
// It decides nothing about a request, terminates no TLS, checks no health and
// is not meant for production: that is what the module is loaded into a proxy
// for.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sync"
	"time"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
)

// Options describe a gateway.
type Options struct {
	Wasm     []byte // the module
	Listener net.Listener
	Gateway  gateway.Options // Node, Config, Env, Workers and Access; the rest is set here
	Warn     func(string)    // what the module logs at warn and above
}

// Gateway is a running one.
type Gateway struct {
	host    *hosttest.Host
	runtime *hosttest.Runtime
	server  *http.Server
	at      net.Listener
	calls   *http.Transport
}

// New compiles the module, or takes it from the user's cache, and starts a VM
// for each worker. The error of a module that refuses its configuration has
// what the module said about it.
func New(ctx context.Context, o Options) (*Gateway, error) {
	if o.Gateway.Config.Mode == pipeline.Observe {
		return nil, errors.New("mode: observe stands beside a gateway that serves, and serves nothing itself")
	}
	rt, err := runtime(ctx)
	if err != nil {
		return nil, err
	}
	g := &Gateway{runtime: rt, at: o.Listener, calls: transport()}
	module, err := compile(ctx, rt, o.Wasm)
	if ctx.Err() != nil {
		return nil, ctx.Err() // the compiler may still run: nothing is freed
	}
	if err == nil {
		err = g.start(module, o)
	}
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// Compile makes a module of its code, with the user's cache; free lets go of it.
func Compile(ctx context.Context, code []byte) (m hosttest.Module, free func() error, err error) {
	rt, err := runtime(ctx)
	if err != nil {
		return nil, nil, err
	}
	free = func() error { return rt.Close(context.Background()) }
	if m, err = compile(ctx, rt, code); err != nil {
		return nil, nil, errors.Join(err, free())
	}
	return m, free, nil
}

// compile returns early when the context ends. The compiler itself cannot be
// stopped, it takes seconds, and whoever interrupts is about to leave.
func compile(ctx context.Context, rt *hosttest.Runtime, code []byte) (hosttest.Module, error) {
	type outcome struct {
		module hosttest.Module
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		m, err := rt.Compile(experimental.WithCompilationWorkers(context.Background(), goruntime.GOMAXPROCS(0)), code)
		done <- outcome{m, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case o := <-done:
		if o.err != nil {
			return nil, fmt.Errorf("the module cannot be loaded: %w", o.err)
		}
		return o.module, nil
	}
}

// maxPages bounds the memory of one VM to 512 MiB.
const maxPages = 8192

// runtime keeps compiled code in the user's cache folder; where there is none,
// every start compiles.
func runtime(ctx context.Context) (*hosttest.Runtime, error) {
	cfg := hosttest.RuntimeConfig{MemoryLimitPages: maxPages}
	if dir, err := os.UserCacheDir(); err == nil {
		cfg.CacheDir = filepath.Join(dir, "postern", "wazero")
	}
	rt, err := hosttest.NewRuntime(ctx, cfg)
	if err != nil && cfg.CacheDir != "" {
		cfg.CacheDir = ""
		rt, err = hosttest.NewRuntime(ctx, cfg)
	}
	return rt, err
}

// transport carries attempts to providers. Bodies stay as they were sent.
func transport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	}
}

func (g *Gateway) start(module hosttest.Module, o Options) (err error) {
	if o.Gateway.Clusters, err = clusters(o.Gateway.Config, g.calls); err != nil {
		return err
	}
	said := &lines{warn: o.Warn}
	o.Gateway.Module, o.Gateway.Clock = module, hosttest.RealClock{}
	o.Gateway.Log = said.take
	if g.host, err = hosttest.New(gateway.Host(o.Gateway)); err != nil {
		return said.explain(err)
	}
	said.started()
	handler, err := g.host.Handler()
	if err != nil {
		return err
	}
	g.server = &http.Server{Handler: handler, Protocols: new(http.Protocols),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute,
		ErrorLog: log.New(io.Discard, "", 0)} // it tells of clients that break off
	g.server.Protocols.SetHTTP1(true)
	g.server.Protocols.SetUnencryptedHTTP2(true)
	return nil
}

// clusters are the upstreams of a configuration, each by its provider's URL.
func clusters(c *pipeline.Config, via http.RoundTripper) (map[string]http.RoundTripper, error) {
	all := make(map[string]http.RoundTripper, len(c.Route.Providers))
	for i := range c.Route.Providers {
		p := &c.Route.Providers[i]
		at, err := url.Parse(p.Value.URL)
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", p.Name, err)
		}
		name := p.Value.Cluster
		if name == "" {
			name = p.Name
		}
		all[name] = hosttest.NewCluster(at, via)
	}
	return all, nil
}

// Serve answers on the listener until the context ends, then lets the requests
// under way finish until the other context ends and cuts those that are left.
// The error is nil when the context ended.
func (g *Gateway) Serve(ctx context.Context, drain func() (context.Context, context.CancelFunc)) error {
	failed := make(chan error, 1)
	go func() { failed <- g.server.Serve(g.at) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := drain()
	defer cancel()
	if err := g.server.Shutdown(bounded); err != nil {
		return g.server.Close()
	}
	return nil
}

// Close ends every stream, so that its access log is written, and frees the
// VMs.
func (g *Gateway) Close() error {
	var err error
	if g.host != nil {
		err = g.host.Close()
	}
	g.calls.CloseIdleConnections()
	return errors.Join(err, g.runtime.Close(context.Background()))
}

// lines are what the module logs: while it starts they explain a failure,
// later they are warnings.
type lines struct {
	warn func(string)

	mu    sync.Mutex
	early []string
	ready bool
}

func (l *lines) take(line hosttest.LogLine) {
	if line.Level < hosttest.LogWarn {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready {
		l.early = append(l.early, line.Text)
		return
	}
	l.warn(line.Text)
}

func (l *lines) started() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = true
	for _, text := range l.early {
		l.warn(text)
	}
}

// explain joins the host's error with the module's own words.
func (l *lines) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range l.early {
		err = fmt.Errorf("%w\n%s", err, text)
	}
	return err
}
