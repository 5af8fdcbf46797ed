package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/schema"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// cases are: schema, what becomes of it, what the ledger says.
var openAPI = [][3]string{
	{`{"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a","b"],"additionalProperties":false,"$schema":"x"}`,
		`{"type":"OBJECT","properties":{"a":{"type":"STRING","minLength":1}},"required":["a"]}`, ``},
	{`{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"integer"}}}`, `{"type":"INTEGER"}`, ``},
	{`{"type":["string","null"]}`, `{"type":"STRING","nullable":true}`, ``},
	{`{"type":["string","integer"]}`, `{"anyOf":[{"type":"INTEGER"},{"type":"STRING"}]}`, ``},
	{`{"anyOf":[{"type":"string"},{"type":"null"}],"description":"d"}`, `{"type":"STRING","nullable":true,"description":"d"}`, ``},
	{`{"oneOf":[{"type":"string"},{"type":"number"},{"type":"null"}]}`,
		`{"anyOf":[{"type":"STRING","nullable":true},{"type":"NUMBER","nullable":true}]}`, `defaulted at/oneOf`},
	{`{"const":"x"}`, `{"type":"STRING","enum":["x"]}`, ``},
	{`{"type":"integer","enum":[1,2]}`, `{"type":"INTEGER"}`, `dropped at/enum`},
	{`{"enum":["a",null]}`, `{"type":"STRING","enum":["a"]}`, ``},
	{`{"allOf":[{"type":"object","properties":{"a":{"type":"boolean"}}},{"properties":{"b":true},"required":["b"]}]}`,
		`{"type":"OBJECT","properties":{"a":{"type":"BOOLEAN"},"b":{}},"required":["b"]}`, ``},
	{`{"type":"array"}`, `{"type":"ARRAY","items":{"type":"STRING"}}`, `defaulted at/items`},
	{`{"items":{"type":"string","format":"uri","pattern":"^a"}}`, `{"type":"ARRAY","items":{"type":"STRING","pattern":"^a"}}`, `dropped at/format`},
	{`{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"OBJECT"}`, `dropped at/additionalProperties`},
	{`{"type":"integer","exclusiveMinimum":0,"not":{}}`, `{"type":"INTEGER"}`, `dropped at/exclusiveMinimum, dropped at/not`},
	{`{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}}}`,
		`{"type":"OBJECT","properties":{"next":{"type":"OBJECT"}}}`, `defaulted at/$ref`},
	{`{}`, `{}`, ``},
}

var plain = [][3]string{
	{`{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"minLength":"3"}},"propertyOrdering":["a"]}`,
		`{"type":"object","properties":{"a":{"type":["null","string"],"minLength":3}}}`, ``},
	{`{"anyOf":[{"type":"STRING"},{"type":"NUMBER"}],"nullable":true}`, `{"anyOf":[{"type":"string"},{"type":"number"},{"type":"null"}]}`, ``},
	{`{"type":"STRING","enum":["a"],"nullable":true}`, `{"type":["null","string"],"enum":["a",null]}`, ``},
	{`{"type":"OBJECT","additionalProperties":{"type":"INTEGER","format":"int32"}}`, `{"type":"object","additionalProperties":{"type":"integer","format":"int32"}}`, ``},
	{`{"type":"string","not":{"enum":["x"]}}`, `{"type":"string","not":{"enum":["x"]}}`, ``},
}

var claude = [][3]string{
	{`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer","minimum":2}},"required":["a"]}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"],"additionalProperties":false}`, `dropped at/minimum`},
	{`{"type":"object","properties":{},"additionalProperties":{"type":"string"}}`, `{"type":"object","properties":{},"additionalProperties":false}`, `dropped at/additionalProperties`},
}

var strict = [][3]string{
	{`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer","maxLength":2}},"required":["a"]}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":["null","integer"]}},"required":["a","b"],"additionalProperties":false}`,
		`defaulted at/required, dropped at/maxLength`},
	{`{"type":"object"}`, `{"type":"object","required":[],"additionalProperties":false}`, ``},
}

func TestLower(t *testing.T) {
	for rules, cases := range map[*schema.Rules][][3]string{&schema.OpenAPI: openAPI, &schema.Plain: plain, &schema.Strict: strict, &schema.Claude: claude} {
		for _, c := range cases {
			var l dialect.Ledger
			out, err := rules.Lower([]byte("kept"), []byte(c[0]), "at", &l)
			require.Nil(t, err, c[0])
			require.Equal(t, "kept"+c[1], string(out), c[0])
			require.Equal(t, c[2], string(l.Append(nil)), c[0])
		}
	}
}

func TestRefused(t *testing.T) {
	for _, in := range []string{
		`{"$ref":"https://example.com/schema"}`,
		`{"$ref":"#/$defs/none"}`,
		`{"properties":{"a":7}}`,
		`[]`,
		strings.Repeat(`{"items":`, 60) + `{}` + strings.Repeat(`}`, 60),
		`{"required":[` + strings.Repeat(`"a",`, 5000) + `"a"]}`,
		// Each level doubles: written out it would have 2^30 parts.
		`{"$ref":"#/$defs/30","$defs":{` + doubling(30) + `"0":{"type":"string"}}}`,
	} {
		out, err := schema.OpenAPI.Lower([]byte("kept"), []byte(in), "at", nil)
		require.NotNil(t, err, in[:min(len(in), 80)])
		require.Equal(t, "at", err.Param)
		require.Equal(t, 400, err.Status)
		require.Equal(t, "kept", string(out))
	}
}

func doubling(n int) string {
	var b strings.Builder
	for i := n; i > 0; i-- {
		ref := `{"$ref":"#/$defs/` + string(mustJSON(i-1)) + `"}`
		b.WriteString(`"` + string(mustJSON(i)) + `":{"anyOf":[` + ref + `,` + ref + `]},`)
	}
	return b.String()
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// FuzzLower: whatever the schema, it is refused in words, or what it becomes is
// JSON that the rules leave as it is.
func FuzzLower(f *testing.F) {
	for _, cases := range [][][3]string{openAPI, plain, strict, claude} {
		for _, c := range cases {
			f.Add([]byte(c[0]))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if jsonx.Valid(in, jsonx.Limits{}) != nil {
			return
		}
		for _, rules := range []*schema.Rules{&schema.OpenAPI, &schema.Plain, &schema.Strict, &schema.Claude} {
			out, err := rules.Lower(nil, in, "at", nil)
			if err != nil {
				require.Equal(t, 400, err.Status)
				continue
			}
			require.True(t, json.Valid(out), string(out))
			again, err := rules.Lower(nil, out, "at", nil)
			if err == nil {
				require.True(t, json.Valid(again), string(again))
			}
		}
	})
}

// Schemas of recorded requests keep the names of all properties.
func TestRecordedSchemas(t *testing.T) {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS names no folder of recorded traffic")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
			var r struct{ Request string }
			require.NoError(t, json.Unmarshal([]byte(line), &r))
			var body any
			if json.Unmarshal([]byte(r.Request), &body) == nil {
				found += lowerAll(t, body)
			}
		}
	}
	require.Greater(t, found, 100)
}

// lowerAll lowers what looks like a schema of an object, wherever it stands.
func lowerAll(t *testing.T, v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += lowerAll(t, e)
		}
	case map[string]any:
		if props, ok := v["properties"].(map[string]any); ok && v["type"] != nil {
			for _, rules := range []*schema.Rules{&schema.OpenAPI, &schema.Plain, &schema.Strict, &schema.Claude} {
				out, err := rules.Lower(nil, mustJSON(v), "at", nil)
				require.Nil(t, err, "%v", v)
				var got struct{ Properties map[string]any }
				require.NoError(t, json.Unmarshal(out, &got), string(out))
				for name := range props {
					require.Contains(t, got.Properties, name)
				}
			}
			return 1
		}
		for _, e := range v {
			n += lowerAll(t, e)
		}
	}
	return n
}
