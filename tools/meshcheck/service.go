package meshcheck

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/render"
)

var serviceRules = []rule{
	{"service_missing", serviceMissing},
	{"service_port", servicePort},
	{"service_protocol", serviceProtocol},
	{"tls_missing", tlsMissing},
	{"tls_host", tlsHost},
	{"tls_mode", tlsMode},
	{"tls_sni", tlsSNI},
	{"tls_names", tlsNames},
	{"tls_insecure", tlsInsecure},
}

// entries are the ServiceEntries of a host.
func (w *world) entries(h *render.IstioHost) (list []place) {
	for _, p := range w.kind("ServiceEntry") {
		if slices.ContainsFunc(p.at("spec", "hosts").texts(), func(name string) bool {
			return name == h.Host || strings.HasPrefix(name, "*.") && strings.HasSuffix(h.Host, name[1:])
		}) {
			list = append(list, p)
		}
	}
	return list
}

// outside calls a function for each host that the mesh does not know by itself.
func (w *world) outside(f func(h *render.IstioHost, entries []place)) {
	for _, h := range w.upstreams() {
		if !h.InMesh {
			f(&h, w.entries(&h))
		}
	}
}

func serviceMissing(w *world, report report) {
	w.outside(func(h *render.IstioHost, entries []place) {
		if len(entries) == 0 {
			report(nowhere("ServiceEntry", h.Resource), "no ServiceEntry for "+h.Host+": Istio sends nothing to hosts that it does not know",
				"add one with port "+strconv.Itoa(h.Port))
		}
	})
}

// port is that of a host in one of its entries.
func port(h *render.IstioHost, entries []place) (place, bool) {
	for _, e := range entries {
		for _, p := range e.at("spec", "ports").items() {
			if p.at("number").number() == h.Port {
				return p, true
			}
		}
	}
	return place{}, false
}

func servicePort(w *world, report report) {
	w.outside(func(h *render.IstioHost, entries []place) {
		if _, found := port(h, entries); !found && len(entries) > 0 {
			report(entries[0].at("spec", "ports"), h.Host+" is asked at port "+strconv.Itoa(h.Port)+", which the ServiceEntry does not have", "add port "+strconv.Itoa(h.Port))
		}
	})
}

func serviceProtocol(w *world, report report) {
	w.outside(func(h *render.IstioHost, entries []place) {
		p, found := port(h, entries)
		allowed := []string{"HTTP", "HTTP2"}
		if h.TLS {
			allowed = append(allowed, "HTTPS")
		}
		if at := p.at("protocol"); found && !slices.Contains(allowed, strings.ToUpper(at.text())) {
			report(at, "Istio routes no requests to "+h.Host+" by the protocol "+config.Quote(at.text()), "protocol: "+allowed[len(allowed)-1])
		}
	})
}

// tls is where the TLS of a host's port is set; found tells whether there is a
// DestinationRule at all.
func (w *world) tls(h *render.IstioHost) (at place, found bool) {
	for _, p := range w.kind("DestinationRule") {
		if full(p.at("spec", "host").text(), p.r.Namespace) != h.Host {
			continue
		}
		policy := p.at("spec", "traffic_policy")
		for _, s := range policy.at("port_level_settings").items() {
			if s.at("port", "number").number() == h.Port {
				return s.at("tls"), true
			}
		}
		return policy.at("tls"), true
	}
	return place{}, false
}

// secure calls a function for each host with TLS that has a DestinationRule.
func (w *world) secure(f func(h *render.IstioHost, tls place)) {
	for _, h := range w.upstreams() {
		if at, found := w.tls(&h); found && h.TLS {
			f(&h, at)
		}
	}
}

func tlsMissing(w *world, report report) {
	for _, h := range w.upstreams() {
		if _, found := w.tls(&h); !found && h.TLS {
			report(nowhere("DestinationRule", h.Resource), "no DestinationRule for "+h.Host+": its key would be sent in the clear",
				"add one with tls: {mode: SIMPLE, sni: "+h.Host+", subjectAltNames: ["+h.Certificate+"]}")
		}
	}
}

// tlsHost finds rules that are meant for a host, by the certificate that they
// want, and name another.
func tlsHost(w *world, report report) {
	for _, p := range w.kind("DestinationRule") {
		host := p.at("spec", "host")
		for _, h := range w.upstreams() {
			if _, found := w.tls(&h); !found && h.TLS && wants(p, h.Certificate) {
				report(host, "the rule wants the certificate of "+h.Host+" and is for "+config.Quote(host.text()), "host: "+h.Host)
			}
		}
	}
}

// wants reports whether a DestinationRule names a certificate or an SNI.
func wants(p place, name string) bool {
	policy := p.at("spec", "traffic_policy")
	return slices.ContainsFunc(append(policy.at("port_level_settings").items(), policy), func(s place) bool {
		tls := s.at("tls")
		return tls.at("sni").text() == name || slices.Contains(tls.at("subject_alt_names").texts(), name)
	})
}

func tlsMode(w *world, report report) {
	w.secure(func(h *render.IstioHost, tls place) {
		if at := tls.at("mode"); at.text() != "SIMPLE" && at.text() != "MUTUAL" {
			report(at, h.Host+" is asked by https, and the mode is "+config.Quote(at.text()), "mode: SIMPLE")
		}
	})
}

func tlsSNI(w *world, report report) {
	w.secure(func(h *render.IstioHost, tls place) {
		if at := tls.at("sni"); at.text() != h.Host && h.Address == "" {
			report(at, "Istio's own SNI is lost to the patch of the cluster: none, or another, would be sent to "+h.Host, "sni: "+h.Host)
		}
	})
}

func tlsNames(w *world, report report) {
	w.secure(func(h *render.IstioHost, tls place) {
		if at := tls.at("subject_alt_names"); !slices.Contains(at.texts(), h.Certificate) {
			report(at, "a certificate of any other host would be accepted for "+h.Host, "subjectAltNames: ["+h.Certificate+"]")
		}
	})
}

func tlsInsecure(w *world, report report) {
	w.secure(func(h *render.IstioHost, tls place) {
		if at := tls.at("insecure_skip_verify"); at.isTrue() {
			report(at, "any certificate would be accepted for "+h.Host+": whoever is in between reads its key", "remove it")
		}
	})
}
