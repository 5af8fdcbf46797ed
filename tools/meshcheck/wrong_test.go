package meshcheck_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// edit makes a wrong text of a good one.
type edit func(t *testing.T, text string) string

// sub replaces the first text after another.
func sub(after, old, by string) edit {
	return func(t *testing.T, text string) string {
		from := strings.Index(text, after)
		require.GreaterOrEqual(t, from, 0, after)
		require.Contains(t, text[from:], old)
		return text[:from] + strings.Replace(text[from:], old, by, 1)
	}
}

// drop leaves out the document of a kind and name.
func drop(kind, name string) edit {
	return func(t *testing.T, text string) string {
		var kept []string
		documents := strings.Split(text, "---\n")
		for _, d := range documents {
			if !strings.Contains(d, "kind: "+kind+"\n") || !strings.Contains(d, name) {
				kept = append(kept, d)
			}
		}
		require.Len(t, kept, len(documents)-1)
		return strings.Join(kept, "---\n")
	}
}

// cut leaves out a text from one place up to another.
func cut(from, to string) edit {
	return func(t *testing.T, text string) string {
		i := strings.Index(text, from)
		require.GreaterOrEqual(t, i, 0, from)
		n := strings.Index(text[i:], to)
		require.Greater(t, n, 0, to)
		return text[:i] + text[i+n:]
	}
}

const (
	inReader  = "name: postern-reader"
	inHolder  = "name: postern-holder"
	inClient  = "root_id: postern-client"
	inService = "kind: ServiceEntry"
	inRule    = "kind: DestinationRule"
	inRoute   = "kind: VirtualService"
	inHTTP    = "kind: HTTPRoute"
	sharedVM  = "vm_config: *vm"
	variables = `["OPENAI_API_KEY","ANTHROPIC_API_KEY"]`
	otherVM   = `vm_config: {vm_id: postern, runtime: envoy.wasm.runtime.v8, code: {remote: {http_uri: {uri: "oci://registry.example.com/team/postern:v1", timeout: 30s}}}, environment_variables: {host_env_keys: ` + variables + `}}`
)

// vm is another VM for the provider stage.
func vm(old, by string) edit {
	return sub("", sharedVM, strings.Replace(otherVM, old, by, 1))
}

var wrong = []struct {
	name, base string
	edit       edit
	code, hint string
}{
	{"file url", "paired", sub(inReader, "oci://registry.example.com/team/postern:v1", "file:///postern.wasm"), "plugin_url", "oci://"},
	{"fails open", "paired", sub(inReader, "FAIL_RELOAD", "FAIL_OPEN"), "plugin_fail_strategy", "FAIL_RELOAD"},
	{"fails closed", "paired", sub(inHolder, "FAIL_RELOAD", "FAIL_CLOSE"), "plugin_fail_strategy", "FAIL_RELOAD"},
	{"no strategy", "paired", sub(inHolder, "  failStrategy: FAIL_RELOAD\n", ""), "plugin_fail_strategy", "FAIL_RELOAD"},
	{"reader behind holder", "paired", sub(inReader, "priority: 11", "priority: 10"), "pair_priority", "higher priority"},
	{"reader without priority", "paired", sub(inReader, "  priority: 11\n", ""), "pair_priority", "higher priority"},
	{"no holder", "paired", drop("WasmPlugin", inHolder), "pair_holder_missing", "stage: holder"},
	{"no reader", "paired", drop("WasmPlugin", inReader), "pair_reader_missing", "higher priority"},
	{"two images", "paired", sub(inHolder, "postern:v1", "postern:v2"), "pair_image", "one image"},
	{"two environments", "paired", sub(inHolder, "env: [", "env: [{name: MORE, valueFrom: HOST}, "), "pair_env", "same to both"},
	{"two phases", "paired", sub(inHolder, "UNSPECIFIED_PHASE", "STATS"), "pair_phase", "same phase"},
	{"before identities", "paired", sub(inReader, "UNSPECIFIED_PHASE", "AUTHN"), "plugin_phase", "AUTHZ"},
	{"two selectors", "paired", sub(inHolder, `"ingressgateway"`, "other"), "pair_selector", "same pods"},
	{"two targets", "paired", sub(inHolder, "  priority", "  targetRefs: [{kind: Gateway, name: a}]\n  priority"), "pair_target", "same pods"},
	{"unknown stage", "paired", sub(inHolder, "stage: holder", "stage: holdr"), "plugin_stage", "stage: holder"},
	{"no stage", "paired", sub(inHolder, "{stage: holder}", "{}"), "plugin_stage", "stage: holder"},
	{"network plugin", "paired", sub(inHolder, "  priority", "  type: NETWORK\n  priority"), "plugin_type", "HTTP"},
	{"variable missing", "paired", sub(inReader, `, {name: "ANTHROPIC_API_KEY", valueFrom: HOST}`, ""), "plugin_env_missing", "ANTHROPIC_API_KEY"},
	{"inline key", "paired", sub(inReader, `"ANTHROPIC_API_KEY", valueFrom: HOST`, "ANTHROPIC_API_KEY, value: sk-secret"), "plugin_env_inline", "valueFrom: HOST"},
	{"server mode", "paired", sub(inReader, "mode: CLIENT", "mode: SERVER"), "plugin_match", "CLIENT"},
	{"native client stage", "paired", sub(inReader, `,\"mode\":\"paired\"`, ""), "plugin_native", "EnvoyFilter"},
	{"native in an open plugin", "paired", sub(inReader, `\"mode\":\"paired\"`, `\"mode\":\"native\"`), "plugin_native", "EnvoyFilter"},
	{"document not JSON", "paired", sub(inReader, `document: "{`, `document: "`), "plugin_stage", "whole configuration"},
	{"another configuration in the reader", "paired", sub(inReader, "gpt-4o", "gpt-5"), "plugin_configuration", "render"},
	{"no route by cluster", "paired", sub(inRoute, "x-postern-cluster: {exact", "x-cluster: {exact"), "pair_route", "outbound|443||api.openai.com"},
	{"route without the host's name", "paired", sub(inRoute, `    rewrite: {authority: "api.openai.com"}
`, ""), "pair_route_host", "authority: api.openai.com"},
	{"no route by cluster, Gateway API", "paired gateway", sub(inHTTP, "name: x-postern-cluster", "name: x-cluster"), "pair_route", "outbound|443||api.openai.com"},
	{"route without the host's name, Gateway API", "paired gateway", sub(inHTTP, `    - {type: URLRewrite, urlRewrite: {hostname: "api.openai.com"}}
`, ""), "pair_route_host", "authority: api.openai.com"},
	{"two targets, Gateway API", "paired gateway", sub(inHolder, "kind: Gateway, name", "kind: Gateway, sectionName: a, name"), "pair_target", "same pods"},
	{"retries, paired", "paired", sub(inRoute, "attempts: 0", "attempts: 2"), "route_retries", "attempts: 0"},
	{"native provider stage", "paired", sub(inHolder, "stage: holder", "stage: provider"), "plugin_native", "EnvoyFilter"},

	{"no stop iteration", "native", cut("            allow_on_headers_stop_iteration: true\n            # A trap", "            # A trap"), "stage_headers_stop", "allow_on_headers"},
	{"vm_id", "native", vm("vm_id: postern", "vm_id: other"), "stage_vm_id", "same vm_config"},
	{"code", "native", vm("postern:v1", "postern:v2"), "stage_code", "same vm_config"},
	{"failure policy", "native", sub(inClient, "FAIL_RELOAD", "FAIL_CLOSED"), "stage_failure_policy", "FAIL_RELOAD"},
	{"failure policy open", "native", sub(inClient, "FAIL_RELOAD", "FAIL_OPEN"), "stage_failure_policy", "FAIL_RELOAD"},
	{"no reset", "native", sub("", "refused-stream,reset", "refused-stream,reset-before-request"), "retry_on", "reset"},
	{"no retriable headers", "native", sub("", "retriable-headers,connect", "connect"), "retry_on", "retriable-headers"},
	{"no connect failure", "native", sub("", "connect-failure,", ""), "retry_on", "connect-failure"},
	{"no retriable header", "native", sub("", "name: x-postern-retry", "name: x-retry"), "retry_header", "x-postern-retry"},
	{"no refresh", "native", sub("", "            refresh_cluster_on_retry: true\n", ""), "retry_refresh", "true"},
	{"retries of its own", "native", sub("", "num_retries: 0", "num_retries: 2"), "retry_count", "num_retries: 0"},
	{"no buffer", "native", cut("        request_body_buffer_limit:", "        # On for this route"), "route_body_buffer", "request_body_buffer_limit"},
	{"small buffer", "native", sub("", "request_body_buffer_limit: ", "request_body_buffer_limit: 1048576 #"), "route_body_buffer", "request_body_buffer_limit"},
	{"matcher without a target", "native", sub("", `"outbound|443||api.openai.com": {action`, `"outbound|443||api.other.com": {action`), "matcher_target", "api.openai.com"},
	{"matcher to another cluster", "native", sub("on_no_match", `ClusterAction, cluster: "outbound|443||api.openai.com"`, `ClusterAction, cluster: "outbound|80||api.openai.com"`), "matcher_target", "api.openai.com"},
	{"matcher without an attempt", "native", sub("", `exact: "3"`, `exact: "9"`), "matcher_attempt", "x-envoy-attempt-count 3"},
	{"matcher of another attempt", "native", sub("", "wasm.postern.t1", "wasm.postern.t2"), "matcher_attempt", "wasm.postern.t1"},
	{"no patch for a provider", "native", sub("applyTo: CLUSTER", `service: "api.anthropic.com"`, `service: "api.other.com"`), "cluster_patch_missing", "api.anthropic.com"},
	{"patch for another port", "native", sub("applyTo: CLUSTER", "portNumber: 443", "portNumber: 80"), "cluster_patch_missing", "api.openai.com"},
	{"no provider stage", "native", sub("applyTo: CLUSTER", "            - {name: postern-provider, config_discovery: *discovery}\n", ""), "cluster_stage_missing", "postern-provider"},
	{"no codec", "native", cut("            - name: envoy.filters.http.upstream_codec", "  - applyTo"), "cluster_codec", "last"},
	{"codec not last", "native", sub("applyTo: CLUSTER", "            - {name: postern-provider, config_discovery: *discovery}\n            - name: envoy.filters.http.upstream_codec\n              typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec}\n",
		"            - name: envoy.filters.http.upstream_codec\n              typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec}\n            - {name: postern-provider, config_discovery: *discovery}\n"), "cluster_codec", "last"},
	{"route by gateway", "native", sub("applyTo: HTTP_ROUTE", "routeConfiguration: {vhost", "routeConfiguration: {gateway: istio-ingress/postern, vhost"), "route_match_gateway", "name"},
	{"empty per-route config", "native", sub("", `config: {"@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm}}`, "config: {}}"), "route_filter_config", "is_optional"},
	{"host_env_keys", "native", sub("", variables, `["OPENAI_API_KEY"]`), "stage_env_missing", "host_env_keys"},
	{"inline key, native", "native", sub("", "host_env_keys: "+variables, "host_env_keys: "+variables+", key_values: {OPENAI_API_KEY: sk-secret}"), "stage_env_inline", "host_env_keys"},
	{"another configuration", "native", sub(inClient, "gpt-4o", "gpt-5"), "stage_configuration", "render"},
	{"no client stage", "native", sub("applyTo: EXTENSION_CONFIG", "name: postern-client\n            root_id", "name: other\n            root_id"), "stage_missing", "EXTENSION_CONFIG"},
	{"client stage not inserted", "native", sub("", "applyTo: HTTP_FILTER", "applyTo: LISTENER"), "stage_not_inserted", "HTTP_FILTER"},
	{"no route patch", "native", sub("", "applyTo: HTTP_ROUTE", "applyTo: VIRTUAL_HOST"), "route_patch_missing", "HTTP_ROUTE"},
	{"unknown field of a stage", "native", sub("", "allow_on_headers_stop_iteration: true", "allow_on_headers_stop_iteration: true\n            fail_policy: FAIL_RELOAD"), "unknown_field", "failure_policy"},
	{"unknown field of a VM", "native", sub("", "vm_id: postern\n", "vm_id: postern\n              run_time: v8\n"), "unknown_field", "runtime"},
	{"unknown field of a route", "native", sub("", "timeout: 0s\n          inline", "time_out: 0s\n          inline"), "unknown_field", "timeout"},
	{"unknown field of retries", "native", sub("", "num_retries: 0", "num_retries: 0\n            max_retries: 1"), "unknown_field", "num_retries"},
	{"unknown field of a cluster", "native", sub("", "auto_config: {}", "auto_config: {}\n            autoconf: {}"), "unknown_field", "auto_config"},
	{"no module", "native", drop("EnvoyFilter", "name: postern,"), "module_missing", ""},

	{"no DestinationRule", "native", drop("DestinationRule", `host: "api.openai.com"`), "tls_missing", "sni: api.openai.com"},
	{"no SNI", "native", sub(inRule, `sni: "api.openai.com", `, ""), "tls_sni", "sni: api.openai.com"},
	{"another SNI", "native", sub(inRule, `sni: "api.openai.com"`, `sni: "api.other.com"`), "tls_sni", "sni: api.openai.com"},
	{"no names", "native", sub(inRule, `, subjectAltNames: ["api.openai.com"]`, ""), "tls_names", "subjectAltNames"},
	{"insecure", "native", sub(inRule, "mode: SIMPLE", "mode: SIMPLE, insecureSkipVerify: true"), "tls_insecure", "remove"},
	{"TLS off", "native", sub(inRule, "mode: SIMPLE", "mode: DISABLE"), "tls_mode", "SIMPLE"},
	{"TLS of another port", "native", sub(inRule, "number: 443", "number: 8443"), "tls_mode", "SIMPLE"},
	{"rule for another host", "native", sub(inRule, `host: "api.openai.com"`, `host: "openai.com"`), "tls_host", "host: api.openai.com"},
	{"no ServiceEntry", "native", drop("ServiceEntry", "vllm.example.com"), "service_missing", "8000"},
	{"another port", "native", sub(inService, "number: 443", "number: 8443"), "service_port", "443"},
	{"bytes, not requests", "native", sub(inService, "protocol: HTTPS", "protocol: TCP"), "service_protocol", "HTTPS"},
	{"TLS at a plain host", "native", sub("vllm-example-com", "protocol: HTTP", "protocol: HTTPS"), "service_protocol", "HTTP2"},

	{"target not named", "native", cut(`    - {destination: {host: "vllm.example.com"`, `    - {destination: {host: "vllm.models`), "route_target", "weight 0"},
	{"target not named, Gateway API", "gateway", cut(`    - {group: networking.istio.io, kind: Hostname, name: "vllm.example.com"`, `    - {group: networking.istio.io, kind: Hostname, name: "vllm.models`), "route_target", "weight 0"},
	{"retries", "native", sub(inRoute, "attempts: 0", "attempts: 3"), "route_retries", "attempts: 0"},
	{"retries of the mesh", "native", sub(inRoute, "    retries: {attempts: 0}\n", ""), "route_retries", "attempts: 0"},
	{"retries, Gateway API", "gateway", sub(inHTTP, "  - name: postern\n", "  - name: postern\n    retry: {attempts: 2}\n"), "route_retries", "remove"},
	{"timeout", "native", sub(inRoute, "  - name: postern\n", "  - name: postern\n    timeout: 30s\n"), "route_timeout", "remove"},
	{"timeout, Gateway API", "gateway", sub(inHTTP, "  - name: postern\n", "  - name: postern\n    timeouts: {request: 30s}\n"), "route_timeout", "remove"},
	{"route's name", "native", sub(inRoute, "  - name: postern\n", "  - name: ai\n"), "route_name", "name: postern"},
	{"another gateway", "native", sub(inRoute, `gateways: ["postern"]`, "gateways: [other]"), "route_gateway", "istio-ingress/postern"},
	{"the mesh", "native", sub(inRoute, `gateways: ["postern"]`, "gateways: [mesh]"), "route_gateway", "istio-ingress/postern"},
	{"another parent", "gateway", sub(inHTTP, `parentRefs: [{name: "postern"}]`, "parentRefs: [{name: other}]"), "route_gateway", "istio-ingress/postern"},
	{"no route", "native", drop("VirtualService", "name: postern"), "route_missing", "postern"},
}

// TestWrong: each mistake is found where it stands, with what to do.
func TestWrong(t *testing.T) {
	good := bases(t)
	for _, c := range wrong {
		t.Run(c.name, func(t *testing.T) {
			problems := check(t, document, c.edit(t, good[c.base]))
			for _, p := range problems {
				if string(p.Code) == c.code {
					require.Contains(t, p.Hint, c.hint)
					require.NotEmpty(t, p.Kind)
					require.NotEmpty(t, p.Name)
					require.True(t, p.File == "" || p.Line > 1 && p.Pointer != "", "%+v", p)
					return
				}
			}
			require.Fail(t, "not found", "%v", problems)
		})
	}
}
