package envoy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/scenario"
)

// playInEnvoy plays a scenario of whole messages with a real Envoy between a
// client and providers that answer as it says.
func playInEnvoy(t *testing.T, f *scenario.File) {
	p := &stage{providers: map[string]*script{}}
	config := p.open(t, f)
	var env []string
	for name, value := range f.Env {
		env = append(env, name+"="+value)
	}
	p.Envoy = start(t, envoytest.Options{Config: config, Path: f.Name, Env: env, Dynamic: true})
	for steps := f.Steps; len(steps) > 0; {
		n := 1 + slices.IndexFunc(steps[1:], func(s scenario.Step) bool { return s.Kind == scenario.Request })
		if n == 0 {
			n = len(steps)
		}
		p.request(t, steps[:n])
		steps = steps[n:]
	}
	quiet(t, p.Envoy)
}

// stage is an Envoy with scripted providers.
type stage struct {
	*envoytest.Envoy
	providers map[string]*script // by the name of the host's cluster
}

// script is a provider that answers what is written for it, one after the other.
type script struct {
	mu      sync.Mutex
	answers []scenario.Step
	seen    []*http.Request
	bodies  []string
}

// open serves the providers, and returns the configuration with their addresses.
func (p *stage) open(t *testing.T, f *scenario.File) string {
	node, errs := document.Read(f.Name, f.Config)
	require.Empty(t, errs)
	c, errs := pipeline.Decode(node, builtin.Dialects())
	require.Empty(t, errs)
	text := string(f.Config)
	slices.SortFunc(c.Route.Providers, func(a, b config.Named[route.ProviderConfig]) int { return len(b.Value.URL) - len(a.Value.URL) })
	for i := range c.Route.Providers {
		one := &c.Route.Providers[i]
		at, err := url.Parse(one.Value.URL)
		require.NoError(t, err)
		s := &script{}
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		text = strings.ReplaceAll(text, one.Value.URL, server.URL+at.Path)
		p.providers[one.Name] = s
		if one.Value.Cluster != "" {
			p.providers[one.Value.Cluster] = s
		}
	}
	return text
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what there is of it
	s.mu.Lock()
	s.seen, s.bodies = append(s.seen, r), append(s.bodies, string(body))
	if len(s.answers) == 0 {
		s.mu.Unlock()
		w.WriteHeader(http.StatusTeapot)
		return
	}
	step := s.answers[0]
	s.answers = s.answers[1:]
	s.mu.Unlock()
	switch step.Fault {
	case "hang":
		<-r.Context().Done()
		return
	case "reset", "refuse":
		panic(http.ErrAbortHandler)
	}
	for _, h := range step.Message.Headers {
		w.Header().Set(h[0], h[1])
	}
	status, _ := strconv.Atoi(strings.Fields(step.Message.First)[1]) // 0 is refused below
	w.WriteHeader(status)
	_, _ = io.WriteString(w, step.Message.Body)
	if step.Open {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// request plays one request with what belongs to it.
func (p *stage) request(t *testing.T, steps []scenario.Step) {
	for _, s := range p.providers {
		s.answers, s.seen, s.bodies = nil, nil, nil
	}
	hangs, abortedAt := false, ""
	for i, s := range steps {
		switch s.Kind {
		case scenario.Provider:
			hangs = hangs || s.Fault == "hang"
			require.NotNil(t, p.providers[s.Cluster], s.Cluster)
			p.providers[s.Cluster].answers = append(p.providers[s.Cluster].answers, s)
		case scenario.Abort: // while the provider that was sent the request works on it
			require.Equal(t, scenario.Sent, steps[i-1].Kind)
			abortedAt = steps[i-1].Cluster
			p.providers[abortedAt].answers = []scenario.Step{{Fault: "hang"}}
		}
	}
	var got got
	if abortedAt != "" {
		got = p.abort(t, &steps[0].Message, p.providers[abortedAt])
	} else {
		got = p.send(t, &steps[0].Message)
	}
	for i := range steps {
		p.compare(t, &steps[i], &got, hangs)
	}
	for name, s := range p.providers {
		require.Empty(t, s.answers, "answers of %s that nobody asked for", name)
	}
}

func (p *stage) send(t *testing.T, m *scenario.Message) got {
	res, err := http.DefaultClient.Do(p.prepare(t, deadline(t), m))
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	return got{res.Header.Get("x-request-id"), res.StatusCode, res.Header, string(text), err}
}

// abort sends a request and goes away when a provider has it.
func (p *stage) abort(t *testing.T, m *scenario.Message, at *script) (g got) {
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	req := p.prepare(t, ctx, m)
	go func() {
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close() // none is awaited
		}
	}()
	require.Eventually(t, func() bool {
		at.mu.Lock()
		defer at.mu.Unlock()
		if len(at.seen) > 0 {
			g.id = at.seen[0].Header.Get("x-request-id")
		}
		return g.id != ""
	}, patience, 20*time.Millisecond)
	return g
}

func (p *stage) prepare(t *testing.T, ctx context.Context, m *scenario.Message) *http.Request {
	words := strings.Fields(m.First)
	req, err := http.NewRequestWithContext(ctx, words[0], p.URL+words[1], strings.NewReader(m.Body))
	require.NoError(t, err)
	for _, h := range m.Headers {
		req.Header.Set(h[0], h[1])
	}
	return req
}

// compare holds what happened against one section.
func (p *stage) compare(t *testing.T, s *scenario.Step, g *got, hangs bool) {
	switch s.Kind {
	case scenario.Sent:
		from := p.providers[s.Cluster]
		require.NotEmpty(t, from.seen, "requests to %s; the client has %d %s", s.Cluster, g.status, g.text)
		r := from.seen[0]
		require.Equal(t, strings.TrimSuffix(s.Message.First, " HTTP/1.1"), r.Method+" "+r.URL.RequestURI())
		matches(t, &s.Message, r.Header, from.bodies[0])
		from.seen, from.bodies = from.seen[1:], from.bodies[1:]
	case scenario.Response:
		require.Equal(t, strings.Fields(s.Message.First)[1], strconv.Itoa(g.status), g.text)
		require.NoError(t, g.err)
		matches(t, &s.Message, g.header, g.text)
	case scenario.Audit:
		_, err := p.Audit(g.id)
		require.NoError(t, err)
		logs, err := p.Logs()
		require.NoError(t, err)
		for line := range strings.Lines(logs["audit.log"]) {
			if strings.Contains(line, g.id) {
				require.NoError(t, scenario.Audited(s.JSON, line), line)
			}
		}
	case scenario.Advance:
		if !hangs { // else it has passed while the provider hung
			time.Sleep(s.Time)
		}
	}
}

// matches compares headers and body, but for what depends on the time and on where
// providers are.
func matches(t *testing.T, want *scenario.Message, header http.Header, body string) {
	for _, h := range want.Headers {
		if h[0] != ":authority" && !strings.HasPrefix(h[1], "AWS4-") && h[0] != "x-amz-date" {
			require.Equal(t, h[1], header.Get(h[0]), h[0])
		}
	}
	for _, name := range want.Absent {
		require.Empty(t, header.Get(name), name)
	}
	if want.HasBody {
		require.Equal(t, steady(want.Body), steady(body))
	}
}
