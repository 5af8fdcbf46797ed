package pipeline

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRequest is one whole answer through both stages of one dialect,
// without a proxy: what the module itself costs per request, with the processor's
// caches to itself, and when other work took them between two requests, as a
// proxy, its clients and its providers do on one machine.
func BenchmarkRequest(b *testing.B) {
	b.Run("warm", func(b *testing.B) { benchmarkRequest(b, func() {}) })
	evict := make([]byte, 64<<20)
	b.Run("cold", func(b *testing.B) {
		benchmarkRequest(b, func() {
			b.StopTimer()
			for i := 0; i < len(evict); i += 64 {
				evict[i]++
			}
			b.StartTimer()
		})
	})
}

func benchmarkRequest(b *testing.B, before func()) {
	_, client, provider := newModule(b)
	answer := []byte(wholeJSON)
	body := []byte(bodies[0])
	b.ReportAllocs()
	for b.Loop() {
		before()
		s := &fakeStream{state: map[string]string{}}
		s.headers[Request] = [][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}, {":authority", "gateway"},
			{"content-type", "application/json"}, {"x-request-id", "r1"}, {"accept", "*/*"}, {"user-agent", "bench"}}
		s.body[Request] = body
		c := client.Stream(s)
		c.RequestHeaders(false)
		c.RequestBody(len(body), true)
		u := &fakeStream{state: s.state}
		p := provider.Stream(u)
		u.body[Request] = s.body[Request]
		p.RequestHeaders(false)
		p.RequestBody(len(body), true)
		u.headers[Response] = [][2]string{{":status", "200"}, {"content-type", "application/json"}}
		u.body[Response] = answer
		p.ResponseHeaders(false)
		p.ResponseBody(len(answer), true)
		c.ResponseHeaders(false)
		c.ResponseBody(len(answer), true)
		c.Done()
		p.Done()
		require.NotEmpty(b, s.state["postern.audit"])
	}
}
