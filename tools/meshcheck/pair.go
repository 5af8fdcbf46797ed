package meshcheck

import (
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
)

var pairRules = []rule{
	{"pair_reader_missing", pairReader},
	{"pair_holder_missing", pairHolder},
	{"pair_priority", pairPriority},
	{"pair_image", pairSame("the image", "both plugins need one image, by one url", "url")},
	{"pair_env", pairSame("the environment", "Istio makes one VM of plugins with the same vmConfig alone: write the same to both", "vm_config", "env")},
	{"pair_phase", pairPhase},
	{"pair_selector", pairSame("the selector", "both plugins must be in the same pods", "selector")},
	{"pair_target", pairSame("the target", "both plugins must be in the same pods", "target_refs")},
	{"pair_route", pairRoute},
	{"pair_route_host", pairRouteHost},
}

// partner is the plugin that makes a pair with one, that of the same pods before
// others.
func (w *world) partner(of plugin) (plugin, bool) {
	var found []plugin
	for _, p := range w.plugins {
		if p.paired() && p.role != of.role && p.r.Namespace == of.r.Namespace {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return plugin{}, false
	}
	i := slices.IndexFunc(found, func(p plugin) bool {
		return p.at("selector").same(of.at("selector")) && p.at("target_refs").same(of.at("target_refs"))
	})
	return found[max(i, 0)], true
}

// pairs calls a function for each pair.
func (w *world) pairs(f func(read, hold plugin)) {
	for _, p := range w.plugins {
		if other, found := w.partner(p); found && p.role == reader {
			f(p, other)
		}
	}
}

func pairReader(w *world, report report) {
	for _, p := range w.plugins {
		if _, found := w.partner(p); !found && p.role == holder {
			report(p.place, "a holder without a reader refuses every request", "add the WasmPlugin of the reader, with a higher priority")
		}
	}
}

func pairHolder(w *world, report report) {
	for _, p := range w.plugins {
		if _, found := w.partner(p); !found && p.role == reader {
			report(p.place, "a reader without a holder refuses every request", "add the WasmPlugin of the holder, `stage: holder`, with a lower priority")
		}
	}
}

func pairPriority(w *world, report report) {
	w.pairs(func(read, hold plugin) {
		if read.at("priority").number() <= hold.at("priority").number() {
			report(read.at("priority"), "the reader comes after the holder "+config.Quote(hold.r.Name)+": it never sees a body", "give the reader the higher priority")
		}
	})
}

func pairPhase(w *world, report report) {
	phase := func(p plugin) string { return strings.TrimPrefix(p.at("phase").text(), "UNSPECIFIED_PHASE") }
	w.pairs(func(read, hold plugin) {
		if phase(read) != phase(hold) {
			report(hold.at("phase"), "the phase is not that of the reader "+config.Quote(read.r.Name), "give both the same phase: their order is by priority only within one")
		}
	})
}

// pairSame wants both of a pair to have the same.
func pairSame(what, hint string, path ...string) func(*world, report) {
	return func(w *world, report report) {
		w.pairs(func(read, hold plugin) {
			if !read.at(path...).same(hold.at(path...)) {
				report(hold.at(path...), what+" is not that of the reader "+config.Quote(read.r.Name), hint)
			}
		})
	}
}

// byCluster reports whether a route is for requests that the module sends to a
// cluster.
func byCluster(route place, cluster string) bool {
	for _, m := range append(route.at("match").items(), route.at("matches").items()...) {
		if m.at("headers", pipeline.ClusterHeader, "exact").text() == cluster {
			return true
		}
		for _, h := range m.at("headers").items() {
			if h.at("name").text() == pipeline.ClusterHeader && h.at("value").text() == cluster {
				return true
			}
		}
	}
	return false
}

// pairRoute wants a route for each cluster that the module can name.
func pairRoute(w *world, report report) {
	if len(w.routes) == 0 || w.native() {
		return
	}
	w.pairs(func(plugin, plugin) {
		for _, h := range w.want.Providers {
			if !slices.ContainsFunc(w.routes, func(r place) bool { return leads(r, h) && byCluster(r, h.Cluster) }) {
				report(w.routes[0], "no route takes requests to "+h.Host+" once the module has decided for it",
					"match the header "+pipeline.ClusterHeader+" exactly: "+h.Cluster)
			}
		}
	})
}

// pairRouteHost: the host's name is the route's to write, after the module.
func pairRouteHost(w *world, report report) {
	w.pairs(func(plugin, plugin) {
		for _, r := range w.routes {
			for _, h := range w.want.Providers {
				if byCluster(r, h.Cluster) && r.at("rewrite", "authority").text() != h.Authority && !rewritten(r, h.Host) {
					report(r, "requests to "+h.Host+" would carry the gateway's own name", "rewrite: {authority: "+h.Authority+"}")
				}
			}
		}
	})
}

// rewritten reports whether a rule of an HTTPRoute writes a host's name.
func rewritten(rule place, host string) bool {
	return slices.ContainsFunc(rule.at("filters").items(), func(f place) bool { return f.at("urlRewrite", "hostname").text() == host })
}
