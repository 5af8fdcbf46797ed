package main

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
)

const pairedConfig = `{version: 1, mode: paired, identity: {anonymous: {}}, models: {m: {targets: [{provider: a, model: x}]}},
	providers: {a: {dialect: openai, url: "https://a.test/v1"}}}`

// TestMissingPartner sets a pair up incompletely: the first request is answered
// with a typed error, and nothing leaves for a provider.
func TestMissingPartner(t *testing.T) {
	for name, edit := range map[string]func(c *hosttest.Config){
		"no holder":   func(c *hosttest.Config) { c.Downstream = c.Downstream[:1] },
		"no reader":   func(c *hosttest.Config) { c.Downstream = c.Downstream[1:] },
		"wrong order": func(c *hosttest.Config) { slices.Reverse(c.Downstream) },
		"two VMs":     func(c *hosttest.Config) { c.Downstream[1].VMID = "another" },
	} {
		for engine, module := range engines(t) {
			t.Run(engine+"/"+name, func(t *testing.T) {
				t.Parallel()
				h := incomplete(t, module, edit)
				s := h.NewStream()
				const body = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
				s.RequestHeaders([][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}, {":authority", "g"}, {":scheme", "http"},
					{"content-type", "application/json"}, {"content-length", "57"}}, false)
				s.RequestBody([]byte(body), true)
				h.Advance(10 * time.Millisecond)
				require.Equal(t, "503", s.Response().Status())
				require.Contains(t, s.Response().Body(), `"code":"partner_missing"`)
				require.Empty(t, s.Attempts())
				_, counted := h.Metric("postern.partner_missing")
				require.True(t, counted)
			})
		}
	}
}

func incomplete(t *testing.T, module hosttest.Module, edit func(c *hosttest.Config)) *hosttest.Host {
	node, c, errs := gateway.Load("postern.yaml", []byte(pairedConfig))
	require.Empty(t, errs)
	require.Equal(t, pipeline.Paired, c.Mode)
	config := gateway.Host(gateway.Options{Module: module, Node: node, Config: c})
	edit(&config)
	h, err := hosttest.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}
