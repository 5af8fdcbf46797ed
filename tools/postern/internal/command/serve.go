package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/postern/internal/envoy"
	"github.com/posterngw/postern/tools/postern/internal/local"
	"github.com/posterngw/postern/tools/postern/internal/module"
	"github.com/posterngw/postern/tools/postern/internal/report"
	"github.com/posterngw/postern/tools/render"
)

// server is a gateway on one host or another.
type server interface {
	// Serve answers until the context ends; drain then makes the context that
	// bounds what is under way.
	Serve(ctx context.Context, drain func() (context.Context, context.CancelFunc)) error
	Close() error
}

// session is one run of the command.
type session struct {
	*prepared
	o       *runOptions
	s       Streams
	wasm    string // path of the module
	address string // that is served
	lines   *report.Printer
}

// patience is how long a start may take before it says why.
const patience = 2 * time.Second

func run(ctx context.Context, s Streams, o *runOptions, file string) (err error) {
	began := time.Now()
	r := &session{o: o, s: s}
	if r.wasm, err = findModule(ctx, s, o.wasm); err != nil {
		return err
	}
	if r.prepared, err = prepare(s, o, file); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.prepared.Close()) }()
	r.lines = report.NewPrinter(s.Out)
	defer r.lines.Close()
	g, err := r.start(ctx)
	if ctx.Err() != nil {
		return errors.New("interrupted before it was ready")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	r.lines.Print(r.banner(time.Since(began)))
	return g.Serve(ctx, r.drain)
}

// doubled is how long after the first signal another counts as the same:
// some supervisors send each twice.
const doubled = 300 * time.Millisecond

// drain bounds what is under way by time, and by a further signal.
func (r *session) drain() (context.Context, context.CancelFunc) {
	fmt.Fprintf(r.s.Err, "postern: ending; requests under way have %s, or until Ctrl-C again\n", r.o.drain)
	bounded, cancel := context.WithTimeout(context.Background(), r.o.drain)
	time.AfterFunc(doubled, func() {
		again, stop := signal.NotifyContext(bounded, os.Interrupt, syscall.SIGTERM)
		defer stop()
		<-again.Done()
		cancel()
	})
	return bounded, cancel
}

func (r *session) start(ctx context.Context) (server, error) {
	slow := time.AfterFunc(patience, func() {
		fmt.Fprintf(r.s.Err, "postern: compiling %s\n", r.wasm)
	})
	defer slow.Stop()
	l, err := net.Listen("tcp", r.o.listen)
	if err != nil {
		return nil, err
	}
	r.address = l.Addr().String()
	if r.o.host == "envoy" {
		// Envoy opens the port itself; that it is free is known now.
		return r.startEnvoy(ctx, l.Close())
	}
	g, err := r.startLocal(ctx, l)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return g, nil
}

func (r *session) startLocal(ctx context.Context, l net.Listener) (server, error) {
	code, err := os.ReadFile(r.wasm)
	if err != nil {
		return nil, err
	}
	return local.New(ctx, local.Options{
		Wasm: code, Listener: l,
		Warn: func(text string) { fmt.Fprintln(r.s.Err, "postern: module:", text) },
		Gateway: gateway.Options{Node: r.Node, Config: r.Config, Env: r.env, Workers: r.o.workers,
			Access: func(a *hosttest.AccessLog) { r.print(a.FilterState["wasm.postern.audit"], a.Status, a.Details) }},
	})
}

// print prints the line of a request by its audit record, or by what the host
// says of one that has none.
func (r *session) print(audit string, status int, details string) {
	one, ok := report.Parse(audit)
	if !ok {
		one = &report.Record{Time: time.Now(), Status: status}
		one.Error.Code = "no record: " + details
	}
	r.lines.Print(r.layout.Line(one, time.Local))
}

func (r *session) startEnvoy(ctx context.Context, free error) (server, error) {
	if free != nil {
		return nil, free
	}
	binary, err := envoy.Find()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	bootstrap, err := r.bootstrap(admin)
	if err != nil {
		return nil, err
	}
	o := envoy.Options{Binary: binary, Bootstrap: bootstrap, Workers: r.o.workers, Listen: reachable(r.address), Admin: admin,
		Err: r.s.Err, Line: func(text string) { r.print(text, 0, "Envoy answered by itself") }}
	for name, value := range r.env {
		o.Env = append(o.Env, name+"="+value)
	}
	return envoy.Start(ctx, o)
}

func (r *session) bootstrap(admin string) ([]byte, error) {
	wasm, err := filepath.Abs(r.wasm)
	if err != nil {
		return nil, err
	}
	return render.Envoy(r.Node, r.Config, render.Options{
		Wasm: wasm, Listen: r.address, Admin: admin, AccessLog: os.DevNull, AuditLog: "/dev/stdout", CA: authorities(),
	})
}

// freeAddress is a port of the loopback interface that nobody uses.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// authorities is the system's file of certificate authorities; empty leaves it
// to the renderer.
func authorities() string {
	for _, path := range []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
		"/etc/ssl/cert.pem",                  // macOS
	} {
		if _, err := os.Stat(path); path != "" && err == nil {
			return path
		}
	}
	return ""
}

// findModule finds the file of the module, or builds it.
func findModule(ctx context.Context, s Streams, named string) (string, error) {
	return module.New(named, func(text string) { fmt.Fprintln(s.Err, "postern:", text) }).Find(ctx)
}
