package envoytest

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// reloadLimit bounds how long a configuration may take to serve: a module may have
// to be compiled for it.
const reloadLimit = startLimit

// Reload replaces the configuration of a running, dynamic Envoy as a deployment
// does: new files take the old ones' places by renames. It returns when the new
// listener serves; one that Envoy refuses is an error.
func (e *Envoy) Reload(config string) error {
	return e.judged(config, func(took, refused bool) (bool, error) {
		switch {
		case refused:
			return false, errors.New("Envoy refused the configuration")
		case !took:
			return false, nil
		}
		warming, err := e.stat("listener_manager.total_listeners_warming")
		return warming == 0, err
	})
}

// Use has the next configuration run another module.
func (e *Envoy) Use(wasm string) { e.o.Wasm = wasm }

// Refused is Reload with a configuration that Envoy must refuse. It returns when
// Envoy has; one that Envoy takes is an error.
func (e *Envoy) Refused(config string) error {
	return e.judged(config, func(took, refused bool) (bool, error) {
		if took {
			return false, fmt.Errorf("Envoy took the configuration:\n%s", config)
		}
		return refused, nil
	})
}

// judged replaces the configuration, and asks done until it says so: whether Envoy
// took one, or refused one, since.
func (e *Envoy) judged(config string, done func(took, refused bool) (bool, error)) error {
	updated, rejected := int64(0), int64(0)
	err := e.replace(config, func(success, failure int64) { updated, rejected = success, failure })
	if err != nil {
		return err
	}
	return e.await(reloadLimit, func() (bool, error) {
		success, failure, err := e.updates()
		if err != nil {
			return false, err
		}
		return done(success > updated, failure > rejected)
	})
}

// Kill ends the process as the kernel does when memory runs out: it writes and
// tells nothing any more.
func (e *Envoy) Kill() error {
	err := e.cmd.Process.Kill()
	<-e.ended
	return err
}

// Restart runs one that was killed again, with the configuration that it had. It
// listens at another port.
func (e *Envoy) Restart() error {
	binary, _, err := Binaries()
	if err != nil {
		return err
	}
	e.admin, e.ended = "", make(chan struct{})
	if err := errors.Join(os.Remove(e.path("admin")), e.run(binary)); err != nil {
		return err
	}
	return e.ready()
}

// replace writes the files of a configuration, and tells how often Envoy took and
// refused a listener before.
func (e *Envoy) replace(config string, before func(success, failure int64)) error {
	if !e.o.Dynamic {
		return errors.New("this Envoy's configuration is static")
	}
	success, failure, err := e.updates()
	if err != nil {
		return err
	}
	before(success, failure)
	return e.write(config)
}

// clusterUpdates are how often a running Envoy read its clusters.
func (e *Envoy) clusterUpdates() (int64, error) {
	if e.admin == "" {
		return 0, nil
	}
	return e.stat("cluster_manager.cds.update_attempt")
}

// warm waits until a running Envoy has the clusters that were replaced.
func (e *Envoy) warm(name string, updated int64) error {
	if e.admin == "" || name != "clusters.yaml" {
		return nil
	}
	return e.await(reloadLimit, func() (bool, error) {
		now, err := e.clusterUpdates()
		if err != nil || now <= updated {
			return false, err
		}
		warming, err := e.stat("cluster_manager.warming_clusters")
		return warming == 0, err
	})
}

// updates are how many listeners Envoy took and refused.
func (e *Envoy) updates() (success, failure int64, err error) {
	success, err = e.stat("listener_manager.lds.update_success")
	if err != nil {
		return 0, 0, err
	}
	failure, err = e.stat("listener_manager.lds.update_rejected")
	return success, failure, err
}

func (e *Envoy) stat(name string) (int64, error) {
	all, err := e.Stats("^" + strings.ReplaceAll(name, ".", `\.`) + "$")
	return all[name], err
}
