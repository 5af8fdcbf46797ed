package envoy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/upstream"
	"github.com/posterngw/postern/tools/mock"
)

const canaryConfig = `
version: 1
providers:
  openai: {dialect: openai, url: "$CANARY_OPENAI/v1", credentials: ["env:CANARY_KEY"]}
  claude: {dialect: anthropic, url: "$CANARY_ANTHROPIC/v1", credentials: [host]}
  entra: {dialect: openai, url: "$CANARY_RENEWED/v1", auth: {entra: {tenant: t, client_id: c, client_secret: "env:CANARY_ENTRA", authority: "$CANARY_TOKENS"}}}
  vertex: {dialect: openai, url: "$CANARY_RENEWED/v1", auth: {gcp: {service_account: "env:CANARY_GCP", token_url: "$CANARY_TOKENS/google"}}}
  vault: {dialect: openai, url: "$CANARY_RENEWED/v1", credentials: ["callout:$CANARY_TOKENS/vault"]}
  bedrock: {dialect: openai, url: "$CANARY_RENEWED/v1", auth: {aws: {region: r, access_key: "env:CANARY_AWS_ID", secret_key: "env:CANARY_AWS"}}}
  container: {dialect: openai, url: "$CANARY_RENEWED/v1", auth: {aws: {region: r, container: "callout:$CANARY_TOKENS/aws"}}}
  own: {dialect: openai, url: "$CANARY_RENEWED/v1", auth: {byok: {}}}
  stranger: {dialect: openai, url: "$CANARY_RENEWED/v1", auth: {entra: {tenant: stranger, client_id: c, client_secret: "env:CANARY_ENTRA", authority: "$CANARY_TOKENS"}}}
models:
  entra: {targets: [{provider: entra, model: gpt-4o}]}
  vertex: {targets: [{provider: vertex, model: gpt-4o}]}
  vault: {targets: [{provider: vault, model: gpt-4o}]}
  bedrock: {targets: [{provider: bedrock, model: gpt-4o}]}
  container: {targets: [{provider: container, model: gpt-4o}]}
  own: {targets: [{provider: own, model: gpt-4o}]}
  stranger: {targets: [{provider: stranger, model: gpt-4o}, {name: instead, provider: entra, model: gpt-4o, priority: 1}]}
  gpt: {max_output: 1024, targets: [{provider: openai, model: gpt-4o}]}
  claude: {max_output: 1024, targets: [{provider: claude, model: claude-haiku-4-5}]}
  both: {targets: [{name: a, provider: openai, model: "gpt-4o!401"}, {name: b, provider: claude, model: "claude-haiku-4-5!500", priority: 1}]}
  forbidden: {targets: [{name: f, provider: openai, model: gpt-4o}]}
identity:
  keys:
    alice: {hash: "$HASH_alice", organisation: acme}
policy:
  policies:
    everybody: {cedar: 'permit (principal, action, resource);'}
    no: {cedar: 'forbid (principal, action, resource in Model::"forbidden");'}
`

// The secrets, each in its place. None is a part of another.
const (
	environmentSecret = "canary-environment-4f1d"
	injectedSecret    = "canary-injected-9c2e"
	rotatedSecret     = "canary-rotated-7b3a"
	querySecret       = "canary-query-1e8f"
	headerSecret      = "canary-header-5d0c"
	promptSecret      = "canary-prompt-2a6b"
	brokenSecret      = "canary-broken-8e4d"
	cookieSecret      = "canary-cookie-3c7f"
	entraSecret       = "canary-entra-6f0a"
	awsSecret         = "canary-aws-1d9b"
	tokenSecret       = "canary-token-0b5e"
	vaultSecret       = "canary-vault-4c8d"
	sessionSecret     = "canary-session-7e2f"
	ownSecret         = "canary-own-3b1a"
)

// canary is an Envoy of its own with secrets planted in it.
type canary struct {
	*envoytest.Envoy
	openai, anthropic *upstream.Server
	renewed           *upstream.Server // behind every credential that is more than a key of the environment
	tokens            *httptest.Server // where those come from
	private           string           // a part of a service account's private key
	dir               string
	told              strings.Builder // what clients got, but for answers that quote the prompt
	answers           strings.Builder
}

// TestCanary: secrets that are planted in every place that a secret may come
// from turn up in no log, error, header, metric, record or dump.
func TestCanary(t *testing.T) {
	t.Parallel()
	c := plant(t)
	c.provoke(t)
	c.rotate(t)

	everywhere := c.look(t)
	clientKey := shared.keys["alice"][strings.IndexByte(shared.keys["alice"], '.')+1:]
	keys := []string{environmentSecret, injectedSecret, rotatedSecret, clientKey, entraSecret, awsSecret, tokenSecret, vaultSecret, sessionSecret, ownSecret, c.private}
	secrets := append([]string{querySecret, headerSecret, promptSecret, brokenSecret, cookieSecret}, keys...)
	for place, text := range everywhere {
		for _, s := range secrets {
			require.NotContains(t, text, s, "a secret is in %s", place)
		}
	}
	for _, s := range keys {
		require.NotContains(t, c.answers.String(), s, "a secret is in an answer")
	}
	c.providersSaw(t, clientKey)
	quiet(t, c.Envoy)
}

func plant(t *testing.T) *canary {
	t.Helper()
	c := &canary{dir: t.TempDir()}
	for s, dialect := range map[**upstream.Server]string{&c.openai: "openai", &c.anthropic: "anthropic", &c.renewed: "openai"} {
		var err error
		*s, err = upstream.Start(dialect, mock.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = (*s).Stop() }) // its listener may be closed already
	}
	c.secret(t, injectedSecret)
	c.tokens = httptest.NewServer(http.HandlerFunc(issue))
	t.Cleanup(c.tokens.Close)
	text := strings.NewReplacer("$CANARY_OPENAI", c.openai.URL, "$CANARY_ANTHROPIC", c.anthropic.URL,
		"$CANARY_RENEWED", c.renewed.URL, "$CANARY_TOKENS", c.tokens.URL).Replace(canaryConfig)
	c.Envoy = start(t, envoytest.Options{Config: shared.config(text), Secrets: c.dir, Verbose: true,
		Env: []string{"CANARY_KEY=" + environmentSecret, "CANARY_ENTRA=" + entraSecret, "CANARY_AWS_ID=AKIDCANARY",
			"CANARY_AWS=" + awsSecret, "CANARY_GCP=" + c.serviceAccount(t)}})
	return c
}

// secret puts a key where Envoy's injector watches, as one rotates it.
func (c *canary) secret(t *testing.T, key string) {
	t.Helper()
	next := filepath.Join(c.dir, "next")
	require.NoError(t, os.WriteFile(next, []byte(secretFile("claude", key)), 0o600))
	require.NoError(t, os.Rename(next, filepath.Join(c.dir, "claude.yaml")))
}

func prompt(model, more string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"` + promptSecret + `"}]` + more + `}`
}

// provoke makes every kind of answer and of failure.
func (c *canary) provoke(t *testing.T) {
	t.Helper()
	good := []string{"authorization: Bearer " + shared.keys["alice"]}
	c.renew(t, good) // before targets are shut out that fail below
	for _, model := range []string{"gpt", "claude"} {
		require.Equal(t, 200, c.send(t, chatPath+"?key="+querySecret, prompt(model, ""), good, &c.answers))
		require.Equal(t, 200, c.send(t, chatPath, prompt(model, `,"stream":true`), good, &c.answers))
		for _, behaviour := range []string{"400", "401", "500", "429", "html", "malformed", "reset-before-headers", "context-length"} {
			status := c.send(t, chatPath+"?api_key="+querySecret, prompt(model, ""), append(good, mock.BehaviourHeader+": "+behaviour), &c.told)
			require.GreaterOrEqual(t, status, 400, behaviour)
		}
	}
	for _, body := range []string{prompt("both", ""), prompt("forbidden", ""), prompt("no-such-model", ""), prompt("gpt", `,"model":"claude"`),
		`{"model":"gpt","messages":[{"role":"user","content":"` + brokenSecret, `{"model":"gpt","messages":"` + brokenSecret + `"}`, brokenSecret} {
		require.GreaterOrEqual(t, c.send(t, chatPath, body, good, &c.told), 400)
	}
	for _, header := range []string{"authorization: Bearer " + headerSecret, "authorization: " + headerSecret, "authorization: Bearer alice." + headerSecret,
		"authorization: Bearer alice." + headerSecret + strings.Repeat("A", 43-len(headerSecret)), "x-api-key: " + headerSecret} {
		require.Equal(t, 401, c.send(t, chatPath+"?key="+querySecret, prompt("gpt", ""), []string{header}, &c.told), header)
	}
	require.Equal(t, 404, c.send(t, "/v1/nothing?key="+querySecret, prompt("gpt", ""), good, &c.told))
}

// send notes status, headers and body of an answer.
func (c *canary) send(t *testing.T, path, body string, headers []string, into *strings.Builder) int {
	t.Helper()
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, c.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("content-type", "application/json")
	req.Header.Set("cookie", "session="+cookieSecret)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // it was read
	require.NoError(t, res.Header.Write(&c.told))
	_, err = io.Copy(into, res.Body)
	require.NoError(t, err)
	return res.StatusCode
}

// rotate replaces the injected key by a rename: it is used without a restart.
func (c *canary) rotate(t *testing.T) {
	t.Helper()
	c.secret(t, rotatedSecret)
	require.Eventually(t, func() bool {
		c.send(t, chatPath, prompt("claude", ""), []string{"authorization: Bearer " + shared.keys["alice"]}, &c.answers)
		seen := c.anthropic.Requests()
		return seen[len(seen)-1].Header.Get("x-api-key") == rotatedSecret
	}, patience, 100*time.Millisecond)
}

// providersSaw checks that each key went where it belongs, and only there.
func (c *canary) providersSaw(t *testing.T, clientKey string) {
	t.Helper()
	check := func(s *upstream.Server, name string, own ...string) {
		seen := s.Requests()
		require.NotEmpty(t, seen)
		for _, r := range seen {
			require.Contains(t, own, r.Header.Get(name))
			require.Empty(t, r.Query)
			var all strings.Builder
			require.NoError(t, r.Header.Write(&all))
			rest := strings.ReplaceAll(all.String(), r.Header.Get(name), "")
			for _, s := range []string{"canary-", clientKey} {
				require.NotContains(t, rest, s)
			}
		}
	}
	check(c.openai, "Authorization", "Bearer "+environmentSecret)
	c.renewedSaw(t, clientKey)
	check(c.anthropic, "X-Api-Key", injectedSecret, rotatedSecret)
}

var endpoint = regexp.MustCompile(`(?m)^  (/[a-z_/]*)`)

// look collects all that Envoy shows and writes: every page of the admin
// interface that changes nothing, every log, and what clients were told.
func (c *canary) look(t *testing.T) map[string]string {
	t.Helper()
	time.Sleep(time.Second) // what is counted goes to the host once a second
	help, err := c.Admin("/help")
	require.NoError(t, err)
	var pages []string
	for _, m := range endpoint.FindAllStringSubmatch(help, -1) {
		if !strings.Contains(help, m[1]+" (POST)") {
			pages = append(pages, m[1])
		}
	}
	require.Subset(t, pages, []string{"/config_dump", "/clusters", "/stats", "/stats/prometheus", "/server_info", "/listeners", "/init_dump", "/certs"})
	pages = append(pages, "/config_dump?include_eds", "/config_dump?resource=dynamic_active_secrets", "/clusters?format=json",
		"/stats?format=json", "/stats?usedonly&histogram_buckets=detailed", "/listeners?format=json")
	everywhere := map[string]string{"what clients were told": c.told.String()}
	for _, page := range pages {
		if text, err := c.Admin(page); err == nil { // some take parameters, some are not compiled in
			everywhere["admin "+page] = text
		}
	}
	require.Contains(t, everywhere["admin /config_dump"], "host_env_keys")
	require.Contains(t, everywhere["admin /stats"], "postern.requests")
	logs, err := c.Logs()
	require.NoError(t, err)
	for name, text := range logs {
		everywhere[name] = text
	}
	require.Contains(t, logs["envoy.log"], "postern: configuration")
	require.Contains(t, logs["access.log"], `"/v1/nothing"`)
	require.Contains(t, logs["audit.log"], "alice")
	return everywhere
}
