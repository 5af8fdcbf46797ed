package jsonx

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestMembers(t *testing.T) {
	raw := []byte(` { "a" : 1 ,"\u0062":"x\"}", "c":{"d":[1,"]"]} ,"":null,"e":[ ]}`)
	it := Members(raw)
	for _, want := range []struct {
		key, name, value string
		kind             Kind
	}{
		{`a`, "a", `1`, Number},
		{`\u0062`, "b", `"x\"}"`, String},
		{`c`, "c", `{"d":[1,"]"]}`, Object},
		{``, "", `null`, Null},
		{`e`, "e", `[ ]`, Array},
	} {
		require.True(t, it.Next())
		require.Equal(t, want.key, string(it.Key()))
		require.True(t, it.KeyIs(want.name))
		require.False(t, it.KeyIs(want.name+"x"))
		require.Equal(t, want.value, string(it.Value()))
		require.Equal(t, want.kind, it.Kind())
		require.Equal(t, want.value, string(raw[it.Offset():][:len(want.value)]))
		m := it.Member()
		require.True(t, bytes.HasPrefix(raw[m.Start:], []byte(`"`+want.key+`"`)))
		require.True(t, bytes.HasSuffix(raw[:m.End], []byte(want.value)))
	}
	require.False(t, it.Next())
	require.False(t, it.Next())
}

func TestElements(t *testing.T) {
	raw := []byte("[1, \"a,]\" ,[2],\n{\"b\":3} ,true]")
	it := Elements(raw)
	for _, want := range []string{`1`, `"a,]"`, `[2]`, `{"b":3}`, `true`} {
		require.True(t, it.Next())
		require.Equal(t, want, string(it.Value()))
		require.Nil(t, it.Key())
		require.False(t, it.KeyIs(""))
		m := it.Member()
		require.Equal(t, want, string(raw[m.Start:m.End]))
	}
	require.False(t, it.Next())
}

func TestIterOfOtherThings(t *testing.T) {
	for _, raw := range []string{``, ` `, `1`, `"x"`, `null`, `{}`, `[]`, ` [ ] `, `{ }`} {
		m, e := Members([]byte(raw)), Elements([]byte(raw))
		require.False(t, m.Next(), raw)
		require.False(t, e.Next(), raw)
	}
	m, e := Members([]byte(`[1]`)), Elements([]byte(`{"a":1}`))
	require.False(t, m.Next())
	require.False(t, e.Next())
}

func TestLookup(t *testing.T) {
	raw := []byte(` {"choices":[{"delta":{"content":"x"}},[10,11]],"a":1,"a":{"\u0062":2},"":{"":3}} `)
	for path, want := range map[string]string{
		"choices.0.delta.content": `"x"`, "choices.1.1": `11`, "a.b": `2`, ".": `3`,
		"choices.2": "", "choices.00": "", "choices.-1": "", "choices.x": "", "a.c": "", "b": "", "a.b.c": "", "choices.9999999999": "",
	} {
		got, ok := Lookup(raw, strings.Split(path, ".")...)
		require.Equal(t, want, string(got), path)
		require.Equal(t, want != "", ok, path)
	}
	got, ok := Lookup(raw)
	require.True(t, ok)
	require.Equal(t, strings.TrimSpace(string(raw)), string(got))
	_, ok = Lookup(nil)
	require.False(t, ok)
	_, ok = Lookup([]byte(" "), "a")
	require.False(t, ok)
}

// decode builds what encoding/json would, by means of the package's walks. Numbers stay as they are written.
func decode(raw []byte) any {
	switch KindOf(raw) {
	case Object:
		out := map[string]any{}
		for it := Members(raw); it.Next(); {
			out[string(Unescape(nil, it.Key()))] = decode(it.Value())
		}
		return out
	case Array:
		out := []any{}
		for it := Elements(raw); it.Next(); {
			out = append(out, decode(it.Value()))
		}
		return out
	case String:
		return string(Unescape(nil, Interior(raw)))
	case Number:
		return json.Number(raw)
	case Boolean:
		v, _ := Bool(raw)
		return v
	}
	return nil
}

func FuzzIter(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, raw []byte, _ uint64) {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil || !json.Valid(raw) || !utf8.Valid(raw) {
			// Not valid: whatever comes out, it must come to an end and stay inside.
			walk(raw, 0)
			Lookup(raw, "a", "0", "b")
			return
		}
		raw = bytes.TrimSpace(raw)
		require.Equal(t, want, decode(raw), "%q", raw)
		requireLookups(t, raw, want, nil)
	})
}

func walk(raw []byte, depth int) {
	if depth > 20 {
		return
	}
	for m := Members(raw); m.Next(); {
		m.KeyIs("model")
		m.Kind()
		walk(m.Value(), depth+1)
		_ = raw[m.Member().Start:m.Member().End]
	}
	for e := Elements(raw); e.Next(); {
		walk(e.Value(), depth+1)
		_ = raw[e.Offset()-1]
	}
}

func requireLookups(t *testing.T, raw []byte, want any, path []string) {
	if len(path) > 8 {
		return
	}
	got, ok := Lookup(raw, path...)
	require.True(t, ok, "%q %q", raw, path)
	require.Equal(t, want, decode(got), "%q %q", raw, path)
	switch want := want.(type) {
	case map[string]any:
		for name, v := range want {
			requireLookups(t, raw, v, append(path[:len(path):len(path)], name))
		}
	case []any:
		for i, v := range want[:min(len(want), 12)] {
			requireLookups(t, raw, v, append(path[:len(path):len(path)], strconv.Itoa(i)))
		}
	}
}
