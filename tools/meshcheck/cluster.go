package meshcheck

import (
	"slices"

	"github.com/posterngw/postern/tools/render"
)

var clusterRules = []rule{
	{"cluster_patch_missing", clusterPatchMissing},
	{"cluster_stage_missing", clusterStageMissing},
	{"cluster_codec", clusterCodec},
}

// chain is the list of a cluster's filters.
func chain(p patch) place {
	return p.value.at("typed_extension_protocol_options").at("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "http_filters")
}

// isFor reports whether a patch is for the cluster of a host.
func (p patch) isFor(h *render.IstioHost) bool {
	match := p.match.at("cluster")
	port := match.at("port_number")
	return match.at("name").text() == h.Cluster ||
		match.at("service").text() == h.Host && (!port.present() || port.number() == h.Port)
}

func clusterPatchMissing(w *world, report report) {
	if !w.native() {
		return
	}
	for i := range w.want.Providers {
		h := &w.want.Providers[i]
		if !slices.ContainsFunc(w.clusters, func(p patch) bool { return p.isFor(h) }) {
			report(w.filter(), "no patch puts the provider stage into the cluster of "+h.Host+": its requests would leave as they came, without a key",
				"add one by applyTo: CLUSTER, with match: {cluster: {service: "+h.Host+"}}")
		}
	}
}

// providers calls a function for each patch that is for a provider's cluster.
func (w *world) providers(f func(patch)) {
	for _, p := range w.clusters {
		if slices.ContainsFunc(w.want.Providers, func(h render.IstioHost) bool { return p.isFor(&h) }) {
			f(p)
		}
	}
}

func clusterStageMissing(w *world, report report) {
	w.providers(func(p patch) {
		if !slices.ContainsFunc(chain(p).items(), func(f place) bool { return f.at("name").text() == providerStage }) {
			report(chain(p), "the provider stage is not among the cluster's filters", "put "+providerStage+" first")
		}
	})
}

func clusterCodec(w *world, report report) {
	w.providers(func(p patch) {
		filters := chain(p).items()
		if n := len(filters); n == 0 || !filters[n-1].at("typed_config").typed(typeCodec) {
			report(chain(p), "the last filter of a cluster must be envoy.filters.http.upstream_codec: without it no request leaves", "put it last")
		}
	})
}
