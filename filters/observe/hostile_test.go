package main

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
	"github.com/posterngw/postern/tools/scenario"
)

// exchange makes one by hand.
func exchange(path, body string, answer [][2]string, reply string) *scenario.Exchange {
	headers := [][2]string{{":method", "POST"}, {":path", path}, {":scheme", "http"}, {":authority", "one.test"},
		{"content-type", "application/json"}, {"content-length", strconv.Itoa(len(body))}}
	return &scenario.Exchange{Cluster: "one", Request: request(headers, []byte(body)), Answer: answer, Body: reply, Ended: true}
}

// spoil changes an exchange at random: bytes of bodies, header values, an end that is
// missing, a content type or a coding that is another.
func spoil(draw *rand.Rand, x *scenario.Exchange) *scenario.Exchange {
	y := *x
	body := []byte(y.Request.Body())
	reply := []byte(y.Body)
	for range 1 + draw.IntN(4) {
		switch draw.IntN(8) {
		case 0, 1:
			reply = garble(draw, reply)
		case 2, 3:
			body = garble(draw, body)
		case 4:
			y.Answer = another(draw, y.Answer, "content-type", "text/event-stream", "application/json", "application/vnd.amazon.eventstream", "application/x-ndjson", "")
		case 5:
			y.Answer = another(draw, y.Answer, "content-encoding", "gzip", "br", "identity", "gzip, gzip")
		case 6:
			y.Answer = another(draw, y.Answer, ":status", "200", "299", "400", "429", "503", "999")
		case 7:
			y.Ended = !y.Ended || draw.IntN(2) == 0
		}
	}
	headers := [][2]string{}
	for _, h := range y.Request.Headers.Pairs() {
		if h[0] == "content-length" {
			h[1] = strconv.Itoa(len(body))
		}
		headers = append(headers, h)
	}
	y.Answer = without(y.Answer, "content-length")
	y.Request, y.Body, y.Record = request(headers, body), string(reply), ""
	y.Bare = y.Bare && y.Ended
	return &y
}

func garble(draw *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) == 0 {
		return b
	}
	at := draw.IntN(len(b))
	switch draw.IntN(6) {
	case 0:
		b[at] = byte(draw.Uint32())
	case 1:
		return b[:at]
	case 2:
		return append(b[:at:at], b[draw.IntN(len(b)):]...)
	case 3:
		return append(append(b[:at:at], bytes.Repeat([]byte("["), 200)...), b[at:]...)
	case 4:
		return append(append(b[:at:at], "\n\ndata: {\"usage\":{\"total_tokens\":-9e99,\"prompt_tokens\":1e400}}\n\n"...), b[at:]...)
	case 5:
		return append(append(b[:at:at], bytes.Repeat([]byte{0}, 20)...), b[at:]...)
	}
	return b
}

func another(draw *rand.Rand, headers [][2]string, name string, values ...string) [][2]string {
	value := values[draw.IntN(len(values))]
	if headers = without(headers, name); value != "" {
		headers = append(headers, [2]string{name, value})
	}
	return headers
}

func without(headers [][2]string, name string) (kept [][2]string) {
	for _, h := range headers {
		if h[0] != name {
			kept = append(kept, h)
		}
	}
	return kept
}

// TestHostile sends what no client and no provider would send: it passes as if no
// observer were there, and each leaves a record.
func TestHostile(t *testing.T) {
	for engine, module := range map[string]hosttest.Module{"native": gateway.Observer(), "observe": gatewaytest.Built(t, path)} {
		rounds := 12
		if engine != "native" {
			rounds = 3
		}
		for _, profile := range profiles() {
			t.Run(engine+"/"+profile.Name(), func(t *testing.T) {
				t.Parallel()
				draw := rand.New(rand.NewPCG(7, 7))
				for _, f := range files(t) {
					exchanges, err := scenario.Exchanges(f, gateway.Native())
					require.NoError(t, err)
					if len(exchanges) == 0 {
						continue
					}
					bare, with := beside(t, nil, profile, f.Name, f.Config), beside(t, module, profile, f.Name, f.Config)
					for range rounds {
						x := spoil(draw, exchanges[draw.IntN(len(exchanges))])
						cut := scenario.Pieces(draw.Uint64())
						got, want := with.pass(t, x, cut), bare.pass(t, x, cut)
						if profile.Name() == "apisix" {
							want.Sent.join()
						}
						require.Equal(t, want.Sent, got.Sent, "%s %q", f.Name, x.Request.Body())
						require.Equal(t, want.Got, got.Got, "%s %q", f.Name, x.Body)
						require.Equal(t, "observe", read(t, got.Record).Mode, f.Name)
					}
					require.Zero(t, with.Stats().Traps.Load())
					for _, l := range with.Logs() {
						require.NotContains(t, l.Text, "recovered")
					}
				}
			})
		}
	}
}

const plainConfig = `version: 1
mode: observe
limits: {body: 1MiB, in_flight: 2MiB, streams: 100}
providers: {one: {dialect: openai, url: "https://one.test/v1"}}
models: {fast: {targets: [{provider: one, model: other}]}}
identity: {anonymous: {}}
`

// TestOtherPaths: what is for no model is left alone, and leaves no record.
func TestOtherPaths(t *testing.T) {
	for engine, module := range engines(t) {
		n := beside(t, module, hosttest.IstioWasmPlugin(), "postern.yaml", []byte(plainConfig))
		x := exchange("/api/cart", `{"model":"fast"}`, [][2]string{{":status", "200"}}, "yes")
		require.Empty(t, n.pass(t, x, scenario.Whole).Record, engine)
	}
}

// memoryBound is the most linear memory that the module may take under load.
const memoryBound = 14 << 20

const whole = `{"id":"c1","model":"other","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`

// TestRoom: beyond the limits on streams and on bytes requests pass unread, and the
// memory stays bounded.
func TestRoom(t *testing.T) {
	for engine, module := range map[string]hosttest.Module{"native": gateway.Observer(), "observe": gatewaytest.Built(t, path)} {
		t.Run(engine, func(t *testing.T) {
			n := beside(t, module, hosttest.IstioWasmPlugin(), "postern.yaml", []byte(plainConfig))
			n.cluster = "one"
			body := []byte(`{"model":"fast","messages":[{"role":"user","content":"` + strings.Repeat("x", 512<<10) + `"}]}`)
			streams := make([]*hosttest.Stream, 200)
			for i := range streams {
				streams[i] = n.NewStream()
				streams[i].RequestHeaders(exchange("/v1/chat/completions", string(body), nil, "").Request.Headers.Pairs(), false)
				streams[i].RequestBody(body[:len(body)/2], false)
			}
			unread, unwatched := 0, 0
			for _, s := range streams {
				s.RequestBody(body[len(body)/2:], true)
				a := s.Attempt()
				require.Equal(t, string(body), a.Request().Body())
				a.ResponseHeaders([][2]string{{":status", "200"}, {"content-type", "application/json"}}, false)
				a.ResponseBody([]byte(whole), true)
				require.Equal(t, whole, s.Response().Body())
				record := s.AccessLog().FilterState["wasm.postern.audit"]
				unread += strings.Count(record, "unread_request")
				unwatched += strings.Count(record, "unwatched")
			}
			require.Equal(t, 100, unwatched)
			require.Positive(t, unread)
			require.LessOrEqual(t, memory(n.Host), uint64(memoryBound))
		})
	}
}

// memory is the largest linear memory of a host's VMs; 0 for a native module.
func memory(h *hosttest.Host) (most uint64) {
	for _, vm := range h.VMs() {
		most = max(most, vm.MemoryBytes())
	}
	return most
}

// TestSoak sends many requests, whole, streamed, broken off and wrong, and wants the
// memory of the end to be that of the beginning.
func TestSoak(t *testing.T) {
	n := beside(t, gatewaytest.Built(t, path), hosttest.IstioWasmPlugin(), "postern.yaml", []byte(plainConfig))
	large := `{"model":"fast","messages":[{"role":"user","content":"` + strings.Repeat("x", 200<<10) + `"}]}`
	events := strings.Repeat("data: {\"id\":\"a\",\"model\":\"other\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"some text\"}}]}\n\n", 50) + "data: [DONE]\n\n"
	json, sse := [][2]string{{":status", "200"}, {"content-type", "application/json"}}, [][2]string{{":status", "200"}, {"content-type", "text/event-stream"}}
	const path = "/v1/chat/completions"
	kinds := []*scenario.Exchange{
		exchange(path, large, json, whole),
		exchange(path, `{"model":"fast","stream":true,"messages":[]}`, sse, events),
		exchange(path, `{"model":"fast","stream":true,"messages":[]}`, sse, events[:200]),
		exchange(path, `{"model":`, json, strings.Repeat(whole, 300)),
		exchange(path, `{"model":"fast"}`, [][2]string{{":status", "500"}}, "<html>"),
	}
	kinds[2].Ended = false
	var early uint64
	for i := range 4000 {
		n.pass(t, kinds[i%len(kinds)], scenario.Whole)
		if i == 2000 { // the heap has grown to what the collector lets it
			early = memory(n.Host)
		}
	}
	require.LessOrEqual(t, memory(n.Host), early+1<<20)
	require.LessOrEqual(t, memory(n.Host), uint64(memoryBound))
	require.Zero(t, n.Stats().Traps.Load())
}

func request(headers [][2]string, body []byte) hosttest.Message {
	return hosttest.Message{Headers: hosttest.NewHeaders(headers), Chunks: [][]byte{body}, Complete: true}
}

// TestLabels: what a client calls a model is no label of a metric, unless the
// configuration has it.
func TestLabels(t *testing.T) {
	for engine, module := range engines(t) {
		n := beside(t, module, hosttest.Envoy(), "postern.yaml", []byte(plainConfig))
		answer := [][2]string{{":status", "200"}, {"content-type", "application/json"}}
		got := n.pass(t, exchange("/v1/chat/completions", `{"model":"invented","messages":[]}`, answer, whole), scenario.Whole)
		require.Contains(t, got.Record, `"upstream_model":"invented"`, engine)
		n.pass(t, exchange("/v1/chat/completions", `{"model":"fast","messages":[]}`, answer, whole), scenario.Whole)
		n.Advance(2 * time.Second)
		var names []string
		for _, m := range n.Metrics() {
			names = append(names, m.Name)
		}
		all := strings.Join(names, " ")
		require.Contains(t, all, "model=fast", engine)
		require.NotContains(t, all, "invented", engine)
	}
}
