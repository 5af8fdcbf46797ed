package dialect_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

func TestDataURL(t *testing.T) {
	for url, want := range map[string][2]string{
		"data:image/png;base64,AAAA":               {"image/png", "AAAA"},
		`data:image\/png;base64,A\/A`:              {"image/png", "A/A"},
		"DATA:image/png;charset=utf-8;BASE64,AAAA": {"image/png", "AAAA"},
		"data:;base64,AAAA":                        {"", "AAAA"},
		"data:image/png;base64,":                   {"image/png", ""},
	} {
		mediaType, data, ok := dialect.DataURL(llm.Escaped(url))
		require.True(t, ok, url)
		require.Equal(t, want, [2]string{string(mediaType), string(data)}, url)
	}
	for _, url := range []string{"", "data:", "https://x/y", "data:text/plain,hi", "data:image/png;base64", "data;base64,AA"} {
		_, _, ok := dialect.DataURL(llm.Escaped(url))
		require.False(t, ok, url)
	}
}

func TestArguments(t *testing.T) {
	for arguments, want := range map[string]string{
		``: "{}", ` \n `: "{}", `{\"a\":1}`: `{"a":1}`, ` { } \t`: "{ }", `{\"a\":\"\\u00e9\\\"\"}`: `{"a":"\u00e9\""}`,
	} {
		got, ok := dialect.AppendInput([]byte("x"), &llm.ToolCall{Arguments: llm.Escaped(arguments)})
		require.True(t, ok, arguments)
		require.Equal(t, "x"+want, string(got))
	}
	for _, arguments := range []string{`[]`, `1`, `null`, `{`, `{}x`, `\"a\"`, `{\"a\":\u0001}`} {
		got, ok := dialect.AppendInput([]byte("x"), &llm.ToolCall{Arguments: llm.Escaped(arguments)})
		require.False(t, ok, arguments)
		require.Equal(t, "x", string(got))
	}
	input := llm.Raw("{\"a\": \"x\\\"y\\\\\",\n\t\"é\": 1.0}")
	text := dialect.AppendArguments(nil, &llm.ToolCall{Input: input})
	back, ok := dialect.AppendInput(nil, &llm.ToolCall{Arguments: text})
	require.True(t, ok)
	require.Equal(t, string(input), string(back), "there and back changes nothing")
	require.Equal(t, "{}", string(dialect.AppendArguments(nil, &llm.ToolCall{})))
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{"abc": "abc", "abcdef": "abcd", `a\"b`: `a"b`, "aéé": "aé", "ééé": "éé", `\u00e9\u00e9\u00e9`: "éé", "": ""} {
		require.Equal(t, want, dialect.Plain([]byte(text), 4), text)
	}
}

func TestWriter(t *testing.T) {
	w := dialect.Writer{B: []byte("x")}
	w.Begin('{')
	w.Word("a", "b")
	w.Quote("c", "d\"\n")
	w.Array("e")
	w.Element(llm.Escaped(`\n`))
	w.Open('{')
	w.Int("f", -1)
	w.Number("g", "")
	w.Number("h", "1.0")
	w.Close('}')
	w.Open('{')
	w.Close('}')
	w.Close(']')
	w.Object("i")
	w.Close('}')
	w.Raw("j", []byte("null"))
	require.False(t, w.Joined("k", nil, llm.TextPart))
	require.True(t, w.Joined("k", []llm.Part{{Text: llm.Escaped("a")}, {Kind: llm.RefusalPart}, {Text: llm.Escaped(`\"`)}}, llm.TextPart))
	w.Close('}')
	require.Equal(t, `x{"a":"b","c":"d\"\n","e":["\n",{"f":-1,"h":1.0},{}],"i":{},"j":null,"k":"a\""}`, string(w.B))
	require.True(t, json.Valid(w.B[1:]))
}

func TestStatusError(t *testing.T) {
	for status := 100; status < 700; status++ {
		e := dialect.StatusError(status)
		require.NotZero(t, e.Class)
		require.True(t, e.Status >= 400 && e.Status < 600, status)
		require.NotEmpty(t, e.Code)
		require.NotEqual(t, 401, e.Status, "a client's key is not the gateway's")
	}
	require.Equal(t, 400, dialect.StatusError(405).Status)
	require.Equal(t, 422, dialect.StatusError(422).Status)
}
