package envoy

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
)

const reloadConfig = `
version: 1
providers:
  openai: {dialect: openai, url: "$OPENAI/v1", credentials: ["env:E2E_OPENAI_KEY"]}
  anthropic: {dialect: anthropic, url: "$ANTHROPIC/v1", credentials: ["env:E2E_ANTHROPIC_KEY"]}
models:
  gpt: {max_output: 1024, targets: [{provider: openai, model: gpt-4o}]}
  claude: {max_output: 1024, targets: [{provider: anthropic, model: claude-haiku-4-5}]}
identity:
  anonymous: {}
`

// A new configuration under load: requests and streams go on, none fails, and
// the kill switch works from the next request on.
func TestReload(t *testing.T) {
	t.Parallel()
	text := shared.config(reloadConfig)
	e := start(t, envoytest.Options{Config: text, Env: environment, Dynamic: true})
	c := client(option.WithBaseURL(e.URL + "/v1"))

	l := load{stop: make(chan struct{})}
	l.run(t, c)
	require.Eventually(t, func() bool { return l.done.Load() > 20 }, patience, 20*time.Millisecond)
	for _, extra := range []string{
		"telemetry: {trace: create}\n",
		"budgets: {b: {unit: tokens, limit: 100000000, window: day}}\n",
		"policy: {kill: {models: [none-yet]}}\n",
	} {
		before := l.done.Load()
		require.NoError(t, e.Reload(text+extra))
		require.Eventually(t, func() bool { return l.done.Load() > before+20 }, patience, 20*time.Millisecond)
	}
	close(l.stop)
	l.all.Wait()
	require.Empty(t, l.failures(), "of %d requests", l.done.Load())
	killed(t, e, text)
	quiet(t, e)
}

// killed switches a model off: requests for it are refused, others are served.
func killed(t *testing.T, e *envoytest.Envoy, text string) {
	t.Helper()
	at := option.WithBaseURL(e.URL + "/v1")
	require.Nil(t, ask(t, say("gpt", "x"), at).err)
	require.NoError(t, e.Reload(text+"policy: {kill: {models: [gpt]}}\n"))
	var got told
	require.Eventually(t, func() bool { // the listener's old connections may serve one request more
		got = ask(t, say("gpt", "x"), at)
		return got.err != nil
	}, patience, 50*time.Millisecond)
	require.Equal(t, 403, got.err.StatusCode)
	require.Equal(t, "killed", got.err.Code, got.err.RawJSON())
	require.Nil(t, ask(t, say("claude", "x"), at).err)
}

// load is requests without a pause, whole and streamed, in both dialects.
type load struct {
	stop chan struct{}
	done atomic.Int64
	all  sync.WaitGroup
	mu   sync.Mutex
	bad  []string
}

func (l *load) run(t *testing.T, c *openai.Client) {
	for i := range 8 {
		model := []string{"gpt", "claude"}[i%2]
		l.all.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				if err := one(t, c, model, i < 4); err != nil {
					l.mu.Lock()
					l.bad = append(l.bad, err.Error())
					l.mu.Unlock()
				}
				l.done.Add(1)
			}
		})
	}
}

// one is a request of the load; streams take a while, to be under way when the
// configuration changes.
func one(t *testing.T, c *openai.Client, model string, streamed bool) error {
	if !streamed {
		_, err := c.Chat.Completions.New(deadline(t), say(model, "x"))
		return err
	}
	s := c.Chat.Completions.NewStreaming(deadline(t), say(model, "x"), behave("tokens=16, slow=2ms"))
	defer s.Close() //nolint:errcheck // it was read
	for s.Next() {
		_ = s.Current() // what it says is not the question here
	}
	return s.Err()
}

func (l *load) failures() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.bad[:min(len(l.bad), 10)], "\n")
}
