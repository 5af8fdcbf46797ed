package module

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/posterngw/postern/tools/slim"
)

// Why the module cannot be built.
var (
	ErrNoGo      = errors.New("the module is built with Go once, and there is no go in PATH: name a module with --wasm")
	ErrOtherSum  = errors.New("the sources are not those that this command was built from")
	errNoSources = errors.New("go told of no sources")
)

// built returns the path of the module that is built from the command's own
// sources, and builds it if that has not been done yet.
func (f *Finder) built(ctx context.Context) (string, error) {
	compiler, err := exec.LookPath("go")
	if err != nil {
		return "", ErrNoGo
	}
	cache, err := f.Cache()
	if err != nil {
		return "", err
	}
	b := builder{Finder: f, compiler: compiler}
	release, err := b.run(ctx, "", "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "postern", f.Self.Main.Version+"-"+strings.TrimSpace(string(release))+"-"+short(f.Self.Main.Sum))
	path := filepath.Join(dir, filepath.Base(Default))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	f.Tell("building the module of " + f.Self.Main.Version + ", once")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return path, b.build(ctx, path)
}

// short is a part of a sum of sources that can be in a file's name.
func short(sum string) string {
	sum = strings.NewReplacer("h1:", "", "/", "_", "+", "-", "=", "").Replace(sum)
	return sum[:min(len(sum), 12)]
}

type builder struct {
	*Finder
	compiler string
}

// build does what `make wasm` does, with the sources as main module, so that the
// dependencies are those of the release.
func (b *builder) build(ctx context.Context, path string) error {
	sources, err := b.sources(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(path), "build-*") // another process may build, too
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	linked := filepath.Join(work, filepath.Base(path))
	self := b.Self.Main.Path
	_, err = b.run(ctx, sources, "build", "-trimpath", "-buildvcs=false",
		"-gcflags=all=-dwarf=false", "-gcflags="+self+"/filters/config=-l -dwarf=false", "-gcflags=fmt=-l -dwarf=false",
		"-gcflags="+self+"/filters/credential/...=-l -dwarf=false", "-ldflags=-s -w",
		"-buildmode=c-shared", "-o", linked, "./filters/postern")
	if err != nil {
		return err
	}
	code, err := os.ReadFile(linked)
	if err != nil {
		return err
	}
	if small, err := slim.Module(code); err == nil {
		code = small // else it works as it is, and is larger
	}
	if err := os.WriteFile(linked, code, 0o644); err != nil {
		return err
	}
	return os.Rename(linked, path)
}

// sources is the folder of the command's own sources, in the cache of modules.
func (b *builder) sources(ctx context.Context) (string, error) {
	text, err := b.run(ctx, "", "mod", "download", "-json", b.Self.Main.Path+"@"+b.Self.Main.Version)
	if err != nil {
		return "", err
	}
	var got struct{ Dir, Sum string }
	if err := json.Unmarshal(text, &got); err != nil {
		return "", err
	}
	switch {
	case got.Dir == "":
		return "", errNoSources
	case got.Sum != b.Self.Main.Sum:
		return "", fmt.Errorf("%w: %s, not %s", ErrOtherSum, got.Sum, b.Self.Main.Sum)
	}
	return got.Dir, nil
}

// run runs go in a folder, empty for one without sources, for the module's
// target; settings that the user has for own builds do not count.
func (b *builder) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, b.compiler, args...)
	if c.Dir = dir; dir == "" {
		c.Dir = os.TempDir()
	}
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOWORK=off", "GO111MODULE=on", "GOFLAGS=-mod=readonly", "PWD="+c.Dir)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(errs.String()+string(out)))
	}
	return out, nil
}
