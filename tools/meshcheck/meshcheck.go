// Package meshcheck holds Istio resources against a postern.yaml before they are
// applied: what Istio takes without a word and then hangs, lets requests by
// unchecked, loses a provider or trusts a wrong certificate. Each rule is one of
// what was seen to go wrong.
//
// It is pure: a configuration and resources go in, problems come out. It asks no
// cluster, so what is applied elsewhere it does not know: give it all that belongs
// to the gateway. It does not do what Istio's own validation does, and leaves
// resources alone that have nothing to do with Postern.
package meshcheck

import (
	"cmp"
	"slices"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/render"
)

// Problem is one finding in a resource. Its pointer leads through the resource's
// document.
type Problem struct {
	config.Error
	File string // empty: what is missing stands nowhere
	Kind string
	Name string
}

// rule is one thing that can be wrong. Its code is stable.
type rule struct {
	code  config.Code
	check func(*world, report)
}

// report adds a problem at a place.
type report func(at place, message, hint string)

// rules are looked at in this order.
var rules = slices.Concat(pluginRules, pairRules, stageRules, clusterRules, routePatchRules, serviceRules, trafficRules,
	[]rule{{"module_missing", moduleMissing}})

// Check finds what is wrong with resources for a configuration. The error says
// that the configuration itself cannot be had on Istio.
func Check(node *config.Node, resources []Resource) ([]Problem, error) {
	o := render.IstioDefaults()
	o.Image.URL = "oci://any/image" // not looked at
	want, err := render.NewIstioValues(node, o)
	if err != nil {
		return nil, err
	}
	c, errs := pipeline.Decode(node, builtin.Dialects())
	if len(errs) > 0 {
		return nil, errs
	}
	w := newWorld(want, max(c.Limits.Body, c.Limits.Answer), resources)
	looked := rules
	if w.observed() {
		looked = pluginRules // how requests are served is not Postern's
	}
	var problems []Problem
	for _, r := range looked {
		r.check(w, func(at place, message, hint string) {
			problems = append(problems, at.problem(r.code, message, hint))
		})
	}
	return problems, nil
}

// Sort puts problems into the order of files and lines; those of no file come
// last.
func Sort(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if (a.File == "") != (b.File == "") {
			return cmp.Compare(b.File, a.File)
		}
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// observed reports whether the module only observes what others serve.
func (w *world) observed() bool {
	for _, p := range w.plugins {
		if p.role != watcher {
			return false
		}
	}
	return len(w.plugins) > 0 && !w.native()
}

func moduleMissing(w *world, report report) {
	if !w.native() && len(w.plugins) == 0 {
		report(nowhere("EnvoyFilter", "postern"), "nothing among the resources loads the module",
			"give all of the gateway's resources, as `postern render istio` makes them")
	}
}
