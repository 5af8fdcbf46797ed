package envoy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/tools/mock"
)

const observeConfig = `version: 1
mode: observe
limits: {body: 64KiB, answer: 64KiB}
providers: {openai: {dialect: openai, url: "%s/v1", cluster: existing}}
models: {gpt: {targets: [{provider: openai, model: gpt-4.1}]}}
price: {models: {"openai/gpt-4.1": {input: 2, output: 8}}}
identity: {keys: {alice: {hash: %q}}}
`

// serving is an Envoy's own bootstrap, before the module came: one route, one cluster.
const serving = `admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
STATS
static_resources:
  listeners:
  - name: existing
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: existing
          always_set_request_id_in_response: true
          access_log:
LOG
          http_filters:
FILTERS
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: existing, timeout: 0s}}]}]
  clusters:
  - name: existing
    type: STATIC
    load_assignment: {cluster_name: existing, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: PORT}}}}]}]}
`

// beside puts what is rendered into an Envoy that serves.
func beside(upstream string) func(string) string {
	return func(rendered string) string {
		part := func(key string, indent int) string {
			_, rest, _ := strings.Cut(rendered, "\n"+key+":\n")
			var out strings.Builder
			for line := range strings.Lines(rest) {
				if line[0] != ' ' && line[0] != '-' {
					break
				}
				out.WriteString(strings.Repeat(" ", indent) + line)
			}
			return strings.TrimRight(out.String(), "\n")
		}
		return strings.NewReplacer("STATS", "stats_config:\n"+part("stats_config", 0), "LOG", part("access_log", 10), "FILTERS", part("http_filters", 10),
			"PORT", upstream[strings.LastIndexByte(upstream, ':')+1:]).Replace(serving)
	}
}

// small is the module that only observes, beside the one with all modes.
func small(t *testing.T) string {
	t.Helper()
	_, wasm, err := envoytest.Binaries()
	require.NoError(t, err)
	path := filepath.Join(filepath.Dir(wasm), "postern-observe.wasm")
	_, err = os.Stat(path)
	require.NoError(t, err, "run `make wasm` first")
	return path
}

// TestObserve has the small module as the one filter of an Envoy that serves: what
// passes is what was sent, and what it was is told.
func TestObserve(t *testing.T) {
	t.Parallel()
	e := start(t, envoytest.Options{Config: fmt.Sprintf(observeConfig, shared.openai.URL, shared.hashes["alice"]), Wasm: small(t), Edit: beside(shared.openai.URL)})
	url, provider := option.WithBaseURL(e.URL+"/v1"), option.WithAPIKey("sk-e2e-openai")

	whole := ask(t, say("gpt-4.1", "x"), url, provider)
	require.Nil(t, whole.err)
	record := recordOf(t, e, whole)
	require.Equal(t, "observe", record.Mode)
	require.Equal(t, "openai/gpt-4.1", record.Target)
	require.Equal(t, whole.answer.Usage.CompletionTokens, record.Usage.OutputTotal())
	require.Equal(t, whole.answer.Usage.PromptTokens, record.Usage.InputTotal())
	require.True(t, record.Usage.Known)

	streamed, _ := stream(t, say("gpt-4.1", "x"), url, provider, option.WithHTTPClient(overHTTP2(t)))
	require.Nil(t, streamed.err)
	record = recordOf(t, e, streamed)
	require.True(t, record.Stream)
	require.Equal(t, "complete", record.End)
	require.Positive(t, record.Usage.OutputTotal())

	refused := ask(t, say("gpt-4.1", "x"), url)
	require.Equal(t, 401, refused.err.StatusCode, "the gateway's own key is none of the provider's")
	record = recordOf(t, e, refused)
	require.Equal(t, "alice", record.Principal.Key)
	require.Equal(t, "auth", record.Error.Class)

	large := ask(t, say("gpt-4.1", strings.Repeat("x", 2<<20)), url, provider)
	require.Nil(t, large.err)
	record = recordOf(t, e, large)
	require.Contains(t, record.Degraded, "unread_request")
	require.Greater(t, record.BytesIn, int64(2<<20))
	require.True(t, record.Usage.Known)

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		text, err := e.Admin("/stats/prometheus?filter=postern")
		require.NoError(c, err)
		require.Regexp(c, `(?m)^postern_tokens{[^}]*gen_ai_request_model="gpt"[^}]*gen_ai_token_type="output"[^}]*} [1-9]`, text)
		require.Regexp(c, `(?m)^postern_cost_micros{[^}]*} [1-9]`, text)
		require.Regexp(c, `(?m)^postern_mode_info{mode="observe"} [1-9]`, text)
	}, patience, 200*time.Millisecond)
	quiet(t, e)
}

func recordOf(t *testing.T, e *envoytest.Envoy, got told) *envoytest.Record {
	t.Helper()
	record, err := e.Audit(got.res.Header.Get("x-request-id"))
	require.NoError(t, err)
	return record
}

// TestObserveAborts: clients that leave and providers that break off are told as such,
// under load, and nothing is kept of them.
func TestObserveAborts(t *testing.T) {
	t.Parallel()
	e := start(t, envoytest.Options{Config: fmt.Sprintf(observeConfig, shared.openai.URL, shared.hashes["alice"]), Wasm: small(t), Edit: beside(shared.openai.URL), Workers: 2})
	const each = 20
	var wait sync.WaitGroup
	ends := make([]string, 2*each)
	for i := range ends {
		wait.Go(func() {
			ctx, cancel := context.WithCancel(deadline(t))
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL+"/v1/chat/completions", strings.NewReader(streamOf("gpt-4.1", "a story")))
			if !assert.NoError(t, err) {
				return
			}
			r.Header.Set("authorization", "Bearer sk-e2e-openai")
			r.Header.Set("content-type", "application/json")
			r.Header.Set(mock.BehaviourHeader, []string{"tokens=64, slow=50ms", "tokens=8, reset-mid-stream"}[i%2])
			res, err := http.DefaultClient.Do(r)
			if !assert.NoError(t, err) {
				return
			}
			defer res.Body.Close() //nolint:errcheck // it is broken off
			if i%2 == 0 {
				_, _ = bufio.NewReader(res.Body).ReadString('\n')
				cancel()
			} else {
				_, _ = io.ReadAll(res.Body)
			}
			record, err := e.Audit(res.Header.Get("x-request-id"))
			if assert.NoError(t, err) {
				ends[i] = record.End
				assert.True(t, record.Usage.Partial, "%+v", record)
			}
		})
	}
	wait.Wait()
	for i, end := range ends {
		require.Equal(t, []string{"client_abort", "upstream_reset"}[i%2], end)
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		text, err := e.Admin("/stats/prometheus?filter=postern.streams")
		require.NoError(c, err)
		require.Regexp(c, `(?m)^postern_streams{} 0$`, text)
	}, patience, 200*time.Millisecond)
	quiet(t, e)
}

// TestObserveBytes sends what is no chat by any measure through the module and past
// it: the provider gets the same bytes, and the client does.
func TestObserveBytes(t *testing.T) {
	t.Parallel()
	var seen []byte
	answers := map[string]string{
		"stream":   "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\r\n\r\ndata: not JSON\n\ndata: [DONE]\n\nand more",
		"whole":    `{"usage": {"prompt_tokens": 1e999}, "choices": [` + strings.Repeat("[", 5000),
		"large":    `{"x":"` + strings.Repeat("y", 3<<20) + `"}`,
		"nothing":  "",
		"binary":   string(bytes.Repeat([]byte{0, 0xff, 0x1f, 0x8b}, 3000)),
		"one byte": "[",
	}
	kinds := []string{"application/json", "text/event-stream", "application/vnd.amazon.eventstream", ""}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, _ = io.ReadAll(r.Body)
		w.Header().Set("content-type", r.Header.Get("x-kind"))
		w.Header().Set("set-cookie", "a=b")
		_, _ = io.WriteString(w, answers[r.Header.Get("x-answer")])
	}))
	t.Cleanup(provider.Close)
	e := start(t, envoytest.Options{Config: fmt.Sprintf(observeConfig, provider.URL, shared.hashes["alice"]), Wasm: small(t), Edit: beside(provider.URL)})
	bodies := []string{`{"model":"gpt-4.1","messages":[`, `{"model":"gpt-4.1","stream":true,"messages":[]}`, "", strings.Repeat("[", 100_000), strings.Repeat("{}", 1<<20), "\xff\x00"}
	for n, body := range bodies {
		for name, answer := range answers {
			kind := kinds[(n+len(name))%len(kinds)]
			r, err := http.NewRequest(http.MethodPost, e.URL+"/v1/chat/completions?n="+strconv.Itoa(n), strings.NewReader(body))
			require.NoError(t, err)
			r.Header.Set("content-type", "application/json")
			r.Header.Set("x-answer", name)
			r.Header.Set("x-kind", kind)
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			got, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, body, string(seen), "%d %s", n, name)
			require.Equal(t, answer, string(got), "%d %s", n, name)
			require.Equal(t, "a=b", res.Header.Get("set-cookie"))
			record, err := e.Audit(res.Header.Get("x-request-id"))
			require.NoError(t, err)
			require.Equal(t, "observe", record.Mode)
			require.Equal(t, int64(len(answer)), record.BytesOut)
		}
	}
	quiet(t, e)
}
