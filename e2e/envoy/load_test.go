package envoy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/tools/mock"
)

// The load of TestFailoverUnderLoad: what it is at least, and how the flapping
// target flaps.
const (
	loadRequests = 20_000
	loadWorkers  = 32
	loadTime     = 24 * time.Second // six periods
	flapPeriod   = 4 * time.Second
	flapDown     = 2 * time.Second
)

// One model whose three targets share the traffic: one refuses connections, one
// answers 503 for two seconds in every four, one works.
const loadConfig = `
version: 1
identity: {anonymous: {}}
health: {open: 500ms, max_open: 2s}
providers:
  dead: {dialect: openai, url: "$DEAD/v1", credentials: ["env:E2E_OPENAI_KEY"]}
  flapping: {dialect: openai, url: "$FLAPPING/v1", credentials: ["env:E2E_OPENAI_KEY"]}
  good: {dialect: openai, url: "$GOOD/v1", credentials: ["env:E2E_OPENAI_KEY"]}
models:
  busy:
    targets:
    - {name: dead, provider: dead, model: bench-16-chunks}
    - {name: flapping, provider: flapping, model: bench-16-chunks}
    - {name: good, provider: good, model: bench-16-chunks}
`

var loadTargets = []string{"dead", "flapping", "good"}

// TestFailoverUnderLoad: what two of three targets do wrong reaches next to no
// client, while retries stay within their budget, and circuits open and close.
// It is not parallel: it wants the machine for itself.
func TestFailoverUnderLoad(t *testing.T) {
	if mode != "" {
		t.Skip("plans, circuits and retry budgets are one code for all modes; the load is put on one of them")
	}
	m := mock.New(mock.Options{})
	t.Cleanup(m.Close)
	handler, err := m.Handler("openai")
	require.NoError(t, err)
	good := httptest.NewServer(handler)
	t.Cleanup(good.Close)
	f := &flapper{next: handler, epoch: time.Now()}
	flapping := httptest.NewServer(f)
	t.Cleanup(flapping.Close)
	e := start(t, envoytest.Options{Workers: 2, Env: environment,
		Config: strings.NewReplacer("$DEAD", shared.refusing, "$FLAPPING", flapping.URL, "$GOOD", good.URL).Replace(loadConfig)})
	began := time.Now()
	f.begin(began)
	l := &rush{url: e.URL + chatPath, until: began.Add(loadTime)}
	l.run()
	took := time.Since(began)
	records := l.settled(t, e)
	line := newTimeline(began, records)
	t.Logf("%d requests, half of them streams, in %.1f s; %d failed; %.3f attempts per request\n%s", l.sent.Load(), took.Seconds(), len(l.failed), line.amplification(0), line)
	require.GreaterOrEqual(t, l.sent.Load(), int64(loadRequests))
	require.LessOrEqual(t, float64(len(l.failed)), 0.0001*float64(l.sent.Load()), strings.Join(l.failed[:min(10, len(l.failed))], "\n"))
	line.check(t)
	quiet(t, e)
}

// flapper is a provider that is down for part of each period, beginning well.
type flapper struct {
	next  http.Handler
	mu    sync.Mutex
	epoch time.Time
}

func (f *flapper) begin(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch = at
}

func (f *flapper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	at := time.Since(f.epoch) % flapPeriod
	f.mu.Unlock()
	if at >= flapPeriod-flapDown {
		_, _ = io.Copy(io.Discard, r.Body) // so that the connection can be used again
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	f.next.ServeHTTP(w, r)
}

// rush sends requests, every other one for a stream, until there are enough of
// them and it took long enough.
type rush struct {
	url    string
	until  time.Time
	sent   atomic.Int64
	mu     sync.Mutex
	failed []string
}

func (l *rush) run() {
	transport := &http.Transport{MaxIdleConnsPerHost: loadWorkers}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: patience}
	var all sync.WaitGroup
	for range loadWorkers {
		all.Go(func() {
			for time.Now().Before(l.until) || l.sent.Load() < loadRequests {
				if problem := l.once(c, l.sent.Add(1)%2 == 0); problem != "" {
					l.mu.Lock()
					l.failed = append(l.failed, problem)
					l.mu.Unlock()
				}
			}
		})
	}
	all.Wait()
}

func (l *rush) once(c *http.Client, stream bool) (problem string) {
	body, end := `{"model":"busy","messages":[{"role":"user","content":"sally port"}]}`, "}"
	if stream {
		body, end = strings.Replace(body, `"busy"`, `"busy","stream":true`, 1), "data: [DONE]"
	}
	res, err := c.Post(l.url, "application/json", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.HasSuffix(bytes.TrimSpace(text), []byte(end)) {
		return fmt.Sprintf("%s stream=%v: %d %v %.300s", time.Now().Format(time.TimeOnly), stream, res.StatusCode, err, text)
	}
	return ""
}

// settled waits for the records of all requests.
func (l *rush) settled(t *testing.T, e *envoytest.Envoy) (records []envoytest.Record) {
	require.Eventually(t, func() bool {
		var err error
		records, err = e.Records()
		return err == nil && len(records) == int(l.sent.Load())
	}, patience, 200*time.Millisecond)
	return records
}

// timeline is what happened, second by second.
type timeline struct{ seconds []second }

// second is one second of a time line.
type second struct {
	requests, attempts int
	served, failed     map[string]int // attempts, by target
	shut               map[string]int // requests that went without a target, by target
}

func newTimeline(began time.Time, records []envoytest.Record) *timeline {
	l := &timeline{}
	for i := range records {
		r := &records[i]
		at := max(0, int(r.Time.Sub(began)/time.Second))
		for len(l.seconds) <= at {
			l.seconds = append(l.seconds, second{served: map[string]int{}, failed: map[string]int{}, shut: map[string]int{}})
		}
		l.seconds[at].add(r)
	}
	return l
}

func (s *second) add(r *envoytest.Record) {
	s.requests++
	s.attempts += len(r.Attempts)
	for _, a := range r.Attempts {
		if a.Class == "" {
			s.served[a.Target]++
		} else {
			s.failed[a.Target]++
		}
	}
	for _, x := range r.Route.Plan {
		if x.ShutOut {
			s.shut[x.Target]++
		}
	}
}

// state is how a target's circuit was seen by most requests of the second.
func (s *second) state(target string) string {
	switch shut := s.shut[target]; {
	case shut == 0:
		return "closed"
	case shut > s.requests*9/10:
		return "open"
	}
	return "opens or heals"
}

// amplification is the attempts per request from a second on.
func (l *timeline) amplification(from int) float64 {
	requests, attempts := 0, 0
	for _, s := range l.seconds[from:] {
		requests, attempts = requests+s.requests, attempts+s.attempts
	}
	return float64(attempts) / float64(max(1, requests))
}

func (l *timeline) String() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "second requests attempts")
	for _, name := range loadTargets {
		fmt.Fprintf(b, " | %-32s", name)
	}
	for i, s := range l.seconds {
		fmt.Fprintf(b, "\n%6d %8d %8d", i, s.requests, s.attempts)
		for _, name := range loadTargets {
			fmt.Fprintf(b, " | %-14s ok %5d bad %4d", s.state(name), s.served[name], s.failed[name])
		}
	}
	return b.String()
}

// check holds the time line to what breakers and budgets promise.
func (l *timeline) check(t *testing.T) {
	const share, floor, workers = 0.2, 10, 2 // of the retry budget, as configured by default
	for i, s := range l.seconds[1:] {
		// The budget is of ten seconds; of a single one its bound is looser.
		require.LessOrEqual(t, s.attempts-s.requests, int(share*float64(s.requests))+floor*workers, "second %d", i+1)
	}
	require.Less(t, l.amplification(1), 1.05, "open circuits make most attempts the only ones")
	require.False(t, slices.ContainsFunc(l.seconds, func(s second) bool { return s.served["dead"] > 0 }))
	for _, s := range l.seconds[1:] {
		require.NotEqual(t, "closed", s.state("dead"))
	}
	opened, healed := 0, 0
	for i, s := range l.seconds {
		if s.failed["flapping"] > 0 && s.shut["flapping"] > 0 {
			opened++
		}
		if i > 0 && s.served["flapping"] > s.requests/6 && l.seconds[i-1].shut["flapping"] > 0 {
			healed++
		}
	}
	require.GreaterOrEqual(t, opened, 3, "times that the flapping target was shut out")
	require.GreaterOrEqual(t, healed, 2, "times that it came back")
}
