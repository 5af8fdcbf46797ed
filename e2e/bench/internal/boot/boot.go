// Package boot makes the bootstraps that a benchmark compares, all from the one
// that is rendered for a deployment: without the module, with a module that
// does nothing, and with the module.
//
// What is compared is therefore alike in everything else: listener, connection
// manager, access log, route and cluster.
package boot

import (
	"fmt"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/render"
	"github.com/posterngw/postern/tools/yamlconfig"
	"go.yaml.in/yaml/v3"
)

// Options describe one bootstrap.
type Options struct {
	Config    string // text of a postern.yaml
	Wasm      string // path of the module; empty: none
	Plugin    string // replaces the configuration of the client stage
	Direct    bool   // the route goes to a fixed cluster: the module does not decide
	Cluster   string // of a direct route
	Audit     bool   // the audit log is written
	AccessLog string
	AuditLog  string
}

// Make renders a bootstrap and takes out what the options leave out.
func Make(o Options) ([]byte, error) {
	node, errs := yamlconfig.Parse("postern.yaml", []byte(o.Config))
	if len(errs) > 0 {
		return nil, errs
	}
	c, errs := pipeline.Decode(node, builtin.Dialects())
	if len(errs) > 0 {
		return nil, errs
	}
	text, err := render.Envoy(node, c, render.Options{Wasm: o.Wasm, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0",
		AccessLog: o.AccessLog, AuditLog: o.AuditLog})
	if err != nil {
		return nil, err
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	if err := o.edit(tree); err != nil {
		return nil, err
	}
	return yaml.Marshal(tree)
}

func (o *Options) edit(tree any) (err error) {
	manager := at(tree, "static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config")
	route := at(manager, "route_config", "virtual_hosts", 0, "routes", 0)
	if manager == nil || route == nil {
		return fmt.Errorf("the rendered bootstrap has no connection manager or route where it was")
	}
	if !o.Audit {
		cut(manager, "access_log", 1)
	}
	if o.Plugin != "" {
		set(at(manager, "http_filters", 0, "typed_config", "config", "configuration"), "value", o.Plugin)
	}
	if o.Direct {
		set(route, "route", map[string]any{"cluster": o.Cluster, "timeout": "0s"})
	}
	if o.Wasm != "" {
		return nil
	}
	set(tree, "stats_config", nil)
	remove(manager, "http_filters", 0)
	clusters, _ := at(tree, "static_resources", "clusters").([]any)
	for _, c := range clusters {
		for _, options := range at(c, "typed_extension_protocol_options").(map[string]any) {
			remove(options, "http_filters", 0)
		}
	}
	return nil
}

// at follows names and indices; nil where they lead nowhere.
func at(tree any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := tree.(map[string]any)
			tree = m[p]
		case int:
			l, _ := tree.([]any)
			if p >= len(l) {
				return nil
			}
			tree = l[p]
		}
	}
	return tree
}

// set sets a member, or takes it away when v is nil.
func set(tree any, name string, v any) {
	m, ok := tree.(map[string]any)
	switch {
	case !ok:
	case v == nil:
		delete(m, name)
	default:
		m[name] = v
	}
}

// cut keeps the first n of a list.
func cut(tree any, name string, n int) {
	if l, ok := at(tree, name).([]any); ok && len(l) > n {
		set(tree, name, l[:n])
	}
}

// remove takes one out of a list.
func remove(tree any, name string, i int) {
	if l, ok := at(tree, name).([]any); ok && len(l) > i {
		set(tree, name, append(l[:i:i], l[i+1:]...))
	}
}
