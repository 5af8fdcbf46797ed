package command

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/tools/render"
)

// onAPISIX is what the flags of render apisix say.
type onAPISIX struct {
	render.APISIXOptions
	form, out string
}

// apisixForms are the files, by what --form calls them.
var apisixForms = map[string]string{"config": "config.yaml", "standalone": "apisix.yaml", "admin": "admin.json"}

func renderAPISIXCommand(s Streams) *cobra.Command {
	a := onAPISIX{APISIXOptions: render.APISIXDefaults()}
	c := &cobra.Command{
		Use:   "apisix FILE",
		Short: "Write the configuration of a gateway on Apache APISIX",
		Long: `Writes what Apache APISIX (wasm-nginx-module 0.7.0) needs to serve the postern.yaml
FILE in mode callout: config.yaml is its own configuration, apisix.yaml the
resources for standalone mode, admin.json the same as requests to the Admin API.`,
		Example: `  postern render apisix -o /usr/local/apisix/conf postern.yaml
  postern render apisix --form admin postern.yaml`,
		Args: cobra.MatchAll(atLeast(1, "render apisix wants a FILE"), atMost(1, "render apisix wants one FILE")),
		RunE: runs(func(_ context.Context, args []string) error { return a.run(s, args[0]) }),
	}
	f := c.Flags()
	f.StringVar(&a.form, "form", "standalone", "what to print: config, standalone or admin")
	f.StringVarP(&a.out, "output", "o", "", "folder for all three files")
	f.StringVar(&a.Wasm, "wasm", a.Wasm, "path of the module")
	f.StringVar(&a.CA, "ca", a.CA, "file of certificate authorities for providers")
	f.StringVar(&a.URI, "uri", a.URI, "paths that the route matches")
	f.IntVar(&a.Port, "port", a.Port, "port that APISIX listens on")
	return c
}

func (a *onAPISIX) run(s Streams, name string) error {
	checked, err := readChecked(s, name)
	if err != nil {
		return err
	}
	files, err := render.APISIX(checked.Node, checked.Config, a.APISIXOptions)
	if err != nil {
		return err
	}
	if a.out != "" {
		if err := os.MkdirAll(a.out, 0o755); err != nil { //nolint:gosec // nothing in it is secret
			return err
		}
		return putAll(a.out, files)
	}
	for _, f := range files {
		if f.Name == apisixForms[a.form] {
			return put(s, "", f.Text)
		}
	}
	return fmt.Errorf("--form is config, standalone or admin, not %q", a.form)
}
