package meshcheck

import (
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

// What a WasmPlugin of Postern is. The reader and the holder of paired mode have
// between them what one plugin cannot have.
type role string

const (
	reader  role = "reader"
	holder  role = "holder"
	native  role = "native stage"
	watcher role = "observer"
	unknown role = ""
)

// plugin is a WasmPlugin of Postern.
type plugin struct {
	place    // its spec
	role     role
	document place // the configuration, of all but the holder
}

var pluginRules = []rule{
	{"plugin_stage", pluginStage},
	{"plugin_native", pluginNative},
	{"plugin_configuration", pluginConfiguration},
	{"plugin_type", pluginType},
	{"plugin_phase", pluginPhase},
	{"plugin_match", pluginMatch},
	{"plugin_fail_strategy", pluginFailStrategy},
	{"plugin_url", pluginURL},
	{"plugin_env_missing", pluginEnvMissing},
	{"plugin_env_inline", pluginEnvInline},
}

// isPlugin tells Postern's plugins from others.
func isPlugin(p place) bool {
	spec := p.at("spec")
	return strings.HasPrefix(p.r.Name, routeName) || strings.HasPrefix(spec.at("plugin_name").text(), routeName) ||
		strings.Contains(spec.at("url").text(), "/postern")
}

func newPlugin(p place) plugin {
	spec := p.at("spec")
	c := spec.at("plugin_config")
	pl := plugin{place: spec, document: c}
	if text := c.at("document"); text.present() {
		n, _ := config.ParseJSON([]byte(text.text()))
		pl.document, pl.document.n = text, n
	}
	stage, mode := c.at("stage").text(), pl.document.at("mode").text()
	switch whole := stage == "" && pl.document.at("providers").present(); {
	case stage == "holder":
		pl.role = holder
	case whole && mode == "paired":
		pl.role = reader
	case whole && mode == "observe":
		pl.role = watcher
	case whole, stage == "provider":
		pl.role = native
	}
	return pl
}

func (p *plugin) paired() bool { return p.role == reader || p.role == holder }

// each calls a function for each plugin that is one of a pair.
func (w *world) each(f func(plugin)) {
	for _, p := range w.plugins {
		if p.paired() {
			f(p)
		}
	}
}

func pluginStage(w *world, report report) {
	for _, p := range w.plugins {
		at := p.at("plugin_config")
		switch {
		case p.role != unknown:
		case at.at("stage").present():
			report(at.at("stage"), "there is no stage "+config.Quote(at.at("stage").text()), "the holder has `stage: holder`; the reader has the configuration and no stage")
		default:
			report(at, "the plugin's configuration says neither what it serves nor its stage", "the reader has the whole configuration, the holder `stage: holder`")
		}
	}
}

func pluginNative(w *world, report report) {
	for _, p := range w.plugins {
		if p.role == native {
			report(p.at("plugin_config"), "a stage of native mode in a WasmPlugin: it would hold each request for ever, because no WasmPlugin can read the body of a request that it holds",
				"use the EnvoyFilter that `postern render istio` makes, or paired mode")
		}
	}
}

// pluginConfiguration finds a plugin that was made from another configuration.
func pluginConfiguration(w *world, report report) {
	for _, p := range w.plugins {
		if (p.role == reader || p.role == watcher) && !w.serves(p.document.n) {
			report(p.document, otherConfiguration, renderAgain)
		}
	}
}

func pluginType(w *world, report report) {
	for _, p := range w.plugins {
		if at := p.at("type"); at.text() == "NETWORK" {
			report(at, "a plugin of connections sees no requests", "type: HTTP")
		}
	}
}

func pluginPhase(w *world, report report) {
	for _, p := range w.plugins {
		if at := p.at("phase"); at.text() == "AUTHN" {
			report(at, "the module would come before Istio has verified who asks", "leave the phase out, or use AUTHZ or STATS")
		}
	}
}

func pluginMatch(w *world, report report) {
	for _, p := range w.plugins {
		for _, m := range p.at("match").items() {
			if at := m.at("mode"); at.text() == "SERVER" {
				report(at, "a gateway is a client to Istio: the plugin would never see a request", "mode: CLIENT_AND_SERVER, or no match")
			}
		}
	}
}

func pluginFailStrategy(w *world, report report) {
	const hint = "failStrategy: FAIL_RELOAD"
	w.each(func(p plugin) {
		switch at := p.at("fail_strategy"); at.text() {
		case "FAIL_RELOAD":
		case "FAIL_OPEN":
			report(at, "after a failure requests would pass unchecked", hint)
		default:
			report(at, "after one trap everything would be refused until a restart", hint)
		}
	})
}

func pluginURL(w *world, report report) {
	w.each(func(p plugin) {
		if at := p.at("url"); !strings.HasPrefix(at.text(), "oci://") {
			report(at, "only an image gives both plugins of a pair one VM; with a file each has its own, and requests hang", "url: oci://registry/name@sha256:…")
		}
	})
}

func pluginEnvMissing(w *world, report report) {
	w.each(func(p plugin) {
		at := p.at("vm_config", "env")
		for _, name := range w.want.Variables {
			if !slices.ContainsFunc(at.items(), func(e place) bool { return e.at("name").text() == name }) {
				report(at, "the variable "+name+" does not reach the module", "add {name: "+name+", valueFrom: HOST}")
			}
		}
	})
}

func pluginEnvInline(w *world, report report) {
	for _, p := range w.plugins {
		for _, e := range p.at("vm_config", "env").items() {
			if name := e.at("name").text(); slices.Contains(w.want.Variables, name) && e.at("value_from").text() != "HOST" {
				report(e.at("value"), "the key in "+name+" is written into the resource, where everybody who may read resources sees it",
					"valueFrom: HOST, and the variable in the environment of the gateway's container")
			}
		}
	}
}
