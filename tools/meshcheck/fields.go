package meshcheck

import (
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

// shape is what an object of a patch may have: the fields of the message, and
// the messages below it.
type shape struct {
	message string // its full name
	fields  string
	below   map[string]*shape
}

// The messages of Envoy 1.40 that Postern's patches hold. What Istio does not
// know in them it drops with a warning only. A test beside Istio's own code holds
// them against the protocol's (e2e/istio).
var (
	stageShape = &shape{"envoy.extensions.wasm.v3.PluginConfig", "name root_id vm_config configuration fail_open failure_policy reload_config capability_restriction_config allow_on_headers_stop_iteration",
		map[string]*shape{"vm_config": {"envoy.extensions.wasm.v3.VmConfig", "vm_id runtime code configuration allow_precompiled nack_on_code_cache_miss environment_variables",
			map[string]*shape{"environment_variables": {"envoy.extensions.wasm.v3.EnvironmentVariables", "host_env_keys key_values", nil}}}}}
	filterShape = &shape{"envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter", "name typed_config config_discovery is_optional disabled",
		map[string]*shape{"config_discovery": {"envoy.config.core.v3.ExtensionConfigSource", "config_source default_config apply_default_config_without_warming type_urls", nil}}}
	protocolShape = &shape{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "@type common_http_protocol_options upstream_http_protocol_options explicit_http_config use_downstream_protocol_config auto_config http_filters header_validation_config outlier_detection request_mirror_policies hash_policy retry_policy", nil}
	routeShape    = &shape{"envoy.config.route.v3.Route", "name match route redirect direct_response filter_action non_forwarding_action metadata decorator typed_per_filter_config request_headers_to_add request_headers_to_remove response_headers_to_add response_headers_to_remove tracing per_request_buffer_limit_bytes request_body_buffer_limit stat_prefix",
		map[string]*shape{
			"decorator": {"envoy.config.route.v3.Decorator", "operation propagate", nil},
			"route": {"envoy.config.route.v3.RouteAction", "cluster cluster_header weighted_clusters cluster_specifier_plugin inline_cluster_specifier_plugin cluster_not_found_response_code metadata_match prefix_rewrite regex_rewrite path_rewrite_policy path_rewrite host_rewrite_literal auto_host_rewrite host_rewrite_header host_rewrite_path_regex host_rewrite append_x_forwarded_host timeout idle_timeout flush_timeout early_data_policy retry_policy retry_policy_typed_config request_mirror_policies priority rate_limits include_vh_rate_limits hash_policy cors max_grpc_timeout grpc_timeout_offset upgrade_configs internal_redirect_policy internal_redirect_action max_internal_redirects hedge_policy max_stream_duration",
				map[string]*shape{
					"retry_policy":                    {"envoy.config.route.v3.RetryPolicy", "retry_on num_retries per_try_timeout per_try_idle_timeout retry_priority retry_host_predicate retry_options_predicates host_selection_retry_max_attempts retriable_status_codes retry_back_off rate_limited_retry_back_off retriable_headers retriable_request_headers refresh_cluster_on_retry", map[string]*shape{"retry_back_off": {"envoy.config.route.v3.RetryPolicy.RetryBackOff", "base_interval max_interval", nil}}},
					"inline_cluster_specifier_plugin": {"envoy.config.route.v3.ClusterSpecifierPlugin", "extension is_optional", map[string]*shape{"extension": {"envoy.config.core.v3.TypedExtensionConfig", "name typed_config", map[string]*shape{"typed_config": {"envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier", "@type cluster_matcher", map[string]*shape{"cluster_matcher": {"xds.type.matcher.v3.Matcher", "matcher_list matcher_tree on_no_match", nil}}}}}}},
				}},
		}}
	perRouteShape = &shape{"envoy.config.route.v3.FilterConfig", "@type config is_optional disabled", map[string]*shape{"config": {"google.protobuf.Any", "@type config", nil}}}
)

// Fields are those that are known of each message, by its full name: "@type" is
// that of an Any.
func Fields() map[string][]string {
	all := map[string][]string{}
	for _, s := range []*shape{stageShape, filterShape, protocolShape, routeShape, perRouteShape} {
		s.collect(all)
	}
	return all
}

func (s *shape) collect(all map[string][]string) {
	all[s.message] = strings.Fields(s.fields)
	for _, below := range s.below {
		below.collect(all)
	}
}

func unknownFields(w *world, report report) {
	for _, s := range w.stages {
		stageShape.check(s, report)
	}
	for _, p := range w.inserted {
		filterShape.check(p.value, report)
	}
	w.providers(func(p patch) {
		protocolShape.check(p.value.at("typed_extension_protocol_options").at(typeProtocol), report)
		for _, f := range chain(p).items() {
			filterShape.check(f, report)
		}
	})
	for _, p := range w.routing {
		routeShape.check(p.value, report)
		perRouteShape.check(p.value.at("typed_per_filter_config", clientStage), report)
	}
}

// check looks at an object and at what is below it.
func (s *shape) check(at place, report report) {
	known := strings.Fields(s.fields)
	for _, m := range at.members() {
		name := snake(m.key())
		if !slices.Contains(known, name) {
			report(m, "there is no field "+config.Quote(m.key())+": Istio drops it with a warning that is easily missed", "fields here: "+strings.Join(known, ", "))
			continue
		}
		if below := s.below[name]; below != nil {
			below.check(m, report)
		}
	}
}
