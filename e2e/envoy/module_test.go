package envoy

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/variant"
)

// An Envoy whose module is not there, or refuses its configuration, does not
// start, whatever the failure policy: and it says why.
func TestNoStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o   envoytest.Options
		why string
	}{
		"missing":      {envoytest.Options{Config: shared.config(reloadConfig), Wasm: "/nowhere/postern.wasm"}, "Invalid path: /nowhere/postern.wasm"},
		"not a module": {envoytest.Options{Config: shared.config(reloadConfig), Wasm: written(t, []byte("no module"))}, "Unable to create Wasm plugin postern"},
		"refused":      {envoytest.Options{Config: shared.config(reloadConfig) + unusable, Edit: failing("FAIL_OPEN")}, "the secret of `state.key` is missing or shorter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.Env = environment
			e, err := envoytest.Start(c.o)
			if err == nil {
				require.NoError(t, e.Stop())
			}
			require.ErrorContains(t, err, "envoy has ended")
			require.ErrorContains(t, err, c.why)
		})
	}
}

// written is the path of a file with these bytes.
func written(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "module.wasm")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// failing sets the failure policy of every stage.
func failing(policy string) func(string) string {
	return func(text string) string {
		return strings.ReplaceAll(text, "failure_policy: FAIL_RELOAD", "failure_policy: "+policy)
	}
}

// shipped is the module that is tested.
func shipped(t *testing.T) []byte {
	t.Helper()
	_, path, err := envoytest.Binaries()
	require.NoError(t, err)
	module, err := os.ReadFile(path)
	require.NoError(t, err)
	return module
}

// A module that Envoy fetches itself and that is not there, or is another than
// the digest says: requests are answered 503 by Envoy, and go nowhere, also where
// the filter may be passed over. One that is right cannot serve either: both stages
// want a file, as it is rendered.
func TestFetchedModule(t *testing.T) {
	if mode != "" {
		t.Skip("it is Envoy that fetches, whatever the mode")
	}
	t.Parallel()
	module := shipped(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/postern.wasm" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(module) // a proxy that went away has ended the test already
	}))
	t.Cleanup(server.Close)
	sum := sha256.Sum256(module)
	right, wrong := hex.EncodeToString(sum[:]), strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		file, digest, policy string
		status               int
	}{
		// It runs; but Envoy gives it a VM of its own, so that the other stage finds nothing.
		"right":               {"/postern.wasm", right, "FAIL_CLOSED", 500},
		"missing, open":       {"/another.wasm", right, "FAIL_OPEN", 503},
		"other bytes, closed": {"/postern.wasm", wrong, "FAIL_CLOSED", 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, envoytest.Options{Config: shared.config(reloadConfig), Env: environment, Edit: func(text string) string {
				return failing(c.policy)(fetched(text, server.URL, c.file, c.digest))
			}})
			a := send(t, http.DefaultClient, e.URL+chatPath, strings.NewReader(plain), len(plain))
			require.Equal(t, c.status, a.status)
		})
	}
}

// plain is a request as it may be sent.
const plain = `{"model":"gpt","messages":[{"role":"user","content":"sally port"}]}`

// fetched has the first filter's module fetched from a server. The other one's
// stays a file: while one filter fetches, Envoy gives no other one the same module.
func fetched(bootstrap, server, file, digest string) string {
	local, variables := line(bootstrap, "code: {local"), line(bootstrap, "environment_variables:")
	remote := `code: {remote: {http_uri: {uri: "` + server + file + `", cluster: modules, timeout: 5s}, sha256: "` + digest + `", retry_policy: {num_retries: 0}}}`
	text := strings.Replace(bootstrap, local, remote, 1)
	text = strings.ReplaceAll(text, "vm_config: *vm", "vm_config: {vm_id: postern, runtime: envoy.wasm.runtime.v8, "+local+", "+variables+"}")
	return text + "  - {name: modules, type: STATIC, load_assignment: {cluster_name: modules, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: " +
		server[strings.LastIndexByte(server, ':')+1:] + "}}}}]}]}}\n"
}

// line is the rest of the line of a text from a word on.
func line(text, word string) string {
	_, rest, _ := strings.Cut(text, word)
	rest, _, _ = strings.Cut(rest, "\n")
	return word + rest
}

// trapConfig has bodies that a cramped module cannot hold, and a small budget.
const trapConfig = `
version: 1
limits: {body: 64MiB, in_flight: 1GiB}
providers:
  held: {dialect: openai, url: "$HELD/v1", credentials: ["env:E2E_OPENAI_KEY"]}
  openai: {dialect: openai, url: "$OPENAI/v1", credentials: ["env:E2E_OPENAI_KEY"]}
models:
  held: {max_output: 64, targets: [{provider: held, model: gpt-4o}]}
  gpt: {max_output: 64, targets: [{provider: openai, model: gpt-4o}]}
identity:
  anonymous: {}
budgets:
  twenty: {unit: requests, limit: 20, window: month, chunk: 4, lease_ttl: 5s}
`

// The room of a cramped module, and a body that does not fit.
const (
	room    = 8 << 20
	tooMuch = 20 << 20
)

// A trap of the module, here because its memory is full, answers its own request
// with 503 and cuts the streams that are in flight on its worker. What comes after
// depends on the failure policy: but it never is a request that reaches a provider
// past the module.
func TestTrap(t *testing.T) {
	t.Parallel()
	small, err := variant.Cramped(shipped(t), room)
	require.NoError(t, err)
	path := written(t, small)
	for policy, after := range map[string]func(*testing.T, *envoytest.Envoy){
		"FAIL_RELOAD": healed, "FAIL_CLOSED": shut, "FAIL_OPEN": shut,
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			p := holding(t)
			text := strings.ReplaceAll(shared.config(trapConfig), "$HELD", p.URL)
			e := start(t, envoytest.Options{Config: text, Env: environment, Wasm: path, Edit: failing(policy)})
			for range 5 {
				require.Equal(t, 200, status(t, e, plain))
			}
			time.Sleep(2 * time.Second) // what was spent goes to the store once a second
			stream := p.open(t, e)
			require.Equal(t, 503, status(t, e, string(chat("gpt", tooMuch))))
			close(p.release)
			_, err := io.ReadAll(stream)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "it is cut at its next piece")
			after(t, e)
		})
	}
}

// Envoy is killed in the middle of a stream: the client's message breaks off, and
// so does the provider's. What it counted was in its memory: the one that is started
// again counts from the beginning, and the stream has no record.
func TestKilled(t *testing.T) {
	t.Parallel()
	p := holding(t)
	e := start(t, envoytest.Options{Config: strings.ReplaceAll(shared.config(trapConfig), "$HELD", p.URL), Env: environment})
	for range 5 {
		require.Equal(t, 200, status(t, e, plain))
	}
	require.Eventually(t, func() bool {
		records, err := e.Records()
		return err == nil && len(records) == 5
	}, patience, 20*time.Millisecond)
	stream := p.open(t, e)
	require.NoError(t, e.Kill())
	_, err := io.ReadAll(stream)
	require.Error(t, err)
	select {
	case <-p.left:
	case <-time.After(patience):
		require.Fail(t, "the provider goes on")
	}
	require.NoError(t, e.Restart())
	for range 20 {
		require.Equal(t, 200, status(t, e, plain))
	}
	require.Equal(t, 429, status(t, e, plain))
	require.Eventually(t, func() bool {
		records, err := e.Records()
		return err == nil && len(records) == 5+20+1
	}, patience, 20*time.Millisecond)
	quiet(t, e)
}

// status is what a request is answered with.
func status(t *testing.T, e *envoytest.Envoy, body string) int {
	t.Helper()
	a := send(t, http.DefaultClient, e.URL+chatPath, strings.NewReader(body), len(body))
	require.NotZero(t, a.status, "%v", a.err)
	return a.status
}

// holder is a provider whose streams say one word and then wait.
type holder struct {
	*httptest.Server
	release chan struct{} // closed to let them end
	left    chan struct{} // has one for each whose client went away
}

func holding(t *testing.T) *holder {
	h := &holder{release: make(chan struct{}), left: make(chan struct{}, 8)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it is answered anyway
		w.Header().Set("content-type", "text/event-stream")
		_, _ = io.WriteString(w, event(`"delta":{"content":"one"}`))
		w.(http.Flusher).Flush()
		select {
		case <-h.release:
			_, _ = io.WriteString(w, event(`"delta":{"content":" two"}`)+event(`"delta":{},"finish_reason":"stop"`)+"data: [DONE]\n\n")
		case <-r.Context().Done():
			h.left <- struct{}{}
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func event(choice string) string {
	return `data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,` + choice + "}]}\n\n"
}

// open begins a stream, and returns when its first word has come.
func (h *holder) open(t *testing.T, e *envoytest.Envoy) io.Reader {
	t.Helper()
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, e.URL+chatPath,
		strings.NewReader(`{"model":"held","stream":true,"messages":[{"role":"user","content":"x"}]}`))
	require.NoError(t, err)
	req.Header.Set("content-type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() }) // it was read, or cut
	require.Equal(t, 200, res.StatusCode)
	first, err := bufio.NewReader(io.LimitReader(res.Body, 1)).ReadByte()
	require.NoError(t, err)
	require.EqualValues(t, 'd', first)
	return res.Body
}

// healed: a fresh VM serves, and what the lost one had set aside can be used again:
// of 20 requests in all 5 were served before.
func healed(t *testing.T, e *envoytest.Envoy) {
	served := 5
	again := func() bool {
		got := status(t, e, plain)
		if got == 200 {
			served++
		}
		require.Contains(t, []int{200, 429, 503}, got) // 503 while Envoy waits with the new VM
		return served >= 20
	}
	require.Eventually(t, again, 20*time.Second, 20*time.Millisecond)
	for range 10 {
		again()
		time.Sleep(100 * time.Millisecond)
	}
	require.Equal(t, 20, served)
	stats, err := e.Stats("vm_reload_success")
	require.NoError(t, err)
	require.NotZero(t, stats["wasm.postern.vm_reload_success"])
	logs, err := e.Logs()
	require.NoError(t, err)
	require.Contains(t, "\n"+logs["audit.log"], "\n-\n", "a line without a record is what the trapped request left")
	require.Equal(t, served, strings.Count(logs["audit.log"], `"end":"complete"`))
}

// shut: the worker serves nothing any more, and lets nothing past.
func shut(t *testing.T, e *envoytest.Envoy) {
	for range 3 {
		require.Equal(t, 503, status(t, e, plain))
		time.Sleep(time.Second)
	}
	logs, err := e.Logs()
	require.NoError(t, err)
	require.Equal(t, 5, strings.Count(logs["access.log"], `"details":"via_upstream"`), "what was served before")
}
