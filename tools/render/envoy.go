package render

import (
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
)

//go:embed envoy.yaml.tmpl
var envoyTemplate string

var envoy = parsed(template.FuncMap{"indent": indent, "number": number, "add": func(a, b int) int { return a + b }},
	func() (map[string]string, error) { return map[string]string{"envoy": envoyTemplate}, nil })

// indent moves every line that is not empty to the right.
func indent(n int, text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", n) + line
		}
	}
	return strings.Join(lines, "\n")
}

// number spells a bound without an exponent.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// Envoy renders a bootstrap for Envoy 1.40.
func Envoy(node *config.Node, c *pipeline.Config, o Options) ([]byte, error) {
	o.Dir = ""
	files, err := render(node, c, o, "bootstrap")
	if err != nil {
		return nil, err
	}
	return files[0].Text, nil
}

// File is one of several that are rendered.
type File struct {
	Name string
	Text []byte
}

// XDS renders the files that Envoy 1.40 reads listeners, routes and clusters from
// while it runs, in Options.Dir, and the bootstrap that points to them, which
// comes last. The files are in the order in which they are to be replaced. What
// Options.Before holds besides stays until the files are rendered again.
func XDS(node *config.Node, c *pipeline.Config, o Options) ([]File, error) {
	if !path.IsAbs(o.Dir) {
		return nil, errors.New("the directory of the files must be an absolute path")
	}
	return render(node, c, o, "clusters.yaml", "routes.yaml", "listeners.yaml", "bootstrap.yaml")
}

func render(node *config.Node, c *pipeline.Config, o Options, names ...string) (files []File, err error) {
	if c.Mode == pipeline.Observe && o.Wasm == "" {
		o.Wasm = "/etc/postern/postern-observe.wasm"
	}
	o.defaults()
	if c.Mode == pipeline.Callouts {
		return nil, errors.New("mode: callout is for hosts that change no bodies: Envoy needs native or paired")
	}
	if err := hostOnly(c, &o); err != nil {
		return nil, err
	}
	if c.Mode == pipeline.Observe {
		if len(names) > 1 {
			return nil, errors.New("mode: observe is a filter in a listener that serves already: render it as one file")
		}
		names = []string{"observe"}
	}
	view, err := newView(node, c, o)
	if err != nil {
		return nil, err
	}
	if view.Generation, err = view.generation(); err != nil {
		return nil, err
	}
	for _, name := range names {
		var b strings.Builder
		if err := envoy().ExecuteTemplate(&b, name, view); err != nil {
			return nil, fmt.Errorf("render envoy: %w", err)
		}
		if name == "routes.yaml" {
			name = view.Routes()
		}
		files = append(files, File{name, []byte(b.String())})
	}
	return files, nil
}

// File is the path at which Envoy finds a file of XDS.
func (v *view) File(name string) string { return path.Join(v.Dir, name) }

// shown is a cluster as the template shows it.
type shown struct {
	cluster
	View     *view
	Provider bool   // it serves requests
	VM       string // how the provider stage's VM is named
	First    bool   // it is named here for others
}

// Full is the name of the cluster in Envoy.
func (s shown) Full() string {
	if !s.Provider {
		return s.Name
	}
	return s.View.Full(s.cluster)
}

// All are the clusters, each once. In a file of their own the first one says what
// the VM is, otherwise the listener has.
func (v *view) All() (list []shown) {
	for i, c := range slices.Concat(v.Clusters, v.Endpoints) {
		one := shown{cluster: c, View: v, Provider: i < len(v.Clusters), VM: "*vm"}
		if one.First = i == 0 && v.Dir != ""; one.First {
			one.VM = "&vm"
		}
		list = append(list, one)
	}
	return list
}

// hostOnly refuses what only a filter can do that postern.yaml does not describe.
func hostOnly(c *pipeline.Config, o *Options) error {
	if c.Identity.JWT != nil && c.Mode != pipeline.Observe && !strings.Contains(o.Filters, c.Identity.JWT.Namespace) {
		return fmt.Errorf("identity.jwt: the host verifies tokens, and no filter here does: give the HTTP filters that come before the module, with %s among them", c.Identity.JWT.Namespace)
	}
	return nil
}
