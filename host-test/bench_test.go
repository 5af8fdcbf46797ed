package hosttest

import (
	"testing"
	"time"
)

// sinkhole is a client and a provider that keep nothing.
type sinkhole struct{}

func (sinkhole) headers(*Headers, bool) {}
func (sinkhole) data([]byte, bool)      {}
func (sinkhole) trailers(*Headers)      {}
func (sinkhole) reset(string)           {}

type nowhere struct{}

func (nowhere) headers(*Attempt, *Headers, bool) {}
func (nowhere) data(*Attempt, []byte, bool)      {}
func (nowhere) trailers(*Attempt, *Headers)      {}
func (nowhere) cancel(*Attempt, string)          {}

// BenchmarkRequest is a whole request and answer through both stages: the emulation's own cost
// (native) and with the calls into WebAssembly.
func BenchmarkRequest(b *testing.B) {
	modules := map[string]Module{"native": native(func(*script) {}), "wasm": wasmModuleForTest(b)}
	for name, m := range modules {
		b.Run(name, func(b *testing.B) {
			h := start(b, Config{Clock: RealClock{}, LogLevel: LogError, Downstream: []Filter{{VMID: "v", Module: m}}, Upstream: []Filter{{VMID: "v", Module: m}}})
			body, request := []byte("body"), [][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}, {"content-type", "application/json"}}
			b.ReportAllocs()
			for b.Loop() {
				s := h.newStream(0)
				s.client, s.driver = sinkhole{}, nowhere{}
				s.RequestHeaders(request, false)
				s.RequestBody(body, true)
				a := s.Attempt()
				a.ResponseHeaders(nil, false)
				a.ResponseBody(body, true)
			}
		})
	}
}

// BenchmarkChunk is one chunk of a streamed answer through both stages.
func BenchmarkChunk(b *testing.B) {
	modules := map[string]Module{"native": native(func(*script) {}), "wasm": wasmModuleForTest(b)}
	for name, m := range modules {
		b.Run(name, func(b *testing.B) {
			h := start(b, Config{Route: Route{Timeout: time.Hour}, Downstream: []Filter{{VMID: "v", Module: m}}, Upstream: []Filter{{VMID: "v", Module: m}}})
			s := h.newStream(0)
			s.client, s.driver = sinkhole{}, nowhere{}
			s.RequestHeaders(nil, true)
			a := s.Attempt()
			a.ResponseHeaders(nil, false)
			chunk := make([]byte, 200)
			b.ReportAllocs()
			for b.Loop() {
				a.ResponseBody(chunk, false)
			}
		})
	}
}
