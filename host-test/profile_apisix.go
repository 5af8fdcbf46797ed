package hosttest

import (
	"errors"
	"slices"
)

// APISIX is Apache APISIX with wasm-nginx-module 0.7.0 on wasmtime 0.38. What it does was recorded
// from that module in nginx, driven as apisix/wasm.lua drives it: testdata/wasm-nginx-module.txtar
// holds scripts, traffic and what was seen, and a test plays them to this profile.
func APISIX() Profile {
	return Profile{name: "apisix", rules: &rules{
		missing:      apisixMissing,
		noStopOption: true,
		noUpstream:   true,
		check:        apisixCheck,
		share:        func(p *plugin) vmKey { return vmKey{id: "plugin " + p.Name, module: p.Module} }, // one VM per worker and plugin

		noVMStart:     true,
		configureLate: true,
		noTick:        true,
		neverReload:   true, // the instance is never re-created after a trap
		diesAtOnce:    true,
		survivesTraps: true, // … but called again, in whatever state it is

		plainRouter:    true,
		routeLast:      true, // a plugin that splits traffic comes after this one, and reads its variables
		egress:         apisixEgress,
		encodeFirst:    true, // header_filter and body_filter run plugins in the order of access
		finishResponse: apisixFinish,
		noLog:          true,
		noTrailers:     true,
		headerArgs:     func(*Headers, bool) Args { return Args{0, 1} }, // num_headers 0, end_of_stream 1, always
		onlyOnDemand:   true,
		judge:          apisixJudge,
		deadPasses:     func(cb Callback) bool { return cb == CallbackResponseHeaders || cb == CallbackResponseBody },
		localReply:     apisixLocalReply,
		ownReply:       apisixOwnReply,
		smuggled:       apisixSmuggled,

		calls:       apisixCalls,
		mapsAlways:  true, // the nginx request is there in every phase
		pairs:       apisixPairs,
		readHeader:  apisixReadHeader,
		writeHeader: apisixWriteHeader,
		readBuffer:  apisixReadBuffer,
		setProperty: apisixSetProperty,
		getProperty: apisixGetProperty,
		httpCall:    apisixHTTPCall,
		afterCall:   apisixAfterCall,
	}}
}

// apisixMissing are the imports that keep a module from loading there: one is enough.
var apisixMissing = map[string]string{
	"proxy_get_metric":          "its type differs on this host",
	"proxy_get_header_map_size": "unknown on this host",
	"proxy_get_buffer_status":   "unknown on this host",
	"proxy_get_log_level":       "unknown on this host",
	"proxy_dispatch_http_call":  "unknown on this host",
}

// apisixCalls exist and do nothing. Metrics are accepted; continue_stream and close_stream too,
// because a request waits for its callout and nothing else; there is no effective context.
var apisixCalls = func() map[string]Status {
	m := map[string]Status{
		"define_metric": StatusOK, "increment_metric": StatusOK, "record_metric": StatusOK,
		"continue_stream": StatusOK, "close_stream": StatusOK, "set_effective_context": StatusOK,
	}
	for _, name := range []string{
		"set_buffer_bytes", "set_header_map_pairs", "get_current_time_nanoseconds", "get_status", "done",
		"get_shared_data", "set_shared_data", "register_shared_queue", "resolve_shared_queue",
		"enqueue_shared_queue", "dequeue_shared_queue", "set_tick_period_milliseconds",
		"call_foreign_function", "get_metric", "get_header_map_size", "get_buffer_status", "get_log_level",
	} {
		m[name] = StatusUnimplemented
	}
	return m
}()

// The properties by which a module asks for body callbacks.
const (
	apisixWantRequestBody  = "wasm_process_req_body"
	apisixWantResponseBody = "wasm_process_resp_body"
)

// apisixDeclared are variables that APISIX's own nginx template declares; Config.Declared adds.
var apisixDeclared = []string{
	apisixWantRequestBody, apisixWantResponseBody, "upstream_scheme", "upstream_host", "upstream_uri",
	"upstream_mirror_host", "upstream_mirror_uri", "upstream_upgrade", "upstream_connection",
}

// apisixCheck: proxy_on_configure is mandatory, and its configuration may not be empty.
func apisixCheck(p *plugin) error {
	if len(p.Config) == 0 {
		return errors.New("this host refuses an empty plugin configuration")
	}
	if exports := p.Module.Exports(); exports != nil && !slices.Contains(exports, "proxy_on_configure") {
		return errors.New("this host needs proxy_on_configure")
	}
	return nil
}

// wants says whether the module asked for this body in this plugin's callbacks.
func (f *httpFilter) wants(p *pass) bool {
	if p.decode {
		return f.wantRequestBody
	}
	return f.wantResponseBody
}
