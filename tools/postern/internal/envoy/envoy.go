// Package envoy runs a real Envoy as a child: it starts the binary that it is
// given with a rendered bootstrap, waits until it listens, hands over what
// Envoy writes to its standard output line by line, and ends it gracefully.
//
// It downloads nothing, renders nothing and does not restart an Envoy that
// ends.
package envoy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Options say what to run.
type Options struct {
	Binary    string // see Find
	Bootstrap []byte
	Env       []string // NAME=value, besides this process's own
	Workers   int
	Listen    string // the address that the bootstrap listens on
	Admin     string // the address of its admin interface
	Line      func(string)
	Err       io.Writer // what Envoy has to say
}

// Envoy is a running one.
type Envoy struct {
	o      Options
	cmd    *exec.Cmd
	dir    string
	output sync.WaitGroup
	ended  chan struct{} // closed when the process has ended
	err    error         // of its end
}

// Find is the binary: what ENVOY names, or envoy in PATH.
func Find() (string, error) {
	if path := os.Getenv("ENVOY"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("ENVOY: %w", err)
		}
		return path, nil
	}
	path, err := exec.LookPath("envoy")
	if err != nil {
		return "", errors.New("there is no envoy in PATH: install it, or set ENVOY to its path")
	}
	return path, nil
}

// Start starts Envoy and returns when it listens. It fails when Envoy ends
// before, for example because the module refuses its configuration.
func Start(ctx context.Context, o Options) (*Envoy, error) {
	dir, err := os.MkdirTemp("", "postern-envoy-")
	if err != nil {
		return nil, err
	}
	e := &Envoy{o: o, dir: dir, ended: make(chan struct{})}
	if err := e.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := e.ready(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Envoy) start() error {
	bootstrap := filepath.Join(e.dir, "envoy.yaml")
	if err := os.WriteFile(bootstrap, e.o.Bootstrap, 0o600); err != nil {
		return err
	}
	e.cmd = exec.Command(e.o.Binary, "-c", bootstrap, "--disable-hot-restart", "--log-level", "warning",
		"--concurrency", strconv.Itoa(e.o.Workers), "--file-flush-interval-msec", "50")
	e.cmd.Env, e.cmd.Stderr = append(os.Environ(), e.o.Env...), e.o.Err
	apart(e.cmd)
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := e.cmd.Start(); err != nil {
		return err
	}
	e.output.Go(func() { e.read(out) })
	go e.wait()
	return nil
}

// maxLine bounds a line of Envoy's output.
const maxLine = 1 << 20

func (e *Envoy) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		e.o.Line(lines.Text())
	}
	// Too long a line ends the scan; Envoy must not block on it.
	_, _ = io.Copy(io.Discard, out)
}

// wait notes the end. All output is read first: Wait closes the pipe.
func (e *Envoy) wait() {
	e.output.Wait()
	e.err = e.cmd.Wait()
	close(e.ended)
}

const (
	startLimit = time.Minute // to compile the module for each worker
	poll       = 50 * time.Millisecond
	killAfter  = 5 * time.Second
)

// ready waits until Envoy listens.
func (e *Envoy) ready(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		if c, err := net.DialTimeout("tcp", e.o.Listen, time.Second); err == nil {
			return c.Close()
		}
		select {
		case <-e.ended:
			return fmt.Errorf("envoy ended before it listened: %w", e.cause())
		case <-bounded.Done():
			return fmt.Errorf("envoy does not listen on %s: %w", e.o.Listen, bounded.Err())
		case <-time.After(poll):
		}
	}
}

// cause is why Envoy ended.
func (e *Envoy) cause() error {
	if e.err == nil {
		return errors.New("exit status 0")
	}
	return e.err
}

// Serve waits until the context ends, then closes the listener and lets the
// requests under way finish until the other context ends.
func (e *Envoy) Serve(ctx context.Context, drain func() (context.Context, context.CancelFunc)) error {
	select {
	case <-e.ended:
		return fmt.Errorf("envoy ended: %w", e.cause())
	case <-ctx.Done():
	}
	bounded, cancel := drain()
	defer cancel()
	e.drain(bounded)
	return nil
}

// Close ends Envoy, by force if it must, and removes its files.
func (e *Envoy) Close() error {
	_ = e.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-e.ended:
	case <-time.After(killAfter):
		_ = e.cmd.Process.Kill()
		<-e.ended
	}
	return os.RemoveAll(e.dir)
}
