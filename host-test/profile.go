package hosttest

import "errors"

// Profile says which proxy a Host emulates. Profiles are rules over one emulation of Envoy; each
// rule is a fact that was measured.
type Profile struct {
	name  string
	rules *rules
}

// Name is the profile's name as the tools print it.
func (p Profile) Name() string { return p.name }

// rules are the differences between hosts. The zero value is Envoy's behaviour.
type rules struct {
	// calls answer this status without doing anything.
	calls map[string]Status
	// missing imports make the module unloadable, with the reason.
	missing map[string]string

	noHeadersStop    bool
	noUpstream       bool
	onlyUpstream     bool
	noVMStart        bool
	configureLate    bool
	noTick           bool
	neverReload      bool
	calloutByAddress bool
	maxResponsePairs int

	readHeader  func(h *Headers, m MapType, name string) error
	writeHeader func(m MapType, name, value string) (string, string)
	readBuffer  func(start, size uint32) Status
	setProperty func(c *vmContext, path string, value []byte) Status
	getProperty func(c *vmContext, path string) ([]byte, Status)
	callout     func(c *vmContext, upstream string) Status
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
	case r.noHeadersStop && p.AllowHeadersStop:
		return errors.New("this host cannot set allow_on_headers_stop_iteration")
	}
	for _, name := range p.Module.Imports() {
		if why, missing := r.missing[name]; missing {
			return errors.New("import " + name + ": " + why)
		}
	}
	return nil
}

// connection adds what the proxy itself puts on a request before any filter sees it.
func (r *rules) connection(*Stream, *Headers) {}

// Envoy is Envoy 1.40 with the module as an HTTP filter, and as an upstream HTTP filter where the
// host's configuration says so.
func Envoy() Profile { return Profile{name: "envoy", rules: &rules{}} }

// EnvoyUpstream is Envoy with the module as an upstream HTTP filter only.
func EnvoyUpstream() Profile {
	return Profile{name: "envoy-upstream", rules: &rules{onlyUpstream: true}}
}
