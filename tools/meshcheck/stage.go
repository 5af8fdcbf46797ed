package meshcheck

import (
	"slices"

	"github.com/posterngw/postern/filters/config"
)

var stageRules = []rule{
	{"stage_missing", stageMissing},
	{"stage_not_inserted", stageNotInserted},
	{"stage_headers_stop", stageHeadersStop},
	{"stage_failure_policy", stageFailurePolicy},
	{"stage_vm_id", stageSame("the vm_id", "vm_config", "vm_id")},
	{"stage_code", stageSame("the code", "vm_config", "code")},
	{"stage_env_missing", stageEnvMissing},
	{"stage_env_inline", stageEnvInline},
	{"stage_configuration", stageConfiguration},
	{"unknown_field", unknownFields},
}

func stageMissing(w *world, report report) {
	for _, name := range []string{clientStage, providerStage} {
		if _, found := w.stage(name); !found && w.native() {
			report(w.filter(), "no patch adds the stage "+name, "add it by applyTo: EXTENSION_CONFIG")
		}
	}
}

// filter is the place of an EnvoyFilter for what it lacks.
func (w *world) filter() place {
	for _, p := range w.filters {
		if p.mentions(clientStage) || p.mentions(providerStage) {
			return p.at("spec", "config_patches")
		}
	}
	return nowhere("EnvoyFilter", routeName)
}

func stageNotInserted(w *world, report report) {
	if w.native() && !slices.ContainsFunc(w.inserted, func(p patch) bool { return p.value.at("name").text() == clientStage }) {
		report(w.filter(), "no patch puts the client stage into the gateway's listeners: requests pass unchecked",
			"add it by applyTo: HTTP_FILTER, INSERT_BEFORE the router")
	}
}

func stageHeadersStop(w *world, report report) {
	for _, s := range w.stages {
		if at := s.at("allow_on_headers_stop_iteration"); !at.isTrue() {
			report(at, "without stop iteration the body of a request that is held never reaches the module: it hangs", "allow_on_headers_stop_iteration: true")
		}
	}
}

func stageFailurePolicy(w *world, report report) {
	const hint = "failure_policy: FAIL_RELOAD"
	for _, s := range w.stages {
		switch at := s.at("failure_policy"); at.text() {
		case "FAIL_RELOAD":
		case "FAIL_OPEN":
			report(at, "after a failure requests would pass unchecked", hint)
		default:
			report(at, "after one trap everything would be refused until a restart", hint)
		}
	}
}

// stageSame wants both stages to have the same.
func stageSame(what string, path ...string) func(*world, report) {
	return func(w *world, report report) {
		client, a := w.stage(clientStage)
		provider, b := w.stage(providerStage)
		if a && b && !client.at(path...).same(provider.at(path...)) {
			report(provider.at(path...), what+" is not that of the client stage: each would have a VM of its own, and know nothing of the other's requests",
				"write the same vm_config to both")
		}
	}
}

func stageEnvMissing(w *world, report report) {
	for _, s := range w.stages {
		at := s.at("vm_config", "environment_variables", "host_env_keys")
		for _, name := range w.want.Variables {
			if !slices.Contains(at.texts(), name) {
				report(at, "the variable "+name+" does not reach the module", "add it to host_env_keys")
			}
		}
	}
}

func stageEnvInline(w *world, report report) {
	for _, s := range w.stages {
		for _, e := range s.at("vm_config", "environment_variables", "key_values").members() {
			if slices.Contains(w.want.Variables, e.key()) {
				report(e, "the key in "+e.key()+" is written into the resource, and shows in every dump of the proxy's configuration", "name it in host_env_keys")
			}
		}
	}
}

const (
	otherConfiguration = "the module's configuration is not the one that the resources are checked against"
	renderAgain        = "render the resources again with `postern render istio`"
)

// stageConfiguration finds resources that were made from another configuration.
func stageConfiguration(w *world, report report) {
	client, found := w.stage(clientStage)
	if !found {
		return
	}
	at := client.at("configuration", "value")
	if given, _ := config.ParseJSON([]byte(at.text())); !w.serves(given) {
		report(at, otherConfiguration, renderAgain)
	}
}

// serves reports whether a module's configuration is the wanted one, in whatever
// mode.
func (w *world) serves(given *config.Node) bool {
	wanted, _ := config.ParseJSON([]byte(w.want.Config))
	return given != nil && config.Digest(modeless(given)) == config.Digest(modeless(wanted))
}

// modeless is a configuration without its mode.
func modeless(n *config.Node) *config.Node {
	c := *n
	c.Members = slices.DeleteFunc(slices.Clone(n.Members), func(m config.Member) bool { return m.Key == "mode" })
	return &c
}
