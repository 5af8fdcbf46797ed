package hosttest_test

import (
	"fmt"
	"time"

	hosttest "github.com/posterngw/postern/host-test"
)

// greeter is a module written in Go; Runtime.Compile gives the same Module for a .wasm file.
type greeter struct {
	hosttest.BaseGuest
	calls hosttest.Calls
}

func (g *greeter) OnRequestHeaders(uint32, uint32, bool) hosttest.Action {
	if key, _ := g.calls.Header(hosttest.RequestHeaders, "x-key"); key == "" {
		g.calls.SendLocalResponse(401, "no_key", []byte("who are you?"), nil, -1)
		return hosttest.Pause
	}
	g.calls.RemoveHeader(hosttest.RequestHeaders, "x-key")
	return hosttest.Continue
}

func Example() {
	host, err := hosttest.New(hosttest.Config{
		Profile: hosttest.Envoy(),
		Downstream: []hosttest.Filter{{
			Name:   "greeter",
			Module: hosttest.NativeGuest(func(c hosttest.Calls) hosttest.Guest { return &greeter{calls: c} }),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer host.Close()

	anonymous := host.NewStream()
	anonymous.RequestHeaders([][2]string{{":path", "/"}}, true)
	fmt.Println(anonymous.Response())

	known := host.NewStream()
	known.RequestHeaders([][2]string{{":path", "/"}, {"x-key", "secret"}}, true)
	provider := known.Attempt()
	fmt.Println(provider.Cluster, provider.Request().Headers.Has("x-key"))
	provider.ResponseHeaders([][2]string{{":status", "200"}}, false)
	provider.ResponseBody([]byte("hello"), true)
	fmt.Println(known.Response())
	// Output:
	// 401 "who are you?" (1 chunks, complete)
	// upstream false
	// 200 "hello" (1 chunks, complete)
}

// A provider that hangs is given up after the time per try, and the next cluster is tried.
func Example_failover() {
	host, err := hosttest.New(hosttest.Config{Route: hosttest.Route{
		RefreshClusterOnRetry: true,
		Cluster: func(_ *hosttest.FilterState, _ *hosttest.Headers, attempt int) string {
			return []string{"first", "second"}[attempt-1]
		},
		Retry: &hosttest.RetryPolicy{On: []string{"reset"}, PerTryTimeout: time.Second, Backoff: time.Millisecond},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer host.Close()
	s := host.NewStream()
	s.RequestHeaders(nil, true)
	fmt.Println(s.Attempt().Cluster)
	host.Advance(time.Second + time.Millisecond)
	fmt.Println(s.Attempt().Cluster)
	// Output:
	// first
	// second
}
