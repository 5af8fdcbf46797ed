package fidelity

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/host-test"
)

// This file renders one Envoy bootstrap for the whole table: a listener and clusters of its own for
// each row, and one shared VM unless a row wants another.

type object = map[string]any

// sharedVM is the vm_id of all rows that do not name another.
const sharedVM = "fidelity"

// clusters are the upstreams of every row: two targets and one for callouts.
var clusters = []string{"a", "b", "side"}

const (
	probePrefix  = "PROBE "
	accessPrefix = "ACCESS "
	typePrefix   = "type.googleapis.com/"
)

func typed(name string, fields object) object {
	out := object{"@type": typePrefix + name}
	for k, v := range fields {
		out[k] = v
	}
	return out
}

// cluster is the name of one of the row's clusters.
func (r *Row) cluster(name string) string { return r.Name + "-" + name }

// plain removes the row's name from those of its clusters.
func (r *Row) plain(text string) string { return plain(r.Name, text) }

// logPrefix begins the row's lines.
func (r *Row) logPrefix() string { return probePrefix + r.Name + " " }

// script is the plugin configuration.
func (r *Row) script(as, rules string) string {
	names := strings.NewReplacer("{a}", r.cluster("a"), "{b}", r.cluster("b"), "{side}", r.cluster("side"), "{row}", r.Name, "{long}", strings.Repeat("z", 1200))
	return "row " + r.Name + "\nas " + as + "\n" + names.Replace(rules)
}

// bootstrap renders all rows; ports has the address of each cluster's server.
func bootstrap(rows []Row, wasm string, ports map[string]net.Addr) object {
	var listeners, list []object
	for i := range rows {
		r := &rows[i]
		listeners = append(listeners, r.listener(wasm))
		for _, c := range clusters {
			list = append(list, r.upstream(c, wasm, ports[r.cluster(c)]))
		}
	}
	return object{
		"admin":            object{"address": loopback(0)},
		"static_resources": object{"listeners": append(listeners, markListener(wasm)), "clusters": list},
	}
}

func loopback(port int) object {
	return object{"socket_address": object{"address": "127.0.0.1", "port_value": port}}
}

func (r *Row) listener(wasm string) object {
	var filters []object
	for i, script := range []string{r.Down, r.Second} {
		if script != "" {
			as := []string{"down", "second"}[i]
			filters = append(filters, r.wasmFilter(as, script, r.Setup.VM, wasm))
		}
	}
	manager := object{
		"stat_prefix":  r.Name,
		"http_filters": append(filters, routerFilter),
		"route_config": object{"name": r.Name, "virtual_hosts": []object{{
			"name": r.Name, "domains": []string{"*"}, "routes": append(r.barriers(), r.route()),
			"include_request_attempt_count": r.Setup.CountAttempts || r.Setup.ByState,
		}}},
		"access_log": []object{accessLog(r.Name)},
	}
	if r.Setup.Internal {
		manager["use_remote_address"] = true
		manager["internal_address_config"] = object{"cidr_ranges": []object{{"address_prefix": "127.0.0.0", "prefix_len": 8}}}
	}
	l := httpListener(r.Name, manager)
	if r.Setup.ConnLimit > 0 {
		l["per_connection_buffer_limit_bytes"] = r.Setup.ConnLimit
	}
	return l
}

func httpListener(name string, manager object) object {
	return object{"name": name, "address": loopback(0), "filter_chains": []object{{"filters": []object{{
		"name":         "http",
		"typed_config": typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", manager),
	}}}}}
}

var routerFilter = object{"name": "router", "typed_config": typed("envoy.extensions.filters.http.router.v3.Router", nil)}

// markListener answers by itself; its probe logs the mark.
func markListener(wasm string) object {
	r := &Row{Name: markRow}
	return httpListener(markRow, object{
		"stat_prefix":  markRow,
		"http_filters": []object{r.wasmFilter("down", "log: continue", "", wasm), routerFilter},
		"route_config": object{"virtual_hosts": []object{{"name": "all", "domains": []string{"*"}, "routes": []object{{
			"match": object{"prefix": "/"}, "direct_response": object{"status": 200},
		}}}}},
	})
}

const markRow = "mark"

func accessLog(row string) object {
	format := accessPrefix + row + " " + strings.Join([]string{
		"%REQ(:PATH)%", "%RESPONSE_CODE%", "%RESPONSE_FLAGS%", "%RESPONSE_CODE_DETAILS%", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
		"%UPSTREAM_CLUSTER%", "%FILTER_STATE(wasm.audit:PLAIN)%", "%BYTES_RECEIVED%", "%BYTES_SENT%",
	}, "\t") + "\n"
	return object{"name": "log", "typed_config": typed("envoy.extensions.access_loggers.file.v3.FileAccessLog", object{
		"path": "/dev/stdout", "log_format": object{"text_format_source": object{"inline_string": format}},
	})}
}

// barriers are routes that end at one cluster each, without the row's retries.
func (r *Row) barriers() []object {
	var out []object
	for _, c := range clusters {
		out = append(out, object{"match": object{"path": "/~" + c}, "route": object{"cluster": r.cluster(c)}})
	}
	return out
}

func (r *Row) route() object {
	s := r.Setup
	action := object{}
	if s.ByState {
		action["inline_cluster_specifier_plugin"] = object{"extension": object{"name": "target", "typed_config": r.matcher()}}
	} else {
		action["cluster"] = r.cluster("a")
	}
	if s.Timeout > 0 {
		action["timeout"] = seconds(s.Timeout)
	}
	if s.Retry != nil {
		action["retry_policy"] = retryPolicy(s.Retry, s.ByState)
	}
	route := object{"name": "main", "match": matchAll, "route": action}
	if s.BufferLimit > 0 {
		route["request_body_buffer_limit"] = s.BufferLimit
	}
	return route
}

// matchAll is every request without an x-none header.
var matchAll = object{"prefix": "/", "headers": []object{{"name": "x-none", "present_match": true, "invert_match": true}}}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s" }

func retryPolicy(p *hosttest.RetryPolicy, refresh bool) object {
	out := object{
		"retry_on": strings.Join(p.On, ","), "num_retries": p.NumRetries,
		"retry_back_off": object{"base_interval": seconds(p.Backoff)},
	}
	if refresh {
		out["refresh_cluster_on_retry"] = true
	}
	if p.PerTryTimeout > 0 {
		out["per_try_timeout"] = seconds(p.PerTryTimeout)
	}
	for _, h := range p.RetriableHeaders {
		list, _ := out["retriable_headers"].([]object)
		out["retriable_headers"] = append(list, object{"name": h, "present_match": true})
	}
	if len(p.RetriableStatuses) > 0 {
		out["retriable_status_codes"] = p.RetriableStatuses
	}
	return out
}

// matcher is Row.choose as Envoy's cluster specifier: the cluster of the second attempt is in filter
// state wasm.t2, every other in wasm.t1.
func (r *Row) matcher() object {
	action := func(c string) object {
		return object{"action": object{"name": c, "typed_config": typed("envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction", object{"cluster": r.cluster(c)})}}
	}
	byState := func(key string, otherwise object) object {
		m := object{}
		for _, c := range []string{"a", "b"} {
			m[r.cluster(c)] = action(c)
		}
		return object{
			"matcher_tree": object{
				"input":           object{"name": key, "typed_config": typed("envoy.extensions.matching.common_inputs.network.v3.FilterStateInput", object{"key": "wasm." + key})},
				"exact_match_map": object{"map": m},
			},
			"on_no_match": otherwise,
		}
	}
	first := byState("t1", action("a"))
	return typed("envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier", object{"cluster_matcher": object{
		"matcher_tree": object{
			"input":           object{"name": "attempt", "typed_config": typed("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", object{"header_name": "x-envoy-attempt-count"})},
			"exact_match_map": object{"map": object{"1": object{"matcher": byState("t2", object{"matcher": first})}}},
		},
		"on_no_match": object{"matcher": first},
	}})
}

func (r *Row) upstream(name, wasm string, at net.Addr) object {
	filters := []object{}
	if r.Up != "" && name != "side" {
		vm := r.Setup.VM
		if r.Setup.UpVM != "" {
			vm = r.Setup.UpVM
		}
		filters = append(filters, r.wasmFilter("up", r.Up, vm, wasm))
	}
	filters = append(filters, object{"name": "codec", "typed_config": typed("envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec", nil)})
	protocol := object{"http2_protocol_options": object{}}
	if r.Setup.HTTP1 && name != "side" {
		protocol = object{"http_protocol_options": object{}}
	}
	port := at.(*net.TCPAddr).Port
	return object{
		"name": r.cluster(name), "type": "STATIC", "connect_timeout": "5s",
		"load_assignment": object{"cluster_name": r.cluster(name), "endpoints": []object{{
			"lb_endpoints": []object{{"endpoint": object{"address": loopback(port)}}},
		}}},
		"typed_extension_protocol_options": object{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions", object{"explicit_http_config": protocol, "http_filters": filters})},
	}
}

var failurePolicies = map[hosttest.FailurePolicy]string{
	hosttest.FailClosed: "FAIL_CLOSED", hosttest.FailReload: "FAIL_RELOAD", hosttest.FailOpen: "FAIL_OPEN",
}

func (r *Row) wasmFilter(as, script, vm, wasm string) object {
	if vm == "" {
		vm = sharedVM
	}
	value, err := json.Marshal(r.script(as, script))
	if err != nil {
		value = []byte(fmt.Sprintf("%q", err))
	}
	return object{"name": "probe", "typed_config": typed("envoy.extensions.filters.http.wasm.v3.Wasm", object{"config": object{
		"name": as, "failure_policy": failurePolicies[r.Setup.Policy],
		"configuration":                   object{"@type": typePrefix + "google.protobuf.StringValue", "value": json.RawMessage(value)},
		"allow_on_headers_stop_iteration": !r.Setup.NoStop,
		"vm_config":                       object{"vm_id": vm, "runtime": "envoy.wasm.runtime.v8", "code": object{"local": object{"filename": wasm}}},
	}})}
}
