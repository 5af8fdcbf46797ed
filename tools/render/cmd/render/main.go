// Command render writes an Envoy bootstrap for a postern.yaml.
//
//	render -listen 127.0.0.1:8080 -admin 127.0.0.1:9901 -o envoy.yaml postern.yaml
//
// It checks the configuration first, and prints what is wrong with it by line.
// It starts nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/render"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var o render.Options
	flags := flag.NewFlagSet("render", flag.ContinueOnError)
	out := flags.String("o", "/dev/stdout", "where to write the bootstrap")
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "address to serve on")
	flags.StringVar(&o.Admin, "admin", "", "address of Envoy's admin interface; none without it")
	flags.StringVar(&o.Wasm, "wasm", "", "path of the module (default /etc/postern/postern.wasm)")
	flags.StringVar(&o.AccessLog, "access-log", "", "path of the access log (default standard output)")
	flags.StringVar(&o.AuditLog, "audit-log", "", "path of the audit records (default standard output)")
	flags.StringVar(&o.Secrets, "secrets", "", "folder of the keys that Envoy injects (default /etc/postern/secrets)")
	flags.StringVar(&o.CA, "ca", "", "file of certificate authorities for providers (default that of Debian)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name one postern.yaml")
	}
	text, err := bootstrap(flags.Arg(0), o)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, text, 0o644) //nolint:gosec // it holds no secret
}

func bootstrap(path string, o render.Options) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	node, errs := document.Read(path, text)
	if len(errs) > 0 {
		return nil, errs
	}
	c, errs := pipeline.Decode(node, builtin.Dialects())
	if len(errs) > 0 {
		return nil, errs
	}
	return render.Envoy(node, c, o)
}
