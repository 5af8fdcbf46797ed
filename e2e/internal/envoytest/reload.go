package envoytest

import (
	"errors"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const listenerType = "type.googleapis.com/envoy.config.listener.v3.Listener"

// split makes a bootstrap that reads its listeners from a file, and that file.
func split(text []byte, at string) (bootstrap, listeners []byte, err error) {
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, nil, err
	}
	static, _ := tree["static_resources"].(map[string]any)
	list, _ := static["listeners"].([]any)
	for _, l := range list {
		if l, ok := l.(map[string]any); ok {
			l["@type"] = listenerType
		}
	}
	delete(static, "listeners")
	tree["dynamic_resources"] = map[string]any{
		"lds_config": map[string]any{"path_config_source": map[string]any{"path": at}, "resource_api_version": "V3"},
	}
	bootstrap, err = yaml.Marshal(tree)
	if err != nil {
		return nil, nil, err
	}
	listeners, err = yaml.Marshal(map[string]any{"resources": list})
	return bootstrap, listeners, err
}

// Reload replaces the configuration of a running, dynamic Envoy as a deployment
// does: a new file takes the old one's place by a rename. It returns when the
// new listener serves.
func (e *Envoy) Reload(config string) error {
	if !e.o.Dynamic {
		return errors.New("this Envoy's listener is static")
	}
	_, wasm, err := Binaries()
	if err != nil {
		return err
	}
	text, err := e.render(wasm, config)
	if err != nil {
		return err
	}
	_, listeners, err := split(text, e.path("lds.yaml"))
	if err != nil {
		return err
	}
	before, err := e.stat("listener_manager.lds.update_success")
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.path("next.yaml"), listeners, 0o600); err != nil {
		return err
	}
	if err := os.Rename(e.path("next.yaml"), e.path("lds.yaml")); err != nil {
		return err
	}
	return e.await(time.Minute, func() (bool, error) {
		now, err := e.stat("listener_manager.lds.update_success")
		if err != nil || now <= before {
			return false, err
		}
		warming, err := e.stat("listener_manager.total_listeners_warming")
		return warming == 0, err
	})
}

func (e *Envoy) stat(name string) (int64, error) {
	all, err := e.Stats("^" + strings.ReplaceAll(name, ".", `\.`) + "$")
	return all[name], err
}
