// Package hosts is what Postern can do where: one table of features by host and
// mode, as data. Each cell says that the feature works, in which weaker way it
// works, or that it is refused, and names the test that proves it. What validates a
// configuration for a host, the tests that play each cell, and the document that
// shows the table all read it from here.
//
// It runs nothing, and knows nothing of a proxy that is not in the table: what the
// module finds out of the proxy that it is in is package pipeline's.
package hosts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
)

// Host is a proxy that the module is deployed on.
type Host string

// The hosts.
const (
	Envoy  Host = "envoy"
	Istio  Host = "istio"
	APISIX Host = "apisix"
)

// Hosts are all hosts.
var Hosts = []Host{Envoy, Istio, APISIX}

// Title is the host's own spelling.
func (h Host) Title() string {
	switch h {
	case Envoy:
		return "Envoy"
	case Istio:
		return "Istio"
	case APISIX:
		return "APISIX"
	}
	return string(h)
}

// Place is a host and a mode in which the module runs there.
type Place struct {
	Host Host
	Mode pipeline.Mode
}

// The places.
var (
	EnvoyNative   = Place{Envoy, pipeline.Native}
	EnvoyPaired   = Place{Envoy, pipeline.Paired}
	IstioNative   = Place{Istio, pipeline.Native}
	IstioPaired   = Place{Istio, pipeline.Paired}
	APISIXCallout = Place{APISIX, pipeline.Callouts}
	EnvoyObserve  = Place{Envoy, pipeline.Observe}
	IstioObserve  = Place{Istio, pipeline.Observe}
	APISIXObserve = Place{APISIX, pipeline.Observe}
)

// Places are all places. The first of a host is the one that it has unless another
// mode is asked for.
var Places = []Place{EnvoyNative, EnvoyPaired, IstioNative, IstioPaired, APISIXCallout}

// Observers are the places of a module that changes nothing of what another gateway
// serves. Its features are other ones.
var Observers = []Place{EnvoyObserve, IstioObserve, APISIXObserve}

func (p Place) String() string { return string(p.Host) + " " + string(p.Mode) }

// Find finds the place of a host's name and a mode, of which none is the host's
// first.
func Find(host string, mode pipeline.Mode) (Place, error) {
	var modes []string
	for _, p := range slices.Concat(Places, Observers) {
		if string(p.Host) != host {
			continue
		}
		if p.Mode == mode || mode == "" {
			return p, nil
		}
		modes = append(modes, string(p.Mode))
	}
	if modes == nil {
		return Place{}, fmt.Errorf("there is no host %q: one of envoy, istio, apisix", host)
	}
	return Place{}, fmt.Errorf("mode %s is not to be had on %s: there it is %s", mode, Host(host).Title(), strings.Join(modes, " or "))
}

// istioBuffer is what an Istio gateway holds of a body where nothing raises it, in
// bytes: Envoy's default.
const istioBuffer = 1 << 20

// Emulate makes an emulated proxy, as package gateway sets it up for the mode, one
// of this place.
func (p Place) Emulate(c *hosttest.Config) {
	switch p {
	case EnvoyPaired:
		c.Profile = hosttest.Envoy()
	case APISIXObserve:
		c.Profile = hosttest.APISIX()
	case IstioObserve:
		c.Profile = hosttest.IstioWasmPlugin()
	case IstioPaired:
		c.Profile = hosttest.IstioWasmPlugin()
		c.Route.BufferLimit, c.BufferLimit = 0, istioBuffer
	}
}
