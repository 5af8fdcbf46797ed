package install

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

var version = module.Version{Path: "github.com/posterngw/postern", Version: "v0.0.1"}

// published makes a module proxy's files of the commit that is checked out.
func published(t *testing.T) (proxy string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	proxy = t.TempDir()
	dir := filepath.Join(proxy, version.Path, "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"list":                    version.Version + "\n",
		version.Version + ".info": fmt.Sprintf(`{"Version": %q, "Time": "2026-01-01T00:00:00Z"}`, version.Version),
		version.Version + ".mod":  string(mod),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	file, err := os.Create(filepath.Join(dir, version.Version+".zip"))
	require.NoError(t, err)
	require.NoError(t, zip.CreateFromDir(file, version, committed(t, root)))
	require.NoError(t, file.Close())
	return proxy
}

// committed is a copy of what is committed.
func committed(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	archive := filepath.Join(dir, "sources.tar")
	for _, args := range [][]string{{"git", "-C", root, "archive", "-o", archive, "HEAD"}, {"tar", "-xf", archive, "-C", dir}, {"rm", archive}} {
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return dir
}

// environment is one of a user who has never built anything of ours: caches of
// downloads and of builds are this machine's, for time.
func environment(t *testing.T, proxy string) []string {
	t.Helper()
	others, err := exec.Command("go", "env", "GOPROXY").Output()
	require.NoError(t, err)
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	modules := t.TempDir()
	t.Cleanup(func() {
		_ = filepath.WalkDir(modules, func(path string, _ os.DirEntry, _ error) error { return os.Chmod(path, 0o700) }) //nolint:gosec // to be removed
	})
	return append(os.Environ(), "GOPROXY=file://"+proxy+","+strings.TrimSpace(string(others)), "GONOSUMDB="+version.Path, "GOFLAGS=",
		"GOCACHE="+strings.TrimSpace(string(cache)), "GOMODCACHE="+modules, "GOWORK=off", "GOBIN="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
}

var (
	key = regexp.MustCompile(`Authorization: Bearer (\S+)'`)
	at  = regexp.MustCompile(`url +(http://\S+)`)
)

// TestInstall has no checkout: the command builds its module from the sources
// that it was installed from.
func TestInstall(t *testing.T) {
	env := environment(t, published(t))
	install := exec.Command("go", "install", version.Path+"/tools/postern@latest")
	install.Dir, install.Env = t.TempDir(), env
	out, err := install.CombinedOutput()
	require.NoError(t, err, "%s", out)

	bin, _ := strings.CutPrefix(env[len(env)-2], "GOBIN=")
	run := exec.Command(filepath.Join(bin, "postern"), "run", "--listen", "127.0.0.1:0")
	run.Dir, run.Env = t.TempDir(), env
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	shown, err := run.StdoutPipe()
	require.NoError(t, err)
	run.Stderr = run.Stdout
	require.NoError(t, run.Start())
	t.Cleanup(func() {
		_ = run.Process.Signal(os.Interrupt)
		_ = run.Wait()
	})

	url, bearer := banner(t, shown)
	body := strings.NewReader(`{"model":"mock-anthropic","messages":[{"role":"user","content":"Say hello."}]}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/chat/completions", body)
	require.NoError(t, err)
	req.Header.Set("authorization", "Bearer "+bearer)
	req.Header.Set("content-type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", text)
	require.Contains(t, string(text), `"object":"chat.completion"`)
}

// banner reads what the command says of itself, until it serves.
func banner(t *testing.T, shown io.Reader) (url, bearer string) {
	t.Helper()
	var all strings.Builder
	lines := bufio.NewScanner(shown)
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if m := at.FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
		if m := key.FindStringSubmatch(lines.Text()); m != nil && url != "" {
			go io.Copy(io.Discard, shown) //nolint:errcheck // so that it does not wait for us
			return url, m[1]
		}
	}
	require.Fail(t, "the command ended", "%s", all.String())
	return "", ""
}
