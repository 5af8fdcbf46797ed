package hosttest

import (
	"errors"
	"math"
	"slices"
	"strings"
)

// APISIX is Apache APISIX with wasm-nginx-module 0.7.0 on wasmtime 0.38. Each line below is a fact
// of HOSTS.md or of that module's source (src/http/ngx_http_wasm_api.c, lib/resty/proxy-wasm.lua).
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

		routeLast:    true, // a plugin that splits traffic comes after this one, and reads its variables
		egress:       apisixEgress,
		encodeFirst:  true, // header_filter and body_filter run plugins in the order of access
		noLog:        true,
		noTrailers:   true,
		headerArgs:   func(*Headers, bool) Args { return Args{0, 1} }, // num_headers 0, end_of_stream 1, always
		onlyOnDemand: true,
		judge:        apisixJudge,
		deadPasses:   func(cb Callback) bool { return cb == CallbackResponseHeaders || cb == CallbackResponseBody },
		localReply:   apisixLocalReply,
		smuggled:     apisixSmuggled,

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

// apisixJudge turns what a request callback did into what happens next. A callout comes before all
// else; a pause with nothing pending makes the Lua side send a callout that does not exist, and the
// worker dies.
func apisixJudge(f *httpFilter, cb Callback, result Action) Action {
	s := f.chain.stream
	f.collectWants(s)
	if cb == CallbackResponseHeaders || cb == CallbackResponseBody {
		return Continue // the result is not looked at
	}
	switch {
	case s.callout != nil:
		return StopAllAndBuffer
	case f.ctx.vm.stopped:
		return StopAllAndBuffer // the local reply is on its way
	case result != Continue:
		f.ctx.vm.crash(errors.New("apisix: paused with nothing pending: the worker crashes"))
		return StopAllAndBuffer
	}
	return Continue
}

// collectWants reads and resets the request for bodies, as the Lua side does after each plugin.
func (f *httpFilter) collectWants(s *Stream) {
	for name, want := range map[string]*bool{apisixWantRequestBody: &f.wantRequestBody, apisixWantResponseBody: &f.wantResponseBody} {
		if s.state.values[name] != "" {
			*want = true
			delete(s.state.values, name)
		}
	}
}

// apisixAfterCall: when its callout has been answered, a request goes on, unless the callback made
// another one or a local reply.
func apisixAfterCall(f *httpFilter) {
	s := f.chain.stream
	if f.destroyed || f.ctx.failed() || s.callout != nil || s.responseHeaders != nil {
		return
	}
	f.demandResume()
}

// apisixLocalReply: in response phases only the headers of a local reply are applied.
func apisixLocalReply(f *httpFilter, r localReply) bool {
	s := f.chain.stream
	if s.responseHeaders == nil {
		return false
	}
	for _, p := range r.headers {
		s.responseHeaders.Add(p[0], p[1])
	}
	return true
}

// apisixHTTPCall: request phases only, one in flight per request.
func apisixHTTPCall(c *vmContext) Status {
	if c.filter == nil || c.filter.chain.stream.responseHeaders != nil {
		return StatusBadArgument
	}
	if c.filter.chain.stream.callout != nil {
		return StatusInternalFailure
	}
	return StatusOK
}

// apisixPairs: pseudo headers come last, and more than 20 response headers break the call (the
// copy loop forgets to go back to the first part of nginx's list).
func apisixPairs(h *Headers, m MapType) ([][2]string, Status) {
	switch m {
	case RequestHeaders, ResponseHeaders:
	case HTTPCallResponseHeaders:
		if h.Len() == 0 {
			return nil, StatusNotFound
		}
		return h.Pairs(), StatusOK
	default:
		return nil, StatusUnimplemented
	}
	if m == ResponseHeaders && h.Len() > 20 {
		return nil, StatusInternalFailure
	}
	var plain, pseudo [][2]string
	for _, p := range h.Pairs() {
		if strings.HasPrefix(p[0], ":") {
			pseudo = append(pseudo, p)
		} else {
			plain = append(plain, p)
		}
	}
	return append(plain, pseudo...), StatusOK
}

// apisixReadHeader: reading :authority of a request without Host is a null pointer.
func apisixReadHeader(f *httpFilter, h *Headers, m MapType, name string) Status {
	if m == RequestTrailers || m == ResponseTrailers {
		return StatusUnimplemented
	}
	if m == RequestHeaders && strings.EqualFold(name, ":authority") && !h.Has(":authority") {
		f.ctx.vm.crash(errors.New("apisix: :authority read on a request without Host: the worker crashes"))
		return StatusInternalFailure
	}
	return StatusOK
}

// apisixWriteHeader: pseudo headers cannot be removed; :authority is taken for the method; a ? in
// :path is encoded on its way to the upstream.
func apisixWriteHeader(h *Headers, m MapType, name, value string) (bool, Status) {
	if m != RequestHeaders && m != ResponseHeaders {
		return true, StatusUnimplemented
	}
	name = strings.ToLower(name)
	if !strings.HasPrefix(name, ":") {
		return false, StatusOK
	}
	if value == "" {
		return true, StatusBadArgument
	}
	switch name {
	case ":authority", ":method":
		h.Set(":method", value)
		return true, StatusOK
	case ":path":
		h.Set(":path", strings.ReplaceAll(value, "?", "%3F"))
		return true, StatusOK
	}
	return false, StatusOK
}

// apisixReadBuffer: absence is "not found", windows outside of the data are "bad argument", and
// start plus a huge size overflows 31 bits.
func apisixReadBuffer(b BufferType, data []byte, start, size uint32) ([]byte, Status) {
	switch b {
	case PluginConfiguration, RequestBody, ResponseBody, HTTPCallResponseBody:
	default:
		return nil, StatusUnimplemented
	}
	if len(data) == 0 {
		return nil, StatusNotFound
	}
	if b == PluginConfiguration {
		return data, StatusOK
	}
	if int32(start) < 0 || int32(size) <= 0 || int(start) >= len(data) {
		return nil, StatusBadArgument
	}
	if uint64(start)+uint64(size) > math.MaxInt32 {
		return nil, StatusInternalFailure // the cut is skipped, and no such memory can be had
	}
	return window(data, start, size), StatusOK
}

// apisixSetProperty: properties are nginx variables, and only declared ones can be set.
func apisixSetProperty(c *vmContext, path string, value []byte) Status {
	if c.filter == nil {
		return StatusBadArgument
	}
	s := c.filter.chain.stream
	name := strings.ToLower(path)
	if !slices.Contains(apisixDeclared, name) && !slices.Contains(s.host.cfg.Declared, name) {
		return StatusNotFound
	}
	s.state.values[name] = string(value)
	return StatusOK
}

func apisixGetProperty(c *vmContext, path string) ([]byte, Status) {
	if path == "plugin_root_id" {
		return []byte(c.plugin.Name), StatusOK
	}
	if c.filter == nil {
		return nil, StatusBadArgument
	}
	s := c.filter.chain.stream
	name := strings.ToLower(path)
	if v, ok := s.properties[name]; ok {
		return serialize(v)
	}
	if v, ok := s.state.values[name]; ok {
		return []byte(v), StatusOK
	}
	if v, ok := s.nginxVariable(name); ok {
		return []byte(v), StatusOK
	}
	if slices.Contains(apisixDeclared, name) || slices.Contains(s.host.cfg.Declared, name) {
		return nil, StatusOK // declared and empty
	}
	return nil, StatusNotFound
}

// nginxVariable is one of nginx's own variables.
func (s *Stream) nginxVariable(name string) (string, bool) {
	h := s.requestHeaders
	path, args, _ := strings.Cut(h.Get(":path"), "?")
	switch name {
	case "request_method":
		return h.Get(":method"), true
	case "request_uri":
		return h.Get(":path"), true
	case "uri":
		return path, true
	case "args":
		return args, true
	case "host", "http_host":
		return h.Lookup(":authority")
	case "scheme":
		return h.Get(":scheme"), true
	case "status":
		return s.responseHeaders.Lookup(":status")
	}
	if header, ok := strings.CutPrefix(name, "http_"); ok {
		return h.Lookup(strings.ReplaceAll(header, "_", "-"))
	}
	return "", false
}

// apisixEgress: a request is routed by variables.
func apisixEgress(a *Attempt, h *Headers) {
	if uri := a.stream.state.values["upstream_uri"]; uri != "" {
		h.Set(":path", uri)
	}
	if host := a.stream.state.values["upstream_host"]; host != "" {
		h.Set(":authority", host)
	}
}

// apisixSmuggled: without content-length the body is written bare, and is the next request.
func apisixSmuggled(h *Headers, body string) string {
	if !h.Has("content-length") && !h.Has("transfer-encoding") {
		return body
	}
	return envoySmuggled(h, body)
}
