package render

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// golden holds a text against a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "if this is meant: go test ./tools/render -update")
}

var update = flag.Bool("update", false, "write the golden files")

func load(t *testing.T, text string) (*config.Node, *pipeline.Config) {
	t.Helper()
	node, errs := yamlconfig.Parse("postern.yaml", []byte(text))
	require.Empty(t, errs)
	c, errs := pipeline.Decode(node, builtin.Dialects())
	require.Empty(t, errs)
	return node, c
}

func whole(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/postern.yaml")
	require.NoError(t, err)
	return string(text)
}

func TestGolden(t *testing.T) {
	node, c := load(t, whole(t))
	got, err := Envoy(node, c, Options{Listen: "0.0.0.0:8080", Admin: "127.0.0.1:9901"})
	require.NoError(t, err)
	golden(t, "envoy.golden.yaml", got)
	node, c = load(t, "mode: observe\n"+whole(t))
	got, err = Envoy(node, c, Options{})
	require.NoError(t, err)
	golden(t, "envoy-observe.golden.yaml", got)
	_, err = XDS(node, c, Options{Dir: "/etc/envoy"})
	require.ErrorContains(t, err, "mode: observe")
}

// The same document gives the same bytes, and each rendering is YAML whose
// aliases all resolve.
func TestDeterminism(t *testing.T) {
	node, c := load(t, whole(t))
	first, err := Envoy(node, c, Options{})
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(first, new(map[string]any)))
	for range 20 {
		node, c := load(t, whole(t))
		again, err := Envoy(node, c, Options{})
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
	}
}

// minimal is a configuration with more providers.
func minimal(providers string) string {
	return `{version: 1, identity: {anonymous: {}}, models: {m: {targets: [{provider: a, model: x}]}}, providers: {
	a: {dialect: openai, url: "https://a.test/v1", credentials: ["env:KEY"]}` + providers + `}}`
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		options  Options
		has, not string
	}{
		"no admin interface unless asked for": {Options{}, "0.0.0.0\", port_value: 8080", "admin:"},
		"an admin interface":                  {Options{Admin: "127.0.0.1:9"}, "port_value: 9}", "x-nothing"},
		"IPv6":                                {Options{Listen: "[::1]:8080"}, `address: "::1"`, "[::1]"},
		"paths are quoted":                    {Options{Wasm: `/a "b".wasm`}, `"/a \"b\".wasm"`, `/a "b"`},
	} {
		t.Run(name, func(t *testing.T) {
			if c.options.Listen == "" {
				c.options.Listen = "0.0.0.0:8080"
			}
			node, decoded := load(t, minimal(""))
			text, err := Envoy(node, decoded, c.options)
			require.NoError(t, err)
			require.Contains(t, string(text), c.has)
			require.NotContains(t, string(text), c.not)
		})
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		providers string
		options   Options
		err       string
	}{
		"no address to listen on":      {"", Options{Listen: "8080"}, "listen address"},
		"no address to administer":     {"", Options{Admin: "9901"}, "admin address"},
		"one cluster, two addresses":   {`, b: {dialect: openai, url: "https://b.test/v1", cluster: a}`, Options{}, "provider b: cluster a"},
		"one cluster, two credentials": {`, b: {dialect: openai, url: "https://a.test/v1", credentials: [host], cluster: a}`, Options{}, "provider b: cluster a"},
	} {
		t.Run(name, func(t *testing.T) {
			node, decoded := load(t, minimal(c.providers))
			_, err := Envoy(node, decoded, c.options)
			require.ErrorContains(t, err, c.err)
		})
	}
}

// A provider's name is what its certificate is held to; an address has none to
// send. While a name has no address, connections are refused, and tried elsewhere.
func TestNames(t *testing.T) {
	const fallback = `address: "127.0.0.1", port_value: 0`
	for url, c := range map[string]struct {
		has []string
		not string
	}{
		"https://b.test/v1":     {[]string{`sni: "b.test"`, `san_type: DNS, matcher: {exact: "b.test"}`, fallback}, "auto_sni: true"},
		"https://192.0.2.1/v1":  {[]string{`san_type: IP_ADDRESS, matcher: {exact: "192.0.2.1"}`}, `sni: "192.0.2.1"`},
		"https://[2001:db8::1]": {[]string{`san_type: IP_ADDRESS, matcher: {exact: "2001:db8::1"}`}, `sni: "2001:db8::1"`},
	} {
		node, decoded := load(t, minimal(`, b: {dialect: openai, url: "`+url+`"}`))
		text, err := Envoy(node, decoded, Options{Listen: "127.0.0.1:1"})
		require.NoError(t, err)
		_, cluster, _ := strings.Cut(string(text), "  - name: \"b\"\n")
		for _, has := range c.has {
			require.Contains(t, cluster, has)
		}
		require.NotContains(t, cluster, c.not)
		require.Equal(t, len(c.has) == 3, strings.Contains(cluster, fallback))
	}
}

// The host's patience is longer than any target's time.
func TestPatience(t *testing.T) {
	for more, want := range map[string]string{"": "stream_idle_timeout: 300s\n", ", timeout: 10m": "stream_idle_timeout: 660s\n", ", idle: 5m": "stream_idle_timeout: 360s\n"} {
		node, decoded := load(t, strings.Replace(minimal(""), "model: x", "model: x"+more, 1))
		text, err := Envoy(node, decoded, Options{})
		require.NoError(t, err)
		require.Contains(t, string(text), want)
	}
}

// The files of xds are YAML each by itself, point to each other where Envoy finds
// them, and hold together what the bootstrap holds.
func TestXDS(t *testing.T) {
	node, c := load(t, whole(t))
	files, err := XDS(node, c, Options{Dir: "/etc/x", Admin: "127.0.0.1:9901"})
	require.NoError(t, err)
	one, err := Envoy(node, c, Options{Admin: "127.0.0.1:9901"})
	require.NoError(t, err)
	names, trees := []string{}, map[string]map[string]any{}
	for _, f := range files {
		names = append(names, f.Name)
		tree := map[string]any{}
		require.NoError(t, yaml.Unmarshal(f.Text, &tree), f.Name)
		trees[f.Name] = tree
	}
	routesName := names[1]
	require.Regexp(t, "^routes-[0-9a-f]{8}.yaml$", routesName)
	require.Equal(t, []string{"clusters.yaml", routesName, "listeners.yaml", "bootstrap.yaml"}, names, "the order in which they are replaced")
	generation := "~" + routesName[len("routes-"):len("routes-")+8]
	var whole struct {
		Static struct {
			Listeners, Clusters []map[string]any
		} `yaml:"static_resources"`
	}
	require.NoError(t, yaml.Unmarshal(one, &whole))
	for i, want := range whole.Static.Clusters {
		got := trees["clusters.yaml"]["resources"].([]any)[i].(map[string]any)
		delete(got, "@type")
		if name := got["alt_stat_name"]; name != nil { // it holds a stage
			require.Equal(t, name.(string)+generation, got["name"])
			got["name"], got["load_assignment"].(map[string]any)["cluster_name"] = name, name
			delete(got, "alt_stat_name")
		}
		require.Equal(t, want, got)
	}
	manager := func(listener any) map[string]any {
		chain := listener.(map[string]any)["filter_chains"].([]any)[0].(map[string]any)
		return chain["filters"].([]any)[0].(map[string]any)["typed_config"].(map[string]any)
	}
	was, is := manager(whole.Static.Listeners[0]), manager(trees["listeners.yaml"]["resources"].([]any)[0])
	require.Equal(t, "/etc/x/"+routesName, is["rds"].(map[string]any)["config_source"].(map[string]any)["path_config_source"].(map[string]any)["path"])
	routes := trees[routesName]["resources"].([]any)[0].(map[string]any)
	delete(routes, "@type")
	text, err := yaml.Marshal(routes)
	require.NoError(t, err)
	want, err := yaml.Marshal(was["route_config"])
	require.NoError(t, err)
	require.Equal(t, string(want), strings.ReplaceAll(string(text), generation, ""))
	delete(was, "route_config")
	delete(is, "rds")
	require.Equal(t, was, is)
	_, err = XDS(node, c, Options{Dir: "relative"})
	require.ErrorContains(t, err, "absolute")
}

// Clusters of another VM stand beside those of the configurations before; of the
// same VM only those stay that are not there any more.
func TestGenerations(t *testing.T) {
	clusters := func(text, wasm string, before []byte) ([]byte, []string) {
		node, c := load(t, text)
		files, err := XDS(node, c, Options{Dir: "/etc/x", Wasm: wasm, Before: before})
		require.NoError(t, err)
		var got struct{ Resources []struct{ Name string } }
		require.NoError(t, yaml.Unmarshal(files[0].Text, &got))
		var names []string
		for _, r := range got.Resources {
			name, generation, _ := strings.Cut(r.Name, "~")
			require.Len(t, generation, 8)
			names = append(names, name)
		}
		return files[0].Text, names
	}
	more := minimal(`, b: {dialect: openai, url: "https://b.test/v1"}`)
	first, names := clusters(more, "/1.wasm", nil)
	require.Equal(t, []string{"a", "b"}, names)
	_, names = clusters(more, "/1.wasm", first)
	require.Equal(t, []string{"a", "b"}, names)
	fewer, names := clusters(minimal(""), "/1.wasm", first)
	require.Equal(t, []string{"a", "b"}, names, "b has requests still")
	for range 2 {
		fewer, names = clusters(minimal(""), "/1.wasm", fewer)
		require.Equal(t, []string{"a", "b"}, names)
	}
	_, names = clusters(minimal(""), "/1.wasm", fewer)
	require.Equal(t, []string{"a"}, names, "it was written again often enough")
	second, names := clusters(more, "/2.wasm", first)
	require.Equal(t, []string{"a", "b", "a", "b"}, names)
	second, names = clusters(more, "/1.wasm", second)
	require.Equal(t, []string{"a", "b", "a", "b"}, names, "as the second, for which there is nothing new")
	_, names = clusters(minimal(""), "/3.wasm", second)
	require.Equal(t, []string{"a", "a", "b", "a", "b"}, names)
}

// Claims are the host's to verify: without a filter that does, nobody would be.
func TestFilters(t *testing.T) {
	text := strings.Replace(minimal(""), "anonymous: {}", "jwt: {payload: corp, claims: {user: sub}}", 1)
	node, decoded := load(t, text)
	_, err := Envoy(node, decoded, Options{})
	require.ErrorContains(t, err, "identity.jwt: the host verifies tokens")
	const filter = "- name: envoy.filters.http.jwt_authn\n  typed_config:\n    \"@type\": x\n"
	got, err := Envoy(node, decoded, Options{Filters: filter})
	require.NoError(t, err)
	require.Contains(t, string(got), "          http_filters:\n          - name: envoy.filters.http.jwt_authn\n            typed_config:\n              \"@type\": x\n          # The client stage")
	require.NoError(t, yaml.Unmarshal(got, new(map[string]any)))
}

// Variables and clusters that providers share are named once: Envoy refuses the
// second.
func TestShared(t *testing.T) {
	node, decoded := load(t, minimal(`, b: {dialect: openai, url: "https://a.test/v1", credentials: ["env:KEY"], cluster: a}`))
	text, err := Envoy(node, decoded, Options{})
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), `host_env_keys: ["KEY"]`))
	require.Equal(t, 1, strings.Count(string(text), "  - name: \"a\"\n"))
}

// The secret that signs ids reaches the module, though no provider names it.
func TestStateKey(t *testing.T) {
	node, decoded := load(t, strings.Replace(minimal(""), "{", `{state: {key: "env:STATE"}, `, 1))
	text, err := Envoy(node, decoded, Options{Listen: "127.0.0.1:1"})
	require.NoError(t, err)
	require.Contains(t, string(text), `host_env_keys: ["KEY", "STATE"]`)
}

// Only a gateway that passes WebSockets lets Envoy take them.
func TestRealtime(t *testing.T) {
	for _, passes := range []bool{false, true} {
		more := `, b: {dialect: openai, url: "https://b.test/v1"}`
		if passes {
			more = strings.Replace(more, "}", ", realtime: pass}", 1)
		}
		node, decoded := load(t, minimal(more))
		text, err := Envoy(node, decoded, Options{Listen: "127.0.0.1:1"})
		require.NoError(t, err)
		require.Equal(t, passes, strings.Contains(string(text), "upgrade_configs: [{upgrade_type: websocket}]"))
	}
}
