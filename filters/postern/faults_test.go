package main

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
)

const trapConfig = `version: 1
providers: {a: {dialect: openai, url: "https://a.test/v1"}}
models: {m: {max_output: 9, targets: [{provider: a, model: m}]}}
identity: {anonymous: {}}
limits: {workers: 2}
budgets: {all: {unit: requests, limit: 10, window: day, chunk: 2, lease_ttl: 5s}}
`

// on sends a request to a worker.
func on(h *hosttest.Host, worker int) *hosttest.Stream {
	s := h.NewStreamOn(worker)
	const body = `{"model":"m","messages":[]}`
	s.RequestHeaders(append(slices.Clone(chatHeaders), [2]string{"content-length", strconv.Itoa(len(body))}), false)
	s.RequestBody([]byte(body), true)
	return s
}

// served answers a request if it came to its provider, by a callout or not.
func served(h *hosttest.Host, s *hosttest.Stream) bool {
	h.Advance(10 * time.Millisecond)
	if a := s.Attempt(); a != nil {
		a.ResponseHeaders([][2]string{{":status", "200"}, {"content-type", "application/json"}}, false)
		a.ResponseBody([]byte(answer), true)
	}
	for _, c := range h.Callouts() {
		c.Respond([][2]string{{":status", "200"}, {"content-type", "application/json"}}, []byte(answer), nil)
	}
	h.Advance(10 * time.Millisecond)
	return s.Response().Status() == "200"
}

// TestTraps: the module dies on one of two workers of each host. Its own request
// is answered 503, what is in flight there is cut (APISIX passes it on, unwatched),
// and the other worker goes on.
// Where the host makes a fresh VM the next request has it, and what the lost one
// had set aside of the budget is free again after lease_ttl. APISIX makes none.
func TestTraps(t *testing.T) {
	for engine, module := range engines(t) {
		for _, tt := range []struct {
			mode   pipeline.Mode
			policy hosttest.FailurePolicy
			heals  bool
			left   int // of the budget, for the worker that goes on, or for both
		}{
			{pipeline.Native, hosttest.FailReload, true, 8},
			{pipeline.Native, hosttest.FailClosed, false, 8},
			{pipeline.Paired, hosttest.FailReload, true, 8},
			{pipeline.Paired, hosttest.FailClosed, false, 8},
			{pipeline.Callouts, hosttest.FailReload, true, 5}, // each has a share of 5
		} {
			t.Run(engine+"/"+string(tt.mode)+"/"+strconv.Itoa(int(tt.policy)), func(t *testing.T) {
				t.Parallel()
				h := deployed(t, module, trapConfig, tt.mode, func(c *hosttest.Config) {
					c.Workers = 2
					for _, list := range [][]hosttest.Filter{c.Downstream, c.Upstream} {
						for i := range list {
							list[i].FailurePolicy = tt.policy
						}
					}
				})
				require.True(t, served(h, on(h, 0)))
				require.True(t, served(h, on(h, 1)))
				h.Advance(2 * time.Second) // both report what they spent
				flight := on(h, 0)
				require.Empty(t, flight.Response().Status())
				h.Inject(hosttest.Fault{TrapAt: hosttest.CallbackRequestHeaders})
				trapped := on(h, 0)
				require.Equal(t, "503", trapped.Response().Status())
				require.Equal(t, tt.mode == pipeline.Callouts, served(h, flight))
				require.True(t, served(h, on(h, 1)))
				h.Advance(2 * time.Second)
				require.Equal(t, tt.heals, served(h, on(h, 0)))
				h.Advance(6 * time.Second)
				n := 1
				if tt.heals {
					n = 2
				}
				for range 20 {
					if served(h, on(h, 1)) {
						n++
					}
					h.Advance(time.Second)
				}
				require.Equal(t, tt.left, n)
			})
		}
	}
}
