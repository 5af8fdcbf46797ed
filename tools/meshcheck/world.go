package meshcheck

import (
	"slices"
	"strings"

	"github.com/posterngw/postern/tools/render"
)

// Names that the chart gives, and that patches refer to each other by.
const (
	clientStage   = "postern-client"
	providerStage = "postern-provider"
	routeName     = "postern"
)

// Types of what patches hold.
const (
	typeWasm     = "envoy.extensions.filters.http.wasm.v3.Wasm"
	typeFilter   = "envoy.config.route.v3.FilterConfig"
	typeProtocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
	typeMatcher  = "envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier"
	typeCodec    = "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
)

// world is what is wanted, and the resources by what they are for.
type world struct {
	want  *render.IstioValues
	limit int // of bodies, in the module

	all      []place
	plugins  []plugin
	filters  []place // EnvoyFilters of Postern
	stages   []place // the plugin configurations in them
	clusters []patch
	routing  []patch // of routes
	inserted []patch // filters of listeners
	routes   []place // of VirtualServices and HTTPRoutes, that lead to providers
}

// patch is one entry of an EnvoyFilter.
type patch struct {
	place
	match, value place
}

func newWorld(want *render.IstioValues, limit int, resources []Resource) *world {
	w := &world{want: want, limit: limit}
	for i := range resources {
		p := place{r: &resources[i]}.put(resources[i].node, resources[i].path)
		w.all = append(w.all, p)
		switch {
		case p.r.Kind == "WasmPlugin" && isPlugin(p):
			w.plugins = append(w.plugins, newPlugin(p))
		case p.r.Kind == "EnvoyFilter" && (strings.HasPrefix(p.r.Name, routeName) || p.mentions("postern-") || p.mentions("wasm.postern.")):
			w.addFilter(p)
		}
	}
	w.addRoutes()
	return w
}

// native reports whether the module is loaded by an EnvoyFilter.
func (w *world) native() bool {
	return len(w.stages) > 0 || len(w.clusters) > 0 || len(w.routing) > 0 || len(w.inserted) > 0
}

// serving reports whether the module answers for requests.
func (w *world) serving() bool {
	return w.native() || len(w.plugins) > 0
}

func (w *world) addFilter(p place) {
	w.filters = append(w.filters, p)
	for _, one := range p.at("spec", "config_patches").items() {
		pt := patch{place: one, match: one.at("match"), value: one.at("patch", "value")}
		switch one.at("apply_to").text() {
		case "EXTENSION_CONFIG":
			if c := pt.value.at("typed_config"); c.typed(typeWasm) {
				w.stages = append(w.stages, c.at("config"))
			}
		case "HTTP_FILTER":
			w.inserted = append(w.inserted, pt)
		case "CLUSTER":
			w.clusters = append(w.clusters, pt)
		case "HTTP_ROUTE":
			w.routing = append(w.routing, pt)
		}
	}
}

// stage is the configuration of a stage.
func (w *world) stage(name string) (place, bool) {
	i := slices.IndexFunc(w.stages, func(p place) bool { return p.at("name").text() == name })
	if i < 0 {
		return place{}, false
	}
	return w.stages[i], true
}

// upstreams are all hosts that the gateway asks.
func (w *world) upstreams() []render.IstioHost {
	return slices.Concat(w.want.Providers, w.want.Endpoints)
}

// kind are the resources of a kind.
func (w *world) kind(name string) (list []place) {
	for _, p := range w.all {
		if p.r.Kind == name {
			list = append(list, p)
		}
	}
	return list
}

// addRoutes finds the routes by which requests come to providers: those of the
// name that patches apply to, or else those that lead there.
func (w *world) addRoutes() {
	if !w.serving() {
		return
	}
	var named, leading []place
	for _, p := range w.all {
		for _, route := range routesOf(p) {
			switch {
			case route.at("name").text() == routeName:
				named = append(named, route)
			case slices.ContainsFunc(w.upstreams(), func(h render.IstioHost) bool { return leads(route, h) }):
				leading = append(leading, route)
			}
		}
	}
	if w.routes = named; !w.native() || len(named) == 0 {
		w.routes = append(w.routes, leading...)
	}
}

// routesOf are the routes of a resource.
func routesOf(p place) []place {
	switch p.r.Kind {
	case "VirtualService":
		return p.at("spec", "http").items()
	case "HTTPRoute":
		return p.at("spec", "rules").items()
	}
	return nil
}

// leads reports whether a route names a host.
func leads(route place, h render.IstioHost) bool {
	for _, to := range route.at("route").items() {
		d := to.at("destination")
		if full(d.at("host").text(), route.r.Namespace) == h.Host && d.at("port", "number").number() == h.Port {
			return true
		}
	}
	for _, to := range route.at("backendRefs").items() {
		name := to.at("name").text()
		if to.at("kind").text() != "Hostname" {
			namespace := to.at("namespace").text()
			if namespace == "" {
				namespace = route.r.Namespace
			}
			name = full(name, namespace)
		}
		if name == h.Host && to.at("port").number() == h.Port {
			return true
		}
	}
	return false
}

// full is the whole name of a Service.
func full(name, namespace string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return name + "." + namespace + ".svc.cluster.local"
}
