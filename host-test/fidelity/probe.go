package fidelity

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/posterngw/postern/host-test"
)

// BuildProbe builds the probe module into a folder with the go command and returns its path.
func BuildProbe(ctx context.Context, dir string) (string, error) {
	out := filepath.Join(dir, "probe.wasm")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-buildmode=c-shared", "-o", out,
		"github.com/posterngw/postern/host-test/probe")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the probe: %w\n%s", err, said)
	}
	return out, nil
}

// LoadProbe compiles the probe for hosttest. Close the runtime when done.
func LoadProbe(ctx context.Context, path string) (*hosttest.Runtime, hosttest.Module, error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	rt, err := hosttest.NewRuntime(ctx, hosttest.RuntimeConfig{CacheDir: cacheDir()})
	if err != nil {
		return nil, nil, err
	}
	m, err := rt.Compile(ctx, code)
	return rt, m, err
}

// cacheDir keeps compiled code between runs.
func cacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "postern", "wazero")
}
