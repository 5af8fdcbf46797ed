package istio

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/tools/render"
)

// aiHost is what applications ask for.
const aiHost = "ai.example.com"

// around is what an egress gateway has around it: its Service, and an application's
// sidecar, here one that its application asks by a port of its own.
const around = `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: egress, namespace: ai}
spec:
  hosts: [egress.ai.svc.cluster.local]
  location: MESH_INTERNAL
  ports: [{number: 8443, name: https, protocol: HTTPS}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {https: %d}}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: app, namespace: apps}
spec:
  workloadSelector: {labels: {app: app}}
  egress: [{port: {number: %d, protocol: HTTP_PROXY, name: http}, bind: 127.0.0.1, captureMode: NONE, hosts: ["*/*"]}]
`

const sidecarNode = `  id: sidecar~127.0.0.8~app.apps~apps.svc.cluster.local
  cluster: app.apps
  metadata: {NAMESPACE: apps, CLUSTER_ID: Kubernetes, ISTIO_VERSION: 1.31.0, INSTANCE_IPS: 127.0.0.8, INTERCEPTION_MODE: NONE, LABELS: {app: app}}
`

// TestEgress: an application asks its sidecar by plain HTTP, that goes to an egress
// gateway by mutual TLS, and the gateway to the provider.
func TestEgress(t *testing.T) {
	port := freePort(t)
	gateway := 0
	w := setup{
		options: func(o *render.IstioOptions) {
			o.Gateway.Egress, o.Gateway.Hosts = "egress.ai.svc.cluster.local:8443", []string{aiHost}
			gateway = o.Gateway.Port
		},
		resources: func(text string) string { return text + fmt.Sprintf(around, gateway, port) },
	}.start(t, "native")
	_, err := http.Get(strings.Replace(w.envoy.URL, "127.0.0.1", "localhost", 1) + "/v1/models")
	require.Error(t, err, "without TLS")

	sidecar, err := envoytest.Start(envoytest.Options{Bootstrap: func(string) string { return bootstrap(w.mesh, sidecarNode) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sidecar.Stop()) })
	app := *w
	app.envoy, app.via = w.envoy, fmt.Sprintf("127.0.0.1:%d", port)
	app.answers(t)
	app.audited(t)
}
