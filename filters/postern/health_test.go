package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
)

const sparesConfig = `version: 1
providers:
  one: {dialect: openai, url: "http://one.test/v1"}
  two: {dialect: openai, url: "http://two.test/v1"}
models:
  fast: {targets: [{provider: one, model: m1}, {provider: two, model: m2, priority: 1}]}
identity: {anonymous: {}}
`

// TestSpares: a second target that was shut out once, and that nobody needed
// since, is there for everybody when the first one breaks down, and not only for
// the one request that may probe.
func TestSpares(t *testing.T) {
	for engine, module := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			node, c, errs := gateway.Load("postern.yaml", []byte(sparesConfig))
			require.Empty(t, errs)
			h, err := hosttest.New(gateway.Host(gateway.Options{Module: module, Node: node, Config: c,
				Clock: hosttest.NewVirtualClock(time.Unix(1_800_000_000, 0))}))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, h.Close()) })
			answers := func(n int, status string, more ...[2]string) {
				streams := make([]*hosttest.Stream, n)
				for i := range streams {
					streams[i] = h.NewStream()
					streams[i].RequestHeaders(chatHeaders, false)
					streams[i].RequestBody([]byte(`{"model":"fast","messages":[]}`), true)
				}
				for _, s := range streams {
					require.Len(t, s.Attempts(), 1)
					s.Attempts()[0].ResponseHeaders([][2]string{{":status", "500"}}, true)
					h.Advance(10 * time.Millisecond) // the host waits a little before it retries
				}
				for _, s := range streams {
					require.Len(t, s.Attempts(), 2)
					require.Equal(t, "two", s.Attempts()[1].Cluster)
					s.Attempts()[1].ResponseHeaders(append([][2]string{{":status", status}, {"content-type", "application/json"}}, more...), false)
					s.Attempts()[1].ResponseBody([]byte(`{"id":"c","model":"m2","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}`), true)
				}
			}
			answers(1, "429", [2]string{"retry-after", "1"})
			h.Advance(time.Second)
			answers(3, "200")
			answers(1, "200")
		})
	}
}
