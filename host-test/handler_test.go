package hosttest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gateway serves a host in front of a provider.
func gateway(t testing.TB, provider http.Handler, change func(c *Config)) (*Host, *httptest.Server) {
	t.Helper()
	upstream := httptest.NewServer(provider)
	t.Cleanup(upstream.Close)
	cfg := Config{Clock: RealClock{}, Workers: 2, Clusters: map[string]http.RoundTripper{"upstream": cluster(t, upstream.URL)}}
	if change != nil {
		change(&cfg)
	}
	h := start(t, cfg)
	handler, err := h.Handler()
	require.NoError(t, err)
	front := httptest.NewUnstartedServer(handler)
	front.Config.Protocols = cleartext()
	front.Start()
	t.Cleanup(front.Close)
	return h, front
}

func cluster(t testing.TB, address string) http.RoundTripper {
	u, err := url.Parse(address)
	require.NoError(t, err)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return NewCluster(u, transport)
}

func get(t testing.TB, r *http.Response, err error) (string, *http.Response) {
	t.Helper()
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b), r
}

func TestHandlerPassesARequest(t *testing.T) {
	h, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Path", r.URL.RequestURI())
		w.Header().Set("X-Host", r.Host)
		w.Header()["X-Two"] = []string{"1", "2"}
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s %s %s %q", r.Method, r.Header.Get("X-Added"), b, r.Header.Get("User-Agent"))
	}), func(c *Config) {
		c.Downstream = []Filter{filter(func(s *script) {
			s.requestHeaders = func(uint32, uint32, bool) Action {
				s.c.AddHeader(RequestHeaders, "x-added", "yes")
				s.c.RemoveHeader(RequestHeaders, "user-agent")
				return Continue
			}
		})}
	})
	r, err := http.Post(front.URL+"/p?q=1", "text/plain", strings.NewReader("body"))
	body, r := get(t, r, err)
	require.Equal(t, 201, r.StatusCode)
	require.Equal(t, `POST yes body ""`, body)
	require.Equal(t, "/p?q=1", r.Header.Get("X-Path"))
	require.Equal(t, strings.TrimPrefix(front.URL, "http://"), r.Header.Get("X-Host"))
	require.Equal(t, []string{"1", "2"}, r.Header["X-Two"])
	require.Empty(t, h.Trace(), "real traffic is not recorded")
}

func TestHandlerStreamsBothWays(t *testing.T) {
	_, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		w.WriteHeader(200)
		_ = rc.Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			_ = rc.Flush()
		}
	}), nil)
	for _, client := range []*http.Client{http.DefaultClient, h2Client()} {
		pr, pw := io.Pipe()
		request, err := http.NewRequestWithContext(t.Context(), "POST", front.URL, pr)
		require.NoError(t, err)
		type result struct {
			r   *http.Response
			err error
		}
		done := make(chan result, 1)
		go func() {
			r, err := client.Do(request)
			done <- result{r, err}
		}()
		_, err = io.WriteString(pw, "one\n")
		require.NoError(t, err)
		got := <-done
		require.NoError(t, got.err)
		answers := bufio.NewScanner(got.r.Body)
		for _, line := range []string{"one", "two", "three"} {
			require.True(t, answers.Scan())
			require.Equal(t, strings.ToUpper(line), answers.Text(), "each line comes before the next is sent")
			if line != "three" {
				_, err = io.WriteString(pw, map[string]string{"one": "two\n", "two": "three\n"}[line])
				require.NoError(t, err)
			}
		}
		require.NoError(t, pw.Close())
		require.False(t, answers.Scan())
		got.r.Body.Close()
	}
}

// cleartext is HTTP/1.1 and HTTP/2 without TLS.
func cleartext() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &p
}

func h2Client() *http.Client {
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: &only}}
}

func TestHandlerClientAbort(t *testing.T) {
	gone, logged := make(chan struct{}), make(chan struct{})
	_, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "begin")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	}), func(c *Config) {
		c.Downstream = []Filter{filter(func(s *script) { s.log = func(uint32) { close(logged) } })}
	})
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "GET", front.URL, nil)
	require.NoError(t, err)
	r, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	_, err = io.ReadFull(r.Body, make([]byte, 5))
	require.NoError(t, err)
	cancel()
	r.Body.Close()
	waitFor(t, logged)
	waitFor(t, gone)
}

func waitFor(t *testing.T, ch chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing happened")
	}
}

func TestHandlerFailsOver(t *testing.T) {
	_, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "second got %s, attempt %s", b, r.Header.Get("X-Envoy-Attempt-Count"))
	}), func(c *Config) {
		c.Clusters["refused"] = cluster(t, "http://127.0.0.1:1")
		c.Route = Route{
			IncludeAttemptCount: true, RefreshClusterOnRetry: true,
			Retry: &RetryPolicy{On: []string{"connect-failure"}, Backoff: time.Millisecond},
			Cluster: func(_ *FilterState, _ *Headers, attempt int) string {
				return map[int]string{1: "refused", 2: "upstream"}[attempt]
			},
		}
	})
	r, err := http.Post(front.URL, "", strings.NewReader("body"))
	body, _ := get(t, r, err)
	require.Equal(t, "second got body, attempt 2", body)
}

func TestHandlerProviderBreaksMidStream(t *testing.T) {
	_, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}), nil)
	r, err := http.Get(front.URL)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.Equal(t, "half", string(b))
	require.Error(t, err, "the client sees that the answer was cut")
}

func TestHandlerCallout(t *testing.T) {
	side := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, b)
	}))
	defer side.Close()
	_, front := gateway(t, http.NotFoundHandler(), func(c *Config) {
		c.Clusters["side"] = cluster(t, side.URL)
		c.Clusters["dead"] = cluster(t, "http://127.0.0.1:1")
		c.Downstream = []Filter{filter(func(s *script) {
			waiting := map[uint32]uint32{}
			s.requestHeaders = func(ctx, _ uint32, _ bool) Action {
				to, _ := s.c.Header(RequestHeaders, "x-to")
				token, st := s.c.HTTPCall(to, [][2]string{{":method", "PUT"}, {":path", "/ask"}, {":authority", "side"}}, []byte("q"), nil, 5000)
				if st != StatusOK {
					s.c.SendLocalResponse(500, "", []byte(st.String()), nil, -1)
				}
				waiting[token] = ctx
				return StopAllAndWatermark
			}
			s.callResponse = func(_, token, _, size, _ uint32) {
				b, _ := s.c.Buffer(HTTPCallResponseBody, 0, size)
				body := bytes.Clone(b)
				_, why, _ := s.c.CallStatus()
				s.c.SetEffectiveContext(waiting[token])
				s.c.SendLocalResponse(200, "", append(body, why...), nil, -1)
			}
		})}
	})
	for to, want := range map[string]string{"side": "PUT /ask q", "dead": "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "unknown": "bad argument"} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", front.URL, nil)
		require.NoError(t, err)
		request.Header.Set("X-To", to)
		r, err := http.DefaultClient.Do(request)
		body, _ := get(t, r, err)
		require.Equal(t, want, body)
	}
}

func TestHandlerSlowReaderHoldsTheProviderBack(t *testing.T) {
	var mu sync.Mutex
	sent := 0
	h, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 64<<10)
		for range 1024 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			mu.Lock()
			sent += len(chunk)
			mu.Unlock()
		}
	}), nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(front.URL, "http://"))
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	stable, last := 0, -1
	for stable < 5 { // until nothing moves any more
		time.Sleep(20 * time.Millisecond)
		mu.Lock()
		if sent == last && sent > 0 {
			stable++
		} else {
			stable = 0
		}
		last = sent
		mu.Unlock()
	}
	require.Less(t, last, 48<<20, "of 64 MiB, kernel buffers aside")
	n, err := io.Copy(io.Discard, conn)
	require.NoError(t, err)
	require.Greater(t, n, int64(64<<20))
	require.NoError(t, conn.Close())
	_ = h
}

func TestHandlerTrailersAndEmptyAnswers(t *testing.T) {
	_, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/trailers":
			w.Header().Set("Trailer", "X-Sum")
			fmt.Fprint(w, "body")
			w.Header().Set("X-Sum", "1")
		case "/empty":
			w.WriteHeader(204)
		case "/head":
			w.Header().Set("Content-Length", "9")
		}
	}), nil)
	r, err := http.Get(front.URL + "/trailers")
	body, r := get(t, r, err)
	require.Equal(t, "body", body)
	require.Equal(t, "1", r.Trailer.Get("X-Sum"))
	r, err = http.Get(front.URL + "/empty")
	_, r = get(t, r, err)
	require.Equal(t, 204, r.StatusCode)
	r, err = http.Head(front.URL + "/head")
	_, r = get(t, r, err)
	require.Equal(t, "9", r.Header.Get("Content-Length"))
}

func TestHandlerNeedsClustersAndARealClock(t *testing.T) {
	h := start(t, Config{})
	_, err := h.Handler()
	require.ErrorContains(t, err, "Clusters")
	h = start(t, Config{Clusters: map[string]http.RoundTripper{}})
	_, err = h.Handler()
	require.ErrorContains(t, err, "RealClock")
}

func TestHandlerManyStreamsThroughWasm(t *testing.T) {
	h, front := gateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		for i := range 10 {
			fmt.Fprintf(w, "%s%d ", b, i)
			_ = http.NewResponseController(w).Flush()
		}
	}), func(c *Config) {
		c.Downstream = []Filter{{Name: "m", VMID: "v", Config: []byte("upper"), Module: wasmModuleForTest(t), AllowHeadersStop: true}}
		c.Upstream = []Filter{{Name: "u", VMID: "v", Config: []byte("upper"), Module: wasmModuleForTest(t), AllowHeadersStop: true}}
	})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			r, err := http.Post(front.URL, "", strings.NewReader(fmt.Sprint("s", i, "-")))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			b, _ := io.ReadAll(r.Body)
			if !strings.HasPrefix(string(b), fmt.Sprint("S", i, "-0 S", i, "-1 ")) {
				t.Errorf("got %q", b)
			}
		})
	}
	wg.Wait()
	require.Zero(t, h.Stats().Traps.Load())
}
