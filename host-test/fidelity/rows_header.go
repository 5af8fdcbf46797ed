package fidelity

// headerRows are about header maps: where they can be reached, and how they change.
var headerRows = []Row{
	{
		Name: "headers-phases-down", Asks: "HTTP filter: which header maps can be read and written in which phase?",
		Down: `request_headers: get req :path; get resp :status; get reqt a; names resp
			request_body: get req :path; set req x-a 1; names req
			request_trailers: get req :path; get reqt x-t; set req x-a 1
			response_headers: get req :path; set req x-a 1; names req; get resp :status; get respt x-t
			response_body: get req :path; get resp :status; set resp x-a 1; names resp
			response_trailers: get req :path; get resp :status; get respt x-t; get reqt x-t
			log: get req :path; get reqt x-t; get resp :status; get respt x-t; names req; set req x-a 1; add resp x-a 1; del resp x-u
			done: get req :path; get resp :status`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Trailers("x-t: 1")
			w.Respond(1, "200", false, "x-u: 1")
			w.Chunk(1, "one", false)
			w.EndWith(1, "x-t: 2")
		},
	},
	{
		Name: "headers-phases-up", Asks: "Upstream filter: which header maps can be read and written in which phase?",
		Up: `request_headers: get req :path; get resp :status
			request_body: get req :path; set req x-a 1
			response_headers: get req :path; set req x-a 1; names req; get resp :status
			response_body: get req :path; get resp :status; set resp x-a 1
			done: get req :path; get resp :status
			delete: get resp :status`,
		Traffic: askAndServe,
	},
	{
		Name: "headers-paused-both", Asks: "Are request headers reachable in the response phase if the response came while the request is paused?",
		Down: `request_body@more: pause
			response_headers: get req :path
			log: get req :path`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Respond(1, "200", true)
		},
	},
	{
		Name: "headers-change", Asks: "Replace, add, remove: order, several values, names in capitals, empty values.",
		Down: `request_headers: add req x-m 3; get req x-m; set req x-s one; set req x-new 1; del req x-gone; del req x-absent; set req X-Caps 1; get req x-CAPS; add req x-e -; set req x-e %20; get req x-e; names req`,
		Traffic: func(w World) {
			w.Request(true, "x-m: 1", "x-m: 2", "x-s: 1", "x-s: 2", "x-gone: 1", "x-last: 1")
			serve(w, 1)
		},
	},
	{
		Name: "headers-inline", Asks: "Adding a second value to well-known request headers: which are joined, which stand twice? And host?",
		Down: `request_headers: add req content-type b; add req user-agent b; add req accept b; add req cookie b; add req authorization b; add req accept-encoding b; add req accept-language b; add req cache-control b; add req content-encoding b; add req referer b; add req origin b; add req range b; add req via b; add req x-forwarded-for b; add req te b; add req x-api-key b; add req if-none-match b; add req x-request-id b; add req host other; get req content-type; get req accept; get req cookie; get req x-api-key; names req; del req te; set req :authority a.test`,
		Traffic: func(w World) {
			w.Request(true, "content-type: a", "user-agent: a", "accept: a", "authorization: a", "accept-encoding: a", "accept-language: a", "cache-control: a", "content-encoding: a", "referer: a", "origin: a", "range: a", "via: a", "x-forwarded-for: a", "te: trailers", "x-api-key: a", "if-none-match: a", "cookie: a")
			serve(w, 1)
		},
	},
	{
		Name: "headers-pseudo", Asks: "Changing pseudo headers and host.",
		Down:    `request_headers: set req :path /p?q=1; set req :authority other.test; set req :method PUT; set req :scheme https; set req host third.test; get req :authority; names req; prop request.host; prop request.url_path; prop request.query; prop request.scheme; prop request.method`,
		Traffic: getAndServe,
	},
	{
		Name: "headers-set-all", Asks: "proxy_set_header_map_pairs of request headers.",
		Down:    `request_headers: setall req :method=PUT :path=/all :authority=all.test :scheme=http x-forwarded-proto=http x-b=2 x-a=1 x-a=2; names req; set req x-request-id mine`,
		Traffic: getAndServe,
	},
	{
		Name: "headers-response-inline", Asks: "… and to well-known answer headers.",
		Down: `response_headers: add resp content-type b; add resp cache-control b; add resp set-cookie b; add resp etag b; add resp vary b; add resp retry-after b; add resp www-authenticate b; add resp location b; add resp content-encoding b; add resp server b; add resp date b; add resp access-control-allow-origin b; add resp last-modified b; add resp x-any b; add resp via b; names resp`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", true, "content-type: a", "cache-control: a", "set-cookie: a", "etag: a", "vary: a", "retry-after: a", "www-authenticate: a",
				"location: a", "content-encoding: a", "server: a", "date: a", "access-control-allow-origin: a", "last-modified: a", "x-any: a", "via: a")
		},
	},
	{
		Name: "headers-no-forwarded-proto", Asks: "x-forwarded-proto removed by the module.",
		Down:    `request_headers: del req x-forwarded-proto`,
		Traffic: get,
	},
	{
		Name: "headers-no-scheme", Asks: "The scheme removed by the module.",
		Down: `request_headers: del req :scheme`, Traffic: getAndServe,
	},
	{
		Name: "headers-no-method", Asks: "The method removed by the module.",
		Down: `request_headers: del req :method`, Traffic: get,
	},
	{
		Name: "headers-no-authority-down", Asks: "The authority removed by the module's first stage.",
		Down: `request_headers: del req :authority`, Traffic: getAndServe,
	},
	{
		Name: "headers-response-change", Asks: "Changing response headers: order, several values, content-type.",
		Down: `response_headers: add resp x-u 2; set resp content-type text/plain; del resp x-gone; set resp server mine; names resp`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", true, "content-type: a", "x-u: 1", "x-gone: 1", "set-cookie: a", "set-cookie: b")
		},
	},
	{
		Name: "headers-no-path", Asks: "The path removed by the HTTP filter.",
		Down: `request_headers: del req :path`, Up: `request_headers: names req`, Traffic: get,
	},
	{
		Name: "headers-no-authority", Asks: "The authority removed by the upstream stage.",
		Up: `request_headers: del req :authority`, Traffic: getAndServe,
	},
	{
		Name: "headers-no-status", Asks: "The status removed by the HTTP filter.",
		Down: `response_headers: del resp :status`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", true)
		},
	},
	{
		Name: "headers-bad-status", Asks: "A status that is no number.",
		Down: `response_headers: set resp :status abc; prop response.code`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", true)
		},
	},
	{
		Name: "headers-call-outside", Asks: "Header maps, body and status of a callout outside of its callback.",
		Down:    `request_headers: get call :status; names call; read call 0 9; size call; status`,
		Traffic: getAndServe,
	},
	{
		Name: "headers-router", Asks: "The router's own headers from an external client: which reach the module, which the upstream?",
		Down: `request_headers: names req`, Up: `request_headers: names req`,
		Traffic: func(w World) {
			w.Request(true, "x-envoy-max-retries: 3", "x-envoy-retry-on: 5xx", "x-envoy-attempt-count: 7", "x-envoy-upstream-rq-timeout-ms: 99",
				"x-envoy-upstream-rq-per-try-timeout-ms: 98", "x-envoy-expected-rq-timeout-ms: 97", "x-envoy-internal: true", "x-envoy-decorator-operation: x",
				"x-envoy-original-path: /o", "x-envoy-other: 1", "x-forwarded-proto: https", "x-forwarded-for: 9.9.9.9", "x-request-id: mine")
			serve(w, 1)
		},
	},
	{
		Name: "headers-router-internal", Asks: "The same from a client that the host counts as internal.",
		Setup: Setup{Internal: true},
		Down:  `request_headers: names req; get req x-envoy-max-retries; get req x-envoy-internal`,
		Traffic: func(w World) {
			w.Request(true, "x-envoy-max-retries: 3", "x-envoy-retry-on: 5xx", "x-envoy-attempt-count: 7", "x-envoy-upstream-rq-timeout-ms: 99000",
				"x-envoy-upstream-rq-per-try-timeout-ms: 98000", "x-envoy-decorator-operation: x")
			w.Respond(1, "503", true)
			w.Respond(2, "503", true)
			w.Respond(3, "503", true)
			w.Respond(4, "503", true)
		},
	},
	{
		Name: "headers-response-router", Asks: "The router's own headers in answers: which reach the client's stage and the client?",
		Down: `response_headers: names resp`,
		Traffic: func(w World) {
			get(w)
			w.Respond(1, "200", true, "x-envoy-upstream-service-time: 7", "x-envoy-attempt-count: 7", "x-envoy-other: 1", "server: theirs", "x-envoy-immediate-health-check-fail: 1")
		},
	},
}
