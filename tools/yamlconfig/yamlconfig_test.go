package yamlconfig_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/yamlconfig"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestParse reads every NAME.yaml of testdata/*.txtar and compares the errors
// with NAME.errors and, without errors, the JSON with NAME.json.
func TestParse(t *testing.T) {
	for _, name := range []string{"testdata/values.txtar", "testdata/refused.txtar", "testdata/syntax.txtar", "testdata/decode.txtar"} {
		archive, err := txtar.ParseFile(name)
		require.NoError(t, err)
		if *update {
			rewrite(t, name, archive)
		}
		want := map[string]string{}
		for _, f := range archive.Files {
			want[f.Name] = string(f.Data)
		}
		for _, f := range archive.Files {
			if base, ok := strings.CutSuffix(f.Name, ".yaml"); ok {
				t.Run(base, func(t *testing.T) {
					json, errs := load(base, f.Data)
					require.Equal(t, want[base+".errors"], errs)
					require.Equal(t, want[base+".json"], json)
				})
			}
		}
	}
}

// load reads a document; one whose name begins with "decode" is decoded too.
func load(name string, data []byte) (json, errs string) {
	n, es := yamlconfig.Parse(name+".yaml", data)
	if len(es) == 0 && strings.HasPrefix(name, "decode") {
		es = config.Decode(n, new(document).fields())
	}
	if len(es) > 0 {
		return "", render(es)
	}
	return string(yamlconfig.ToJSON(n)) + "\n", ""
}

func render(errs config.Errors) string {
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintf(&b, "%d:%d %s %s: %s\n", e.Line, e.Column, e.Code, e.Pointer, e.Message)
		if e.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", e.Hint)
		}
	}
	return b.String()
}

func rewrite(t *testing.T, name string, archive *txtar.Archive) {
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		base, ok := strings.CutSuffix(f.Name, ".yaml")
		if !ok {
			continue
		}
		out.Files = append(out.Files, f)
		if json, errs := load(base, f.Data); errs != "" {
			out.Files = append(out.Files, txtar.File{Name: base + ".errors", Data: []byte(errs)})
		} else {
			out.Files = append(out.Files, txtar.File{Name: base + ".json", Data: []byte(json)})
		}
	}
	archive.Files = out.Files
	require.NoError(t, os.WriteFile(name, txtar.Format(out), 0o644))
}

type document struct {
	Models    []config.Named[model]
	Providers []config.Named[provider]
}

type model struct {
	Targets []string
	Timeout time.Duration
}

type provider struct{ URL, Key string }

func (d *document) fields() []config.Field {
	return []config.Field{
		config.Map("models", &d.Models, func(_ string, m *model) []config.Field {
			return []config.Field{
				config.Refs("targets", &m.Targets, "providers", config.Required()),
				config.Duration("timeout", &m.Timeout),
			}
		}),
		config.Map("providers", &d.Providers, func(_ string, p *provider) []config.Field {
			return []config.Field{
				config.String("url", &p.URL, config.Required()),
				config.String("key", &p.Key, config.Secret()),
			}
		}, config.In("providers")),
	}
}

func TestAliasesAreBounded(t *testing.T) {
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 10; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	n, errs := yamlconfig.Parse("p.yaml", []byte(laughs))
	require.Len(t, errs, 1)
	require.Equal(t, config.TooLarge, errs[0].Code)
	require.Less(t, len(yamlconfig.ToJSON(n)), 8<<20)

	long := "a: &a " + strings.Repeat("x", 1<<16) + "\nb: [" + strings.Repeat("*a,", 1000) + "]\n"
	_, errs = yamlconfig.Parse("p.yaml", []byte(long))
	require.Equal(t, "1:4: /b/15: aliases repeat too much of the document", errs.Error())

	keys := "? &a " + strings.Repeat("k", config.MaxKey) + "\n: 1\nb: [" + strings.Repeat("{*a : 1},", 20000) + "]\n"
	_, errs = yamlconfig.Parse("p.yaml", []byte(keys))
	require.Len(t, errs, 1)
	require.Equal(t, config.TooLarge, errs[0].Code)
}

func TestBounds(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"bytes", strings.Repeat("#", config.MaxBytes+1), "1:1: p.yaml is larger than 8388608 bytes"},
		{"bytes as JSON", `a: "` + strings.Repeat(`\0`, 3<<19) + `"`, "1:1: p.yaml is larger than 8388608 bytes as JSON"},
		{"depth", strings.Repeat("[", config.MaxDepth+1) + strings.Repeat("]", config.MaxDepth+1),
			"1:65: " + strings.Repeat("/0", config.MaxDepth) + ": nested too deep (at most 64 levels)"},
		{"depth of the library", strings.Repeat("[", 20000), "1:1: exceeded max depth of 10000"},
		{"values", "[" + strings.Repeat("0,", config.MaxNodes) + "0]", "1:1048576: /524287: the document has too many values"},
		{"key", strings.Repeat("k", config.MaxKey+1) + ": 1", "1:1: a key is too long (at most 512 bytes)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, errs := yamlconfig.Parse("p.yaml", []byte(tt.text))
			require.Equal(t, tt.want, errs.Error())
		})
	}
	_, errs := yamlconfig.Parse("p.yaml", []byte(strings.Repeat("a: 1\n", 1000)))
	require.Len(t, errs, config.MaxErrors+1)
}

func TestUTF16IsRefused(t *testing.T) {
	for _, text := range []string{"\xff\xfea\x00", "\xfe\xff\x00a"} {
		_, errs := yamlconfig.Parse("p.yaml", []byte(text))
		require.Equal(t, "1:1: p.yaml is not UTF-8", errs.Error())
	}
}

// TestSecretsAreNotRepeated plants a secret where YAML takes its first
// character for syntax.
func TestSecretsAreNotRepeated(t *testing.T) {
	const secret = "s3cr3t-never-shown"
	for _, text := range []string{"*" + secret, "!" + secret, "!!" + secret + " x", "@" + secret, "%" + secret, "`" + secret,
		"0x53C237", "\"" + secret, "'" + secret, "[" + secret, "{" + secret, "&" + secret + " *" + secret, secret, "|" + secret, "? " + secret} {
		n, errs := yamlconfig.Parse("p.yaml", []byte("providers:\n  p:\n    url: u\n    key: "+text+"\n"))
		if len(errs) == 0 {
			errs = config.Decode(n, new(document).fields())
		}
		require.NotEmpty(t, errs, text)
		require.NotContains(t, errs.Error(), secret)
		require.NotContains(t, errs.Error(), "53C237")
	}
}

// same strips places, which differ between the two formats.
func same(t require.TestingT, n *config.Node) {
	json := yamlconfig.ToJSON(n)
	fromJSON, errs := config.ParseJSON(json)
	require.NoError(t, errs.Err())
	require.Equal(t, config.Digest(n), config.Digest(fromJSON))
	strip(n)
	strip(fromJSON)
	require.Equal(t, n, fromJSON)
}

func strip(n *config.Node) {
	n.Line, n.Column = 0, 0
	if len(n.Members) == 0 {
		n.Members = nil
	}
	for i := range n.Members {
		n.Members[i].KeyLine, n.Members[i].KeyColumn = 0, 0
		strip(n.Members[i].Value)
	}
	for _, item := range n.Items {
		strip(item)
	}
}

// TestJSONIsYAML writes random trees as JSON, which YAML contains, and reads
// them back by both parsers.
func TestJSONIsYAML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		json := config.AppendJSON(nil, tree(t, 3))
		n, errs := yamlconfig.Parse("p.yaml", json)
		require.NoError(t, errs.Err())
		require.Equal(t, string(json), string(yamlconfig.ToJSON(n)))
		same(t, n)
	})
}

// text is of characters that both JSON and YAML take unescaped, and of those
// that are always escaped.
func text() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("\x00\n\t\"\\/:#-*&!%@'{}[], "), unicode.L, unicode.N, unicode.P, unicode.S), 0, 12, -1)
}

func tree(t *rapid.T, depth int) *config.Node {
	kinds := []config.Kind{config.KindNull, config.KindBool, config.KindNumber, config.KindString, config.KindList, config.KindMap}
	if depth == 0 {
		kinds = kinds[:4]
	}
	n := &config.Node{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	switch n.Kind {
	case config.KindBool:
		n.Text = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case config.KindNumber:
		n.Text = rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
	case config.KindString:
		n.Text = text().Draw(t, "text")
	case config.KindList:
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			n.Items = append(n.Items, tree(t, depth-1))
		}
	case config.KindMap:
		for i := range rapid.IntRange(0, 3).Draw(t, "members") {
			key := fmt.Sprint(i) + text().Draw(t, "key")
			n.Members = append(n.Members, config.Member{Key: key, Value: tree(t, depth-1)})
		}
	}
	return n
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/values.txtar", "testdata/refused.txtar", "testdata/syntax.txtar", "testdata/decode.txtar"} {
		archive, err := txtar.ParseFile(name)
		require.NoError(f, err)
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, errs := yamlconfig.Parse("p.yaml", data)
		if len(errs) == 0 {
			same(t, n)
			config.Decode(n, new(document).fields())
			return
		}
		require.LessOrEqual(t, len(errs), config.MaxErrors+1)
		for _, e := range errs {
			if e.Code != config.TooMany {
				require.Positive(t, e.Line)
				require.Positive(t, e.Column)
			}
		}
	})
}
