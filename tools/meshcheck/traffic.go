package meshcheck

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

var trafficRules = []rule{
	{"route_missing", routeMissing},
	{"route_name", routeNamed},
	{"route_target", routeTarget},
	{"route_retries", routeRetries},
	{"route_timeout", routeTimeout},
	{"route_gateway", routeGateway},
}

func routeMissing(w *world, report report) {
	if w.serving() && len(w.routes) == 0 {
		report(nowhere("VirtualService", routeName), "no VirtualService or HTTPRoute leads requests to the module", "add one with a route of the name "+routeName)
	}
}

func routeNamed(w *world, report report) {
	if !w.native() {
		return
	}
	for _, r := range w.routes {
		if at := r.at("name"); at.text() != routeName {
			report(at, "the module is on for the route "+routeName+" alone: on this one requests pass unchecked", "name: "+routeName)
		}
	}
}

func routeTarget(w *world, report report) {
	if len(w.routes) == 0 {
		return
	}
	at := w.routes[0].at("route")
	if w.routes[0].r.Kind == "HTTPRoute" {
		at = w.routes[0].at("backendRefs")
	}
	for _, h := range w.unnamed() {
		report(at, "no route names "+h.Host+" at port "+strconv.Itoa(h.Port)+": with PILOT_FILTER_GATEWAY_CLUSTER_CONFIG the gateway does not get its cluster",
			"name it with weight 0")
	}
}

// routeRetries: a VirtualService without retries has those of the mesh, two.
func routeRetries(w *world, report report) {
	for _, r := range w.routes {
		switch at, other := r.at("retries"), r.at("retry"); {
		case r.at("direct_response").present():
		case r.r.Kind == "HTTPRoute" && other.present():
			report(other, "the module says how often a request is tried", "remove it")
		case r.r.Kind == "VirtualService" && at.at("attempts").number() != 0:
			report(at, "the module says how often a request is tried; without a word Istio tries three times", "retries: {attempts: 0}")
		}
	}
}

func routeTimeout(w *world, report report) {
	for _, r := range w.routes {
		for _, at := range append(r.at("timeouts").members(), r.at("timeout")) {
			if at.present() && strings.Trim(at.text(), "0.hms") != "" {
				report(at, "the module says how long a request may take; this one would cut streams off", "remove it")
			}
		}
	}
}

// routeGateway wants routes at a gateway: one of the resources', if they have
// any.
func routeGateway(w *world, report report) {
	var known []string
	for _, g := range w.kind("Gateway") {
		known = append(known, g.r.Namespace+"/"+g.r.Name)
	}
	var seen []*Resource
	for _, r := range w.routes {
		if slices.Contains(seen, r.r) {
			continue
		}
		seen = append(seen, r.r)
		at, names := gateways(r.r)
		if !slices.ContainsFunc(names, func(name string) bool { return len(known) == 0 || slices.Contains(known, name) }) {
			report(at, "the route is not at the gateway: "+config.Quote(strings.Join(names, ", ")), "name it: "+strings.Join(known, ", "))
		}
	}
}

// gateways are those that a resource's routes are for, without the mesh itself.
func gateways(r *Resource) (at place, names []string) {
	root := place{r: r}.put(r.node, r.path)
	if r.Kind == "HTTPRoute" {
		at = root.at("spec", "parentRefs")
		for _, p := range at.items() {
			namespace := p.at("namespace").text()
			if namespace == "" {
				namespace = r.Namespace
			}
			names = append(names, namespace+"/"+p.at("name").text())
		}
		return at, names
	}
	at = root.at("spec", "gateways")
	for _, name := range at.texts() {
		switch {
		case name == "mesh":
		case strings.Contains(name, "/"):
			names = append(names, name)
		default:
			names = append(names, r.Namespace+"/"+name)
		}
	}
	return at, names
}
