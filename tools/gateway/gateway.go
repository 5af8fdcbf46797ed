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
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// Native is the module as Go code, for tests that need no wasm.
func Native() hosttest.Module {
	return hosttest.NativeGuest(pipelinetest.Guest(func(vm pipeline.VM) *pipeline.Module {
		return pipeline.New(vm, builtin.Dialects())
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
	plugin := string(yamlconfig.ToJSON(o.Node))
	stage := func(name, configuration string) hosttest.Filter {
		return hosttest.Filter{Name: name, RootID: name, VMID: "postern", Module: o.Module, Config: []byte(configuration),
			Env: o.Env, AllowHeadersStop: true, FailurePolicy: hosttest.FailReload}
	}
	return hosttest.Config{
		Profile: o.Profile, Workers: o.Workers, Clock: o.Clock, Rand: o.Rand, Log: o.Log, AccessLog: o.Access, Clusters: o.Clusters,
		Downstream: []hosttest.Filter{stage("postern", plugin)},
		Upstream:   []hosttest.Filter{stage("postern-provider", pipeline.ProviderConfig)},
		Route: hosttest.Route{
			Name: "postern", Cluster: cluster, RefreshClusterOnRetry: true, IncludeAttemptCount: true,
			Timeout: -1, BufferLimit: max(o.Config.Limits.Body, o.Config.Limits.Answer) + headroom,
			Retry: &hosttest.RetryPolicy{
				On:               []string{"retriable-headers", "connect-failure", "refused-stream", "reset"},
				RetriableHeaders: []string{"x-postern-retry"}, Backoff: time.Millisecond,
			},
		},
	}
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
