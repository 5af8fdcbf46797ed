package istio

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/authority"
	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/upstream"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/tools/mock"
	"github.com/posterngw/postern/tools/render"
	"github.com/posterngw/postern/tools/yamlconfig"
)

const namespace = "ai"

// world is one gateway of a mesh and the providers behind it.
type world struct {
	mesh              *mesh
	envoy             *envoytest.Envoy
	render            func(config string) string // the resources of a configuration
	config            string
	openai, anthropic *upstream.Server
	key               string
	port              int
	via               string // address of the sidecar that a client has; empty: none
}

// configuration has the providers that a test may need. The host names are in
// no DNS: resources give their addresses.
const configuration = `version: 1
providers:
  openai: {dialect: openai, url: "http://openai.provider.test/v1", credentials: ["env:E2E_OPENAI_KEY"]}
  anthropic: {dialect: anthropic, url: "https://anthropic.provider.test/v1", credentials: ["env:E2E_ANTHROPIC_KEY"]}
  wrong: {dialect: openai, url: "https://wrong.provider.test/v1", credentials: ["env:E2E_OPENAI_KEY"]}
  dead: {dialect: openai, url: "http://dead.provider.test/v1", credentials: ["env:E2E_OPENAI_KEY"]}
models:
  gpt: {max_output: 1024, targets: [{provider: openai, model: gpt-4.1}]}
  claude: {max_output: 1024, targets: [{provider: anthropic, model: claude-haiku-4-5}]}
  wrong: {max_output: 1024, targets: [{provider: wrong, model: gpt-4.1}]}
  closed: {max_output: 1024, targets: [{provider: openai, model: gpt-4.1}]}
  spare: {max_output: 1024, targets: [{provider: dead, model: gpt-4.1}, {provider: anthropic, model: claude-haiku-4-5, priority: 1}]}
  overloaded: {max_output: 1024, targets: [{provider: openai, model: mock-529}, {provider: anthropic, model: claude-haiku-4-5, priority: 1}]}
identity: {keys: {alice: {hash: %q}}}
policy:
  policies:
    everybody: {cedar: 'permit (principal, action, resource);'}
    closed: {cedar: 'forbid (principal, action, resource in Model::"closed");'}
`

// setup is what a test changes of its world; each part may be missing.
type setup struct {
	options   func(*render.IstioOptions)
	config    func(text string) string
	resources func(text string) string
	module    func(shipped []byte) []byte
	beside    func(w *world, o *render.IstioOptions) string // resources of others
}

// start brings up a gateway with the resources that are rendered for a mode.
func start(t *testing.T, mode string, edit func(*render.IstioOptions)) *world {
	t.Helper()
	return setup{options: edit}.start(t, mode)
}

func (s setup) start(t *testing.T, mode string) *world {
	t.Helper()
	_, path, err := envoytest.Binaries()
	if err != nil {
		t.Skip(err)
	}
	module, err := os.ReadFile(path)
	require.NoError(t, err)
	if s.module != nil {
		module = s.module(module)
	}
	w := &world{openai: provider(t, "openai"), anthropic: provider(t, "anthropic")}
	key, hash, err := identity.NewKey(rand.Reader, "alice")
	require.NoError(t, err)
	w.key = key
	o := render.IstioDefaults()
	o.Namespace, o.Mode = namespace, mode
	o.Gateway.Bind, o.Gateway.Port = "127.0.0.1", freePort(t)
	o.Image.URL, o.Image.Digest = pushed(t, module)
	dir := t.TempDir()
	o.AuditLog = filepath.Join(dir, "audit.log")
	if s.options != nil {
		s.options(&o)
	}
	w.port = o.Gateway.Port
	ca := authority.New(t)
	authorities := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.WriteFile(authorities, []byte(ca.PEM()), 0o600))
	at := w.addresses(t, ca)
	others := ""
	if s.beside != nil {
		others = s.beside(w, &o)
	}
	w.render = func(config string) string {
		text := resources(t, config, o, at) + others
		if s.resources != nil {
			text = s.resources(text)
		}
		return text
	}
	if w.config = fmt.Sprintf(configuration, hash); s.config != nil {
		w.config = s.config(w.config)
	}
	m := serve(t, w.render(w.config), authorities, ca, w.port)
	w.mesh = m
	w.envoy, err = envoytest.Start(envoytest.Options{
		Bootstrap: func(dir string) string {
			require.NoError(t, os.Symlink(o.AuditLog, filepath.Join(dir, "audit.log")))
			return bootstrap(m, gatewayNode)
		},
		Workers: 2,
		Env:     []string{"E2E_OPENAI_KEY=sk-e2e-openai", "E2E_ANTHROPIC_KEY=sk-e2e-anthropic"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.envoy.Stop()) })
	return w
}

func provider(t *testing.T, dialect string) *upstream.Server {
	t.Helper()
	s, err := upstream.Start(dialect, mock.Options{Keys: map[string][]string{dialect: {"sk-e2e-" + dialect}}, Remember: 1 << 14})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l := listen(t)
	defer l.Close() //nolint:errcheck // nothing was sent
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return n
}

// addresses are where the providers are, by their hosts.
func (w *world) addresses(t *testing.T, ca *authority.Authority) map[string]string {
	t.Helper()
	refusing, release, err := upstream.Refusing()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, release()) })
	return map[string]string{
		"openai.provider.test":    w.openai.URL,
		"anthropic.provider.test": front(t, ca, "anthropic.provider.test", w.anthropic.URL),
		"wrong.provider.test":     front(t, ca, "another.provider.test", w.openai.URL),
		"dead.provider.test":      refusing,
	}
}

// resources are rendered, with the addresses of the providers.
func resources(t *testing.T, config string, o render.IstioOptions, at map[string]string) string {
	t.Helper()
	node, errs := yamlconfig.Parse("postern.yaml", []byte(config))
	require.Empty(t, errs)
	v, err := render.NewIstioValues(node, o)
	require.NoError(t, err)
	for i := range v.Providers {
		p := &v.Providers[i]
		u, err := url.Parse(at[p.Host])
		require.NoError(t, err)
		p.Address, p.SNI = "127.0.0.1", p.Host
		p.TargetPort, err = strconv.Atoi(u.Port())
		require.NoError(t, err)
	}
	text, err := v.Render(o.Namespace)
	require.NoError(t, err)
	return string(text)
}

const gatewayNode = `  id: router~127.0.0.9~gw.ai~ai.svc.cluster.local
  cluster: gw.ai
  metadata: {NAMESPACE: ai, CLUSTER_ID: Kubernetes, ISTIO_VERSION: 1.31.0, INSTANCE_IPS: 127.0.0.9, LABELS: {istio: ingressgateway, gateway.networking.k8s.io/gateway-name: postern}}
`

// bootstrap is what Istio's agent gives an Envoy, as far as it matters.
func bootstrap(m *mesh, node string) string {
	host, port := "127.0.0.1", func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
	cluster := func(name, address string) string {
		return fmt.Sprintf(`  - name: %s
    type: STATIC
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment: {cluster_name: %s, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]}
`, name, name, host, port(address))
	}
	return "node:\n" + node + `admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
dynamic_resources:
  ads_config: {api_type: GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: xds-grpc}}]}
  lds_config: {ads: {}, initial_fetch_timeout: 0s, resource_api_version: V3}
  cds_config: {ads: {}, initial_fetch_timeout: 0s, resource_api_version: V3}
static_resources:
  clusters:
` + cluster("xds-grpc", m.ads) + cluster("sds-grpc", m.sds)
}

// client is an official one, which tries once.
func (w *world) client(options ...option.RequestOption) openai.Client {
	all := []option.RequestOption{option.WithBaseURL(w.envoy.URL + "/v1"), option.WithAPIKey(w.key), option.WithMaxRetries(0)}
	if w.via != "" {
		all = append(all, option.WithBaseURL("http://"+aiHost+"/v1"), option.WithHTTPClient(&http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, w.via)
			}, DisableKeepAlives: true}}))
	}
	return openai.NewClient(append(all, options...)...)
}

// front serves TLS under a name in front of a plain server.
func front(t *testing.T, a *authority.Authority, name, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	s := httptest.NewUnstartedServer(proxy)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{a.Sign(t, name)}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}
