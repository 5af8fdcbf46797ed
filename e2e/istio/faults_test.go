package istio

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/variant"
	"github.com/posterngw/postern/tools/render"
)

// unusable is refused by the module alone: the secret is too short.
const unusable = "state: {key: \"env:E2E_OPENAI_KEY\"}\n"

// chat is a request of n bytes and some more.
func chat(n int) string {
	return `{"model":"gpt","messages":[{"role":"user","content":"` + strings.Repeat("x", n) + `"}]}`
}

func (w *world) send(t *testing.T, body string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.envoy.URL+"/v1/chat/completions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("content-type", "application/json")
	req.Header.Set("authorization", "Bearer "+w.key)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // it was read
	all, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(all)
}

// TestFaults: without the module, or with one that refuses, nothing reaches a
// provider. What the client gets is the proxy's, whatever the strategy.
func TestFaults(t *testing.T) {
	wrongDigest := func(o *render.IstioOptions) { o.Image.Digest = "sha256:" + strings.Repeat("0", 64) }
	anotherName := func(o *render.IstioOptions) { o.Image.URL += "-there-is-none" }
	open := func(text string) string {
		return strings.NewReplacer("failStrategy: FAIL_RELOAD", "failStrategy: FAIL_OPEN", "failure_policy: FAIL_RELOAD", "failure_policy: FAIL_OPEN").Replace(text)
	}
	refused := func(text string) string { return text + unusable }
	for _, tt := range []struct {
		name, mode string
		setup      setup
		status     int
		text       string
	}{
		{"no such digest", "native", setup{options: wrongDigest}, 403, "RBAC: access denied"},
		{"no such image", "paired", setup{options: anotherName}, 403, "RBAC: access denied"},
		{"no such image, fail open", "native", setup{options: anotherName, resources: open}, 503, ""},
		{"no such image, fail open", "paired", setup{options: anotherName, resources: open}, 503, ""},
		{"refused", "native", setup{config: refused}, 500, ""},
		{"refused", "paired", setup{config: refused}, 500, ""},
	} {
		t.Run(tt.mode+"/"+tt.name, func(t *testing.T) {
			w := tt.setup.start(t, tt.mode)
			status, text := w.send(t, chat(1))
			require.Equal(t, tt.status, status, text)
			require.Contains(t, text, tt.text)
			require.Empty(t, w.openai.Requests())
		})
	}
}

// TestTrap: a trap answers its own request, and the next ones get a fresh VM. In
// paired mode the gateway holds no body that is large enough for this one.
func TestTrap(t *testing.T) {
	w := setup{
		module: func(shipped []byte) []byte {
			module, err := variant.Cramped(shipped, 8<<20)
			require.NoError(t, err)
			return module
		},
		config: func(text string) string { return text + "limits: {body: 64MiB, in_flight: 1GiB}\n" },
	}.start(t, "native")
	status, text := w.send(t, chat(1))
	require.Equal(t, 200, status, text)
	status, text = w.send(t, chat(20<<20))
	require.Equal(t, 503, status, text)
	require.Eventually(t, func() bool { status, _ := w.send(t, chat(1)); return status == 200 }, 20*time.Second, 50*time.Millisecond)
	stats, err := w.envoy.Stats("vm_reload_success")
	require.NoError(t, err)
	require.NotEmpty(t, stats)
}

// TestPush: istiod tells the gateway of changed resources under load: no request
// fails, and a configuration that the module refuses changes nothing.
func TestPush(t *testing.T) {
	w := start(t, "native", nil)
	var done, failed atomic.Int64
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				if status, _ := w.send(t, chat(1)); status != 200 {
					failed.Add(1)
				}
				done.Add(1)
			}
		})
	}
	for _, step := range []struct{ extra, counter string }{
		{"telemetry: {trace: create}\n", "config_reload"},
		{unusable, "config_fail"},
		{"budgets: {all: {unit: tokens, limit: 100000000, window: day}}\n", "config_reload"},
	} {
		before := w.counted(t, step.counter)
		w.mesh.apply(t, w.render(w.config+step.extra))
		require.Eventually(t, func() bool { return w.counted(t, step.counter) > before }, 20*time.Second, 50*time.Millisecond, step.extra)
		so := done.Load()
		require.Eventually(t, func() bool { return done.Load() > so+20 }, 20*time.Second, 20*time.Millisecond)
	}
	close(stop)
	all.Wait()
	require.Zero(t, failed.Load(), "of %d", done.Load())
}

// counted is a counter of the extensions that the proxy gets by name.
func (w *world) counted(t *testing.T, counter string) (n int64) {
	t.Helper()
	stats, err := w.envoy.Stats("extension_config_discovery.*" + counter + "$")
	require.NoError(t, err)
	for _, v := range stats {
		n += v
	}
	return n
}
