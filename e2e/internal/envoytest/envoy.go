// Package envoytest runs a real Envoy with the module for a test: it renders a
// bootstrap from the text of a postern.yaml as a deployment does, starts the
// binary that $ENVOY names with the module that $POSTERN_WASM names, and reads
// what Envoy tells: the admin interface, its logs and the audit records.
//
// It asserts nothing by itself, downloads nothing, and knows no provider.
package envoytest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/render"
)

// Options are what a test asks for.
type Options struct {
	Config  string   // text of a postern.yaml
	Path    string   // where that stands, for the files that it refers to
	Wasm    string   // another module than $POSTERN_WASM
	Env     []string // NAME=value, besides this process's own
	Workers int      // default 1
	Dynamic bool     // listener, routes and clusters come from files that Reload replaces
	Secrets string   // directory of SDS files
	CA      string   // file of certificate authorities for providers
	Verbose bool     // the module's own log lines, all of them
	// Edit, if set, changes each file that is rendered before it is used.
	Edit func(text string) string
	// Bootstrap, if set, is used instead of a rendered one. Its audit records
	// and access log are to be audit.log and access.log in the folder.
	Bootstrap func(dir string) string
}

// Envoy is a running one.
type Envoy struct {
	URL string // of the listener, without a final slash

	o      Options
	dir    string
	admin  string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has ended
	err    error         // of its end
	client *http.Client
	config string // that was rendered last
}

// startLimit is generous: the module is compiled for each worker, on machines
// that do other things besides.
const (
	startLimit = 2 * time.Minute
	stopLimit  = 10 * time.Second
	poll       = 20 * time.Millisecond
)

// Binaries are the paths of Envoy and of the module.
func Binaries() (envoy, wasm string, err error) {
	for _, v := range []struct {
		name string
		path *string
	}{{"ENVOY", &envoy}, {"POSTERN_WASM", &wasm}} {
		*v.path = os.Getenv(v.name)
		if _, err := os.Stat(*v.path); err != nil {
			return "", "", fmt.Errorf("$%s must name a file (run make e2e-envoy): %w", v.name, err)
		}
	}
	return envoy, wasm, nil
}

// Start starts an Envoy and returns when it serves. The error of one that does
// not shows the end of its log.
func Start(o Options) (*Envoy, error) {
	binary, wasm, err := Binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "postern-e2e-")
	if err != nil {
		return nil, err
	}
	o.Wasm = cmp.Or(o.Wasm, wasm)
	e := &Envoy{o: o, dir: dir, ended: make(chan struct{}), config: o.Config,
		client: &http.Client{Timeout: startLimit}} // while it compiles a module it answers nothing
	if err := e.write(o.Config); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := e.run(binary); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := e.ready(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w\nenvoy's log:\n%s", err, e.LogTail(40)), e.Stop())
	}
	return e, nil
}

// write renders a configuration into files, each of which takes an old one's
// place by a rename.
func (e *Envoy) write(config string) error {
	if e.o.Bootstrap != nil {
		return os.WriteFile(e.path(bootstrap), []byte(e.o.Bootstrap(e.dir)), 0o600)
	}
	files, err := e.render(config)
	if err != nil {
		return err
	}
	for _, f := range files {
		next := e.path(f.Name + ".new")
		updated, err := e.clusterUpdates()
		if err := errors.Join(err, os.WriteFile(next, f.Text, 0o600), os.Rename(next, e.path(f.Name))); err != nil {
			return err
		}
		if err := e.warm(f.Name, updated); err != nil {
			return err
		}
	}
	return nil
}

// bootstrap is the file that Envoy is started with.
const bootstrap = "bootstrap.yaml"

func (e *Envoy) render(config string) ([]render.File, error) {
	node, errs := document.Read(cmp.Or(e.o.Path, "postern.yaml"), []byte(config))
	if len(errs) > 0 {
		return nil, errs
	}
	c, errs := pipeline.Decode(node, builtin.Dialects())
	if len(errs) > 0 {
		return nil, errs
	}
	o := render.Options{
		Wasm: e.o.Wasm, Dir: e.dir, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Secrets: e.o.Secrets, CA: e.o.CA,
		AccessLog: e.path("access.log"), AuditLog: e.path("audit.log"),
	}
	var files []render.File
	var err error
	if e.o.Dynamic {
		o.Before, _ = os.ReadFile(e.path("clusters.yaml")) // none at first
		files, err = render.XDS(node, c, o)
	} else {
		var text []byte
		text, err = render.Envoy(node, c, o)
		files = []render.File{{Name: bootstrap, Text: text}}
	}
	for i := range files {
		if e.o.Edit != nil {
			files[i].Text = []byte(e.o.Edit(string(files[i].Text)))
		}
	}
	return files, err
}

func (e *Envoy) path(name string) string { return filepath.Join(e.dir, name) }

func (e *Envoy) run(binary string) error {
	logged, err := os.Create(e.path("envoy.log"))
	if err != nil {
		return err
	}
	e.cmd = exec.Command(binary, "-c", e.path(bootstrap), "--disable-hot-restart", "--log-level", "warning",
		"--concurrency", strconv.Itoa(max(1, e.o.Workers)), "--file-flush-interval-msec", "20",
		"--admin-address-path", e.path("admin"), "--drain-strategy", "immediate", "--drain-time-s", "300")
	if e.o.Verbose {
		e.cmd.Args = append(e.cmd.Args, "--component-log-level", "wasm:trace")
	}
	e.cmd.Env = append(os.Environ(), e.o.Env...)
	e.cmd.Stdout, e.cmd.Stderr = logged, logged
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a killed test leaves nothing behind
	if err := e.cmd.Start(); err != nil {
		return errors.Join(err, logged.Close())
	}
	go func() {
		e.err = e.cmd.Wait()
		_ = logged.Close() // Envoy has its own descriptor
		close(e.ended)
	}()
	return nil
}

// ready waits until the listener serves, and learns its address.
func (e *Envoy) ready() error {
	return e.await(startLimit, func() (bool, error) {
		if e.admin == "" {
			at, err := os.ReadFile(e.path("admin"))
			if err != nil || len(at) == 0 {
				return false, nil
			}
			e.admin = "http://" + strings.TrimSpace(string(at))
		}
		if state, err := e.Admin("/ready"); err != nil || strings.TrimSpace(state) != "LIVE" {
			return false, nil
		}
		at, err := e.Admin("/listeners")
		_, address, found := strings.Cut(strings.TrimSpace(at), "::")
		e.URL = "http://" + address
		return found && !strings.HasSuffix(address, ":0"), err
	})
}

// await polls until done; it fails after the limit or when Envoy has ended.
func (e *Envoy) await(limit time.Duration, done func() (bool, error)) error {
	until := time.Now().Add(limit)
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-e.ended:
			return fmt.Errorf("envoy has ended: %w", e.err)
		case <-time.After(poll):
		}
		if time.Now().After(until) {
			return fmt.Errorf("not within %s", limit)
		}
	}
}

// Admin is what the admin interface answers to a GET.
func (e *Envoy) Admin(path string) (string, error) {
	res, err := e.client.Get(e.admin + path)
	if err != nil {
		return "", err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusServiceUnavailable {
		err = fmt.Errorf("%s: %s", path, res.Status)
	}
	return string(body), err
}

// Stop ends Envoy and removes its files.
func (e *Envoy) Stop() error {
	_ = e.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-e.ended:
	case <-time.After(stopLimit):
		_ = e.cmd.Process.Kill()
		<-e.ended
	}
	return os.RemoveAll(e.dir)
}
