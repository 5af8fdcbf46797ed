package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/tools/render"
)

func renderCommand(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "render HOST FILE",
		Short: "Write a proxy's configuration",
		Long: `Turns a postern.yaml into what a proxy is deployed with: complete, commented,
the same for the same input, and without a secret. What is wrong with the
configuration, or cannot be had on that proxy, is an error.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(renderEnvoyCommand(s), renderIstioCommand(s), renderAPISIXCommand(s))
	return c
}

// rendered is what the flags of render envoy say.
type rendered struct {
	render.Options
	mode, out, filters string
	warmUp             time.Duration
}

func renderEnvoyCommand(s Streams) *cobra.Command {
	var r rendered
	c := &cobra.Command{
		Use:   "envoy FILE",
		Short: "Write a bootstrap for Envoy 1.40, or files that it watches",
		Long: `Writes the configuration of an Envoy 1.40 that serves the postern.yaml FILE.

--mode bootstrap is one file, for which a change means a restart. --mode xds is a
folder with a bootstrap and the files that it points to: clusters.yaml,
routes-….yaml and listeners.yaml. Rendering into that folder again replaces them
one by one, by renames, and Envoy takes each without a restart. Where clusters
changed it waits before it goes on, until Envoy has made them ready.`,
		Example: `  postern render envoy --listen 0.0.0.0:8080 postern.yaml > envoy.yaml
  postern render envoy --mode xds -o /etc/envoy/postern postern.yaml
  postern render envoy --filters jwt_authn.yaml -o envoy.yaml postern.yaml`,
		Args: cobra.MatchAll(atLeast(1, "render envoy wants a FILE"), atMost(1, "render envoy wants one FILE")),
		RunE: runs(func(ctx context.Context, args []string) error { return r.run(ctx, s, args[0]) }),
	}
	f := c.Flags()
	f.DurationVar(&r.warmUp, "warm-up", 10*time.Second, "for xds: how long Envoy may take to make changed clusters ready")
	f.StringVar(&r.mode, "mode", "bootstrap", "bootstrap or xds")
	f.StringVarP(&r.out, "output", "o", "", "file to write, or folder for xds (default standard output)")
	f.StringVar(&r.Dir, "at", "", "for xds: the folder as Envoy sees it (default --output)")
	f.StringVar(&r.Listen, "listen", "127.0.0.1:8080", "address to serve on")
	f.StringVar(&r.Admin, "admin", "", "address of Envoy's admin interface; none without it")
	f.StringVar(&r.Wasm, "wasm", "", "path of the module (default /etc/postern/postern.wasm)")
	f.StringVar(&r.AccessLog, "access-log", "", "path of the access log (default standard output)")
	f.StringVar(&r.AuditLog, "audit-log", "", "path of the audit records (default standard output)")
	f.StringVar(&r.Secrets, "secrets", "", "folder of the keys that Envoy injects (default /etc/postern/secrets)")
	f.StringVar(&r.CA, "ca", "", "file of certificate authorities for providers (default that of Debian)")
	f.StringVar(&r.filters, "filters", "", "file with a YAML list of HTTP filters to put before the module, as jwt_authn")
	return c
}

func (r *rendered) run(ctx context.Context, s Streams, name string) error {
	checked, err := readChecked(s, name)
	if err != nil {
		return err
	}
	if r.filters != "" {
		filters, err := os.ReadFile(r.filters)
		if err != nil {
			return err
		}
		r.Filters = string(filters)
	}
	switch r.mode {
	case "bootstrap":
		text, err := render.Envoy(checked.Node, checked.Config, r.Options)
		if err != nil {
			return err
		}
		return put(s, r.out, text)
	case "xds":
		if err := r.place(); err != nil {
			return err
		}
		if r.Before, err = standing(filepath.Join(r.out, "clusters.yaml")); err != nil {
			return err
		}
		files, err := render.XDS(checked.Node, checked.Config, r.Options)
		if err != nil {
			return err
		}
		return r.exchange(ctx, files)
	}
	return fmt.Errorf("--mode is bootstrap or xds, not %q", r.mode)
}

// place makes the folder of xds, and says where Envoy finds it.
func (r *rendered) place() (err error) {
	if r.out == "" {
		return errors.New("--mode xds wants a folder: --output DIR")
	}
	if r.Dir == "" {
		if r.Dir, err = filepath.Abs(r.out); err != nil {
			return err
		}
	}
	return os.MkdirAll(r.out, 0o755) //nolint:gosec // nothing in it is secret
}

// standing is the text of a file; empty where there is none.
func standing(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// put writes a file, or to standard output where none is named.
func put(s Streams, path string, text []byte) error {
	if path == "" {
		_, err := s.Out.Write(text)
		return err
	}
	return replace(path, text)
}

// putAll writes files into a folder.
func putAll(dir string, files []render.File) error {
	for _, f := range files {
		if err := replace(filepath.Join(dir, f.Name), f.Text); err != nil {
			return err
		}
	}
	return nil
}

// exchange replaces the files of xds. Nothing may go to clusters that Envoy does
// not have yet: it compiles the module for those of another VM.
func (r *rendered) exchange(ctx context.Context, files []render.File) error {
	if r.Before == nil || bytes.Equal(r.Before, files[0].Text) {
		return putAll(r.out, files)
	}
	if err := putAll(r.out, files[:1]); err != nil {
		return err
	}
	select {
	case <-time.After(r.warmUp):
		return putAll(r.out, files[1:])
	case <-ctx.Done():
		return ctx.Err()
	}
}

// replace writes a file by a rename: Envoy sees that, and never half a file. What
// is no plain file, as a terminal, is written to.
func replace(path string, text []byte) error {
	if at, err := os.Stat(path); err == nil && !at.Mode().IsRegular() {
		return os.WriteFile(path, text, 0o644) //nolint:gosec // it holds no secret
	}
	next := path + ".new"
	if err := os.WriteFile(next, text, 0o644); err != nil { //nolint:gosec // it holds no secret
		return err
	}
	return os.Rename(next, path)
}
