package command_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// withoutKeys keeps a developer's own keys out of a test.
func withoutKeys(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "")
	t.Setenv("ANTHROPIC_API_KEY", "")
}

// TestRun walks through what a first run shows: the printed lines, a whole and
// a streamed answer of each dialect, failover, governance, what providers do
// wrong, and one line for each request.
func TestRun(t *testing.T) {
	withoutKeys(t)
	g := serve(t)
	t.Run("the printed lines", func(t *testing.T) { printed(t, g) })
	t.Run("whole", func(t *testing.T) { whole(t, g) })
	t.Run("streamed", func(t *testing.T) { streamed(t, g) })
	t.Run("on demand", func(t *testing.T) { onDemand(t, g) })
	t.Run("http/2", func(t *testing.T) { http2(t, g) })
	t.Run("without the key", func(t *testing.T) { withoutKey(t, g) })
	require.Zero(t, g.stop())
	require.Regexp(t, `^(postern: compiling .*\n)?postern: ending; .*\n$`, g.errs.String())
}

// printed sends the two curl lines as a shell would.
func printed(t *testing.T, g *running) {
	lines := regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllString(g.out.String(), -1)
	require.Len(t, lines, 2)
	for i, line := range lines {
		words := split(t, strings.TrimSpace(line))
		require.Equal(t, "curl", words[0])
		r, err := http.NewRequest(http.MethodPost, words[2], strings.NewReader(words[8]))
		require.NoError(t, err)
		require.Equal(t, []string{"-H", "-H", "-d"}, []string{words[3], words[5], words[7]})
		for _, h := range []string{words[4], words[6]} {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		a := g.do(r)
		require.NoError(t, a.err)
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.Contains(t, a.body, "hello")
		require.Equal(t, []string{"application/json", "text/event-stream"}[i], strings.Split(a.header.Get("Content-Type"), ";")[0])
	}
	rows := g.rows()
	require.Regexp(t, `^\d\d:\d\d:\d\d  demo +mock-openai +mock-openai/gpt-4o-mini +200 +9/\d+ +\d+ms +\d+ms +0\.0000\d\d USD\n$`, rows[0])
	require.Regexp(t, `^\d\d:\d\d:\d\d  demo +mock-anthropic +mock-anthropic/claude-haiku-4-5 +200 +\d+/\d+ +\d+ms +\d+ms +0\.000\d\d\d USD\n$`, rows[1])
}

// split takes a line apart as a shell does, as far as single quotes.
func split(t *testing.T, line string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, m[1]+m[2])
	}
	require.Len(t, words, 9, line)
	return words
}

func whole(t *testing.T, g *running) {
	for model, owner := range map[string]string{"mock-openai": "chatcmpl-", "mock-anthropic": "msg_"} {
		a := g.ask(model, "")
		require.NoError(t, a.err)
		require.Equal(t, http.StatusOK, a.status, a.body)
		var got struct {
			ID, Model string
			Choices   []struct{ Message struct{ Content string } }
			Usage     struct {
				In  int `json:"prompt_tokens"`
				Out int `json:"completion_tokens"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(a.body), &got))
		require.Equal(t, model, got.Model)
		require.Contains(t, got.ID, owner)
		require.Contains(t, got.Choices[0].Message.Content, "hello")
		row := strings.Fields(g.row())
		require.Equal(t, []string{model, "200"}, []string{row[2], row[4]})
		require.Equal(t, joined(got.Usage.In, got.Usage.Out), row[5], "the usage that the client saw is what was counted")
	}
}

func joined(in, out int) string {
	b, _ := json.Marshal([]int{in, out}) // two numbers
	return strings.ReplaceAll(strings.Trim(string(b), "[]"), ",", "/")
}

// streamed holds that streams come to their end, in events.
func streamed(t *testing.T, g *running) {
	for _, model := range []string{"mock-openai", "mock-anthropic", "mock-stream-failover"} {
		a := g.ask(model, `"stream":true,`)
		require.NoError(t, a.err)
		require.Equal(t, http.StatusOK, a.status)
		require.Greater(t, strings.Count(a.body, "data: {"), 4)
		require.True(t, strings.HasSuffix(a.body, "data: [DONE]\n\n"), a.body)
		require.Contains(t, g.row(), " "+model+" ")
	}
}

// onDemand asks for what the built-in models are there to show.
func onDemand(t *testing.T, g *running) {
	for _, c := range []struct {
		model, more string
		status      int
		code, note  string
	}{
		{"mock-failover", "", 200, "", "2 attempts"},
		{"mock-stream-failover", `"stream":true,`, 200, "", "2 attempts"},
		{"mock-forbidden", "", 403, "policy_denied", "policy_denied (no-forbidden)"},
		{"mock-limited", "", 200, "", ""},
		{"mock-limited", "", 200, "", ""},
		{"mock-limited", "", 200, "", ""},
		{"mock-429", "", 429, "rate_limit_exceeded", "rate_limit_exceeded"},
		{"mock-quota", "", 429, "provider_quota", "provider_quota"},
		{"mock-context-length", "", 400, "context_length_exceeded", "context_length_exceeded"},
		{"mock-hang", "", 504, "upstream_timeout", "upstream_timeout"},
		{"nothing", "", 404, "model_not_found", "model_not_found"},
	} {
		a := g.ask(c.model, c.more)
		require.NoError(t, a.err)
		require.Equal(t, c.status, a.status, c.model+a.body)
		var got struct{ Error struct{ Code string } }
		if c.status != http.StatusOK {
			require.NoError(t, json.Unmarshal([]byte(a.body), &got), a.body)
		}
		require.Equal(t, c.code, got.Error.Code, c.model)
		row := g.row()
		require.True(t, strings.HasSuffix(row, c.note), row)
		require.Contains(t, row, " "+c.model+" ")
	}
	overBudget(t, g)
}

// overBudget asks once more than the budget of mock-limited has, unless a new
// minute began.
func overBudget(t *testing.T, g *running) {
	for range 4 {
		if a := g.ask("mock-limited", ""); a.status != http.StatusOK {
			require.Equal(t, http.StatusTooManyRequests, a.status)
			require.Contains(t, a.body, `"code":"budget_exceeded"`)
			return
		}
	}
	require.Fail(t, "the budget never refused")
}

// http2 speaks HTTP/2 without TLS from the first byte.
func http2(t *testing.T, g *running) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	a, err := (&http.Client{Transport: transport}).Do(g.request("mock-openai", ""))
	g.asked++
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	g.rows()
	require.Equal(t, 2, a.ProtoMajor)
	require.Equal(t, http.StatusOK, a.StatusCode)
}

func withoutKey(t *testing.T, g *running) {
	r := g.request("mock-openai", "")
	r.Header.Del("Authorization")
	a := g.do(r)
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Contains(t, a.body, "missing_api_key")
	require.True(t, strings.HasSuffix(g.row(), "missing_api_key"))
}

// TestDrain: a request that is under way at Ctrl-C gets its whole answer, and
// its line is printed; new connections are refused.
func TestDrain(t *testing.T) {
	withoutKeys(t)
	g := serve(t, "--drain", "1m")
	a, err := g.client.Do(g.request("mock-slow", `"stream":true,`))
	g.asked++
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Body.Close()) }()
	body := bufio.NewReader(a.Body)
	_, err = body.ReadString('\n')
	require.NoError(t, err)
	g.interrupt()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(g.url, "http://"), "/v1"))
		if err == nil {
			require.NoError(t, c.Close())
		}
		return err != nil
	}, 5*time.Second, 10*time.Millisecond)
	rest, err := io.ReadAll(body)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(rest), "data: [DONE]\n\n"), string(rest))
	require.Zero(t, g.stop())
	require.Contains(t, g.row(), "mock-openai/slow")
	require.NotContains(t, g.row(), "client_abort")
}

// TestDrainEnds: what does not finish in time is cut, and its line is printed
// all the same.
func TestDrainEnds(t *testing.T) {
	arrived := make(chan struct{})
	g := serve(t, "--drain", "100ms", provided(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server looks for a client that left only after that
		close(arrived)
		<-r.Context().Done()
	}))
	failed := make(chan error, 1)
	g.asked++
	go func() {
		a, err := g.client.Do(g.request("fast", ""))
		if err == nil {
			err = a.Body.Close()
		}
		failed <- err
	}()
	<-arrived
	require.Zero(t, g.stop())
	require.Error(t, <-failed)
	require.Contains(t, g.row(), "client_abort")
}

// provided writes a configuration whose only provider is a handler, and
// returns its file.
func provided(t *testing.T, handler http.HandlerFunc) string {
	provider := httptest.NewServer(handler)
	t.Cleanup(provider.Close)
	t.Setenv("POSTERN_TEST_KEY", "sk-test")
	file := filepath.Join(t.TempDir(), "postern.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`version: 1
providers:
  main: {dialect: openai, url: "`+provider.URL+`/base/v1", credentials: ["env:POSTERN_TEST_KEY"]}
models:
  fast: {targets: [{provider: main, model: m}]}
identity: {anonymous: {}}
`), 0o600))
	return file
}

// TestRunFile serves a file, played by the mock, without a key.
func TestRunFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "postern.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`version: 1
providers:
  main: {dialect: openai, url: "https://llm.example/openai/v1", credentials: ["env:NOT_SET_ANYWHERE"]}
models:
  fast: {targets: [{provider: main, model: no-mock-knows-it}]}
identity: {anonymous: {team: search}}
`), 0o600))
	g := serve(t, "--mock", file)
	require.Contains(t, g.out.String(), "Postern serves "+file)
	require.NotContains(t, g.out.String(), "Authorization")
	a := g.ask("fast", "")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Contains(t, g.row(), "  search ")
	require.Zero(t, g.stop())
}

// TestRunProvider sends requests to the provider of a file, with its key.
func TestRunProvider(t *testing.T) {
	seen := make(chan *http.Request, 1)
	g := serve(t, provided(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Clone(context.Background())
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,`+
			`"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`)
	}))
	a := g.ask("fast", "")
	require.Equal(t, http.StatusOK, a.status, a.body)
	r := <-seen
	require.Equal(t, "/base/v1/chat/completions", r.URL.Path)
	require.Equal(t, "Bearer sk-test", r.Header.Get("Authorization"))
	require.Regexp(t, `^127\.0\.0\.1:\d+$`, r.Host)
	require.Contains(t, g.row(), " 1/2 ")
	require.Zero(t, g.stop())
}

// TestStreams: the provider says no more until the client has read what it
// said before, so nothing on the way may hold an event back.
func TestStreams(t *testing.T) {
	heard := make(chan struct{})
	g := serve(t, provided(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}`+"\n\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-heard:
			case <-r.Context().Done():
				return
			}
		}
		_, _ = io.WriteString(w, `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
	}))
	g.client.Timeout = time.Minute
	a, err := g.client.Do(g.request("fast", `"stream":true,`))
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Body.Close()) }()
	events := 0
	for lines := bufio.NewScanner(a.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), "hello") {
			events++
			select {
			case heard <- struct{}{}:
			case <-time.After(time.Minute):
			}
		}
	}
	require.Equal(t, 3, events)
	require.Zero(t, g.stop())
}

// TestRefused says what the module said.
func TestRefused(t *testing.T) {
	withoutKeys(t)
	t.Setenv("OPENAI_API_KEY", "two words")
	code, errs := fails(t, "run", "--listen", "127.0.0.1:0", "--workers", "1", "--wasm", module(t))
	require.Equal(t, 1, code)
	require.Contains(t, errs, "provider openai: environment variable OPENAI_API_KEY has a character that no key has")
	require.NotContains(t, errs, "two words")
}

// TestPortInUse names the address.
func TestPortInUse(t *testing.T) {
	withoutKeys(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	for _, host := range []string{"wazero", "envoy"} {
		code, errs := fails(t, "run", "--host", host, "--listen", l.Addr().String(), "--wasm", "run_test.go")
		require.Equal(t, 1, code)
		require.Equal(t, "postern: listen tcp "+l.Addr().String()+": bind: address already in use\n", errs)
	}
}
