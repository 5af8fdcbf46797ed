package meshcheck_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/meshcheck"
	"github.com/posterngw/postern/tools/render"
	"github.com/posterngw/postern/tools/yamlconfig"
)

const document = `version: 1
providers:
  openai: {dialect: openai, url: "https://api.openai.com/v1", credentials: ["env:OPENAI_API_KEY"]}
  claude: {dialect: anthropic, url: "https://api.anthropic.com/v1", credentials: ["env:ANTHROPIC_API_KEY"]}
  vllm: {dialect: openai, url: "http://vllm.example.com:8000/v1"}
  inside: {dialect: openai, url: "http://vllm.models.svc.cluster.local:8000/v1"}
models:
  fast:
    targets:
    - {provider: openai, model: gpt-4o}
    - {provider: claude, model: claude-haiku-4-5, priority: 1}
    - {provider: vllm, model: llama, priority: 2}
    - {provider: inside, model: llama, priority: 3}
identity: {anonymous: {}}
`

func options(edit func(*render.IstioOptions)) render.IstioOptions {
	o := render.IstioDefaults()
	o.WithImage("oci://registry.example.com/team/postern:v1")
	if edit != nil {
		edit(&o)
	}
	return o
}

func parse(t testing.TB, text string) *config.Node {
	node, errs := yamlconfig.Parse("postern.yaml", []byte(text))
	require.Empty(t, errs)
	return node
}

func rendered(t testing.TB, text string, o render.IstioOptions) string {
	out, err := render.Istio(parse(t, text), o)
	require.NoError(t, err)
	return string(out)
}

// bases are the good resources that wrong ones are made of.
func bases(t testing.TB) map[string]string {
	return map[string]string{
		"native":         rendered(t, document, options(nil)),
		"gateway":        rendered(t, document, options(func(o *render.IstioOptions) { o.Gateway.API = "kubernetes" })),
		"paired":         inMode(t, "paired", options(nil)),
		"paired gateway": inMode(t, "paired", options(func(o *render.IstioOptions) { o.Gateway.API = "kubernetes" })),
	}
}

func inMode(t testing.TB, mode string, o render.IstioOptions) string {
	o.Mode = mode
	out, err := render.Istio(parse(t, document), o)
	require.NoError(t, err)
	return string(out)
}

func check(t testing.TB, text, resources string) []meshcheck.Problem {
	list, errs := meshcheck.Read("mesh.yaml", []byte(resources))
	require.Empty(t, errs)
	problems, err := meshcheck.Check(parse(t, text), list)
	require.NoError(t, err)
	return problems
}

// TestGood: there is nothing against what is rendered.
func TestGood(t *testing.T) {
	for name, resources := range bases(t) {
		require.Empty(t, check(t, document, resources), name)
	}
	require.Empty(t, check(t, document, inMode(t, "observe", options(nil))), "observe")
	egress := options(func(o *render.IstioOptions) {
		o.Gateway.Egress, o.Gateway.Hosts = "egress.istio-egress.svc.cluster.local:8443", []string{"ai.example.com"}
	})
	files, err := filepath.Glob("../../examples/*/postern.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range append(files, "../render/testdata/postern.yaml") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		node, errs := yamlconfig.Parse(file, text)
		require.Empty(t, errs)
		for _, o := range []render.IstioOptions{options(nil), egress} {
			out, err := render.Istio(node, o)
			if err != nil {
				continue // it cannot be had on Istio
			}
			require.Empty(t, check(t, string(text), string(out)), file)
		}
	}
}

// TestOthers: what has nothing to do with Postern is left alone.
func TestOthers(t *testing.T) {
	require.Empty(t, check(t, document, bases(t)["native"]+`---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {b: c}}
- {apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, metadata: {name: waf}, spec: {url: "file:///waf.wasm", phase: AUTHN}}
- {apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: shop}, spec: {hosts: [shop], http: [{timeout: 3s, route: [{destination: {host: shop}}]}]}}
- {apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {name: limits}, spec: {configPatches: [{applyTo: CLUSTER, patch: {value: {any: 1}}}]}}
`))
}

func TestNothing(t *testing.T) {
	for _, p := range check(t, document, "") {
		require.Empty(t, p.File)
		require.NotEmpty(t, p.Kind)
		require.NotEmpty(t, p.Hint)
	}
}

// TestPlaces: what is missing stands where it would be, as it is spelled there.
func TestPlaces(t *testing.T) {
	for pointer, resource := range map[string]string{
		"/spec/failStrategy": "kind: WasmPlugin\nspec: {pluginConfig: {stage: holder}}",
		"/items/0/spec/configPatches/0/patch/value/typed_config/config/failure_policy": "kind: List\nitems: [{apiVersion: a/v1, kind: EnvoyFilter, metadata: {name: postern}, spec: {configPatches: [{applyTo: EXTENSION_CONFIG, " +
			"patch: {value: {typed_config: {'@type': t/envoy.extensions.filters.http.wasm.v3.Wasm, config: {name: postern-client}}}}}]}}]",
	} {
		var pointers []string
		for _, p := range check(t, document, "apiVersion: a/v1\nmetadata: {name: postern}\n"+resource) {
			pointers = append(pointers, p.Pointer)
		}
		require.Contains(t, pointers, pointer)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, text := range []string{"a: [", "just text", "kind: Pod", "--- {}\n---\n- 1\n", "apiVersion: v1\nkind: List\nitems: [1]\n", string(make([]byte, yamlconfig.MaxStream+1))} {
		_, errs := meshcheck.Read("mesh.yaml", []byte(text))
		require.NotEmpty(t, errs, text[:min(len(text), 20)])
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"apiVersion: a/v1\nkind: WasmPlugin\nmetadata: {name: postern}\nspec: {pluginConfig: {document: '{\"mode\":\"paired\",\"providers\":{}}'}, vmConfig: {env: [{name: K}]}}",
		"apiVersion: a/v1\nkind: WasmPlugin\nmetadata: {name: postern}\nspec: {pluginConfig: {stage: holder}}",
		"apiVersion: a/v1\nkind: EnvoyFilter\nmetadata: {name: postern}\nspec: {configPatches: [{applyTo: CLUSTER, match: {cluster: {service: api.openai.com}}}, {applyTo: HTTP_ROUTE, patch: {value: {route: {}}}}]}",
		"apiVersion: a/v1\nkind: VirtualService\nspec: {gateways: [a], http: [{name: postern, timeout: 1s, route: [{destination: {host: a, port: {number: 1}}}]}]}\n---\napiVersion: v1\nkind: List\nitems: []",
		"apiVersion: a/v1\nkind: DestinationRule\nspec: {host: api.openai.com, trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: DISABLE}}]}}",
		"apiVersion: a/v1\nkind: ServiceEntry\nspec: {hosts: ['*.openai.com'], ports: [{number: 443, protocol: TCP}]}",
	} {
		f.Add([]byte(text))
	}
	node := parse(f, document)
	f.Fuzz(func(t *testing.T, text []byte) {
		list, errs := meshcheck.Read("mesh.yaml", text)
		if len(errs) > 0 {
			return
		}
		problems, err := meshcheck.Check(node, list)
		require.NoError(t, err)
		for _, p := range problems {
			require.NotEmpty(t, p.Code)
			require.NotEmpty(t, p.Hint)
		}
	})
}
