package envoy

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/upstream"
)

// A body of exactly the limit passes, whole and translated.
func TestLargeBody(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			body := chat(s.model, 1<<20)
			res, text := post(t, chatPath, body)
			require.Equal(t, 200, res.StatusCode, "%.300s", text)
			seen := s.provider.Of(res.Header.Get("x-request-id"))
			require.Len(t, seen, 1)
			require.Greater(t, seen[0].Size, 1<<20-200)
			require.EqualValues(t, len(body), audit(t, res.Header.Get("x-request-id")).BytesIn)
		})
	}
}

// A body of exactly the limit reaches the second target as it reached the first,
// whoever found that the first one failed, and in whichever dialect.
func TestLargeBodyTwice(t *testing.T) {
	t.Parallel()
	for model, second := range map[string]*upstream.Server{"first-503": shared.spare, "first-reset": shared.spare, "first-close": shared.spare,
		"first-hang": shared.spare, "first-refuses": shared.spare, "first-claude-503": shared.spare, "then-claude": shared.anthropic} {
		for _, stream := range []string{"", `"stream":true,`} {
			t.Run(model+stream, func(t *testing.T) {
				t.Parallel()
				body := bytes.Replace(chat(model, 1<<20-len(stream)), []byte(`"messages"`), []byte(stream+`"messages"`), 1)
				require.Len(t, body, 1<<20)
				res, text := post(t, chatPath, body)
				require.Equal(t, 200, res.StatusCode, "%.300s", text)
				seen := second.Of(res.Header.Get("x-request-id"))
				require.Len(t, seen, 1)
				require.Greater(t, seen[0].Size, 1<<20-200)
				require.Greater(t, longest(seen[0].Body, 'a'), 1<<20-200, "in one piece")
				require.Len(t, audit(t, res.Header.Get("x-request-id")).Attempts, 2)
			})
		}
	}
}

// longest is how long the longest run of a byte is.
func longest(text []byte, c byte) (most int) {
	for n, i := 0, 0; i < len(text); i++ {
		if n++; text[i] != c {
			n = 0
		}
		most = max(most, n)
	}
	return most
}

// crowdedConfig has room for four bodies.
const crowdedConfig = `
version: 1
providers:
  openai: {dialect: openai, url: "$OPENAI/v1", credentials: ["env:E2E_OPENAI_KEY"]}
models:
  gpt: {targets: [{provider: openai, model: gpt-4.1}]}
identity:
  anonymous: {}
limits:
  in_flight: 4MiB
`

// Two hundred bodies of 1 MiB at once into a VM that has room for four: the
// others are refused in the client's dialect before memory is taken, and none
// is left in between. By HTTP/2, where an answer that comes before the request
// has ended is never lost with the connection.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const n = 200
	e := start(t, envoytest.Options{Config: shared.config(crowdedConfig), Env: environment})
	c := overHTTP2(t)
	body := chat("gpt", 1<<20)
	answers := make([]answer, n)
	release := make(chan struct{})
	var first, all sync.WaitGroup
	first.Add(n)
	for i := range n {
		all.Go(func() {
			var once sync.Once
			arrived := func() { once.Do(first.Done) }
			answers[i] = send(t, c, e.URL+chatPath, &halting{data: body, at: len(body) / 2, arrived: arrived, release: release}, len(body))
			arrived()
		})
	}
	first.Wait()
	close(release)
	all.Wait()

	served, refused := 0, 0
	for _, a := range answers {
		require.NoError(t, a.err)
		switch a.status {
		case 200:
			served++
		case 503:
			refused++
			require.Equal(t, "1", a.after)
			require.Equal(t, "gateway_overloaded", a.body.Error.Code)
			require.Equal(t, "server_error", a.body.Error.Type)
		default:
			require.Fail(t, "unexpected answer", "%+v", a)
		}
	}
	require.GreaterOrEqual(t, served, 4)
	require.GreaterOrEqual(t, refused, n/2)
	a := send(t, http.DefaultClient, e.URL+chatPath, bytes.NewReader(body), len(body))
	require.Equal(t, 200, a.status, "there is room again")
	quiet(t, e)
}

type answer struct {
	status int
	after  string
	body   refusal
	err    error
}

func send(t *testing.T, c *http.Client, url string, body io.Reader, size int) (a answer) {
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, url, body)
	if err != nil {
		return answer{err: err}
	}
	req.ContentLength = int64(size)
	req.Header.Set("content-type", "application/json")
	res, err := c.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	a = answer{status: res.StatusCode, after: res.Header.Get("retry-after"), err: err}
	if a.status != 200 && err == nil {
		a.err = json.Unmarshal(text, &a.body)
	}
	return a
}

// halting is a body that pauses in the middle.
type halting struct {
	data    []byte
	at      int
	read    int
	arrived func()
	release chan struct{}
}

func (h *halting) Read(p []byte) (int, error) {
	if h.read >= h.at {
		h.arrived()
		<-h.release
	}
	limit := len(h.data)
	if h.read < h.at {
		limit = h.at
	}
	n := copy(p, h.data[h.read:limit])
	if h.read += n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// start runs an Envoy of a test's own.
func start(t *testing.T, o envoytest.Options) *envoytest.Envoy {
	t.Helper()
	e, err := envoytest.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("envoy's log:\n%s", e.LogTail(40))
		}
		require.NoError(t, e.Stop())
	})
	return e
}

// quiet checks that nothing in the module failed.
func quiet(t *testing.T, e *envoytest.Envoy) {
	t.Helper()
	bad, err := e.Failures()
	require.NoError(t, err)
	require.Empty(t, bad, strings.Join(bad, "\n"))
}
