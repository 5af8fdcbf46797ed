package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

// reported runs a rule at the root of a document whose keys are list, extra
// and models.
func reported(t *testing.T, text string, rule func(r *config.Report, extra *config.Node)) string {
	n, errs := config.ParseJSON([]byte(text))
	require.NoError(t, errs.Err())
	var (
		keys   []key
		extra  *config.Node
		models map[string]string
	)
	return config.Decode(n, []config.Field{
		config.List("list", &keys, (*key).fields),
		config.Raw("extra", &extra),
		config.StringMap("models", &models, config.In("models")),
		config.Rule(func(r *config.Report) { rule(r, extra) }),
	}).Error()
}

func TestReportPlaces(t *testing.T) {
	const text = `{
 "list": [{"id": "a"},
          {"id": "b"}],
 "extra": {"x": [1,
                 {"y/z": 2}]},
 "models": {"fast": ""}}`
	tests := []struct {
		name string
		at   func(r *config.Report, extra *config.Node) *config.Report
		want string
	}{
		{"itself", func(r *config.Report, _ *config.Node) *config.Report { return r }, "1:1: wrong"},
		{"no step", func(r *config.Report, _ *config.Node) *config.Report { return r.At() }, "1:1: wrong"},
		{"item", func(r *config.Report, _ *config.Node) *config.Report { return r.At("list", "1", "id") }, "3:18: /list/1/id: wrong"},
		{"item in two steps", func(r *config.Report, _ *config.Node) *config.Report { return r.At("list").At("1") }, "3:11: /list/1: wrong"},
		{"absent key", func(r *config.Report, _ *config.Node) *config.Report { return r.At("list", "1", "team") }, "3:11: /list/1/team: wrong"},
		{"absent item", func(r *config.Report, _ *config.Node) *config.Report { return r.At("list", "2") }, "2:2: /list/2: wrong"},
		{"not an index", func(r *config.Report, _ *config.Node) *config.Report { return r.At("list", "-1", "x") }, "2:2: /list/-1/x: wrong"},
		{"absent branch", func(r *config.Report, _ *config.Node) *config.Report { return r.At("a", "b", "c") }, "1:1: /a/b/c: wrong"},
		{"node", func(r *config.Report, extra *config.Node) *config.Report {
			return r.AtNode(extra.Get("x").Items[1].Get("y/z"))
		}, "5:26: /extra/x/1/y~1z: wrong"},
		{"unknown node", func(r *config.Report, _ *config.Node) *config.Report { return r.At("list").AtNode(&config.Node{}) }, "2:10: /list: wrong"},
		{"no node", func(r *config.Report, _ *config.Node) *config.Report { return r.AtNode(nil) }, "1:1: wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := reported(t, text, func(r *config.Report, extra *config.Node) {
				tt.at(r, extra).Fail(config.Invalid, "wrong", "")
			})
			require.Equal(t, tt.want, got)
		})
	}
	require.Equal(t, `2:2: /list/9: no "fst" in models (did you mean "fast"?)`,
		reported(t, text, func(r *config.Report, _ *config.Node) {
			require.True(t, r.Has("models", "fast"))
			require.False(t, r.Has("models", "fst"))
			require.False(t, r.Has("nothing", "fast"))
			r.At("list", "9").Refer("models", "fst")
			r.At("list", "9").Refer("models", "fast")
		}))
}

func TestDescribe(t *testing.T) {
	s := config.Describe(new(gateway).fields())
	require.Equal(t, config.TypeObject, s.Type)
	byName := map[string]config.Schema{}
	for _, f := range s.Fields {
		byName[f.Name] = f
	}
	require.Len(t, byName, 20)
	require.Equal(t, config.Schema{Name: "title", Type: config.TypeString, Doc: "What | this is.", Default: `"postern"`, MinLength: 2, MaxLength: 10}, byName["title"])
	require.Equal(t, config.Schema{Name: "mode", Type: config.TypeString, Default: `"native"`, Enum: []string{"native", "paired", "observe"}}, byName["mode"])
	require.Equal(t, config.Schema{Name: "grace", Type: config.TypeDuration, Default: `"1m30s"`, Min: "0s", Max: "1h"}, byName["grace"])
	require.Equal(t, config.Schema{Name: "body", Type: config.TypeBytes, Default: `"64KiB"`, Max: "1MiB"}, byName["body"])
	require.Equal(t, config.Schema{Name: "share", Type: config.TypeFloat, Min: "0", Max: "0.5"}, byName["share"])
	require.Equal(t, config.Schema{Name: "aliases", Type: config.TypeMap, Names: true, Declares: "models", Items: &config.Schema{Type: config.TypeString}}, byName["aliases"])
	require.Equal(t, config.Schema{Name: "old", Type: config.TypeString, Deprecated: "use title"}, byName["old"])
	provider := byName["providers"]
	require.True(t, provider.Names)
	require.Equal(t, config.Schema{Name: "secret", Type: config.TypeSecret, Required: true, Secret: []string{"host", "env", "callout"}}, provider.Items.Fields[1])
}

// tree lies in itself, as a condition does.
type tree struct {
	Name     string
	Branches []tree
}

func (n *tree) fields() []config.Field {
	return []config.Field{
		config.String("name", &n.Name, config.Required()),
		config.List("branches", &n.Branches, (*tree).fields),
	}
}

func TestRecursiveTables(t *testing.T) {
	n, errs := config.ParseJSON([]byte(`{"root":{"name":"a","branches":[{"name":"b","branches":[{"name":"c"},{}]}]}}`))
	require.NoError(t, errs.Err())
	var root tree
	fields := []config.Field{config.Object("root", &root, (*tree).fields)}
	require.Equal(t, `1:70: /root/branches/0/branches/1/name: missing key "name"`, config.Decode(n, fields).Error())
	require.Equal(t, "c", root.Branches[0].Branches[0].Name)
	require.NoError(t, config.Verify(fields).Err())
	s := config.Describe(fields)
	require.Equal(t, 1, s.Fields[0].Fields[1].Items.Recurses)
}

// FuzzDecode looks for panics, and for errors at places that are not there.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"title":"a","models":{"fast":{"targets":[{"provider":"p"}]}},"providers":{"p":{"url":"u","secret":"host"}}}`))
	f.Add([]byte(`{"keys":[{"id":"a"},{"id":"a"},{}],"limits":{"soft":30},"extra":{"odd":1,"model":"x"},"mode":"observe"}`))
	f.Add([]byte(`{"workers":1e3,"offset":3,"share":1,"body":"1MB","grace":"1d","regions":["eu","x"],"labels":{"a":1},"cache":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, errs := config.ParseJSON(data)
		if len(errs) > 0 {
			return
		}
		var g gateway
		errs, warnings := config.DecodeWithWarnings(n, g.fields())
		for _, e := range append(errs, warnings...) {
			require.NotEqual(t, config.BadTable, e.Code)
			if e.Code != config.TooMany {
				require.Positive(t, e.Line)
				require.True(t, e.Pointer == "" || strings.HasPrefix(e.Pointer, "/"))
			}
		}
		if len(errs) == 0 {
			require.Contains(t, []mode{"native", "paired", "observe"}, g.Mode)
			require.LessOrEqual(t, g.Limits.Soft, g.Limits.Hard)
		}
	})
}
