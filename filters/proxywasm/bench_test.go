//go:build !wasip1

package proxywasm

import (
	"testing"

	"github.com/posterngw/postern/filters/host"
)

// idle is a stage that does nothing.
type idle struct{}

func (idle) RequestHeaders(bool) host.Action    { return host.Continue }
func (idle) RequestBody(int, bool) host.Action  { return host.Continue }
func (idle) RequestTrailers() host.Action       { return host.Continue }
func (idle) ResponseHeaders(bool) host.Action   { return host.Continue }
func (idle) ResponseBody(int, bool) host.Action { return host.Continue }
func (idle) ResponseTrailers() host.Action      { return host.Continue }
func (idle) Done()                              {}
func (idle) Recovered(string) host.Action       { return host.Continue }
func (idle) Configure([]byte) bool              { return true }
func (idle) Stream(host.Stream) host.Callbacks  { return idle{} }
func (idle) Tick()                              {}

// BenchmarkEmptyStage is the life of a stream that nothing happens to, seen from
// inside the module.
func BenchmarkEmptyStage(b *testing.B) {
	newFake()
	Register(func(host.VM) host.Plugin { return idle{} })
	dispatch(atContextCreate, 1, 0, 0, 0)
	b.ReportAllocs()
	id := uint32(2)
	for b.Loop() {
		dispatch(atContextCreate, id, 1, 0, 0)
		dispatch(atRequestHeaders, id, 10, 0, 0)
		dispatch(atRequestBody, id, 300, 1, 0)
		dispatch(atResponseHeaders, id, 10, 0, 0)
		dispatch(atResponseBody, id, 600, 1, 0)
		dispatch(atLog, id, 0, 0, 0)
		dispatch(atDone, id, 0, 0, 0)
		dispatch(atDelete, id, 0, 0, 0)
		id++
	}
}

// BenchmarkReads shows the allocations of each kind of read.
func BenchmarkReads(b *testing.B) {
	ten := [][2]string{
		{":authority", "a"}, {":path", "/v1/chat/completions"}, {":method", "POST"}, {"content-type", "application/json"},
		{"authorization", "Bearer abcdefghijklmnop"}, {"user-agent", "bench"}, {"accept", "*/*"}, {"x-a", "1"},
		{"content-length", "300"}, {"x-forwarded-proto", "http"},
	}
	chunk := make([]byte, 300)
	newFake()
	block := appendPairs(nil, ten)
	give := func(v []byte, addr, size *uint32) Status {
		m := inbox.allocate(uint32(len(v)))
		copy(m, v)
		*addr, *size = addressOf(m), uint32(len(v))
		return OK
	}
	value := []byte("application/json")
	proxyGetHeaderMapValue = func(_ mapType, _ string, addr, size *uint32) Status { return give(value, addr, size) }
	proxyGetHeaderMapPairs = func(_ mapType, addr, size *uint32) Status { return give(block, addr, size) }
	proxyGetBufferBytes = func(_ bufferType, _, _ uint32, addr, size *uint32) Status { return give(chunk, addr, size) }
	proxyGetProperty = func(_ string, addr, size *uint32) Status { return give(value, addr, size) }
	s := &stream{id: 7}
	running.effective = 7
	defer func() { running = frame{} }()
	for name, read := range map[string]func(){
		"header":   func() { s.Header(host.Request, "content-type") },
		"headers":  func() { s.Headers(host.Request) },
		"property": func() { s.Property("upstream", "address") },
		"chunk":    func() { s.Body(host.Response, 0, 300); inbox.recycle() },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				read()
			}
		})
	}
}
