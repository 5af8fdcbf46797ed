package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
)

// memoryBound is the most linear memory that the module may take under load.
const memoryBound = 16 << 20

const limitsConfig = `version: 1
limits: {body: 1MiB, in_flight: 6MiB, streams: 100}
providers:
  one: {dialect: openai, url: "http://one.test/v1"}
models:
  fast: {targets: [{provider: one, model: other}]}
identity: {anonymous: {}}
`

// host starts an emulated proxy with the module.
func host(t *testing.T, module hosttest.Module, text string) *hosttest.Host {
	node, c, errs := gateway.Load("postern.yaml", []byte(text))
	require.Empty(t, errs)
	h, err := hosttest.New(gateway.Host(gateway.Options{Module: module, Node: node, Config: c}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

var chatHeaders = [][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}, {":authority", "gateway"},
	{":scheme", "http"}, {"content-type", "application/json"}}

// memory is the largest linear memory of a host's VMs; 0 for a native module.
func memory(h *hosttest.Host) (most uint64) {
	for _, vm := range h.VMs() {
		most = max(most, vm.MemoryBytes())
	}
	return most
}

// TestManyLargeRequests sends 200 requests of 1 MiB at once: those beyond the
// bound are refused in the client's dialect before their bodies come, and the
// memory stays bounded.
func TestManyLargeRequests(t *testing.T) {
	body := []byte(`{"model":"fast","messages":[{"role":"user","content":"` + strings.Repeat("x", 1<<20-80) + `"}]}`)
	require.LessOrEqual(t, len(body), 1<<20)
	for engine, module := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			h := host(t, module, limitsConfig)
			streams := make([]*hosttest.Stream, 200)
			for i := range streams {
				streams[i] = h.NewStream()
				streams[i].RequestHeaders(chatHeaders, false)
				streams[i].RequestBody(body[:len(body)/2], false)
			}
			admitted := 0
			for _, s := range streams {
				if s.Response().Status() == "" {
					admitted++
					continue
				}
				require.Equal(t, "503", s.Response().Status())
				require.Contains(t, s.Response().Body(), `"gateway_overloaded"`)
				require.Equal(t, "1", s.Response().Headers.Get("retry-after"))
			}
			require.Equal(t, 12, admitted, "half-read bodies of 512 KiB in 6 MiB")
			served := serve(t, streams, body[len(body)/2:])
			require.Equal(t, 6, served, "bodies of 1 MiB in 6 MiB")
			require.LessOrEqual(t, memory(h), uint64(memoryBound))
		})
	}
}

// serve sends the rest of the bodies and answers what reaches the provider.
func serve(t *testing.T, streams []*hosttest.Stream, rest []byte) (served int) {
	for _, s := range streams {
		if s.Ended() {
			continue
		}
		s.RequestBody(rest, false)
	}
	for _, s := range streams {
		if s.Ended() {
			continue
		}
		s.RequestBody(nil, true)
		a := s.Attempt()
		require.NotNil(t, a)
		a.ResponseHeaders([][2]string{{":status", "200"}, {"content-type", "application/json"}}, false)
		a.ResponseBody([]byte(answer), true)
		require.Equal(t, "200", s.Response().Status())
		served++
	}
	return served
}

const answer = `{"id":"c1","model":"other","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`

// TestSoak sends many requests, whole, streamed, aborted and wrong, and wants
// the memory of the end to be that of the beginning.
func TestSoak(t *testing.T) {
	h := host(t, gatewaytest.Built(t, path), limitsConfig)
	large := `{"model":"fast","messages":[{"role":"user","content":"` + strings.Repeat("x", 200<<10) + `"}]}`
	var early uint64
	for i := range 4000 {
		s := h.NewStream()
		s.RequestHeaders(chatHeaders, false)
		switch i % 5 {
		case 0:
			s.RequestBody([]byte(large), true)
			whole(s)
		case 1, 2:
			s.RequestBody([]byte(`{"model":"fast","stream":true,"messages":[]}`), true)
			stream(s, i%5 == 1)
		case 3:
			s.RequestBody([]byte(`{"model":`), true)
		case 4:
			s.Abort()
		}
		require.True(t, s.Ended())
		if i == 2000 { // the heap has grown to what the collector lets it
			early = memory(h)
		}
	}
	require.LessOrEqual(t, memory(h), early+1<<20)
	require.LessOrEqual(t, memory(h), uint64(memoryBound))
	require.Zero(t, h.Stats().Traps.Load())
}

func whole(s *hosttest.Stream) {
	a := s.Attempt()
	a.ResponseHeaders([][2]string{{":status", "200"}, {"content-type", "application/json"}}, false)
	a.ResponseBody([]byte(answer), true)
}

func stream(s *hosttest.Stream, abort bool) {
	a := s.Attempt()
	a.ResponseHeaders([][2]string{{":status", "200"}, {"content-type", "text/event-stream"}}, false)
	for range 50 {
		a.ResponseBody([]byte("data: {\"id\":\"a\",\"model\":\"other\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"some text\"}}]}\n\n"), false)
	}
	if abort {
		s.Abort()
		return
	}
	a.ResponseBody([]byte("data: {\"id\":\"a\",\"model\":\"other\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"), true)
}
