package config_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func TestParseKeepsPlacesAndSpellings(t *testing.T) {
	n, errs := config.ParseJSON([]byte("{\n  \"a\": [1.50e+3, \"\\u00e9\\ud83d\\ude42\\/\\n\"],\r\n\t\"é\": {\"b\": true}, \"n\": null}"))
	require.NoError(t, errs.Err())
	require.Equal(t, &config.Node{Kind: config.KindMap, Line: 1, Column: 1, Members: []config.Member{
		{Key: "a", KeyLine: 2, KeyColumn: 3, Value: &config.Node{Kind: config.KindList, Line: 2, Column: 8, Items: []*config.Node{
			{Kind: config.KindNumber, Text: "1.50e+3", Line: 2, Column: 9},
			{Kind: config.KindString, Text: "é🙂/\n", Line: 2, Column: 18},
		}}},
		{Key: "é", KeyLine: 3, KeyColumn: 2, Value: &config.Node{Kind: config.KindMap, Line: 3, Column: 7, Members: []config.Member{
			{Key: "b", KeyLine: 3, KeyColumn: 8, Value: &config.Node{Kind: config.KindBool, Text: "true", Line: 3, Column: 13}},
		}}},
		{Key: "n", KeyLine: 3, KeyColumn: 20, Value: &config.Node{Line: 3, Column: 25}},
	}}, n)
	require.Equal(t, `{"a":[1.50e+3,"é🙂/\u000a"],"é":{"b":true},"n":null}`, string(config.AppendJSON(nil, n)))
	require.Equal(t, "true", n.Get("é").Get("b").Text)
	require.Nil(t, n.Get("a").Get("b").Get("c"))
}

func TestParseBounds(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct{ name, text, want string }{
		{"depth", deep(config.MaxDepth), ""},
		{"too deep", deep(config.MaxDepth + 1), "1:65: " + strings.Repeat("/0", config.MaxDepth) + ": nested too deep (at most 64 levels)"},
		{"too deep by far", strings.Repeat(`{"":`, 1<<20), "1:257: " + strings.Repeat("/", config.MaxDepth) + ": nested too deep (at most 64 levels)"},
		{"too many values", "[" + strings.Repeat("0,", config.MaxNodes) + "0]", "1:1048576: /524287: the document has too many values"},
		{"too many bytes", strings.Repeat(" ", config.MaxBytes+1), "1:1: the document is larger than 8388608 bytes"},
		{"key", `{"` + strings.Repeat("k", config.MaxKey) + `":1}`, ""},
		{"key too long", `{"` + strings.Repeat("k", config.MaxKey+1) + `":1}`, "1:2: a key is too long (at most 512 bytes)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, errs := config.ParseJSON([]byte(tt.text))
			require.Equal(t, tt.want, errs.Error())
			require.Equal(t, tt.want == "", n != nil)
		})
	}
}

func TestErrorsAreBounded(t *testing.T) {
	many := "{" + strings.Repeat(`"a":1,`, 1000) + `"b":1}`
	n, errs := config.ParseJSON([]byte(many))
	require.NotNil(t, n)
	require.Len(t, errs, config.MaxErrors+1)
	require.Equal(t, config.TooMany, errs[config.MaxErrors].Code)

	var b strings.Builder
	for i := range 1000 {
		b.WriteString(`"x` + strconv.Itoa(i) + `":1,`)
	}
	n, errs = config.ParseJSON([]byte("{" + b.String() + `"debug":1}`))
	require.NoError(t, errs.Err())
	errs = config.Decode(n, new(gateway).fields())
	require.Len(t, errs, config.MaxErrors+1)
	require.Equal(t, "/x0", errs[0].Pointer)
	require.Equal(t, config.TooMany, errs[config.MaxErrors].Code)
}

func TestLongPointersAreCut(t *testing.T) {
	key := strings.Repeat("k", config.MaxKey)
	text := strings.Repeat(`{"`+key+`":`, config.MaxDepth) + "?"
	_, errs := config.ParseJSON([]byte(text))
	require.Len(t, errs, 1)
	require.Less(t, len(errs[0].Pointer), 4*config.MaxKey)
	require.True(t, strings.HasSuffix(errs[0].Pointer, "…"))
}

func TestErrorsRender(t *testing.T) {
	errs := config.Errors{
		{Line: 3, Column: 4, Pointer: "/a", Code: config.Invalid, Message: "m", Hint: "h"},
		{Code: config.TooMany, Message: "more"},
	}
	require.Equal(t, "3:4: /a: m (h)\nmore", errs.Error())
	require.Equal(t, "p.yaml:3:4: /a: m (h)\np.yaml: more", errs.In("p.yaml"))
	require.EqualError(t, errs.Err(), errs.Error())
	require.NoError(t, config.Errors{}.Err())
}

func TestValidName(t *testing.T) {
	for _, good := range []string{"a", "gpt-4o", "meta-llama/Llama-3.1:8b", "A_9", strings.Repeat("x", config.MaxName)} {
		require.True(t, config.ValidName(good), good)
	}
	for _, bad := range []string{"", "a b", "é", "a\n", "a#b", strings.Repeat("x", config.MaxName+1)} {
		require.False(t, config.ValidName(bad), bad)
	}
}

// FuzzParseJSON holds the parser against encoding/json: what it accepts is
// valid JSON, what it refuses is not, or is one of the things it refuses on
// purpose; and what it writes reads as what it read.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5e-3,true,null,"x\u00e9\n"],"b":{}}`, `[[],{}]`, `"\ud83d\ude42"`, `-0`, ` 1 `, `{"a":1,"a":2}`,
		`[1,]`, `{"a"}`, `"\ud800"`, "\"\xff\"", `01`, `1.`, `nul`, `{"":{"":0}}`, "\t\r\n[\"é\"\n,1]", strings.Repeat("[", 70),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, errs := config.ParseJSON(data)
		if len(errs) == 0 {
			require.True(t, json.Valid(data))
			require.True(t, utf8.Valid(data))
			sameAsStandard(t, data, n)
			return
		}
		require.LessOrEqual(t, len(errs), config.MaxErrors+1)
		for i, e := range errs {
			require.Positive(t, e.Line)
			require.Positive(t, e.Column)
			require.LessOrEqual(t, e.Line, 1+bytes.Count(data, []byte{'\n'}))
			require.True(t, i == 0 || errs[i-1].Line <= e.Line)
		}
		if json.Valid(data) {
			require.True(t, refusedOnPurpose(errs, data), errs.Error())
		}
	})
}

func sameAsStandard(t *testing.T, data []byte, n *config.Node) {
	written := config.AppendJSON(nil, n)
	require.Equal(t, standard(t, data), standard(t, written))
	again, errs := config.ParseJSON(written)
	require.NoError(t, errs.Err())
	require.Equal(t, written, config.AppendJSON(nil, again))
	require.Equal(t, config.Digest(n), config.Digest(again))
}

// standard reads with encoding/json, numbers as spelled.
func standard(t *testing.T, data []byte) any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return v
}

func refusedOnPurpose(errs config.Errors, data []byte) bool {
	e := errs[len(errs)-1]
	switch e.Code {
	case config.DuplicateKey, config.TooLarge, config.TooMany:
		return true
	}
	return strings.Contains(e.Message, "surrogate") || !utf8.Valid(data)
}

func TestAppendQuoted(t *testing.T) {
	require.Equal(t, `"a\"\\\u0000\u001fé🙂/"`, string(config.AppendQuoted(nil, "a\"\\\x00\x1fé🙂/")))
	require.Equal(t, "\"\ufffd\ufffdx\"", string(config.AppendQuoted(nil, "\xff\xc3x")))
	require.Equal(t, "[null]", string(config.AppendJSON(nil, &config.Node{Kind: config.KindList, Items: []*config.Node{nil}})))
}

func TestPointer(t *testing.T) {
	require.Empty(t, config.Pointer(nil))
	require.Equal(t, "/a~1b/~0/0/", config.Pointer([]string{"a/b", "~", "0", ""}))
}
