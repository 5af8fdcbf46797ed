package sdk

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/upstream"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/tools/mock"
)

// provider is a row of providers.
type provider struct {
	name    string
	dialect string // in the configuration, and of the mock
	flavour string
	base    string // path of the URL
	chat    string // the provider's name of a model
	embed   string // "" where it has none
	server  *upstream.Server
}

func rows() []*provider {
	return []*provider{
		{name: "openai", dialect: "openai", base: "/v1", chat: "gpt-4.1", embed: "text-embedding-3-small"},
		{name: "responses", dialect: "openai", flavour: "responses", base: "/v1", chat: "gpt-4.1", embed: "text-embedding-3-small"},
		{name: "anthropic", dialect: "anthropic", base: "/v1", chat: "claude-haiku-4-5"},
		{name: "gemini", dialect: "gemini", base: "/v1beta", chat: "gemini-2.5-flash", embed: "gemini-embedding-001"},
		{name: "bedrock", dialect: "bedrock", chat: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", embed: "amazon.titan-embed-text-v2:0"},
		{name: "invoke", dialect: "bedrock", flavour: "invoke", chat: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", embed: "cohere.embed-english-v3"},
		{name: "nova", dialect: "bedrock", flavour: "invoke", chat: "amazon.nova-lite-v1:0", embed: "cohere.embed-v4:0"},
		{name: "llama", dialect: "bedrock", flavour: "invoke", chat: "meta.llama3-70b-instruct-v1:0", embed: "amazon.titan-embed-text-v1"},
		{name: "titan", dialect: "bedrock", flavour: "invoke", chat: "amazon.titan-text-express-v1", embed: "amazon.titan-embed-text-v2:0"},
		{name: "cohere", dialect: "cohere", chat: "command-a-03-2025", embed: "embed-v4.0"},
		{name: "ollama", dialect: "ollama", chat: "llama3.2", embed: "nomic-embed-text"},
	}
}

// world is what the tests share: one Envoy and a mock behind it for each
// provider. Tests tell their requests apart by the request id.
type world struct {
	envoy     *envoytest.Envoy
	providers []*provider
	key       string
	stop      []func() error
	matrix    matrix
}

var shared = world{providers: rows()}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	code := 1
	err := shared.start()
	if err == nil {
		code = m.Run()
		fmt.Print(shared.matrix.String())
		err = shared.envoy.Healthy()
	}
	if err = errors.Join(err, envoytest.StopAll(shared.stop)); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	return code
}

func (w *world) start() error {
	key, hash, err := identity.NewKey(rand.Reader, "alice")
	if err != nil {
		return err
	}
	w.key = key
	var env []string
	for _, p := range w.providers {
		secret := "sk-e2e-" + p.name
		if p.server, err = upstream.Start(p.dialect, mock.Options{Keys: map[string][]string{p.dialect: {secret}}, Remember: 1 << 16}); err != nil {
			return err
		}
		w.stop = append(w.stop, p.server.Stop)
		env = append(env, p.variable()+"="+secret)
	}
	w.envoy, err = envoytest.Start(envoytest.Options{Config: w.config(hash), Workers: 2, Env: env})
	if err != nil {
		return err
	}
	w.stop = append(w.stop, w.envoy.Stop)
	for _, c := range clients {
		if c.driver != nil {
			if err := c.driver.start(); err != nil {
				return err
			}
			w.stop = append(w.stop, c.driver.end)
		}
	}
	return nil
}

func (p *provider) variable() string { return "E2E_" + strings.ToUpper(p.name) + "_KEY" }

// config is the text of a postern.yaml. Each provider has a model to chat with,
// the same one closed to everybody, one for embeddings, and one for each client
// that is to try again: errors shut out no other target than those.
func (w *world) config(hash string) string {
	providers, models, retried := &strings.Builder{}, &strings.Builder{}, &strings.Builder{}
	for _, p := range w.providers {
		fmt.Fprintf(providers, "  %s: {dialect: %s, url: %q, credentials: [\"env:%s\"]", p.name, p.dialect, p.server.URL+p.base, p.variable())
		if p.flavour != "" {
			fmt.Fprintf(providers, ", flavour: %s", p.flavour)
		}
		providers.WriteString("}\n")
		names := map[string]string{p.name: p.chat, p.closed(): p.chat, p.vectors(): cmp.Or(p.embed, p.chat)}
		for _, c := range clients {
			names[p.retried(&c)] = p.chat
			fmt.Fprintf(retried, "    to/%s: {failures: [rate_limited]}\n", p.retried(&c))
		}
		for name, model := range names {
			fmt.Fprintf(models, "  %s: {max_output: 1024, targets: [{name: %q, provider: %s, model: %q}]}\n", name, "to/"+name, p.name, model)
		}
	}
	return fmt.Sprintf(`version: 1
providers:
%smodels:
%sidentity: {keys: {alice: {hash: %q}}}
policy:
  policies:
    everybody: {cedar: 'permit (principal, action, resource);'}
    closed: {cedar: 'forbid (principal, action, resource) when { resource in [%s] };'}
health:
  failures: [malformed]
  targets:
%s`, providers, models, hash, w.closedModels(), retried)
}

func (p *provider) closed() string  { return p.name + "-closed" }
func (p *provider) vectors() string { return p.name + "-vectors" }

// retried is the model of one client's second attempts.
func (p *provider) retried(s *sdk) string { return p.name + "-again-" + s.language + "-" + s.name }

func (w *world) closedModels() string {
	var names []string
	for _, p := range w.providers {
		names = append(names, fmt.Sprintf("Model::%q", p.closed()))
	}
	return strings.Join(names, ", ")
}
