package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/posterngw/postern/e2e/bench/internal/boot"
	"github.com/posterngw/postern/e2e/bench/internal/proc"
)

// bench is what all sections share.
type bench struct {
	options
	dir       string
	envoy     string
	wasm      string
	empty     string // the module that does nothing
	fortio    string
	key       boot.Key
	mock      *proc.Process
	providers boot.Providers
	proxies   map[string]*proxy // that run, by variant
}

// newBench builds the tools and starts the mock.
func newBench(o options) (*bench, error) {
	b := &bench{options: o, proxies: map[string]*proxy{}}
	for name, path := range map[string]*string{"ENVOY": &b.envoy, "POSTERN_WASM": &b.wasm} {
		*path = os.Getenv(name)
		if _, err := os.Stat(*path); err != nil {
			return nil, fmt.Errorf("$%s must name a file (run make bench-envoy): %w", name, err)
		}
	}
	var err error
	if b.dir, err = os.MkdirTemp("", "postern-bench-"); err != nil {
		return nil, err
	}
	if b.key, err = boot.NewKey(); err == nil {
		err = b.build()
	}
	if err == nil {
		err = b.startMock()
	}
	if err != nil {
		b.close()
		return nil, err
	}
	fmt.Printf("load average before: %s\n", proc.LoadAverage())
	return b, nil
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// build builds the tools: each in the module that pins what it is made of.
func (b *bench) build() error {
	b.fortio, b.empty = b.path("fortio"), b.path("empty.wasm")
	wasm := []string{"GOOS=wasip1", "GOARCH=wasm"}
	for _, t := range []struct {
		dir  string
		env  []string
		args []string
	}{
		{".", nil, []string{"-modfile=../tools/dev/go.mod", "-o", b.fortio, "fortio.org/fortio"}},
		{"..", nil, []string{"-o", b.path("mock"), "./tools/mock/cmd/mock"}},
		{"..", wasm, []string{"-trimpath", "-ldflags=-s -w", "-buildmode=c-shared", "-o", b.empty, "./filters/proxywasm/testdata/measure"}},
	} {
		cmd := exec.Command("go", append([]string{"build"}, t.args...)...)
		cmd.Dir, cmd.Env = t.dir, append(os.Environ(), t.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
		}
	}
	return nil
}

var listening = regexp.MustCompile(`mock: (\w+) (http://\S+)`)

func (b *bench) startMock() (err error) {
	b.mock, err = proc.Start(b.path("mock.log"), nil, b.path("mock"), "-openai", "127.0.0.1:0", "-anthropic", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return b.mock.Await(10*time.Second, func() bool {
		for _, m := range listening.FindAllStringSubmatch(b.mock.Log(), -1) {
			if m[1] == "openai" {
				b.providers.OpenAI = m[2]
			} else {
				b.providers.Anthropic = m[2]
			}
		}
		return b.providers.OpenAI != "" && b.providers.Anthropic != ""
	})
}

// close ends everything and removes what was written.
func (b *bench) close() {
	for name := range b.proxies {
		b.stop(name)
	}
	if b.mock != nil {
		b.mock.Stop()
	}
	_ = os.RemoveAll(b.dir) // a temporary folder
}
