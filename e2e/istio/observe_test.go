package istio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/tools/render"
)

// heard is what passed at one place, exchange by exchange.
type heard struct {
	mu        sync.Mutex
	questions [][]byte
	answers   []*bytes.Buffer
}

// answer begins an exchange, and returns a body that is written down as it is read.
func (h *heard) answer(question []byte, body io.ReadCloser) io.ReadCloser {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := &bytes.Buffer{}
	h.questions, h.answers = append(h.questions, question), append(h.answers, text)
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(body, text), body}
}

// RoundTrip makes heard the transport of a client.
func (h *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	question, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(question))
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		res.Body = h.answer(question, res.Body)
	}
	return res, err
}

// listening is a proxy before a provider that writes down what passes.
func (h *heard) listening(t *testing.T, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.ModifyResponse = func(res *http.Response) error {
		question, _ := res.Request.Context().Value(h).([]byte)
		res.Body = h.answer(question, res.Body)
		return nil
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(question))
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), h, question)))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// existing is a gateway that serves without Postern, and whose access log shows what
// plugins leave.
const existing = `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: existing, namespace: ai}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: %d, name: http, protocol: HTTP}, bind: 127.0.0.1, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: existing-openai, namespace: ai}
spec:
  hosts: [openai.provider.test]
  location: MESH_EXTERNAL
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: %s}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: existing, namespace: ai}
spec:
  hosts: ["*"]
  gateways: [existing]
  http: [{route: [{destination: {host: openai.provider.test, port: {number: 80}}}]}]
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: existing-log, namespace: ai}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: NETWORK_FILTER
    match: {context: GATEWAY, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
    patch:
      operation: MERGE
      value:
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          always_set_request_id_in_response: true
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: %q
              log_format: {text_format_source: {inline_string: "%%FILTER_STATE(wasm.postern.audit:PLAIN)%%\n"}}
`

// TestObserve puts the module that only observes into a gateway that serves already:
// one WasmPlugin. Official clients get what the provider said, byte for byte, and what
// it cost is known.
func TestObserve(t *testing.T) {
	provider := &heard{}
	w := setup{
		module: func([]byte) []byte {
			_, path, err := envoytest.Binaries()
			require.NoError(t, err)
			small, err := os.ReadFile(filepath.Join(filepath.Dir(path), "postern-observe.wasm"))
			require.NoError(t, err, "run `make wasm` first")
			return small
		},
		beside: func(w *world, o *render.IstioOptions) string {
			at := provider.listening(t, w.openai.URL)
			return fmt.Sprintf(existing, o.Gateway.Port, at[strings.LastIndexByte(at, ':')+1:], o.AuditLog)
		},
	}.start(t, "observe")
	client := &heard{}
	official := w.client(option.WithAPIKey("sk-e2e-openai"), option.WithHTTPClient(&http.Client{Transport: client}))

	var res *http.Response
	got, err := official.Chat.Completions.New(t.Context(), ask("gpt-4.1"), option.WithResponseInto(&res))
	require.NoError(t, err)
	record, err := w.envoy.Audit(res.Header.Get("x-request-id"))
	require.NoError(t, err)
	require.Equal(t, "observe", record.Mode)
	require.Equal(t, "complete", record.End)
	require.Equal(t, "gpt", record.Model, "by the provider's name of it")
	require.Equal(t, "openai/gpt-4.1", record.Target)
	require.True(t, record.Usage.Known)
	require.Equal(t, got.Usage.PromptTokens, record.Usage.InputTotal())
	require.Equal(t, got.Usage.CompletionTokens, record.Usage.OutputTotal())
	require.Empty(t, record.Degraded)

	question := ask("gpt-4.1")
	question.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := official.Chat.Completions.NewStreaming(t.Context(), question, option.WithResponseInto(&res))
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		all.AddChunk(stream.Current())
	}
	require.NoError(t, stream.Err())
	require.Equal(t, "stop", all.Choices[0].FinishReason)
	record, err = w.envoy.Audit(res.Header.Get("x-request-id"))
	require.NoError(t, err)
	require.True(t, record.Stream)
	require.Equal(t, all.Usage.CompletionTokens, record.Usage.OutputTotal())

	known := w.client(option.WithHTTPClient(&http.Client{Transport: client}))
	_, err = known.Chat.Completions.New(t.Context(), ask("gpt-4.1"), option.WithResponseInto(&res))
	var refused *openai.Error
	require.ErrorAs(t, err, &refused, "the key is none of the provider's")
	require.Equal(t, 401, refused.StatusCode)
	record, err = w.envoy.Audit(refused.Response.Header.Get("x-request-id"))
	require.NoError(t, err)
	require.Equal(t, "alice", record.Principal.Key)
	require.Equal(t, "auth", record.Error.Class)

	require.Len(t, client.answers, 3)
	require.Equal(t, len(client.answers), len(provider.answers))
	for i := range client.answers {
		require.Equal(t, string(client.questions[i]), string(provider.questions[i]))
		require.Equal(t, provider.answers[i].String(), client.answers[i].String())
		require.NotEmpty(t, client.answers[i].String())
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		stats, err := w.envoy.Stats("postern.*tokens")
		require.NoError(c, err)
		var sum int64
		for _, n := range stats {
			sum += n
		}
		require.Positive(c, sum, "%v", stats)
	}, 20*time.Second, 200*time.Millisecond)
	bad, err := w.envoy.Failures()
	require.NoError(t, err)
	require.Empty(t, bad)
}
