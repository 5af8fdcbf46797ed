package envoy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/filters/credential/sigv4"
	"github.com/posterngw/postern/tools/mock"
)

// What Envoy signs with and injects.
var awsKeys = sigv4.Keys{ID: "AKIDEXAMPLEEXAMPLE12", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Token: "session-e2e/with+more=="}

const (
	injectedOpenAI    = "injected-openai-3f"
	injectedAnthropic = "injected-anthropic-8c"
)

const hostConfig = `
version: 1
identity: {anonymous: {}}
health: {failures: []}
retries: {min_per_second: 100}
providers:
  us: {dialect: bedrock, url: "$US", credentials: [host], auth: {aws: {region: us-east-1}}}
  eu: {dialect: bedrock, url: "$EU", credentials: [host], auth: {aws: {region: eu-central-1}}}
  gpt: {dialect: openai, url: "$GPT/v1", credentials: [host]}
  claude: {dialect: anthropic, url: "$CLAUDE/v1", credentials: [host]}
  gpt-env: {dialect: openai, url: "$GPT/v1", credentials: ["env:E2E_OPENAI_KEY"], cluster: gpt-env}
  claude-env: {dialect: anthropic, url: "$CLAUDE/v1", credentials: ["env:E2E_ANTHROPIC_KEY"], cluster: claude-env}
models:
  signed: {max_output: 99, targets: [{name: us, provider: us, model: $MODEL}]}
  gpt-us: {max_output: 99, targets: [{name: 1a, provider: gpt, model: gpt-4o!500}, {name: 1b, provider: us, model: $MODEL, priority: 1}]}
  us-eu: {max_output: 99, targets: [{name: 2a, provider: us, model: "$MODEL!500"}, {name: 2b, provider: eu, model: $MODEL, priority: 1}]}
  us-gpt: {max_output: 99, targets: [{name: 3a, provider: us, model: "$MODEL!500"}, {name: 3b, provider: gpt-env, model: gpt-4o, priority: 1}]}
  us-claude: {max_output: 99, targets: [{name: 4a, provider: us, model: "$MODEL!500"}, {name: 4b, provider: claude-env, model: claude-haiku-4-5, priority: 1}]}
  gpt-claude: {max_output: 99, targets: [{name: 5a, provider: gpt, model: gpt-4o!500}, {name: 5b, provider: claude-env, model: claude-haiku-4-5, priority: 1}]}
  claude-gpt: {max_output: 99, targets: [{name: 6a, provider: claude, model: claude-haiku-4-5!500}, {name: 6b, provider: gpt-env, model: gpt-4o, priority: 1}]}
  us-eu-claude: {max_output: 99, targets: [{name: 7a, provider: us, model: "$MODEL!500"}, {name: 7b, provider: eu, model: "$MODEL!500", priority: 1}, {name: 7c, provider: claude-env, model: claude-haiku-4-5, priority: 2}]}
`

// TestHostCredentials: Envoy signs, with keys of its own environment, what the
// module has written, and injects keys of files; as the first attempt, and after
// another one. Nothing of it goes to the next provider.
func TestHostCredentials(t *testing.T) {
	t.Parallel()
	h := startHost(t)
	for model, path := range map[string][]string{
		"signed": {"us"}, "gpt-us": {"gpt", "us"}, "us-eu": {"us", "eu"}, "us-gpt": {"us", "gpt"}, "us-claude": {"us", "claude"},
		"gpt-claude": {"gpt", "claude"}, "claude-gpt": {"claude", "gpt"}, "us-eu-claude": {"us", "eu", "claude"},
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			at := option.WithBaseURL(h.URL + "/v1")
			whole := ask(t, say(model, "sally port"), at)
			require.Nil(t, whole.err)
			h.saw(t, whole.id, path)
			streamed, _ := stream(t, say(model, "sally port "+strings.Repeat("é", 1000)), at)
			require.Nil(t, streamed.err)
			require.Nil(t, streamed.broke)
			h.saw(t, streamed.id, path)
		})
	}
}

// hosted is an Envoy that has the credentials, and the providers behind it.
type hosted struct {
	*envoytest.Envoy
	mu   sync.Mutex
	seen map[string][]sight // by the id of the request
}

// sight is a request as one provider saw it.
type sight struct {
	provider string
	header   http.Header
	problem  error // with its signature
}

func startHost(t *testing.T) *hosted {
	h := &hosted{seen: map[string][]sight{}}
	var pairs []string
	for name, dialect := range map[string]string{"us": "bedrock", "eu": "bedrock", "gpt": "openai", "claude": "anthropic"} {
		m := mock.New(mock.Options{})
		t.Cleanup(m.Close)
		handler, err := m.Handler(dialect)
		require.NoError(t, err)
		s := httptest.NewServer(h.watch(name, handler))
		t.Cleanup(s.Close)
		pairs = append(pairs, "$"+strings.ToUpper(name), s.URL)
	}
	secrets := t.TempDir()
	for name, key := range map[string]string{"gpt": injectedOpenAI, "claude": injectedAnthropic} {
		require.NoError(t, os.WriteFile(filepath.Join(secrets, name+".yaml"), []byte(secretFile(name, key)), 0o600))
	}
	pairs = append(pairs, "$MODEL", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
	h.Envoy = start(t, envoytest.Options{Config: strings.NewReplacer(pairs...).Replace(hostConfig), Secrets: secrets, Env: append([]string{
		"AWS_ACCESS_KEY_ID=" + awsKeys.ID, "AWS_SECRET_ACCESS_KEY=" + awsKeys.Secret, "AWS_SESSION_TOKEN=" + awsKeys.Token,
	}, environment...)})
	return h
}

// watch notes requests; those to AWS are answered only if they are signed.
func (h *hosted) watch(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && len(name) == 2 {
			err = verify(r, body, map[string]string{"us": "us-east-1", "eu": "eu-central-1"}[name])
		}
		h.mu.Lock()
		id := r.Header.Get("x-request-id")
		h.seen[id] = append(h.seen[id], sight{name, r.Header.Clone(), err})
		h.mu.Unlock()
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// verify checks a signature as AWS does: what a signer makes of what was signed
// must be the same, and everything that matters is signed. The signer is the
// module's own, which package oracle holds against the official one: that one
// leaves headers out which Envoy signs.
func verify(r *http.Request, body []byte, region string) error {
	_, rest, _ := strings.Cut(r.Header.Get("authorization"), ", SignedHeaders=")
	signed, _, found := strings.Cut(rest, ", Signature=")
	if !found {
		return fmt.Errorf("not signed: %q", r.Header.Get("authorization"))
	}
	now, err := time.Parse("20060102T150405Z", r.Header.Get("x-amz-date"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	if digest := r.Header.Get("x-amz-content-sha256"); digest != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("the digest of another body: %q", digest)
	}
	names := strings.Split(signed, ";")
	for _, name := range []string{"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"} {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s is not signed, but %s", name, signed)
		}
	}
	again := sigv4.Request{Method: r.Method, Target: r.URL.RequestURI(), Sum: sum, Now: now}
	for _, name := range names {
		switch name {
		case "host":
			again.Header = append(again.Header, [2]string{name, r.Host})
		case "content-length":
			again.Header = append(again.Header, [2]string{name, strconv.FormatInt(r.ContentLength, 10)})
		case "x-amz-date", "x-amz-security-token": // the signer's
		default:
			again.Header = append(again.Header, [2]string{name, r.Header.Get(name)})
		}
	}
	signer := sigv4.Signer{Region: region, Service: "bedrock"}
	for _, h := range signer.Headers(nil, &again, &awsKeys) {
		if got := r.Header.Get(h[0]); got != h[1] {
			return fmt.Errorf("%s is %q, not %q", h[0], got, h[1])
		}
	}
	return nil
}

// saw checks what each attempt came with: its own credential, and nothing of
// those before.
func (h *hosted) saw(t *testing.T, id string, path []string) {
	t.Helper()
	h.mu.Lock()
	seen := h.seen[id]
	h.mu.Unlock()
	require.Len(t, seen, len(path))
	for i, s := range seen {
		require.Equal(t, path[i], s.provider)
		require.NoError(t, s.problem)
		auth, key := s.header.Get("authorization"), s.header.Get("x-api-key")
		switch last := i > 0; s.provider {
		case "gpt":
			require.Empty(t, key)
			require.Equal(t, map[bool]string{false: "Bearer " + injectedOpenAI, true: "Bearer sk-e2e-openai"}[last], auth)
		case "claude":
			require.Empty(t, auth)
			require.Equal(t, map[bool]string{false: injectedAnthropic, true: "sk-e2e-anthropic"}[last], key)
		default:
			require.Empty(t, key)
			continue
		}
		for name := range s.header {
			require.False(t, strings.HasPrefix(name, "X-Amz-"), "%s is AWS's", name)
		}
	}
}
