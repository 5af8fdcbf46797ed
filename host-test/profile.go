package hosttest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Profile says which proxy a Host emulates. Profiles are rules over one emulation of Envoy; each
// rule is a fact that was measured.
type Profile struct {
	name  string
	rules *rules
}

// Name is the profile's name as the tools print it.
func (p Profile) Name() string { return p.name }

// ProfileByName finds a profile: envoy, envoy-upstream, istio-wasmplugin or apisix.
func ProfileByName(name string) (Profile, error) {
	for _, p := range []Profile{Envoy(), EnvoyUpstream(), IstioWasmPlugin(), APISIX()} {
		if p.name == name {
			return p, nil
		}
	}
	return Profile{}, fmt.Errorf("hosttest: no profile %q", name)
}

// rules are the differences between hosts. The zero value is Envoy's behaviour.
type rules struct {
	// Loading.
	missing      map[string]string // imports that make a module unloadable, and why
	noStopOption bool              // allow_on_headers_stop_iteration cannot be set
	noUpstream   bool              // there are no upstream filters
	onlyUpstream bool              // filters are placed upstream only
	check        func(p *plugin) error
	share        func(p *plugin) vmKey // which filters share a VM; nil: vm_id, module, configuration

	// Life of a VM.
	noVMStart     bool // on_vm_start is never called
	configureLate bool // on_configure runs at the first request, on_context_create with it
	noTick        bool
	neverReload   bool // a dead VM is never replaced
	diesAtOnce    bool // a crash is in the host call that it comes of, and nothing is logged after it
	survivesTraps bool // a trap ends the callback, and the VM is called again

	// Life of a stream.
	routable     func(h *Headers) bool        // false: no route matches such a request
	ingress      func(s *Stream, h *Headers)  // what the proxy itself changes before any filter
	egress       func(a *Attempt, h *Headers) // … and before a request is written
	plainRouter  bool                         // the router adds and reads no x-envoy-* headers
	routeLast    bool                         // the upstream is chosen behind all filters, by what they set
	encodeFirst  bool                         // response callbacks run first to last
	noLog        bool
	noTrailers   bool
	headerArgs   func(h *Headers, eos bool) Args
	onlyOnDemand bool // body callbacks only where the module asked for them
	judge        func(f *httpFilter, cb Callback, result Action) Action
	deadPasses   func(cb Callback) bool // callbacks in which a dead VM lets the stream pass
	// finishResponse is what the proxy changes on an answer behind every filter.
	finishResponse func(s *Stream, h *Headers)
	localReply     func(f *httpFilter, r localReply) (handled bool)
	ownReply       func(r localReply) localReply // what the host makes of a reply
	smuggled       func(h *Headers, body string) string

	// Host calls.
	calls       map[string]Status // calls that only answer
	mapsAlways  bool              // header maps can be reached in every phase
	pairs       func(f *httpFilter, h *Headers, m MapType) ([][2]string, Status)
	readHeader  func(f *httpFilter, h *Headers, m MapType, name string) Status
	writeHeader func(f *httpFilter, h *Headers, m MapType, name, value string) (handled bool, s Status)
	readBuffer  func(b BufferType, data []byte, start, size uint32) ([]byte, Status)
	setProperty func(c *vmContext, path string, value []byte) Status
	getProperty func(c *vmContext, path string) ([]byte, Status)
	httpCall    func(c *vmContext, upstream string) Status

	afterCall func(f *httpFilter)
	callSent  func(h *Headers, timeoutMS uint32) // what the host adds to a callout
	callTook  func(c *Callout, h *Headers)       // and to its answer
}

// accept refuses a filter that this host could not run.
func (r *rules) accept(p *plugin) error {
	switch {
	case p.Module == nil:
		return errors.New("no module")
	case r.noUpstream && p.stage == Upstream:
		return errors.New("this host has no upstream filters")
	case r.onlyUpstream && p.stage == Downstream:
		return errors.New("this profile runs upstream filters only")
	case r.noStopOption && p.AllowHeadersStop:
		return errors.New("this host cannot set allow_on_headers_stop_iteration")
	}
	for _, name := range p.Module.Imports() {
		if why, missing := r.missing[name]; missing {
			return errors.New("import " + name + ": " + why)
		}
	}
	if r.check != nil {
		return r.check(p)
	}
	return nil
}

// Envoy is Envoy 1.40 with the module as an HTTP filter, and as an upstream HTTP filter where the
// host's configuration says so.
func Envoy() Profile { return Profile{name: "envoy", rules: envoyRules()} }

// EnvoyUpstream is Envoy 1.40 with the module as an upstream HTTP filter only.
func EnvoyUpstream() Profile {
	r := envoyRules()
	r.onlyUpstream = true
	return Profile{name: "envoy-upstream", rules: r}
}

// IstioWasmPlugin is Istio 1.31 with the module in WasmPlugin resources and nothing else.
func IstioWasmPlugin() Profile {
	r := envoyRules()
	// A bare WasmPlugin cannot set allow_on_headers_stop_iteration: a pause at headers stops the
	// body too, so that a module which waits for it hangs the request.
	r.noStopOption = true
	// … and knows no upstream filters: failover is a callout.
	r.noUpstream = true
	return Profile{name: "istio-wasmplugin", rules: r}
}

func envoyRules() *rules {
	return &rules{ingress: envoyIngress, routable: envoyRoutable, finishResponse: envoyFinishResponse, smuggled: envoySmuggled, callSent: envoyCallSent, callTook: envoyCallTook}
}

// routerHeaders are the request headers by which clients could steer Envoy's router. Envoy removes
// them from requests that do not come from an internal address
// (source/common/http/conn_manager_utility.cc). x-envoy-attempt-count is not among them.
var routerHeaders = []string{
	"x-envoy-retriable-status-codes", "x-envoy-retriable-header-names", "x-envoy-retry-on",
	"x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-upstream-alt-stat-name",
	"x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms",
	"x-envoy-upstream-rq-timeout-alt-response", "x-envoy-expected-rq-timeout-ms",
	"x-envoy-force-trace", "x-envoy-ip-tags", "x-envoy-original-url",
	"x-envoy-hedge-on-per-try-timeout",
}

// perConnection are headers that Envoy takes off requests, and the first ones off answers too.
var perConnection = []string{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "x-envoy-internal"}

// upgrades reports whether headers ask for, or grant, another protocol: Envoy
// forwards the two that say so (source/common/http/utility.cc, isUpgrade). That
// the connection manager refuses protocols which upgrade_configs does not name is
// not reproduced.
func upgrades(h *Headers) bool {
	return h.Get("upgrade") != "" && strings.Contains(strings.ToLower(h.Get("connection")), "upgrade")
}

// envoyFinishResponse is what the connection manager does to an answer behind its filters.
func envoyFinishResponse(s *Stream, h *Headers) {
	for _, name := range perConnection[:4] {
		if name != "connection" || !upgrades(h) {
			h.Remove(name)
		}
	}
	h.put("date", s.host.clock.Now().UTC().Format(http.TimeFormat))
	h.put("server", "envoy")
}

// envoyIngress is what the connection manager does to a request before its filters.
func envoyIngress(s *Stream, h *Headers) {
	internal := s.host.cfg.InternalClients
	kept := upgrades(h)
	for _, name := range perConnection {
		if !kept || name != "connection" && name != "upgrade" {
			h.Remove(name)
		}
	}
	if !internal {
		for _, name := range routerHeaders {
			h.Remove(name)
		}
	} else if ip, _, err := net.SplitHostPort(s.peer); err == nil {
		h.Add("x-forwarded-for", ip)
	}
	if !h.Has("x-forwarded-proto") {
		h.Add("x-forwarded-proto", h.Get(":scheme"))
	}
	if internal {
		h.Add("x-envoy-internal", "true")
	}
	if !h.Has("x-request-id") {
		h.Add("x-request-id", fmt.Sprintf("00000000-0000-4000-8000-%012x", s.id))
	}
}

// envoyRoutable: no route matches without a path, nor without x-forwarded-proto, which a module that
// replaces all headers easily loses (source/common/router/config_impl.cc).
func envoyRoutable(h *Headers) bool { return h.Has(":path") && h.Has("x-forwarded-proto") }

// envoyCallSent and envoyCallTook: a callout passes a router of its own.
func envoyCallSent(h *Headers, timeoutMS uint32) {
	if !h.Has(":scheme") {
		h.Add(":scheme", "http")
	}
	h.put("x-envoy-internal", "true")
	if timeoutMS > 0 {
		h.put("x-envoy-expected-rq-timeout-ms", strconv.FormatUint(uint64(timeoutMS), 10))
	}
}

func envoyCallTook(c *Callout, h *Headers) {
	took := c.root.vm.host.clock.Now().Sub(c.begun)
	h.put("x-envoy-upstream-service-time", strconv.FormatInt(took.Milliseconds(), 10))
}

// envoySmuggled: Envoy writes the content-length that the filters leave, whatever the body is. A
// body that is longer becomes the beginning of the next request on the provider's connection
// (HOSTS.md, bare WasmPlugin). Without the header it uses chunks, and nothing is smuggled.
func envoySmuggled(h *Headers, body string) string {
	length, err := strconv.Atoi(h.Get("content-length"))
	if err != nil || length >= len(body) {
		return ""
	}
	return body[length:]
}

// required says which header is missing without which the host's codec refuses a message.
func required(h *Headers, names ...string) string {
	i := slices.IndexFunc(names, func(n string) bool { return h.Get(n) == "" })
	if i < 0 {
		return ""
	}
	return "missing required header: " + names[i]
}

// requiredStatus is required for an answer: a status that is no number counts as none.
func requiredStatus(h *Headers) string {
	if _, err := strconv.ParseUint(h.Get(":status"), 10, 16); err != nil {
		return "missing required header: :status"
	}
	return ""
}
