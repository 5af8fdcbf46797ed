package mock_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

// api is one dialect as the tests below use it.
type api struct {
	name   string
	path   string
	header func() http.Header
	body   string // with MODEL and STREAM to be filled in
}

var apis = []api{
	{"openai", "/v1/chat/completions", mt.OpenAI, `{"model":"MODEL","stream":STREAM,"messages":[{"role":"user","content":"Say hello to everyone in this room"}]}`},
	{"anthropic", "/v1/messages", mt.Anthropic, `{"model":"MODEL","stream":STREAM,"max_tokens":1000,"messages":[{"role":"user","content":"Say hello to everyone in this room"}]}`},
}

func (a api) fill(model string, stream bool) string {
	return strings.NewReplacer("MODEL", model, "STREAM", fmt.Sprint(stream)).Replace(a.body)
}

func (a api) client(t testing.TB, opts mock.Options) *mt.Client { return mt.New(t, opts, a.header()) }

// each runs a test for every dialect.
func each(t *testing.T, f func(t *testing.T, a api)) {
	for _, a := range apis {
		t.Run(a.name, func(t *testing.T) { f(t, a) })
	}
}

func TestDocumentationHasTheTable(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	require.Contains(t, string(doc), "//\t"+strings.Join(mock.Table(), "\n//\t")+"\n//\n")
	require.Len(t, mock.Behaviours(), len(mock.Table()))
}

func TestFaults(t *testing.T) {
	type want struct {
		status     int
		kind, code string
		retry      string
	}
	for behaviour, dialects := range map[string]map[string]want{
		"400":                {"openai": {400, "invalid_request_error", "", ""}, "anthropic": {400, "invalid_request_error", "", ""}},
		"401":                {"openai": {401, "invalid_request_error", "invalid_api_key", ""}, "anthropic": {401, "authentication_error", "", ""}},
		"403":                {"openai": {403, "invalid_request_error", "model_not_found", ""}, "anthropic": {403, "permission_error", "", ""}},
		"404":                {"openai": {404, "invalid_request_error", "model_not_found", ""}, "anthropic": {404, "not_found_error", "", ""}},
		"413":                {"openai": {413, "invalid_request_error", "", ""}, "anthropic": {413, "request_too_large", "", ""}},
		"429":                {"openai": {429, "requests", "rate_limit_exceeded", ""}, "anthropic": {429, "rate_limit_error", "", ""}},
		"rate-limit":         {"openai": {429, "requests", "rate_limit_exceeded", "7"}, "anthropic": {429, "rate_limit_error", "", "7"}},
		"rate-limit=2":       {"openai": {429, "requests", "rate_limit_exceeded", "2"}, "anthropic": {429, "rate_limit_error", "", "2"}},
		"quota":              {"openai": {429, "insufficient_quota", "insufficient_quota", ""}, "anthropic": {400, "invalid_request_error", "", ""}},
		"context-length":     {"openai": {400, "invalid_request_error", "context_length_exceeded", ""}, "anthropic": {400, "invalid_request_error", "", ""}},
		"content-filter-400": {"openai": {400, "invalid_request_error", "content_policy_violation", ""}, "anthropic": {400, "invalid_request_error", "", ""}},
		"500":                {"openai": {500, "server_error", "", ""}, "anthropic": {500, "api_error", "", ""}},
		"502":                {"openai": {502, "server_error", "", ""}, "anthropic": {502, "api_error", "", ""}},
		"503":                {"openai": {503, "server_error", "service_unavailable", ""}, "anthropic": {503, "api_error", "", ""}},
		"504":                {"openai": {504, "server_error", "", ""}, "anthropic": {504, "timeout_error", "", ""}},
		"529":                {"openai": {529, "server_error", "server_is_overloaded", ""}, "anthropic": {529, "overloaded_error", "", ""}},
	} {
		each(t, func(t *testing.T, a api) {
			t.Run(behaviour, func(t *testing.T) {
				c := a.client(t, mock.Options{})
				for _, stream := range []bool{false, true} {
					for _, model := range []string{"mock!" + behaviour, "mock-" + behaviour, "mock-error-" + behaviour} {
						resp, raw := c.Do(c.Request("POST", a.path, a.fill(model, stream)))
						w := dialects[a.name]
						require.Equal(t, w.status, resp.StatusCode)
						require.Equal(t, "application/json", resp.Header.Get("content-type"))
						require.Equal(t, w.retry, resp.Header.Get("retry-after"))
						body := mt.Decode(t, raw)
						require.Equal(t, w.kind, mt.Text(body, "error", "type"))
						require.Equal(t, w.code, mt.Text(body, "error", "code"))
						require.NotEmpty(t, mt.Text(body, "error", "message"))
					}
				}
			})
		})
	}
}

func TestBehaviourByHeaderAndServer(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		status := func(header string) int {
			req := c.Request("POST", a.path, a.fill("mock", false))
			req.Header.Set(mock.BehaviourHeader, header)
			resp, _ := c.Do(req)
			return resp.StatusCode
		}
		require.Equal(t, 200, status(""))
		require.Equal(t, 500, status("gzip, 500"))
		require.Equal(t, 400, status("nonsense"))
		require.NoError(t, c.Mock.Behave("503"))
		require.Equal(t, 503, status(""))
		require.Error(t, c.Mock.Behave("nonsense"))
		require.NoError(t, c.Mock.Behave(""))
		require.Equal(t, 200, status(""))
	})
}

func TestFlap(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		var got []int
		for range 8 {
			resp, _ := c.Do(c.Request("POST", a.path, a.fill("mock!flap=2", false)))
			got = append(got, resp.StatusCode)
		}
		require.Equal(t, []int{503, 503, 200, 200, 503, 503, 200, 200}, got)
		resp, _ := c.Do(c.Request("POST", a.path, a.fill("mock-flap", false)))
		require.Equal(t, 503, resp.StatusCode, "another model starts anew")
	})
}

func TestStrays(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		for path, tc := range map[string]struct {
			method string
			body   any
			status int
		}{
			a.path:           {"POST", "", 400},
			a.path + "/":     {"POST", a.fill("mock", false), 404},
			"/v1/models/a/b": {"GET", nil, 404},
			"/v1/models":     {"POST", a.fill("mock", false), 405},
			"/favicon.ico":   {"GET", nil, 404},
		} {
			resp, raw := c.Do(c.Request(tc.method, path, tc.body))
			require.Equal(t, tc.status, resp.StatusCode, path)
			require.NotEmpty(t, mt.Text(mt.Decode(t, raw), "error", "message"))
		}
		stats := c.Mock.Stats()
		require.Equal(t, 5, stats.Stray)
		require.Equal(t, 5, stats.Requests)
		require.Equal(t, 1, stats.Paths["/favicon.ico"])
		for _, r := range c.Mock.Requests() {
			require.True(t, r.Stray)
			require.Equal(t, a.name, r.Dialect)
		}
	})
}

func TestOneDialect(t *testing.T) {
	m := mock.New(mock.Options{})
	_, err := m.Handler("klingon")
	require.ErrorContains(t, err, "klingon")
	require.Equal(t, []string{"anthropic", "bedrock", "cohere", "gemini", "ollama", "openai"}, mock.Dialects())
	for i, a := range apis {
		h, err := m.Handler(a.name)
		require.NoError(t, err)
		srv := httptest.NewServer(h)
		defer srv.Close()
		c := &mt.Client{T: t, Mock: m, URL: srv.URL, Header: a.header()}
		c.Post(a.path, a.fill("mock", false), 200)
		c.Post(apis[1-i].path, a.fill("mock", false), 404)
	}
	require.Equal(t, 2, m.Stats().Stray)
}

func TestModelsPathIsShared(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		_, raw := c.Do(c.Request("GET", "/v1/models", nil))
		_, isOpenAI := mt.Decode(t, raw)["object"]
		require.Equal(t, a.name == "openai", isOpenAI)
	})
}

func TestBodyLimit(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{MaxBody: 1000})
		c.Post(a.path, a.fill("mock", false), 200)
		c.Post(a.path, strings.Replace(a.fill("mock", false), "hello", strings.Repeat("x", 1000), 1), 413)
		req := c.Request("POST", a.path, strings.Repeat("x", 2000))
		req.ContentLength = -1
		resp, _ := c.Do(req)
		require.Equal(t, 413, resp.StatusCode)
	})
}

func TestRequestsAreObserved(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		req := c.Request("POST", a.path+"?beta=true", a.fill("mock", true))
		req.Header.Set("x-canary", "tweet")
		c.Do(req)
		c.Post(a.path, a.fill("mock-429", false), 429)
		seen := c.Mock.Requests()
		require.Len(t, seen, 2)
		r := seen[0]
		require.Equal(t, "tweet", r.Header.Get("x-canary"))
		require.Equal(t, strings.TrimPrefix(c.URL, "http://"), r.Header.Get("host"))
		require.Equal(t, a.fill("mock", true), string(r.Body))
		require.Equal(t, []any{"POST", a.path, "beta=true", "mock", true, true, 200, mock.Answered, a.name, "HTTP/1.1"},
			[]any{r.Method, r.Path, r.Query, r.Model, r.Stream, r.Done, r.Status, r.Outcome, r.Dialect, r.Proto})
		require.NotNil(t, r.Billed)
		require.Nil(t, seen[1].Billed)

		stats := c.Mock.Stats()
		require.Equal(t, map[int]int{200: 1, 429: 1}, stats.Statuses)
		require.Zero(t, stats.InFlight)
		require.Equal(t, *r.Billed, stats.Billed["mock"])
		c.Mock.Forget()
		require.Empty(t, c.Mock.Requests())
		require.Zero(t, c.Mock.Stats().Requests)
	})
}

func TestMemoryIsBounded(t *testing.T) {
	c := apis[0].client(t, mock.Options{Remember: 3, RememberBytes: 250})
	for i := range 5 {
		c.Post(apis[0].path, apis[0].fill(fmt.Sprintf("mock!tokens=%d", i+1), false), 200)
	}
	seen := c.Mock.Requests()
	require.Len(t, seen, 3)
	require.Equal(t, "mock!tokens=5", seen[2].Model)
	require.Nil(t, seen[0].Body)
	require.NotZero(t, seen[0].Size)
	require.NotNil(t, seen[2].Body)
}

func TestPacing(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{FirstDelay: 30 * time.Millisecond, ChunkDelay: 5 * time.Millisecond, Chunks: 5})
		begin := time.Now()
		c.Stream(a.path, a.fill("mock", true))
		require.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
		begin = time.Now()
		c.Post(a.path, a.fill("mock", false), 200)
		require.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)
	})
}

func TestConcurrency(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				resp, err := http.DefaultClient.Do(c.Request("POST", a.path, a.fill("mock", i%2 == 0)))
				if err == nil {
					resp.Body.Close()
				}
			})
		}
		wg.Wait()
		require.Eventually(t, func() bool {
			s := c.Mock.Stats()
			return s.Requests == 32 && s.InFlight == 0
		}, 5*time.Second, 5*time.Millisecond)
	})
}

func TestBenchModels(t *testing.T) {
	each(t, func(t *testing.T, a api) {
		c := a.client(t, mock.Options{})
		for _, size := range []int{600, 5000, 1 << 20} {
			_, raw := c.Do(c.Request("POST", a.path, a.fill(fmt.Sprintf("bench-%db", size), false)))
			require.Len(t, raw, max(size, 600))
			mt.Decode(t, raw)
		}
		events := c.Stream(a.path, a.fill("bench-51-chunks", true))
		content := 0
		for _, e := range events {
			if strings.Contains(e.Data, " word") {
				content++
			}
		}
		require.Equal(t, 51, content)
		stats := c.Mock.Stats()
		require.Equal(t, 51, stats.Billed["bench-51-chunks"].Output)
		require.Equal(t, 4, stats.Requests)
		require.Empty(t, c.Mock.Requests(), "not kept")
	})
	c := apis[0].client(t, mock.Options{})
	events := c.Stream(apis[0].path, strings.Replace(apis[0].fill("bench-5-chunks", true), `"messages"`, `"stream_options":{"include_usage":true},"messages"`, 1))
	require.Equal(t, 5, mt.Num(events[len(events)-2].JSON(t), "usage", "completion_tokens"))
	require.Equal(t, 5, c.Mock.Stats().Reported["bench-5-chunks"].Output)
	req := c.Request("POST", apis[0].path, apis[0].fill("bench-600b", false))
	req.Header.Del("authorization")
	resp, _ := c.Do(req)
	require.Equal(t, 401, resp.StatusCode)
}

func BenchmarkMock(b *testing.B) {
	for _, model := range []string{"bench-600b", "bench-51-chunks", "mock"} {
		b.Run(model, func(b *testing.B) {
			m := mock.New(mock.Options{})
			body := apis[0].fill(model, strings.HasSuffix(model, "chunks"))
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest("POST", apis[0].path, strings.NewReader(body))
				req.Header = mt.OpenAI()
				w := httptest.NewRecorder()
				m.ServeHTTP(w, req)
				require.Equal(b, 200, w.Code)
			}
		})
	}
}
