package envoytest

import (
	"errors"
	"strings"
	"time"
)

// Reload replaces the configuration of a running, dynamic Envoy as a deployment
// does: new files take the old ones' places by renames. It returns when the new
// listener serves.
func (e *Envoy) Reload(config string) error {
	if !e.o.Dynamic {
		return errors.New("this Envoy's configuration is static")
	}
	_, wasm, err := Binaries()
	if err != nil {
		return err
	}
	before, err := e.stat("listener_manager.lds.update_success")
	if err != nil {
		return err
	}
	if err := e.write(wasm, config); err != nil {
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
