package render

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// What APISIX 3.18 takes in these files, as far as they go: its JSON schemas (apisix/schema_def.lua,
// apisix/cli/schema.lua, those of the plugins), in our own words. It was read, not run.

// shape checks a value and tells what is wrong with it.
type shape func(path string, v any) []string

// object has these members and no others; those with a mark must be there.
func objectOf(members map[string]shape) shape {
	return func(path string, v any) (wrong []string) {
		m, ok := v.(map[string]any)
		if !ok {
			return []string{path + " is no object"}
		}
		for name, s := range members {
			bare := strings.TrimSuffix(name, "!")
			member, there := m[bare]
			switch {
			case there:
				wrong = append(wrong, s(path+"."+bare, member)...)
			case bare != name:
				wrong = append(wrong, path+"."+bare+" is missing")
			}
		}
		for name := range m {
			if members[name] == nil && members[name+"!"] == nil {
				wrong = append(wrong, path+"."+name+" is unknown")
			}
		}
		return wrong
	}
}

// list has at least n items.
func listOf(n int, item shape) shape {
	return func(path string, v any) (wrong []string) {
		l, ok := v.([]any)
		if !ok || len(l) < n {
			return []string{fmt.Sprintf("%s is no list of %d or more", path, n)}
		}
		for i, x := range l {
			wrong = append(wrong, item(fmt.Sprintf("%s[%d]", path, i), x)...)
		}
		return wrong
	}
}

func like(pattern string) shape {
	re := regexp.MustCompile(pattern)
	return func(path string, v any) []string {
		if s, ok := v.(string); !ok || !re.MatchString(s) {
			return []string{fmt.Sprintf("%s is %v", path, v)}
		}
		return nil
	}
}

func between(low, high int) shape {
	return func(path string, v any) []string {
		if n, ok := v.(int); !ok || n < low || n > high {
			return []string{fmt.Sprintf("%s is %v", path, v)}
		}
		return nil
	}
}

func truth(path string, v any) []string {
	if _, ok := v.(bool); !ok {
		return []string{path + " is no boolean"}
	}
	return nil
}

const many = 1 << 30

var (
	apisixID      = like(`^[a-zA-Z0-9-_.]{1,64}$`)
	apisixSeconds = between(1, many)
	upstreamShape = objectOf(map[string]shape{
		"id": apisixID, "type": like(`^(roundrobin|chash|ewma|least_conn)$`), "scheme": like(`^https?$`),
		"pass_host": like(`^(pass|node|rewrite)$`), "retries": between(0, many),
		"timeout": objectOf(map[string]shape{"connect!": apisixSeconds, "send!": apisixSeconds, "read!": apisixSeconds}),
		"nodes!":  listOf(1, objectOf(map[string]shape{"host!": like(`^[0-9a-zA-Z-._\[\]:]+$`), "port": between(1, 65535), "weight!": between(0, many)})),
	})
	splitShape = objectOf(map[string]shape{"rules": listOf(0, objectOf(map[string]shape{
		"match":              listOf(1, objectOf(map[string]shape{"vars": listOf(1, listOf(3, like(``)))})),
		"weighted_upstreams": listOf(1, objectOf(map[string]shape{"upstream_id": apisixID, "weight": between(0, many)})),
	}))})
	routeShape = objectOf(map[string]shape{
		"id": apisixID, "uri!": like(`^.`), "upstream": upstreamShape,
		"plugins!": objectOf(map[string]shape{
			"request-id": objectOf(map[string]shape{"header_name": like(``), "include_in_response": truth}),
			"postern":    objectOf(map[string]shape{"conf!": like(`.`)}), "traffic-split": splitShape, "prometheus": objectOf(nil),
		}),
	})
	configShape = objectOf(map[string]shape{
		"deployment!": objectOf(map[string]shape{"role": like(`^data_plane$`), "role_data_plane!": objectOf(map[string]shape{"config_provider!": like(`^yaml$`)})}),
		"apisix!":     objectOf(map[string]shape{"node_listen": between(1, 65535), "ssl": objectOf(map[string]shape{"ssl_trusted_certificate": like(`^/`)})}),
		"wasm": objectOf(map[string]shape{"plugins": listOf(1, objectOf(map[string]shape{
			"name!": like(`^postern$`), "file!": like(`.`), "priority!": between(apisixPriorities["traffic-split"]+1, apisixPriorities["limit-count"]-1),
			"http_request_phase": like(`^(access|rewrite)$`),
		}))}),
		"nginx_config": objectOf(map[string]shape{
			"worker_processes": between(1, 1024), "envs": listOf(1, like(`^[^\x00-\x1f]*$`)),
			"http":                              objectOf(map[string]shape{"client_max_body_size": between(0, many), "access_log_format_escape": like(`^json$`), "access_log_format": like(`^[^']+$`)}),
			"http_server_configuration_snippet": like(`.`), "http_server_location_configuration_snippet": like(`.`),
		}),
	})
)

// apisixPriorities are those of plugins that stand next to ours; the higher ones of a phase work
// first. key-auth and request-id work in the phase rewrite, which is before access.
var apisixPriorities = map[string]int{"request-id": 12015, "key-auth": 2500, "limit-count": 1002, "traffic-split": 966, "prometheus": 500}

// apisixCases are configurations whose files must have that shape.
var apisixCases = map[string]string{
	"usual": apisixConfig,
	"no key of a provider": `version: 1
providers: {a: {dialect: openai, url: "http://a.test"}}
models: {m: {targets: [{provider: a, model: m}]}}
identity: {anonymous: {}}
`,
	"a variable of the environment in a text": `version: 1
providers: {a: {dialect: openai, url: "http://a.test"}}
models: {m: {targets: [{provider: a, model: "${{HOME}}"}]}}
identity: {anonymous: {}}
`,
}

func TestAPISIXShapes(t *testing.T) {
	for name, config := range apisixCases {
		t.Run(name, func(t *testing.T) {
			node, c := load(t, config)
			files, err := APISIX(node, c, APISIXDefaults())
			require.NoError(t, err)
			byName := map[string][]byte{}
			for _, f := range files {
				byName[f.Name] = f.Text
				require.NotContains(t, string(f.Text), "${{", "APISIX would replace it")
			}
			fits(t, configShape, byName["config.yaml"])
			require.True(t, strings.HasSuffix(string(byName["apisix.yaml"]), "\n#END\n"), "APISIX reads no further file")
			fits(t, objectOf(map[string]shape{"upstreams!": listOf(1, upstreamShape), "routes!": listOf(1, routeShape)}), byName["apisix.yaml"])
			admin(t, byName["admin.json"])
		})
	}
}

func fits(t *testing.T, s shape, text []byte) {
	t.Helper()
	var v map[string]any
	require.NoError(t, yaml.Unmarshal(text, &v))
	require.Empty(t, s("", v))
}

// admin checks requests to the Admin API: an upstream is there before the route that names it.
func admin(t *testing.T, text []byte) {
	var list []struct {
		Method, Path string
		Body         map[string]any
	}
	require.NoError(t, yaml.Unmarshal(text, &list)) // JSON is YAML, and numbers stay whole
	known := map[string]bool{}
	for _, r := range list {
		require.Equal(t, "PUT", r.Method)
		if id, ok := strings.CutPrefix(r.Path, "/apisix/admin/upstreams/"); ok {
			known[id] = true
			require.Empty(t, upstreamShape(id, r.Body))
			continue
		}
		require.Equal(t, "/apisix/admin/routes/postern", r.Path)
		require.Equal(t, "postern", r.Body["id"], "the one of the path")
		require.Empty(t, routeShape("route", r.Body))
		b, err := json.Marshal(r.Body)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`"upstream_id":"([^"]*)"`).FindAllStringSubmatch(string(b), -1) {
			require.True(t, known[m[1]], m[1])
		}
	}
	require.NotEmpty(t, known)
}

// TestAPISIXShapesRefuse makes sure that the shapes see mistakes.
func TestAPISIXShapesRefuse(t *testing.T) {
	good := func() map[string]any {
		return map[string]any{"id": "a", "nodes": []any{map[string]any{"host": "a.test", "port": 443, "weight": 1}}}
	}
	require.Empty(t, upstreamShape("up", good()))
	for want, spoil := range map[string]func(map[string]any){
		"up.retry is unknown":        func(m map[string]any) { m["retry"] = 1 },
		"up.nodes is missing":        func(m map[string]any) { delete(m, "nodes") },
		"up.retries is -1":           func(m map[string]any) { m["retries"] = -1 },
		"up.id is a b":               func(m map[string]any) { m["id"] = "a b" },
		"up.timeout.read is missing": func(m map[string]any) { m["timeout"] = map[string]any{"connect": 1, "send": 1} },
		"up.nodes[0].port is 0":      func(m map[string]any) { m["nodes"].([]any)[0].(map[string]any)["port"] = 0 },
	} {
		m := good()
		spoil(m)
		require.Equal(t, []string{want}, upstreamShape("up", m))
	}
}
