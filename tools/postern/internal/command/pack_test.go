package command_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/pack/packtest"
	"github.com/posterngw/postern/tools/postern/internal/command"
)

// packed runs a command line and returns what it prints.
func packed(t *testing.T, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = command.Main(t.Context(), append([]string{"pack"}, args...), command.Streams{In: strings.NewReader(""), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// workshop is a folder with a key pair and a module, and a registry.
func workshop(t *testing.T) (r *packtest.Registry, repository string) {
	t.Setenv("COSIGN_PASSWORD", "secret")
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "")
	t.Chdir(t.TempDir())
	code, out, errs := packed(t, "keys", "release")
	require.Zero(t, code, errs)
	require.Equal(t, "release.key\nrelease.pub\n", out)
	require.NoError(t, os.WriteFile("a.wasm", packtest.Module("v1.2.3"), 0o600))
	r = &packtest.Registry{}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return r, strings.TrimPrefix(s.URL, "http://") + "/team/postern"
}

// TestPackAndVerify: folder, archive and registry hold the same image, which
// verifies, until it is changed.
func TestPackAndVerify(t *testing.T) {
	r, repository := workshop(t)
	digests := map[string]bool{}
	for _, to := range []string{"image", "image.tar"} {
		code, out, errs := packed(t, "--wasm", "a.wasm", "--output", to, "--sign", "release.key")
		require.Zero(t, code, errs)
		require.Equal(t, "postern: wrote "+to+"\npostern: wrote image.cdx.json\n", errs)
		digests[out] = true
	}
	code, out, errs := packed(t, "--wasm", "a.wasm", "--push", repository, "--plain-http", "--sign", "release.key")
	require.Zero(t, code, errs)
	require.Equal(t, "postern: pushed "+repository+":v1.2.3\n", errs)
	digests[out] = true
	require.Len(t, digests, 1, "it is the same image")

	for _, image := range []string{"image", "image.tar", repository + ":v1.2.3", repository + "@" + strings.TrimSpace(out)} {
		code, got, errs := packed(t, "verify", "--key", "release.pub", "--wasm", "a.wasm", "--plain-http", image)
		require.Zero(t, code, errs)
		require.Equal(t, out+"version v1.2.3, 228 bytes of module, lists of components: 1\n", got)
	}
	r.Change(strings.TrimSpace(out), func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("v1.2.3"), []byte("v6.6.6")) })
	code, got, errs := packed(t, "verify", "--key", "release.pub", "--plain-http", repository+":v1.2.3")
	require.Equal(t, 1, code)
	require.Empty(t, got)
	require.Contains(t, errs, "digest")
}

// TestVerifyRefuses: what is unsigned, signed by another or of another module.
func TestVerifyRefuses(t *testing.T) {
	workshop(t)
	code, _, errs := packed(t, "keys", "other")
	require.Zero(t, code, errs)
	code, _, errs = packed(t, "--wasm", "a.wasm", "--output", "unsigned")
	require.Zero(t, code, errs)
	code, _, errs = packed(t, "--wasm", "a.wasm", "--output", "image", "--sign", "release.key")
	require.Zero(t, code, errs)
	require.NoError(t, os.WriteFile("b.wasm", packtest.Module("v1.2.4"), 0o600))
	for _, c := range []struct{ args, want string }{
		{"--key release.pub unsigned", "there is no signature by this key"},
		{"--key other.pub image", "there is no signature by this key"},
		{"--key release.pub --wasm b.wasm image", "its module is not b.wasm"},
		{"--key release.pub --tag v9 image", "not found"},
		{"--key release.key image", "not an ECDSA P-256 key"},
		{"--key release.pub .", "invalid OCI Image Layout"},
	} {
		code, out, errs := packed(t, append([]string{"verify"}, strings.Fields(c.args)...)...)
		require.Equal(t, 1, code, c.args)
		require.Empty(t, out)
		require.Contains(t, errs, c.want)
	}
}

// TestPackKeys: keys are not replaced, and have a password.
func TestPackKeys(t *testing.T) {
	workshop(t)
	before, err := os.ReadFile("release.key")
	require.NoError(t, err)
	info, err := os.Stat("release.key")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	code, _, errs := packed(t, "keys", "release")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "exists")
	after, err := os.ReadFile("release.key")
	require.NoError(t, err)
	require.Equal(t, before, after)

	t.Setenv("COSIGN_PASSWORD", "wrong")
	code, _, errs = packed(t, "--wasm", "a.wasm", "--output", "image", "--sign", "release.key")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "does not open with this password")
	require.NoError(t, os.Unsetenv("COSIGN_PASSWORD"))
	code, _, errs = packed(t, "keys", "third")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "COSIGN_PASSWORD")
	require.NoFileExists(t, "third.key")
}

// TestSourceDate: a time that is given is in the image.
func TestSourceDate(t *testing.T) {
	workshop(t)
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	code, _, errs := packed(t, "--wasm", "a.wasm", "--output", "image", "--sbom", "list.json")
	require.Zero(t, code, errs)
	list, err := os.ReadFile("list.json")
	require.NoError(t, err)
	require.Contains(t, string(list), "2023-11-14T22:13:20Z")
	require.NoFileExists(t, filepath.FromSlash("image.cdx.json"))
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	code, _, errs = packed(t, "--wasm", "a.wasm", "--output", "image")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "SOURCE_DATE_EPOCH")
}
