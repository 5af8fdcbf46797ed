package envoy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/variant"
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

// underLoad adds to that a provider that holds its streams, and a budget.
const underLoad = `  held: {dialect: openai, url: "$HELD/v1", credentials: ["env:E2E_OPENAI_KEY"]}
models:
  held: {max_output: 64, targets: [{provider: held, model: gpt-4o}]}
`

// laterProvider needs a variable that no other does.
const laterProvider = `  later: {dialect: openai, url: "http://127.0.0.1:1/v1", credentials: ["env:E2E_SPARE_KEY"]}
`

// Configurations that Envoy takes and some that the module refuses, another set of
// variables and another build of the module, under load: no request fails and every one leaves its record; a stream ends with the
// configuration that it began with; what is set aside of a budget is neither lost
// nor counted twice; and the kill switch works from the next request on.
func TestReload(t *testing.T) {
	t.Parallel()
	p := holding(t)
	text := strings.Replace(shared.config(reloadConfig), "models:\n", strings.ReplaceAll(underLoad, "$HELD", p.URL), 1)
	budget := func(limit int64) string {
		return fmt.Sprintf("budgets: {all: {unit: requests, limit: %d, window: month, models: [gpt, claude]}}\n", limit)
	}
	e := start(t, envoytest.Options{Config: text + budget(1e6), Env: environment, Dynamic: true, Workers: 2})
	c := client(option.WithBaseURL(e.URL + "/v1"))
	old := p.open(t, e)

	l := load{stop: make(chan struct{})}
	l.run(t, c)
	more := func() {
		before := l.done.Load()
		require.Eventually(t, func() bool { return l.done.Load() > before+20 }, patience, 20*time.Millisecond)
	}
	more()
	grown := strings.Replace(text, "  held:", laterProvider+"  held:", 1)
	for _, step := range []struct {
		text    string
		refused bool
		module  string
	}{
		{text: text + "telemetry: {trace: create}\n"},
		{text: text + unusable, refused: true},
		{text: grown}, // another VM: it sees a variable more
		{text: grown + "state: {key: \"env:E2E_NOT_SET\"}\n", refused: true},
		{text: text + "policy: {kill: {models: [none-yet]}}\n"}, // the first VM again
		{text: text, module: written(t, variant.Rebuilt(shipped(t)))},
	} {
		if step.module != "" {
			e.Use(step.module)
		}
		if step.refused {
			require.NoError(t, e.Refused(step.text+budget(1e6)))
		} else {
			require.NoError(t, e.Reload(step.text+budget(1e6)))
		}
		more()
	}
	close(l.stop)
	l.all.Wait()
	require.Empty(t, l.failures(), "of %d requests", l.done.Load())
	close(p.release)
	rest, err := io.ReadAll(old)
	require.NoError(t, err)
	require.Contains(t, string(rest), "[DONE]")
	recorded(t, e, int(l.done.Load()))

	killed(t, e, text+budget(1e6))
	covered(t, e, func(limit int64) string { return text + budget(limit) })
	bad, err := e.Failures()
	require.NoError(t, err)
	require.Empty(t, slices.DeleteFunc(bad, func(line string) bool {
		return strings.HasSuffix(line, "configuration refused:") || strings.HasSuffix(line, "failed to load") // the unusable one
	}))
}

// covered: a limit that leaves room for so many requests more has exactly that.
func covered(t *testing.T, e *envoytest.Envoy, limited func(int64) string) {
	t.Helper()
	const left = 40
	time.Sleep(time.Second) // the last lines of the log
	logs, err := e.Logs()
	require.NoError(t, err)
	before := strings.Count(logs["access.log"], `"status":200`) - 1 // the held stream is not counted
	require.NoError(t, e.Reload(limited(int64(before)+left)))
	served := 0
	once := func() bool {
		if ask(t, say("claude", "x"), option.WithBaseURL(e.URL+"/v1")).err == nil {
			served++
		}
		return served >= left
	}
	require.Eventually(t, once, patience, 20*time.Millisecond)
	for range 5 {
		once()
		time.Sleep(200 * time.Millisecond)
	}
	require.Equal(t, left, served, "of the budget, after %d requests", before)
}

// unusable is refused by the module alone: the secret is too short.
const unusable = "state: {key: \"env:E2E_OPENAI_KEY\"}\n"

// recorded: every request has its line and its record, and a stream that was open
// all the time the record of the configuration that it began with.
func recorded(t *testing.T, e *envoytest.Envoy, requests int) {
	t.Helper()
	var records []envoytest.Record
	require.Eventually(t, func() bool {
		var err error
		records, err = e.Records()
		require.NoError(t, err)
		return len(records) >= requests+1
	}, patience, 50*time.Millisecond)
	logs, err := e.Logs()
	require.NoError(t, err)
	require.Len(t, records, requests+1)
	require.Equal(t, requests+1, strings.Count(logs["access.log"], "\n"))
	i := slices.IndexFunc(records, func(r envoytest.Record) bool { return r.Model == "held" })
	require.Equal(t, "complete", records[i].End)
	require.Equal(t, records[0].Config, records[i].Config)
	by := map[string]int{}
	for i := range records {
		by[records[i].Config]++
	}
	require.Len(t, by, 4, "configurations that served: %v", by)
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

// load is requests one after the other, whole and streamed, in both dialects.
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
				time.Sleep(10 * time.Millisecond) // the machine compiles modules meanwhile
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
