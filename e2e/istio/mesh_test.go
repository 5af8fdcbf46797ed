package istio

import (
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secretv3 "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	pxds "istio.io/istio/pilot/pkg/xds"
	v3 "istio.io/istio/pilot/pkg/xds/v3"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/wasm"

	"github.com/posterngw/postern/e2e/internal/authority"
	"github.com/posterngw/postern/tools/pack"
)

// Istio's own filters for its proxies are not in a stock Envoy.
func init() {
	features.MetadataExchange = false
	features.ALPNFilter = false
}

// mesh is a control plane: what istiod and the agent beside a proxy do.
type mesh struct {
	ads, sds string // addresses of their services
	server   *xds.FakeDiscoveryServer
}

// apply replaces resources, as an API server tells istiod.
func (m *mesh) apply(t *testing.T, resources string) {
	t.Helper()
	validate(t, resources)
	own, _ := split(resources, 0)
	configs, _, err := crd.ParseInputs(own)
	require.NoError(t, err)
	for _, c := range configs {
		c.ResourceVersion = ""
		if old := m.server.Store().Get(c.GroupVersionKind, c.Name, c.Namespace); old != nil {
			c.ResourceVersion = old.ResourceVersion
			_, err = m.server.Store().Update(c)
		} else {
			_, err = m.server.Store().Create(c)
		}
		require.NoError(t, err, c.Name)
	}
}

// serve starts a control plane with these resources, which are validated first.
func serve(t *testing.T, resources, authorities string, ca *authority.Authority, port int) *mesh {
	t.Helper()
	validate(t, resources)
	m := &mesh{}
	l := listen(t)
	m.ads = l.Addr().String()
	own, kubernetes := split(resources, port)
	s := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		ConfigString:           own,
		KubernetesObjectString: kubernetes,
		ListenerBuilder:        func() (net.Listener, error) { return l, nil },
	})
	m.server = s
	next, ok := s.Discovery.Generators[v3.ExtensionConfigurationType].(*pxds.EcdsGenerator)
	require.True(t, ok)
	cache := wasm.NewLocalFileCache(t.TempDir(), wasm.Options{HTTPRequestMaxRetries: 5, HTTPRequestTimeout: 15 * time.Second})
	t.Cleanup(cache.Cleanup)
	s.Discovery.Generators[v3.ExtensionConfigurationType] = agent{next, cache, t}
	chain, key := ca.Identity(t, "spiffe://cluster.local/ns/"+namespace+"/sa/default")
	m.sds = secrets(t, sds{authority: authorities, chain: chain, key: key})
	return m
}

// split parts Istio's own resources from those of the Gateway API, and adds to
// these what a cluster has besides: the Service and the pod of the gateway,
// which Istio makes from a Gateway.
func split(resources string, port int) (own, kubernetes string) {
	for text := range strings.SplitSeq(resources, "---\n") {
		if strings.Contains(text, "apiVersion: gateway.networking.k8s.io/") {
			kubernetes += "---\n" + text
		} else {
			own += "---\n" + text
		}
	}
	if kubernetes != "" {
		kubernetes += strings.ReplaceAll(deployed, "PORT", strconv.Itoa(port))
	}
	return own, kubernetes
}

const deployed = `---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: istio}
spec: {controllerName: istio.io/gateway-controller}
---
apiVersion: v1
kind: Service
metadata: {name: postern-istio, namespace: ai, labels: {gateway.networking.k8s.io/gateway-name: postern}}
spec:
  clusterIP: 10.0.0.9
  selector: {gateway.networking.k8s.io/gateway-name: postern}
  ports: [{name: postern, port: PORT, targetPort: PORT, protocol: TCP, appProtocol: http}]
---
apiVersion: v1
kind: Pod
metadata: {name: gw, namespace: ai, labels: {istio: ingressgateway, gateway.networking.k8s.io/gateway-name: postern}}
spec: {serviceAccountName: postern-istio}
status: {podIP: 127.0.0.9, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: postern-istio, namespace: ai, labels: {kubernetes.io/service-name: postern-istio}}
addressType: IPv4
ports: [{name: postern, port: PORT, protocol: TCP}]
endpoints: [{addresses: [127.0.0.9], conditions: {ready: true}, targetRef: {kind: Pod, name: gw, namespace: ai}}]
`

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// agent does what Istio's agent does between istiod and Envoy: it pulls modules
// and tells Envoy of the files instead.
type agent struct {
	next  model.XdsResourceGenerator
	cache wasm.Cache
	t     *testing.T
}

// Generate implements model.XdsResourceGenerator.
func (a agent) Generate(p *model.Proxy, w *model.WatchedResource, r *model.PushRequest) (model.Resources, model.XdsLogDetails, error) {
	resources, details, err := a.next.Generate(p, w, r)
	if err != nil {
		return resources, details, err
	}
	anys := make([]*anypb.Any, len(resources))
	for i, x := range resources {
		anys[i] = x.Resource
	}
	if err := wasm.MaybeConvertWasmExtensionConfig(anys, a.cache); err != nil {
		a.t.Logf("pull: %v", err)
	}
	for i := range resources {
		resources[i].Resource = anys[i]
	}
	return resources, details, nil
}

// secrets serves the agent's secrets: every authority is the test's own, and every
// workload has one identity.
func secrets(t *testing.T, s sds) string {
	t.Helper()
	l, server := listen(t), grpc.NewServer()
	secretv3.RegisterSecretDiscoveryServiceServer(server, s)
	go server.Serve(l) //nolint:errcheck // it ends by Stop
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

type sds struct {
	secretv3.UnimplementedSecretDiscoveryServiceServer
	authority  string // path
	chain, key []byte
}

// secret is what goes by a name.
func (s sds) secret(name string) *tlsv3.Secret {
	inline := func(b []byte) *corev3.DataSource {
		return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: b}}
	}
	if name == "default" {
		return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
			CertificateChain: inline(s.chain), PrivateKey: inline(s.key)}}}
	}
	return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
		TrustedCa: &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: s.authority}},
	}}}
}

// StreamSecrets implements secretv3.SecretDiscoveryServiceServer.
func (s sds) StreamSecrets(stream secretv3.SecretDiscoveryService_StreamSecretsServer) error {
	for {
		r, err := stream.Recv()
		if err != nil {
			return err
		}
		if r.GetResponseNonce() != "" {
			continue
		}
		out := &discovery.DiscoveryResponse{TypeUrl: r.GetTypeUrl(), VersionInfo: "1", Nonce: "1"}
		for _, name := range r.GetResourceNames() {
			secret, err := anypb.New(s.secret(name))
			if err != nil {
				return err
			}
			out.Resources = append(out.Resources, secret)
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

// pushed serves a registry with the module's image, and returns its name and
// digest.
func pushed(t *testing.T, module []byte) (url, digest string) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	name := strings.TrimPrefix(server.URL, "http://") + "/team/postern"
	image, err := pack.New(pack.Options{Wasm: module, Version: "v1.0.0"})
	require.NoError(t, err)
	to, err := pack.Repository(name, true)
	require.NoError(t, err)
	require.NoError(t, image.Push(t.Context(), to))
	return "oci://" + name, image.Image.Digest.String()
}
