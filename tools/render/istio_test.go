package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/yamlconfig"
)

func istioOptions() IstioOptions {
	o := IstioDefaults()
	o.Image.URL, o.Image.Digest = "oci://registry.example.com/team/postern", "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	return o
}

// TestIstio holds the resources of a configuration that has everything. That
// Istio takes them is e2e/istio's to show. With -update they are written anew.
func TestIstio(t *testing.T) {
	node, _ := load(t, whole(t))
	for name, edit := range map[string]func(*IstioOptions){
		"istio.golden.yaml": func(*IstioOptions) {},
		"egress.golden.yaml": func(o *IstioOptions) {
			o.Gateway.Egress, o.Gateway.Hosts = "egress.istio-egress.svc.cluster.local:8443", []string{"ai.example.com"}
		},
		"gatewayapi.golden.yaml": func(o *IstioOptions) { o.Gateway.API = "kubernetes" },
		"observe.golden.yaml":    func(o *IstioOptions) { o.Mode = "observe" },
	} {
		o := istioOptions()
		edit(&o)
		got, err := Istio(node, o)
		require.NoError(t, err)
		golden(t, name, got)
	}
}

// The mode of the resources is the module's, whatever the document says: it may be
// another host's.
func TestIstioMode(t *testing.T) {
	const plain = `version: 1
providers: {a: {dialect: openai, url: "https://a.example.com"}}
models: {m: {targets: [{provider: a, model: m}]}}
identity: {anonymous: {}}
`
	for _, given := range []string{"", "mode: native\n", "mode: paired\n", "mode: callout\n"} {
		for _, asked := range []string{"native", "paired", "observe"} {
			node, errs := yamlconfig.Parse("postern.yaml", []byte(given+plain))
			require.Empty(t, errs)
			o := istioOptions()
			o.Mode = asked
			v, err := NewIstioValues(node, o)
			require.NoError(t, err)
			inner, errs := config.ParseJSON([]byte(v.Config))
			require.Empty(t, errs)
			mode := "native"
			if m := inner.Get("mode"); m != nil {
				mode = m.Text
			}
			require.Equal(t, asked, mode, given)
		}
	}
}

// Nothing adds a key in paired mode that is left to the proxy.
func TestIstioPairedCredentials(t *testing.T) {
	node, _ := load(t, whole(t))
	o := istioOptions()
	o.Mode = "paired"
	_, err := Istio(node, o)
	require.ErrorContains(t, err, "the proxy adds no credential in paired mode")
}

func TestIstioRefuses(t *testing.T) {
	const models = "\nmodels: {m: {targets: [{provider: a, model: m}]}}\n"
	for _, tt := range []struct{ name, config, want string }{
		{"tokens and keys of two hosts", `version: 1
providers: {a: {dialect: openai, url: "https://a.example.com", credentials: ["callout:http://127.0.0.1:1/a", "callout:http://127.0.0.1:2/a"]}}`, "one cluster"},
		{"two credentials of one host", `version: 1
providers:
  a: {dialect: openai, url: "https://a.example.com", credentials: [host]}
  b: {dialect: anthropic, url: "https://a.example.com", credentials: [host]}`, "another address or credential"},
		{"two ports of one host", `version: 1
providers:
  a: {dialect: openai, url: "https://a.example.com"}
  b: {dialect: openai, url: "https://a.example.com:8443"}`, "one port"},
		{"claims elsewhere", `version: 1
providers: {a: {dialect: openai, url: "https://a.example.com"}}
identity: {jwt: {payload: corp, claims: {user: sub}}}`, `at "payload"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.config + models
			if !strings.Contains(text, "identity:") {
				text += "identity: {anonymous: {}}\n"
			}
			node, _ := load(t, text)
			_, err := Istio(node, istioOptions())
			require.ErrorContains(t, err, tt.want)
		})
	}
	node, _ := load(t, whole(t))
	o := istioOptions()
	o.Gateway.Egress = "egress.istio-egress.svc.cluster.local:8443"
	_, err := Istio(node, o)
	require.ErrorContains(t, err, "names that applications ask for")
	o = istioOptions()
	o.Image.URL = ""
	_, err = Istio(nil, o)
	require.ErrorContains(t, err, "image")
}
