package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/e2e/bench/internal/boot"
	"github.com/posterngw/postern/e2e/bench/internal/proc"
)

// variant is one set-up of Envoy.
type variant struct {
	name    string
	parts   boot.Parts
	audit   bool
	direct  bool   // Envoy routes by itself
	module  bool   // ours, or with a plugin configuration the empty one
	plugin  string // what the empty module does per request
	workers int
}

// The variants that ratios are between.
var (
	bare = variant{name: "bare", direct: true}
	none = variant{name: "none", module: true}
	two  = variant{name: "none, two targets", module: true, parts: boot.Parts{Targets: true}}
	pair = variant{name: "paired", module: true, parts: boot.Parts{Paired: true}}
	all  = variant{name: "all", module: true, audit: true,
		parts: boot.Parts{Keys: true, Policies: true, Budgets: true, Metrics: true, Records: true}}
)

// proxy is an Envoy that runs.
type proxy struct {
	*proc.Process
	url, admin string
}

const startLimit = 2 * time.Minute

// start starts a variant, unless it runs.
func (b *bench) start(v variant) (*proxy, error) {
	if p := b.proxies[v.name]; p != nil {
		return p, nil
	}
	file, admin := b.path(v.name+".yaml"), b.path(v.name+".admin")
	if err := b.write(v, file); err != nil {
		return nil, fmt.Errorf("%s: %w", v.name, err)
	}
	process, err := proc.Start(b.path(v.name+".log"), []string{"BENCH_KEY=sk-bench"}, b.envoy, "-c", file, "--disable-hot-restart",
		"--log-level", "error", "--concurrency", strconv.Itoa(max(1, v.workers)), "--admin-address-path", admin)
	if err != nil {
		return nil, err
	}
	p := &proxy{Process: process}
	b.proxies[v.name] = p
	return p, p.Await(startLimit, func() bool { return p.ready(admin) })
}

func (b *bench) write(v variant, file string) error {
	config, err := boot.Config(b.providers, v.parts, b.key)
	if err != nil {
		return err
	}
	o := boot.Options{Config: config, Direct: v.direct, Cluster: "openai", Plugin: v.plugin, Audit: v.audit,
		AccessLog: b.path(v.name + ".access"), AuditLog: b.path(v.name + ".audit")}
	switch {
	case v.plugin != "":
		o.Wasm = b.empty
	case v.module:
		o.Wasm = b.wasm
	}
	text, err := boot.Make(o)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// ready learns the addresses, and whether the listener serves.
func (p *proxy) ready(admin string) bool {
	at, err := os.ReadFile(admin)
	if err != nil || len(at) == 0 {
		return false
	}
	p.admin = "http://" + strings.TrimSpace(string(at))
	if p.ask("/ready") != "LIVE" {
		return false
	}
	_, address, found := strings.Cut(p.ask("/listeners"), "::")
	p.url = "http://" + address
	return found && !strings.HasSuffix(address, ":0")
}

// ask reads from the admin interface; empty when it does not answer.
func (p *proxy) ask(path string) string {
	res, err := http.Get(p.admin + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, _ := io.ReadAll(res.Body)
	return strings.TrimSpace(string(text))
}

// failures is an error when the module failed while it was measured.
func (p *proxy) failures() error {
	for line := range strings.Lines(p.ask("/stats?filter=" + "wasm.*(vm_failed|vm_reload|panics)")) {
		_, n, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if count, _ := strconv.Atoi(n); count != 0 {
			return fmt.Errorf("the module failed: %s", line)
		}
	}
	return nil
}

// linear is the linear memory of the module's VM, in bytes; 0 when it does not
// say.
func (p *proxy) linear() int64 {
	_, n, _ := strings.Cut(p.ask("/stats?filter=memory_high_water_bytes"), ": ")
	bytes, _ := strconv.ParseInt(n, 10, 64)
	return bytes
}

// stop ends a variant.
func (b *bench) stop(name string) {
	if p := b.proxies[name]; p != nil {
		p.Stop()
		delete(b.proxies, name)
	}
}
