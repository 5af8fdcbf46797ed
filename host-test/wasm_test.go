package hosttest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var testModule = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hosttest-module")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "module.wasm")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-buildmode=c-shared", "-o", out, "./testdata/module")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
})

// sharedRuntime compiles the module once for all tests.
var sharedRuntime = sync.OnceValues(func() (Module, error) {
	code, err := testModule()
	if err != nil {
		return nil, err
	}
	cache := filepath.Join(os.TempDir(), "hosttest-cache")
	rt, err := NewRuntime(context.Background(), RuntimeConfig{CacheDir: cache})
	if err != nil {
		return nil, err
	}
	return rt.Compile(context.Background(), code)
})

func wasmModuleForTest(t testing.TB) Module {
	t.Helper()
	m, err := sharedRuntime()
	require.NoError(t, err)
	return m
}

func wasmHost(t testing.TB, mode string, change func(c *Config)) *Host {
	cfg := Config{Downstream: []Filter{{
		Name: "module", VMID: "vm", VMConfig: []byte("vm config"), Config: []byte(mode), Module: wasmModuleForTest(t),
		Env: map[string]string{"MODULE_ENV": "from env"}, AllowHeadersStop: true,
	}}}
	if change != nil {
		change(&cfg)
	}
	return start(t, cfg)
}

func texts(h *Host) []string {
	var out []string
	for _, l := range h.Logs() {
		out = append(out, l.Text)
	}
	return out
}

func TestWasmEveryCall(t *testing.T) {
	h := wasmHost(t, "calls", nil)
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":path", "/p"}, {"x-gone", "1"}}, true)
	require.Equal(t, []string{
		"vm vm config from env",
		"headers 7 true",
		"level 0 0", "now 0 1767323045000000000", "tick 0", "set 0", "get 0 v",
		"effective 0 2", "done 1", "foreign 0 1", "grpc 12",
		"effective back 0", "header 0 /p", "no header 1", "replace 0", "add 0", "remove 0", "size 0 true",
		"pairs 0 8", "set pairs 0", "bad map 2", "bad memory 6", "buffer 0 0",
		"no data 1", "set data 0", "data 0 v1", "cas 0 8", "queue 0", "resolve 0 true", "enqueue 0",
		"metric0 0 0 0 0 12", "metric1 0 0 0 0 7", "metric2 0 2 0 2 0",
		"call 0 1",
		"queue 0 item",
	}, texts(h))
	require.Equal(t, []string{"1", "2"}, s.Attempt().Request().Headers.Values("x-a"))
	require.Equal(t, "v", s.FilterState()["wasm.a.b"])

	call := h.Callouts()[0]
	require.Equal(t, "ask", string(call.Body))
	require.Equal(t, "3", call.Headers.Get("content-length"))
	require.True(t, call.Respond([][2]string{{":status", "204"}, {"a", "b"}}, []byte("told"), [][2]string{{"t", "1"}}))
	require.Equal(t, "answer 1 3 told 1 0 ", h.Logs()[len(h.Logs())-1].Text)

	h.Advance(time.Second)
	require.Equal(t, "tick 2026-01-02T03:04:06Z", h.Logs()[len(h.Logs())-1].Text)
}

func TestWasmBodiesAreReplaced(t *testing.T) {
	h := wasmHost(t, "upper", nil)
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"content-length", "4"}}, false)
	s.RequestBody([]byte("ab"), false)
	s.RequestBody([]byte("cd"), true)
	require.Equal(t, "ABCD", s.Attempt().Request().Body())
	s.Attempt().ResponseHeaders(nil, false)
	for _, c := range []string{"x", "yz"} {
		s.Attempt().ResponseBody([]byte(c), false)
	}
	s.Attempt().ResponseTrailers([][2]string{{"t", "1"}})
	require.Equal(t, []string{"X", "YZ"}, chunks(s.Response()))
	require.Contains(t, texts(h), "response trailers 1")
	require.True(t, s.Ended())
}

func TestWasmTrapIsReportedAndReloaded(t *testing.T) {
	h := wasmHost(t, "trap", func(c *Config) { c.Downstream[0].FailurePolicy = FailReload })
	before := h.VMs()[0]
	s := h.NewStream()
	s.RequestHeaders(nil, true)
	require.Equal(t, "503", s.Response().Status())
	require.Error(t, before.Err())
	h.NewStream().RequestHeaders(nil, true)
	require.EqualValues(t, 1, h.Stats().Reloads.Load())
	require.EqualValues(t, 2, h.Stats().Traps.Load())
}

func TestWasmMemoryIsVisibleAndBounded(t *testing.T) {
	h := wasmHost(t, "grow", nil)
	before := h.VMs()[0].MemoryBytes()
	require.Positive(t, before)
	h.NewStream().RequestHeaders(nil, true)
	require.Greater(t, h.VMs()[0].MemoryBytes(), before+3<<20)

	code, err := testModule()
	require.NoError(t, err)
	rt, err := NewRuntime(t.Context(), RuntimeConfig{MemoryLimitPages: 96})
	require.NoError(t, err)
	defer rt.Close(t.Context())
	m, err := rt.Compile(t.Context(), code)
	require.NoError(t, err)
	h = wasmHost(t, "grow", func(c *Config) { c.Downstream[0].Module = m })
	for range 2 {
		h.NewStream().RequestHeaders(nil, true)
	}
	require.EqualValues(t, 1, h.Stats().Traps.Load(), "the allocation that finds no memory kills the VM")
}

func TestWasmOutOfMemoryFault(t *testing.T) {
	h := wasmHost(t, "upper", nil)
	h.Inject(Fault{OutOfMemory: true})
	s := h.NewStream()
	s.RequestHeaders(post, false)
	s.RequestBody([]byte("abc"), true)
	require.Equal(t, "abc", s.Attempt().Request().Body(), "get_buffer_bytes answered invalid memory access")
}

func TestWasmSleepDoesNotBlockTheWorker(t *testing.T) {
	h := wasmHost(t, "sleep", nil)
	h.NewStream().RequestHeaders(nil, true)
	require.Contains(t, texts(h), "slept true")
}

func TestWasmPrintsToTheLog(t *testing.T) {
	h := wasmHost(t, "print", nil)
	h.NewStream().RequestHeaders(nil, true)
	var lines []string
	for _, l := range h.Logs() {
		lines = append(lines, l.Level.String()+" "+l.Text)
	}
	require.Contains(t, lines, "info to stdout")
	require.Contains(t, lines, "error to stderr")
}

func TestWasmImportsAndExportsAreListed(t *testing.T) {
	m := wasmModuleForTest(t)
	require.Contains(t, m.Imports(), "proxy_get_metric")
	require.Contains(t, m.Exports(), "proxy_on_request_headers")
	require.IsIncreasing(t, m.Imports())
}

func TestWasmRefusedConfiguration(t *testing.T) {
	_, err := New(Config{Downstream: []Filter{{Name: "m", Module: wasmModuleForTest(t), Config: []byte("refuse")}}})
	require.ErrorContains(t, err, "on_configure refused")
}

// raw modules: magic, version and sections written by hand.
func TestWasmLoadFailures(t *testing.T) {
	rt, err := NewRuntime(t.Context(), RuntimeConfig{})
	require.NoError(t, err)
	defer rt.Close(t.Context())
	header := "\x00asm\x01\x00\x00\x00"
	voidType := "\x01\x04\x01\x60\x00\x00"
	importOf := func(name string) string {
		body := "\x01\x03env" + string(rune(len(name))) + name + "\x00\x00"
		return "\x02" + string(rune(len(body))) + body
	}
	cases := []struct{ name, code, want string }{
		{"not a module", "hello", "compile"},
		{"unknown import", header + voidType + importOf("proxy_levitate"), "env.proxy_levitate: no such host call"},
		{"no allocator", header, "malloc"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := rt.Compile(t.Context(), []byte(c.code))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestWasmManyWorkersAtOnce(t *testing.T) {
	h := wasmHost(t, "upper", func(c *Config) { c.Workers = 4 })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				s := h.NewStream()
				s.RequestHeaders(post, false)
				s.RequestBody([]byte("body"), true)
				a := s.Attempt()
				a.ResponseHeaders(nil, false)
				a.ResponseBody([]byte(strings.Repeat("z", 100)), true)
				if s.Response().Body() != strings.Repeat("Z", 100) {
					t.Errorf("got %q", s.Response().Body())
				}
			}
		})
	}
	wg.Wait()
	require.Len(t, h.VMs(), 4)
	for _, vm := range h.VMs() {
		require.Equal(t, 1, vm.Contexts(), "only the root context is left")
	}
}
