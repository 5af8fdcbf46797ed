//go:build !wasip1

package proxywasm_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
)

var background = context.Background()

// code builds the module of testdata/faults as users build theirs, once.
var code = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "proxywasm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "faults.wasm")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-buildmode=c-shared", "-o", out, "./testdata/faults")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return said, err
	}
	return os.ReadFile(out)
})

var module = sync.OnceValues(func() (hosttest.Module, error) {
	binary, err := code()
	if err != nil {
		return nil, err
	}
	r, err := hosttest.NewRuntime(background, hosttest.RuntimeConfig{})
	if err != nil {
		return nil, err
	}
	return r.Compile(background, binary)
})

// host loads the module, once per configuration.
func host(t *testing.T, p hosttest.Profile, configs ...string) *hosttest.Host {
	m, err := module()
	require.NoError(t, err)
	c := hosttest.Config{Profile: p, Clock: hosttest.NewVirtualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}
	for i, config := range configs {
		c.Downstream = append(c.Downstream, hosttest.Filter{
			Name: "filter" + strconv.Itoa(i), VMID: "vm", Module: m, Config: []byte(config),
			AllowHeadersStop: p.Name() == "envoy", Env: map[string]string{"PLACE": "here"},
		})
	}
	h, err := hosttest.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

func TestImportsAndExports(t *testing.T) {
	binary, err := code()
	require.NoError(t, err, string(binary))
	r := wazero.NewRuntime(background)
	defer r.Close(background)
	compiled, err := r.CompileModule(background, binary)
	require.NoError(t, err)

	var imports, exports []string
	for _, f := range compiled.ImportedFunctions() {
		if from, name, _ := f.Import(); from == "env" {
			imports = append(imports, name)
		}
	}
	for name := range compiled.ExportedFunctions() {
		exports = append(exports, name)
	}
	same(t, "testdata/imports.txt", imports)
	same(t, "testdata/exports.txt", exports)
}

// Packages that the binding itself imports: each is paid for by every module.
func TestPackages(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, ".")
	list.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	said, err := list.Output()
	require.NoError(t, err)
	same(t, "testdata/packages.txt", strings.Fields(string(said)))
}

// same compares with a list that changes only on purpose.
func same(t *testing.T, file string, got []string) {
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	slices.Sort(got)
	require.Equal(t, strings.Fields(string(want)), got, file+" is the list")
}

func TestReadsThroughTheModule(t *testing.T) {
	h := host(t, hosttest.Envoy(), "")
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":path", "/there"}, {"x-do", "request_headers reads"}, {"x-value", "some value"}}, true)
	// Eight headers: four pseudo headers, two of ours, two that Envoy adds.
	hosttest.Answered(t, s, "200", "some value|true|false|/there|false|8|here|2026-01-02")
	require.Equal(t, "2", s.Response().Headers.Get("x-b"))
	hosttest.Healthy(t, h)
}

func TestBodiesThroughTheModule(t *testing.T) {
	h := host(t, hosttest.Envoy(), "")
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"x-do", "request_body body"}, {"content-length", "9"}}, false)
	s.RequestBody([]byte("01234"), false)
	s.RequestBody([]byte("5678"), true)
	hosttest.Forwarded(t, s.Attempt(), [][2]string{{"content-length", "9"}}, "876543210")
	s.Attempt().ResponseHeaders(nil, false)
	for range 1000 {
		s.Attempt().ResponseBody([]byte("chunk"), false)
	}
	s.Attempt().ResponseBody(nil, true)
	require.Equal(t, "5000", s.AccessLog().FilterState["wasm.tapped"])
	hosttest.NoLeaks(t, h)
}

func TestPanicsThroughTheModule(t *testing.T) {
	for what, cause := range map[string]string{
		"panic":  "on demand",
		"nil":    "invalid memory address or nil pointer dereference",
		"bounds": "index out of range",
		"deep":   "deep",
	} {
		for _, at := range []string{"request_headers", "request_body", "request_trailers", "response_headers"} {
			t.Run(at+" "+what, func(t *testing.T) {
				h := host(t, hosttest.Envoy(), "")
				other := exchange(h, "")
				s := exchange(h, at+" "+what)
				require.Equal(t, "500", s.Response().Status())
				require.Contains(t, s.Response().Body(), "recovered: ")
				require.Contains(t, s.Response().Body(), cause)
				require.Equal(t, "200", other.Response().Status())
				require.Equal(t, "200", exchange(h, "").Response().Status())
				hosttest.Counted(t, h, "panics", 1)
				hosttest.Healthy(t, h)
				hosttest.NoLeaks(t, h)
			})
		}
	}
}

func TestPanicsLateInAStream(t *testing.T) {
	for _, at := range []string{"response_body", "response_trailers", "done"} {
		h := host(t, hosttest.Envoy(), "")
		exchange(h, at+" panic")
		require.Equal(t, "200", exchange(h, "").Response().Status())
		hosttest.Counted(t, h, "panics", 1)
		hosttest.Healthy(t, h)
		hosttest.NoLeaks(t, h)
	}
}

func TestASecondPanicThroughTheModule(t *testing.T) {
	h := host(t, hosttest.Envoy(), "")
	s := exchange(h, "request_headers twice")
	require.Equal(t, "500", s.Response().Status())
	require.Contains(t, s.Response().Body(), `"code":"gateway_panic"`)
	hosttest.Counted(t, h, "panics", 2)
	hosttest.Healthy(t, h)
}

func TestAPluginThatPanics(t *testing.T) {
	m, err := module()
	require.NoError(t, err)
	_, err = hosttest.New(hosttest.Config{Downstream: []hosttest.Filter{{Name: "f", Module: m, Config: []byte("configure")}}})
	require.Error(t, err, "the configuration is refused, the VM lives")

	h := host(t, hosttest.Envoy(), "stream")
	require.Equal(t, "500", exchange(h, "").Response().Status(), "nobody has judged it")
	hosttest.Healthy(t, h)

	h = host(t, hosttest.Envoy(), "tick")
	h.Advance(time.Second)
	hosttest.Counted(t, h, "panics", 10)
	hosttest.Healthy(t, h)
}

func TestAHostWithoutLog(t *testing.T) {
	h := host(t, hosttest.APISIX(), "plain")
	s := h.NewStream()
	s.RequestHeaders([][2]string{{"x-do", "request_headers panic"}}, true)
	require.Equal(t, "500", s.Response().Status())
	require.Equal(t, "200", exchange(h, "").Response().Status())
	hosttest.NoLeaks(t, h)
	require.Empty(t, h.Misuse())
}

func TestNoMemoryForResults(t *testing.T) {
	h := host(t, hosttest.Envoy(), "")
	h.Inject(hosttest.Fault{OutOfMemory: true, Skip: 1, Times: -1})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{"x-do", "request_headers reads"}, {"x-value", "v"}}, true)
	require.Contains(t, s.Response().Body(), "|host call get_header_map_value: invalid memory access")
	hosttest.Healthy(t, h)
}

// Callbacks out of turn, with sizes that no buffer has.
func TestOddCallbacksThroughTheModule(t *testing.T) {
	h := host(t, hosttest.Envoy(), "")
	s := h.NewStream()
	s.RequestHeaders([][2]string{{"x-do", "request_body body"}}, false)
	for _, size := range []uint32{0, 1, 1 << 20, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff} {
		s.Raw(0, hosttest.CallbackRequestBody, hosttest.Args{size, 1})
		s.Raw(0, hosttest.CallbackResponseBody, hosttest.Args{size, 0})
	}
	s.Raw(0, hosttest.CallbackDone, hosttest.Args{})
	s.Raw(0, hosttest.CallbackRequestHeaders, hosttest.Args{0xffff_ffff, 1})
	s.Raw(0, hosttest.CallbackDelete, hosttest.Args{})
	s.Raw(0, hosttest.CallbackResponseTrailers, hosttest.Args{7})
	s.Raw(0, hosttest.CallbackDelete, hosttest.Args{})
	s.Abort()
	require.Equal(t, "200", exchange(h, "").Response().Status())
	hosttest.Healthy(t, h)
}

// The linear memory stays where it is, and within 16 MiB.
func TestMemoryIsFlat(t *testing.T) {
	h := host(t, hosttest.Envoy(), "", "")
	body := make([]byte, 8<<10)
	run := func(n int) uint64 {
		for range n {
			s := h.NewStream()
			s.RequestHeaders([][2]string{{":method", "POST"}, {"x-do", "request_body body"}}, false)
			s.RequestBody(body, true)
			s.Attempt().ResponseHeaders(nil, false)
			s.Attempt().ResponseBody(body, true)
		}
		return h.VMs()[0].MemoryBytes()
	}
	settled := run(2000)
	require.Equal(t, settled, run(4000))
	require.LessOrEqual(t, settled, uint64(16<<20))
	hosttest.Healthy(t, h)
}

// exchange is one request, answered with 200; with trailers where they matter,
// because the body then has no end of its own.
func exchange(h *hosttest.Host, do string) *hosttest.Stream {
	trailers := strings.Contains(do, "trailers")
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"x-do", do}}, false)
	s.RequestBody([]byte("body"), !trailers)
	if trailers {
		s.RequestTrailers([][2]string{{"x-end", "1"}})
	}
	if a := s.Attempt(); a != nil {
		a.ResponseHeaders(nil, false)
		a.ResponseBody([]byte("answer"), !trailers)
		if trailers {
			a.ResponseTrailers([][2]string{{"x-end", "1"}})
		}
	}
	return s
}
