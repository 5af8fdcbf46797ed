package mock_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

// text joins the text of a stream of either dialect.
func text(t *testing.T, events []mt.Event) string {
	var b strings.Builder
	for _, e := range events {
		if e.Data == "[DONE]" {
			continue
		}
		b.WriteString(mt.Text(e.JSON(t), "choices", 0, "delta", "content"))
		b.WriteString(mt.Text(e.JSON(t), "delta", "text"))
	}
	return b.String()
}

// try sends a request and returns how far it came.
func try(c *mt.Client, req *http.Request) (resp *http.Response, body []byte, err error) {
	resp, err = http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp, body, err
}

func outcome(t *testing.T, c *mt.Client) mock.Request {
	var last mock.Request
	require.Eventually(t, func() bool {
		seen := c.Mock.Requests()
		last = seen[len(seen)-1]
		return last.Done
	}, 5*time.Second, time.Millisecond)
	return last
}

func TestReframedStreamsSayTheSame(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		plain := a.client(t, mock.Options{}).Stream(a.path, a.fill("mock", true))
		for behaviour, mark := range map[string]string{
			"crlf": "\r\n\r\n", "cr": "\r\r", "bom": "\ufeff", "comments": ": a comment\n", "no-space": "data:{",
			"multi-line": "data: {\ndata: ", "bytewise": "data: {", "crlf,comments,no-space,multi-line,bom": "data:{\r\ndata:",
		} {
			c := a.client(t, mock.Options{})
			req := c.Request("POST", a.path, a.fill("mock", true))
			req.Header.Set(mock.BehaviourHeader, behaviour)
			_, raw := c.Do(req)
			require.Contains(t, string(raw), mark, behaviour)
			events := mt.Events(t, string(raw))
			require.Equal(t, text(t, plain), text(t, events), behaviour)
			require.Len(t, events, len(plain), behaviour)
		}
	})
}

func TestGzip(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		for _, stream := range []bool{false, true} {
			c := a.client(t, mock.Options{})
			req := c.Request("POST", a.path, a.fill("mock-gzip", stream))
			req.Header.Set("Accept-Encoding", "identity")
			resp, raw := c.Do(req)
			require.Equal(t, "gzip", resp.Header.Get("content-encoding"))
			z, err := gzip.NewReader(bytes.NewReader(raw))
			require.NoError(t, err)
			plain, err := io.ReadAll(z)
			require.NoError(t, err)
			require.Contains(t, string(plain), "hello")
		}
	})
}

func TestHTMLAndEmptyAndMalformed(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		for _, stream := range []bool{false, true} {
			resp, raw := c.Do(c.Request("POST", a.path, a.fill("mock-html", stream)))
			require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("content-type"))
			require.Contains(t, string(raw), "<html>")
			resp, _ = c.Do(c.Request("POST", a.path, a.fill("mock-html=502", stream)))
			require.Equal(t, 502, resp.StatusCode)
			resp, raw = c.Do(c.Request("POST", a.path, a.fill("mock-empty-body", stream)))
			require.Equal(t, 200, resp.StatusCode)
			require.Empty(t, raw)
			_, raw = c.Do(c.Request("POST", a.path, a.fill("mock-malformed", stream)))
			require.True(t, brokenJSON(t, string(raw), stream))
		}
		require.Empty(t, c.Mock.Stats().Billed["mock-html"])
	})
}

func brokenJSON(t *testing.T, raw string, stream bool) bool {
	if !stream {
		return !strings.HasSuffix(strings.TrimSpace(raw), "}")
	}
	broken := 0
	for _, e := range mt.Events(t, raw) {
		if e.Data != "[DONE]" && !strings.HasSuffix(strings.TrimSpace(e.Data), "}") {
			broken++
		}
	}
	return broken == 1
}

func TestStreamErrors(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		for behaviour, want := range map[string]struct{ opened, said bool }{
			"stream-error-first": {}, "stream-error-opened": {opened: true}, "stream-error-mid": {opened: true, said: true},
		} {
			c := a.client(t, mock.Options{})
			events := c.Stream(a.path, a.fill("mock-"+behaviour, true))
			last := events[len(events)-1]
			require.NotEmpty(t, mt.Text(last.JSON(t), "error", "message"))
			require.Equal(t, a.name == "anthropic", last.Name == "error")
			require.Equal(t, want.opened, len(events) > 1, behaviour)
			require.Equal(t, want.said, text(t, events) != "", behaviour)
			require.False(t, outcome(t, c).UsageReported)
		}
	})
}

func TestCuts(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		for _, stream := range []bool{false, true} {
			for behaviour, want := range map[string]struct {
				headers bool
				reset   bool
				outcome string
			}{
				"reset-before-headers": {reset: true, outcome: mock.Reset},
				"close-after-request":  {outcome: mock.Closed},
				"hang=10ms":            {outcome: mock.Closed},
				"reset-mid-stream":     {headers: true, reset: true, outcome: mock.Reset},
				"close-mid-stream":     {headers: true, outcome: mock.Closed},
				"hang-mid-stream=10ms": {headers: true, outcome: mock.Closed},
			} {
				c := a.client(t, mock.Options{})
				resp, body, err := try(c, c.Request("POST", a.path, a.fill("mock-"+behaviour, stream)))
				require.Error(t, err, behaviour)
				require.Equal(t, want.headers, resp != nil, behaviour)
				require.Equal(t, want.headers, len(body) > 0, behaviour)
				require.Equal(t, want.reset, errors.Is(err, syscall.ECONNRESET), "%s: %v", behaviour, err)
				seen := outcome(t, c)
				require.Equal(t, want.outcome, seen.Outcome, behaviour)
				require.False(t, seen.UsageReported)
				require.NotNil(t, seen.Billed)
			}
		}
	})
}

func TestCutMidStreamEndsWell(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		events := c.Stream(a.path, a.fill("mock-cut-mid-stream", true))
		require.NotEmpty(t, text(t, events))
		require.NotContains(t, events[len(events)-1].Data, "stop")
		require.NotEqual(t, "[DONE]", events[len(events)-1].Data)
		require.Equal(t, mock.Cut, outcome(t, c).Outcome)
		_, body, err := try(c, c.Request("POST", a.path, a.fill("mock-cut-mid-stream", false)))
		require.NoError(t, err)
		require.False(t, bytes.HasSuffix(bytes.TrimSpace(body), []byte("}")))
	})
}

func TestHangEndsWithTheClientAndWithClose(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, _, err := try(c, c.Request("POST", a.path, a.fill("mock-hang", false)).WithContext(ctx))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, mock.Aborted, outcome(t, c).Outcome)
		require.Equal(t, 1, c.Mock.Stats().Aborted)

		time.AfterFunc(50*time.Millisecond, c.Mock.Close)
		_, _, err = try(c, c.Request("POST", a.path, a.fill("mock-hang", false)))
		require.Error(t, err)
		require.Equal(t, mock.Closed, outcome(t, c).Outcome)
	})
}

func TestClientAbortInAStream(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		ctx, cancel := context.WithCancel(context.Background())
		resp, err := http.DefaultClient.Do(c.Request("POST", a.path, a.fill("mock!slow=20ms", true)).WithContext(ctx))
		require.NoError(t, err)
		_, err = resp.Body.Read(make([]byte, 16))
		require.NoError(t, err)
		require.Equal(t, 1, c.Mock.Stats().InFlight)
		cancel()
		resp.Body.Close()
		seen := outcome(t, c)
		require.Equal(t, mock.Aborted, seen.Outcome)
		require.NotNil(t, seen.Billed, "the provider bills it all the same")
		require.False(t, seen.UsageReported)
	})
}

func TestDelays(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		for behaviour, headers := range map[string]bool{"delay=60ms": true, "first=60ms": false} {
			begin := time.Now()
			resp, err := http.DefaultClient.Do(c.Request("POST", a.path, a.fill("mock!"+behaviour, true)))
			require.NoError(t, err)
			require.Equal(t, headers, time.Since(begin) >= 60*time.Millisecond, behaviour)
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			require.GreaterOrEqual(t, time.Since(begin), 60*time.Millisecond)
		}
	})
}

func TestContentBehaviours(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		events := c.Stream(a.path, a.fill("mock-huge-event=200000", true))
		longest := 0
		for _, e := range events {
			longest = max(longest, len(e.Data))
		}
		require.Greater(t, longest, 200000)

		pings := func(model string) int {
			_, raw := c.Do(c.Request("POST", a.path, a.fill(model, true)))
			return strings.Count(string(raw), "event: ping") + strings.Count(string(raw), ": keep-alive")
		}
		require.Equal(t, 30, pings("mock-pings=30")-pings("mock"))

		_, raw := c.Do(c.Request("POST", a.path, a.fill("mock-unknown-events", true)))
		require.Contains(t, string(raw), "x_mock_unknown")

		for _, stream := range []bool{false, true} {
			_, raw = c.Do(c.Request("POST", a.path, a.fill("mock-no-usage", stream)))
			require.NotContains(t, string(raw), `"usage"`)
			_, raw = c.Do(c.Request("POST", a.path, a.fill("mock-empty-choices", stream)))
			require.NotContains(t, string(raw), "hello")
			_, raw = c.Do(c.Request("POST", a.path, a.fill("mock-content-filter", stream)))
			require.Regexp(t, `"(finish|stop)_reason": ?"(content_filter|refusal)"`, string(raw))
			_, raw = c.Do(c.Request("POST", a.path, a.fill("mock-refusal", stream)))
			require.Contains(t, string(raw), "sorry")
		}
		require.Empty(t, c.Mock.Stats().Reported["mock-no-usage"])
		require.NotEmpty(t, c.Mock.Stats().Billed["mock-no-usage"])

		events = c.Stream(a.path, a.fill("mock!chunks=70", true))
		require.NotEmpty(t, text(t, events))
	})
}

// h2 is a client and server that speak HTTP/2 without TLS.
func h2(t *testing.T, a api) (*mt.Client, *http.Client) {
	m := mock.New(mock.Options{})
	srv := httptest.NewUnstartedServer(m)
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	t.Cleanup(func() { m.Close(); srv.Close() })
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &mt.Client{T: t, Mock: m, URL: srv.URL, Header: a.header()}, &http.Client{Transport: tr}
}

func TestHTTP2(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c, client := h2(t, a)
		resp, err := client.Do(c.Request("POST", a.path, a.fill("mock", true)))
		require.NoError(t, err)
		require.Equal(t, 2, resp.ProtoMajor)
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NotEmpty(t, text(t, mt.Events(t, string(raw))))

		resp, err = client.Do(c.Request("POST", a.path, a.fill("mock-reset-before-headers", true)))
		if err == nil {
			resp.Body.Close()
		}
		require.ErrorContains(t, err, "INTERNAL_ERROR")

		resp, err = client.Do(c.Request("POST", a.path, a.fill("mock-reset-mid-stream", true)))
		require.NoError(t, err)
		raw, err = io.ReadAll(resp.Body)
		require.ErrorContains(t, err, "INTERNAL_ERROR")
		require.NotEmpty(t, raw)
		require.Equal(t, mock.Reset, outcome(t, c).Outcome)
	})
}

func TestWithoutAConnection(t *testing.T) {
	m := mock.New(mock.Options{})
	w := httptest.NewRecorder()
	req := httptest.NewRequest("POST", apis[0].path, strings.NewReader(apis[0].fill("mock-reset-mid-stream", true)))
	req.Header = mt.OpenAI()
	m.ServeHTTP(w, req)
	require.Equal(t, mock.Cut, m.Requests()[0].Outcome, "a recorder has nothing to reset")
}

func TestRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = http.Get("http://" + l.Addr().String())
	require.ErrorIs(t, err, syscall.ECONNREFUSED, "how a test makes one: an address where nobody listens")
}
