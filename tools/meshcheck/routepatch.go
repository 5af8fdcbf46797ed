package meshcheck

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/tools/render"
)

var routePatchRules = []rule{
	{"route_patch_missing", routePatchMissing},
	{"route_match_gateway", routeMatchGateway},
	{"route_filter_config", routeFilterConfig},
	{"route_body_buffer", routeBodyBuffer},
	{"matcher_attempt", matcherAttempt},
	{"matcher_target", matcherTarget},
	{"retry_on", retryOn},
	{"retry_header", retryHeader},
	{"retry_refresh", retryRefresh},
	{"retry_count", retryCount},
}

func routePatchMissing(w *world, report report) {
	if w.native() && len(w.routing) == 0 {
		report(w.filter(), "no patch turns the module on for a route: requests pass unchecked", "add one by applyTo: HTTP_ROUTE, for the route "+routeName)
	}
}

func routeMatchGateway(w *world, report report) {
	for _, p := range w.routing {
		if at := p.match.at("route_configuration", "gateway"); at.present() {
			report(at, "a match of routes by gateway never applies, and nothing says so", "match by the route's name: vhost: {route: {name: "+routeName+"}}")
		}
	}
}

func routeFilterConfig(w *world, report report) {
	for _, p := range w.routing {
		at := p.value.at("typed_per_filter_config", clientStage)
		if !at.typed(typeFilter) || at.at("disabled").isTrue() || !at.at("config").typed(typeWasm) {
			report(at.at("config"), "this does not turn the module on for the route: Istio refuses an empty config, and Envoy none",
				`{"@type": type.googleapis.com/`+typeFilter+`, is_optional: true, config: {"@type": type.googleapis.com/`+typeWasm+"}}")
		}
	}
}

func routeBodyBuffer(w *world, report report) {
	for _, p := range w.routing {
		if at := p.value.at("request_body_buffer_limit"); at.number() < w.limit {
			report(at, "below the module's own limit of "+strconv.Itoa(w.limit)+" bytes, so the proxy refuses before it, in no client's dialect",
				"request_body_buffer_limit: "+strconv.Itoa(w.want.Buffer))
		}
	}
}

// specifier is the matcher that chooses the cluster of an attempt.
func specifier(p patch) place {
	return p.value.at("route", "inline_cluster_specifier_plugin", "extension", "typed_config", "cluster_matcher")
}

// choice is what is chosen from for one attempt.
func choice(p patch, attempt int) place {
	if attempt == 1 {
		return specifier(p).at("on_no_match", "matcher", "matcher_tree")
	}
	for _, m := range specifier(p).at("matcher_list", "matchers").items() {
		one := m.at("predicate", "single_predicate")
		if one.at("value_match", "exact").text() == strconv.Itoa(attempt-1) && one.at("input", "typed_config", "header_name").text() == "x-envoy-attempt-count" {
			return m.at("on_match", "matcher", "matcher_tree")
		}
	}
	return specifier(p).at("matcher_list", "matchers").put(nil, specifier(p).at("matcher_list", "matchers").path)
}

// attempts calls a function for each attempt that a plan can have.
func (w *world) attempts(f func(p patch, attempt int)) {
	for _, p := range w.routing {
		for n := 1; n <= len(w.want.Attempts)+1; n++ {
			f(p, n)
		}
	}
}

func matcherAttempt(w *world, report report) {
	w.attempts(func(p patch, n int) {
		key := "wasm.postern.t" + strconv.Itoa(n)
		if at := choice(p, n); at.at("input", "typed_config", "key").text() != key {
			report(at, "attempt "+strconv.Itoa(n)+" of a request goes to no target of its own: a plan can have "+strconv.Itoa(len(w.want.Attempts)+1),
				"add a matcher for x-envoy-attempt-count "+strconv.Itoa(n-1)+" that reads "+key)
		}
	})
}

func matcherTarget(w *world, report report) {
	w.attempts(func(p patch, n int) {
		at := choice(p, n).at("exact_match_map", "map")
		if !choice(p, n).present() {
			return // an attempt that is missing
		}
		for _, h := range w.want.Providers {
			if at.at(h.Cluster).at("action", "typed_config", "cluster").text() != h.Cluster {
				report(at, "attempt "+strconv.Itoa(n)+" cannot go to "+h.Host, "add "+h.Cluster+" to the map")
			}
		}
	})
}

func retries(p patch) place { return p.value.at("route", "retry_policy") }

func retryOn(w *world, report report) {
	for _, p := range w.routing {
		at := retries(p).at("retry_on")
		on := strings.Split(strings.ReplaceAll(at.text(), " ", ""), ",")
		for _, c := range []struct{ name, why string }{
			{"retriable-headers", "an error of a provider would go to the client, and to no other target"},
			{"reset", "a provider that hangs, or breaks off, would be an error for the client"},
			{"connect-failure", "a provider that refuses connections would be an error for the client"},
		} {
			if !slices.Contains(on, c.name) {
				report(at, "without "+c.name+" "+c.why, "retry_on: retriable-headers,connect-failure,refused-stream,reset")
			}
		}
	}
}

func retryHeader(w *world, report report) {
	const name = "x-postern-retry"
	for _, p := range w.routing {
		at := retries(p).at("retriable_headers")
		if !slices.ContainsFunc(at.items(), func(h place) bool { return h.at("name").text() == name }) {
			report(at, "the header by which the module asks for another attempt is not named", "retriable_headers: [{name: "+name+", present_match: true}]")
		}
	}
}

func retryRefresh(w *world, report report) {
	for _, p := range w.routing {
		if at := retries(p).at("refresh_cluster_on_retry"); !at.isTrue() {
			report(at, "every attempt would go to the first target again", "refresh_cluster_on_retry: true")
		}
	}
}

func retryCount(w *world, report report) {
	for _, p := range w.routing {
		if at := retries(p).at("num_retries"); at.number() != 0 {
			report(at, "the module says how often, per request; a number here lets the proxy try again what the module did not plan", "num_retries: 0")
		}
	}
}

// unnamed are the hosts that no route names.
func (w *world) unnamed() (list []render.IstioHost) {
	for _, h := range w.upstreams() {
		if !slices.ContainsFunc(w.routes, func(r place) bool { return leads(r, h) }) {
			list = append(list, h)
		}
	}
	return list
}
