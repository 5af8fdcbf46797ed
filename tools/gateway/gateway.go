// Package gateway sets an emulated proxy up as package render sets up a real
// one: both stages in one VM, the cluster of each attempt from filter state,
// retries by the module's mark. The local gateway, scenario files and the tests
// of the module all stand on it, so they see what a deployment sees.
//
// It serves nothing by itself: hosttest does.
package gateway

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/pipeline/pipelinetest"
	"github.com/posterngw/postern/filters/watch"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// Native is the module as Go code, for tests that need no wasm.
func Native() hosttest.Module {
	return hosttest.NativeGuest(pipelinetest.Guest(func(vm pipeline.VM) func() pipeline.Plugin {
		return pipeline.New(vm, builtin.Dialects()).Plugin
	}))
}

// Observer is the module that does nothing but observe, as Go code.
func Observer() hosttest.Module {
	return hosttest.NativeGuest(pipelinetest.Guest(func(vm pipeline.VM) func() pipeline.Plugin {
		m := watch.New(vm, builtin.Dialects())
		return func() pipeline.Plugin { return m.Plugin(nil) }
	}))
}

// Load reads and checks a postern.yaml.
func Load(name string, text []byte) (*config.Node, *pipeline.Config, config.Errors) {
	node, errs := document.Read(name, text)
	if len(errs) > 0 {
		return nil, nil, errs
	}
	c, errs := pipeline.Decode(node, builtin.Dialects())
	return node, c, errs
}

// Options are what a test or a local gateway adds to a configuration.
type Options struct {
	Module   hosttest.Module
	Node     *config.Node
	Config   *pipeline.Config
	Env      map[string]string
	Clusters map[string]http.RoundTripper
	Workers  int
	Clock    hosttest.Clock
	Rand     io.Reader
	Log      func(hosttest.LogLine)
	Access   func(*hosttest.AccessLog)
	Profile  hosttest.Profile
}

// headroom is how much larger the host's buffer is than the module's limits on
// bodies and whole answers, so that the module refuses first.
const headroom = 64 << 10

// Host describes the proxy.
func Host(o Options) hosttest.Config {
	c := hosttest.Config{
		Profile: o.Profile, Workers: o.Workers, Clock: o.Clock, Rand: o.Rand, Log: o.Log, AccessLog: o.Access, Clusters: o.Clusters,
		Route: hosttest.Route{Name: "postern", Timeout: -1, BufferLimit: max(o.Config.Limits.Body, o.Config.Limits.Answer) + headroom},
	}
	plugin := string(yamlconfig.ToJSON(o.Node))
	switch o.Config.Mode {
	case pipeline.Paired:
		o.paired(&c, plugin)
	case pipeline.Callouts:
		o.callouts(&c, plugin)
	case pipeline.Observe:
		o.observes(&c, plugin)
	default:
		o.native(&c, plugin)
	}
	return c
}

// callouts has the module once. What passes goes where the module's variable says,
// by the plugin of the host that splits traffic.
func (o *Options) callouts(c *hosttest.Config, plugin string) {
	c.Profile = hosttest.APISIX()
	c.Downstream = []hosttest.Filter{o.stage("postern", plugin, false)}
	c.Declared = append([]string{pipeline.TargetVariable}, pipeline.LogVariables...)
	c.Route.Cluster = func(state *hosttest.FilterState, _ *hosttest.Headers, _ int) string {
		name, _ := state.Get(pipeline.TargetVariable)
		return strings.Clone(name)
	}
}

// observes has the module once, with nothing that a plain plugin cannot have, and
// leaves all else to the gateway that it observes.
func (o *Options) observes(c *hosttest.Config, plugin string) {
	one := o.stage("postern", plugin, false)
	one.FailurePolicy = hosttest.FailOpen
	c.Downstream = []hosttest.Filter{one}
	c.Declared = pipeline.LogVariables
}

// native has the module in the chain and in every cluster.
func (o *Options) native(c *hosttest.Config, plugin string) {
	c.Downstream = []hosttest.Filter{o.stage("postern", plugin, true)}
	c.Upstream = []hosttest.Filter{o.stage("postern-provider", pipeline.ProviderConfig, true)}
	r := &c.Route
	r.Cluster, r.RefreshClusterOnRetry, r.IncludeAttemptCount = cluster, true, true
	r.Retry = &hosttest.RetryPolicy{
		On:               []string{"retriable-headers", "connect-failure", "refused-stream", "reset"},
		RetriableHeaders: []string{"x-postern-retry"}, Backoff: time.Millisecond,
	}
}

// paired has the module twice in the chain, without anything that a WasmPlugin
// cannot have. Routes go by the header that names the cluster.
func (o *Options) paired(c *hosttest.Config, plugin string) {
	if o.Profile == (hosttest.Profile{}) {
		c.Profile = hosttest.IstioWasmPlugin()
	}
	c.Downstream = []hosttest.Filter{o.stage("postern", plugin, false), o.stage("postern-holder", pipeline.HolderConfig, false)}
	c.Route.Cluster = func(_ *hosttest.FilterState, h *hosttest.Headers, _ int) string {
		return strings.Clone(h.Get(pipeline.ClusterHeader))
	}
}

// stage is one plugin.
func (o *Options) stage(name, configuration string, stop bool) hosttest.Filter {
	return hosttest.Filter{Name: name, RootID: name, VMID: "postern", Module: o.Module, Config: []byte(configuration),
		Env: o.Env, AllowHeadersStop: stop, FailurePolicy: hosttest.FailReload}
}

// cluster is the matcher of the rendered bootstrap: the target of an attempt by
// filter state, the attempt by the header that still shows the one before.
func cluster(state *hosttest.FilterState, h *hosttest.Headers, _ int) string {
	before, _ := strconv.Atoi(h.Get("x-envoy-attempt-count"))
	if name, ok := state.Get("wasm.postern.t" + strconv.Itoa(before+1)); ok {
		return name
	}
	name, _ := state.Get("wasm.postern.t1")
	return strings.Clone(name)
}
