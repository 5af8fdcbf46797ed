package envoy

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
)

// native is a configuration in this mode, whatever the mode of the run.
func native(text string) string { return strings.Replace(text, "mode: paired\n", "mode: native\n", 1) }

// A filter that holds a request's headers where the proxy then keeps the body, too,
// is found out with the first body that comes, and not by a client that waits for
// ever. One that is slow is not taken for it.
func TestWithheldBody(t *testing.T) {
	t.Parallel()
	e := start(t, envoytest.Options{Config: native(shared.config(reloadConfig)), Env: environment, Edit: func(b string) string {
		require.Contains(t, b, "allow_on_headers_stop_iteration: true")
		return strings.ReplaceAll(b, "allow_on_headers_stop_iteration: true", "allow_on_headers_stop_iteration: false")
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	slow, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL+"/v1/chat/completions", endless{ctx})
	require.NoError(t, err)
	slow.Header.Set("content-type", "application/json")
	res, err := http.DefaultClient.Do(slow) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, context.DeadlineExceeded, "%v", res)

	for range 3 {
		began := time.Now()
		got := ask(t, say("gpt", "x"), option.WithBaseURL(e.URL+"/v1"), option.WithMaxRetries(0))
		require.NotNil(t, got.err)
		require.Equal(t, 503, got.err.StatusCode)
		require.Equal(t, "host_unsupported", got.err.Code, got.err.RawJSON())
		require.Less(t, time.Since(began), 5*time.Second, "it must not hang")
		require.Empty(t, shared.openai.Of(got.id))
	}
	counted(t, e, "host_unsupported", 3)
}

// counted waits until counters of a name have come to n, all together.
func counted(t *testing.T, e *envoytest.Envoy, name string, n int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		stats, err := e.Stats(name)
		sum := int64(0)
		for _, v := range stats {
			sum += v
		}
		return err == nil && sum >= n
	}, patience, 50*time.Millisecond)
}

// A module in native mode without its provider stage, as a bare WasmPlugin would have
// it, is found out before anything leaves, at every request.
func TestNoProviderStage(t *testing.T) {
	t.Parallel()
	e := start(t, envoytest.Options{Config: native(shared.config(reloadConfig)), Env: environment, Edit: func(b string) string {
		bare := providerStage.ReplaceAllString(b, "$1")
		require.NotContains(t, bare, "name: postern-provider")
		return bare
	}})
	for range 4 {
		got := ask(t, say("gpt", "x"), option.WithBaseURL(e.URL+"/v1"))
		require.NotNil(t, got.err)
		require.Equal(t, "host_unsupported", got.err.Code, got.err.RawJSON())
		require.Empty(t, shared.openai.Of(got.id))
	}
}

// providerStage is its filter in a cluster of the bootstrap.
var providerStage = regexp.MustCompile(`(?s)        - name: postern-provider\n.*?(        - name: envoy\.filters\.http\.)`)

// endless is a body of which nothing comes.
type endless struct{ ctx context.Context }

func (e endless) Read([]byte) (int, error) {
	<-e.ctx.Done()
	return 0, e.ctx.Err()
}

// What the module finds out of a real Envoy shows in its metrics.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	require.Nil(t, ask(t, say("gpt", "x")).err)
	want := []string{"shared_data", "ticks", "properties", "request_body"}
	if mode == "" {
		want = append(want, "stop_iteration", "provider_stage")
	}
	require.Eventually(t, func() bool {
		stats, err := shared.envoy.Stats("host_capability")
		require.NoError(t, err)
		found := 0
		for name, v := range stats {
			for _, capability := range want {
				if v == 1 && strings.Contains(name, capability) && strings.Contains(name, "works") {
					found++
				}
			}
			require.False(t, v == 1 && strings.Contains(name, "missing"), name)
		}
		return found == len(want)
	}, patience, 50*time.Millisecond)
}
