package istio

import (
	"io"
	"log"
	"net"
	"net/http/httptest"
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
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	pxds "istio.io/istio/pilot/pkg/xds"
	v3 "istio.io/istio/pilot/pkg/xds/v3"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/wasm"

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
}

// serve starts a control plane with these resources, which are validated first.
func serve(t *testing.T, resources, authority string) *mesh {
	t.Helper()
	validate(t, resources)
	m := &mesh{}
	l := listen(t)
	m.ads = l.Addr().String()
	s := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		ConfigString:    resources,
		ListenerBuilder: func() (net.Listener, error) { return l, nil },
	})
	next, ok := s.Discovery.Generators[v3.ExtensionConfigurationType].(*pxds.EcdsGenerator)
	require.True(t, ok)
	cache := wasm.NewLocalFileCache(t.TempDir(), wasm.Options{HTTPRequestMaxRetries: 5, HTTPRequestTimeout: 15 * time.Second})
	t.Cleanup(cache.Cleanup)
	s.Discovery.Generators[v3.ExtensionConfigurationType] = agent{next, cache, t}
	m.sds = secrets(t, authority)
	return m
}

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

// secrets serves the agent's secrets: every authority is the test's own.
func secrets(t *testing.T, authority string) string {
	t.Helper()
	l, server := listen(t), grpc.NewServer()
	secretv3.RegisterSecretDiscoveryServiceServer(server, sds{authority: authority})
	go server.Serve(l) //nolint:errcheck // it ends by Stop
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

type sds struct {
	secretv3.UnimplementedSecretDiscoveryServiceServer
	authority string
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
			secret, err := anypb.New(&tlsv3.Secret{Name: name, Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
				TrustedCa: &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: s.authority}},
			}}})
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
