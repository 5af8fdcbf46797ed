package fidelity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/posterngw/postern/host-test"
)

// Probe is the probe module, built and compiled.
type Probe struct {
	Path   string // of the .wasm, for a real proxy
	Module hosttest.Module
}

// OpenProbe builds the probe with the go command and compiles it for hosttest; compiled code is kept
// in the user's cache folder. Call the function that it returns to clean up. The tag "narrow" is for
// hosts that lack some imports.
func OpenProbe(ctx context.Context, tags ...string) (*Probe, func() error, error) {
	dir, err := os.MkdirTemp("", "fidelity-probe")
	if err != nil {
		return nil, nil, err
	}
	clean := func() error { return os.RemoveAll(dir) }
	p := &Probe{Path: filepath.Join(dir, "probe.wasm")}
	if err := p.build(ctx, tags); err != nil {
		return nil, nil, errors.Join(err, clean())
	}
	code, err := os.ReadFile(p.Path)
	if err != nil {
		return nil, nil, errors.Join(err, clean())
	}
	rt, err := hosttest.NewRuntime(ctx, hosttest.RuntimeConfig{CacheDir: cacheDir()})
	if err != nil {
		return nil, nil, errors.Join(err, clean())
	}
	done := func() error { return errors.Join(rt.Close(ctx), clean()) }
	if p.Module, err = rt.Compile(ctx, code); err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return p, done, nil
}

func (p *Probe) build(ctx context.Context, tags []string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags="+strings.Join(tags, ","), "-ldflags=-s -w", "-buildmode=c-shared", "-o", p.Path,
		"github.com/posterngw/postern/host-test/probe")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the probe: %w\n%s", err, said)
	}
	return nil
}

// cacheDir keeps compiled code between runs.
func cacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "postern", "wazero")
}
