package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
	"github.com/posterngw/postern/tools/hosts"
)

// pipelinedConfig rewrites bodies to longer ones (another dialect, a bound added) and
// to shorter ones (another name), and leaves one as it is.
const pipelinedConfig = `version: 1
providers:
  a: {dialect: openai, url: "https://a.test/v1"}
  b: {dialect: anthropic, url: "https://b.test"}
models:
  m: {targets: [{provider: a, model: m}]}
  a-name-that-is-much-longer-than-its-target: {targets: [{provider: a, model: x}]}
  bounded: {max_output: 4096, targets: [{provider: a, model: a-target-with-a-much-longer-name}]}
  claude: {max_output: 4096, targets: [{provider: b, model: c}]}
  both: {max_output: 10, targets: [{provider: b, model: c}, {provider: a, model: x, priority: 1}]}
identity: {anonymous: {}}
`

// TestPipelined writes requests that follow each other behind rewritten bodies as each
// host writes them on one connection to a provider, and reads them as a provider does:
// it finds the requests that were sent and no other, whatever a body looks like.
func TestPipelined(t *testing.T) {
	module := gatewaytest.Built(t, path)
	for _, place := range hosts.Places {
		for _, framing := range []string{"content-length", "chunked"} {
			t.Run(place.String()+"/"+framing, func(t *testing.T) {
				t.Parallel()
				node, c, errs := gateway.Load("postern.yaml", []byte("mode: "+string(place.Mode)+"\n"+pipelinedConfig))
				require.NoError(t, errs.Err())
				config := gateway.Host(gateway.Options{Module: module, Node: node, Config: c, Clock: hosttest.NewVirtualClock(time.Unix(1_800_000_000, 0))})
				place.Emulate(&config)
				h, err := hosttest.New(config)
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, h.Close()) })
				var wire strings.Builder
				var sent []string
				for i, model := range []string{"m", "bounded", "claude", "a-name-that-is-much-longer-than-its-target", "both", "m"} {
					word := "word-" + strconv.Itoa(i)
					for range behind(t, h, &wire, place, framing, model, word) {
						sent = append(sent, word)
					}
				}
				read(t, wire.String(), sent)
			})
		}
	}
}

var answerHeaders = [][2]string{{":status", "200"}, {"content-type", "application/json"}}

// behind sends a request whose text looks like a request of its own, answers whatever
// leaves for providers, and writes it down.
func behind(t *testing.T, h *hosttest.Host, wire *strings.Builder, place hosts.Place, framing, model, word string) (sent int) {
	body := `{"model":"` + model + `","messages":[{"role":"user","content":"` + word + ` POST /v1/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"}]}`
	headers := append([][2]string{}, chatHeaders...)
	switch {
	case framing == "content-length":
		headers = append(headers, [2]string{"content-length", strconv.Itoa(len(body))})
	case place.Mode == pipeline.Callouts: // nginx shows it, Envoy does not
		headers = append(headers, [2]string{"transfer-encoding", "chunked"})
	}
	before := len(h.Callouts())
	s := h.NewStream()
	s.RequestHeaders(headers, false)
	s.RequestBody([]byte(body[:20]), false)
	s.RequestBody([]byte(body[20:]), false)
	s.RequestBody(nil, true)
	h.Advance(10 * time.Millisecond)
	for i := 0; i < len(s.Attempts()); i++ { // the host may go on to another target
		a := s.Attempts()[i]
		require.True(t, a.Request().Complete)
		write(wire, place, a.Request().Headers.Pairs(), a.Request().Body())
		a.ResponseHeaders(answerHeaders, false)
		a.ResponseBody([]byte(answer), true)
		h.Advance(10 * time.Millisecond)
		sent++
	}
	for i := before; i < len(h.Callouts()); i++ {
		c := h.Callouts()[i]
		write(wire, place, c.Headers.Pairs(), string(c.Body))
		c.Respond(answerHeaders, []byte(answer), nil)
		h.Advance(10 * time.Millisecond)
		sent++
	}
	require.NotZero(t, sent, model)
	return sent
}

// write is a request on the wire, as a host writes what the module left: the length
// that it says, chunks without one, and on APISIX nothing at all.
func write(wire *strings.Builder, place hosts.Place, headers [][2]string, body string) {
	head, length, chunked := map[string]string{}, false, false
	for _, x := range headers {
		length, chunked = length || x[0] == "content-length", chunked || x[0] == "transfer-encoding"
		head[x[0]] = x[1]
	}
	fmt.Fprintf(wire, "%s %s HTTP/1.1\r\nhost: %s\r\n", head[":method"], head[":path"], head[":authority"])
	for _, x := range headers {
		if x[0][0] != ':' {
			fmt.Fprintf(wire, "%s: %s\r\n", x[0], x[1])
		}
	}
	switch {
	case length || place.Host == hosts.APISIX && !chunked:
		fmt.Fprintf(wire, "\r\n%s", body)
	case !chunked:
		wire.WriteString("transfer-encoding: chunked\r\n")
		fallthrough
	default:
		fmt.Fprintf(wire, "\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
}

// read reads requests as a provider does.
func read(t *testing.T, wire string, sent []string) {
	in := bufio.NewReader(strings.NewReader(wire))
	for i, word := range sent {
		r, err := http.ReadRequest(in)
		require.NoError(t, err, "request %d of %q", i, wire)
		require.NotContains(t, r.URL.Path, "smuggled")
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Contains(t, string(body), word)
	}
	_, err := http.ReadRequest(in)
	require.ErrorIs(t, err, io.EOF, "nothing is left over")
}
