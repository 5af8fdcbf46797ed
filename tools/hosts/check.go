package hosts

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/render"
)

// The codes of findings that are about no feature.
const (
	wrongMode    config.Code = "host_mode"
	wrongVersion config.Code = "host_version"
	notRun       config.Code = "host_untested"
	notRendered  config.Code = "host_refused"
)

// Findings are what a place makes of a configuration: what it refuses, and what
// works there in a weaker way.
type Findings struct{ Errors, Warnings config.Errors }

// Check says what becomes of a configuration at a place. The version is the host's;
// empty: unknown.
func Check(node *config.Node, c *pipeline.Config, p Place, version string) (Findings, error) {
	f := finder{node: node, c: c, place: p}
	if err := f.version(version); err != nil {
		return Findings{}, err
	}
	if written := node.Get("mode"); written != nil && c.Mode != p.Mode && p.Host != Istio { // whose resources have a mode of their own
		f.fail("/mode", wrongMode, fmt.Sprintf("the configuration says mode %s, and what is asked for is %s, mode %s", c.Mode, p.Host.Title(), p.Mode), "leave `mode` out: the renderer writes it")
	}
	rows := Features
	if p.Mode == pipeline.Observe { // which asks nothing of the host but to show what passes
		rows = Observed
	}
	for i := range rows {
		f.feature(&rows[i])
	}
	switch {
	case p == APISIXObserve:
		f.warn("", notRendered, "nothing renders it: give the plugin this configuration on your own routes", "see docs/observe.md")
	case len(f.found.Errors) == 0:
		f.rendered()
	}
	f.found.Errors.Sort()
	f.found.Warnings.Sort()
	return f.found, nil
}

type finder struct {
	node  *config.Node
	c     *pipeline.Config
	place Place
	found Findings
}

func (f *finder) fail(pointer string, code config.Code, message, hint string) {
	f.found.Errors.Add(f.finding(pointer, code, message, hint))
}

func (f *finder) warn(pointer string, code config.Code, message, hint string) {
	f.found.Warnings.Add(f.finding(pointer, code, message, hint))
}

// finding is one at a place of the document, as far as the document has it.
func (f *finder) finding(pointer string, code config.Code, message, hint string) config.Error {
	e := config.Error{Pointer: pointer, Code: code, Message: message, Hint: hint}
	e.Line, e.Column = position(f.node, pointer)
	return e
}

// feature tells what is weaker once, and what is refused wherever it is wanted.
func (f *finder) feature(x *Feature) {
	cell := x.At(f.place)
	used := []string{""}
	if x.Uses != nil {
		used = x.Uses(f.c)
	}
	if len(used) == 0 || cell.How == "" {
		return
	}
	message := fmt.Sprintf("%s (%s, mode %s): %s", x.Title, f.place.Host.Title(), f.place.Mode, cell.How)
	if cell.State == Refused {
		for _, pointer := range used {
			f.fail(pointer, config.Code(x.Code()), message, cell.Hint)
		}
		return
	}
	if n := len(used) - 1; n > 0 {
		message += ", here and at " + strconv.Itoa(n) + " more"
	}
	f.warn(used[0], config.Code(x.Code()), message, cell.Hint)
}

// rendered asks the renderer of the place, which refuses what it cannot write.
func (f *finder) rendered() {
	if err := Render(f.node, f.place); err != nil {
		f.fail("", notRendered, err.Error(), "")
	}
}

// Render writes what a configuration is deployed with at a place, with all that a
// deployment decides left at its defaults, and says what keeps it from being written.
func Render(node *config.Node, p Place) error {
	node, c, err := inMode(node, p.Mode)
	if err != nil {
		return err
	}
	switch p.Host {
	case Istio:
		o := render.IstioDefaults()
		o.Mode = string(p.Mode)
		o.WithImage("oci://registry.example.com/postern:any")
		_, err = render.Istio(node, o)
	case APISIX:
		_, err = render.APISIX(node, c, render.APISIXDefaults())
	default:
		o := render.Options{Listen: "0.0.0.0:8080"}
		if c.Identity.JWT != nil {
			o.Filters = "# " + c.Identity.JWT.Namespace // that a filter verifies tokens is the deployment's to see to
		}
		_, err = render.Envoy(node, c, o)
	}
	return err
}

// inMode is a configuration in a mode, unless it has one.
func inMode(node *config.Node, mode pipeline.Mode) (*config.Node, *pipeline.Config, error) {
	if node.Get("mode") == nil && mode != pipeline.Native { // which is what a document without a mode means
		with := *node
		with.Members = append(slices.Clone(node.Members), config.Member{Key: "mode", Value: &config.Node{Kind: config.KindString, Text: string(mode)}})
		node = &with
	}
	c, errs := pipeline.Decode(node, builtin.Dialects())
	return node, c, errs.Err()
}
