package fidelity

// propertyRows are about attributes and filter state.
var propertyRows = []Row{
	{
		Name: "properties-request", Asks: "request.* at request headers, in the body, in the response phase and in on_log.",
		Down: `request_headers: prop request.path; prop request.url_path; prop request.query; prop request.host; prop request.scheme; prop request.method; prop request.useragent; prop request.referer; prop request.headers.x-a; prop request.headers.absent; propn request.size; propn request.total_size; prop request.absent; propt request.id; propt request.time; propt request.headers; propt request.duration
			request_body@more: pause
			request_body@end: propn request.size; propn request.total_size
			response_headers: prop request.path; prop request.headers.x-a; propn request.size
			log: prop request.path; prop request.method; propn request.size; propn request.total_size; propt request.duration; prop request.headers.x-a`,
		Traffic: func(w World) {
			w.Request(false, ":path: /p/q?x=1&y=2", "user-agent: probe", "referer: there", "x-a: 1")
			w.Body("abc", false)
			w.Body("def", true)
			serve(w, 1)
		},
	},
	{
		Name: "properties-request-up", Asks: "request.* in the upstream stage, request and response phase.",
		Up: `request_headers: prop request.path; prop request.method; prop request.host; prop request.headers.x-a; propt request.id
			response_headers: prop request.path; prop request.method; prop request.headers.x-a; propt request.id`,
		Traffic: func(w World) {
			w.Request(true, ":path: /p", "x-a: 1")
			serve(w, 1)
		},
	},
	{
		Name: "properties-changed", Asks: "Properties of a request whose path and headers the module changed.",
		Down: `request_headers: set req :path /new; set req x-a 2; prop request.path; prop request.headers.x-a
			response_headers: prop request.path; prop request.headers.x-a
			log: prop request.path`,
		Up: `request_headers: prop request.path; set req :path /target; prop request.path
			response_headers: prop request.path`,
		Traffic: func(w World) {
			w.Request(true, ":path: /old", "x-a: 1")
			serve(w, 1)
		},
	},
	{
		Name: "properties-response", Asks: "response.* in each phase of the HTTP filter.",
		Down: `request_headers: propn response.code; prop response.code_details; propn response.flags; propn response.size; prop response.headers.x-u
			response_headers: propn response.code; prop response.code_details; propn response.flags; propn response.size; prop response.headers.x-u
			response_body: propn response.code; prop response.code_details; propn response.size; prop response.headers.x-u
			log: propn response.code; prop response.code_details; propn response.flags; propn response.size; propt response.total_size; prop response.headers.x-u; propt response.headers; propt response.backend_latency`,
		Traffic: stream,
	},
	{
		Name: "properties-response-up", Asks: "response.* in the upstream stage.",
		Up: `request_headers: propn response.code
			response_headers: propn response.code; prop response.headers.x-u; prop response.code_details
			response_body@end: propn response.code; prop response.headers.x-u; propn response.size
			done: propn response.code`,
		Traffic: stream,
	},
	{
		Name: "properties-upstream-down", Asks: "upstream.* and xds.* in each phase of the HTTP filter.",
		Down: `request_headers: prop upstream.address; propn upstream.request_attempt_count; prop xds.cluster_name; prop xds.route_name; prop cluster_name; prop route_name
			response_headers: prop upstream.address; propn upstream.request_attempt_count; prop xds.cluster_name; prop cluster_name; propt upstream.local_address; prop upstream.transport_failure_reason
			log: prop upstream.address; propn upstream.request_attempt_count; prop xds.cluster_name; prop xds.route_name`,
		Traffic: getAndServe,
	},
	{
		Name: "properties-upstream-up", Asks: "upstream.* and xds.* in each phase of the upstream stage.",
		Up: `request_headers: prop upstream.address; propn upstream.request_attempt_count; propt upstream.port; prop xds.cluster_name; prop xds.route_name; prop cluster_name; prop route_name
			request_body: prop upstream.address; propn upstream.request_attempt_count; prop xds.cluster_name
			response_headers: prop upstream.address; propn upstream.request_attempt_count; prop xds.cluster_name
			done: prop upstream.address; propn upstream.request_attempt_count; prop xds.cluster_name`,
		Traffic: askAndServe,
	},
	{
		Name: "properties-plugin", Asks: "plugin_name, plugin_root_id, plugin_vm_id, node, connection and unknown properties.",
		Down:    `request_headers: prop plugin_name; prop plugin_root_id; prop plugin_vm_id; propt connection_id; propt connection.id; propt source.address; propt destination.port; prop connection.mtls; propn listener_direction; prop nothing; prop nothing.at.all; prop request; prop =`,
		Up:      `request_headers: prop plugin_name; prop plugin_vm_id; propt connection_id; propt source.address`,
		Traffic: getAndServe,
	},
	{
		Name: "state-across-stages", Asks: "set_property in the client's stage, read by name in the upstream stage and later in its own.",
		Down: `request_headers: setprop postern.key v1; prop =postern.key; prop postern.key; prop =filter_state%00wasm.postern.key; prop =wasm.postern.key
			response_headers: prop =postern.key; prop =from.up
			log: prop =postern.key; prop =from.up`,
		Up: `request_headers: prop =postern.key; setprop from.up u1; setprop postern.key v2; prop =postern.key
			response_headers: prop =postern.key`,
		Traffic: getAndServe,
	},
	{
		Name: "state-nul-path", Asks: "set_property with a path of several NUL-separated parts, an empty value, an attribute's name.",
		Down:    `request_headers: setprop a%00b v; prop a.b; prop =a.b; prop =a%00b; setprop empty %00; setprop request.path x; prop request.path; prop =request.path`,
		Traffic: getAndServe,
	},
	{
		Name: "state-log", Asks: "set_property in on_log: does the access log show it on completion?",
		Down: `log: setprop audit done`, Traffic: getAndServe,
	},
	{
		Name: "state-log-abort", Asks: "… on a client abort?",
		Down: `log: setprop audit aborted`,
		Traffic: func(w World) {
			ask(w)
			w.Abort()
		},
	},
	{
		Name: "state-log-reply", Asks: "… on a local reply?",
		Down: `request_headers: reply 403 no
			log: setprop audit replied`,
		Traffic: get,
	},
	{
		Name: "state-delete", Asks: "set_property in on_done and on_delete: does the access log show it?",
		Down: `done: setprop audit late
			delete: setprop audit later`,
		Traffic: getAndServe,
	},
}
