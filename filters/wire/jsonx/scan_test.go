package jsonx

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var testKeys = NewKeys("model", "stream", "max_tokens", "", "a/b~c", "é\n")

// badDocuments holds what must be refused, and why, by Scan and by Tap at every cut.
var badDocuments = []struct {
	name, body, code string
	offset           int
	pointer          string
}{
	{"empty", "", CodeTruncated, 0, ""},
	{"only space", " \r\n\t", CodeTruncated, 4, ""},
	{"byte order mark", "\xEF\xBB\xBF{}", CodeSyntax, 0, ""},
	{"array", ` [1]`, CodeNotObject, 1, ""},
	{"string", `"x"`, CodeNotObject, 0, ""},
	{"number", `-1`, CodeNotObject, 0, ""},
	{"cut after brace", `{`, CodeTruncated, 1, ""},
	{"cut in key", `{"a`, CodeTruncated, 3, ""},
	{"cut after key", `{"a"`, CodeTruncated, 4, ""},
	{"cut after colon", `{"a": `, CodeTruncated, 6, "/a"},
	{"cut in literal", `{"a":tr`, CodeTruncated, 7, "/a"},
	{"cut in number", `{"a":-`, CodeTruncated, 6, "/a"},
	{"cut after number", `{"a":1.5`, CodeTruncated, 8, "/a"},
	{"cut after point", `{"a":1.`, CodeTruncated, 7, "/a"},
	{"cut in exponent", `{"a":1e+`, CodeTruncated, 8, "/a"},
	{"cut in escape", `{"a":"\`, CodeTruncated, 7, "/a"},
	{"cut in unit", `{"a":"\u00`, CodeTruncated, 10, "/a"},
	{"cut in character", "{\"a\":\"\xE2\x82", CodeTruncated, 8, "/a"},
	{"cut in array", `{"a":[1,`, CodeTruncated, 8, "/a/1"},
	{"cut before brace", `{"a":1 `, CodeTruncated, 7, "/a"},
	{"trailing", `{} x`, CodeTrailing, 3, ""},
	{"two documents", `{}{}`, CodeTrailing, 2, ""},
	{"comma before brace", `{"a":1,}`, CodeSyntax, 7, ""},
	{"comma first", `{,"a":1}`, CodeSyntax, 1, ""},
	{"comma before bracket", `{"a":[1,]}`, CodeSyntax, 8, "/a/1"},
	{"no colon", `{"a" 1}`, CodeSyntax, 5, ""},
	{"no comma", `{"a":1 "b":2}`, CodeSyntax, 7, "/a"},
	{"key not a string", `{a:1}`, CodeSyntax, 1, ""},
	{"wrong bracket", `{"a":[1}`, CodeSyntax, 7, "/a/0"},
	{"wrong brace", `{"a":1]`, CodeSyntax, 6, "/a"},
	{"literal", `{"a":nulL}`, CodeSyntax, 8, "/a"},
	{"single quotes", `{'a':1}`, CodeSyntax, 1, ""},
	{"comment", `{"a":1/**/}`, CodeSyntax, 6, "/a"},
	{"leading zero", `{"a":[0, 01]}`, CodeNumber, 10, "/a/1"},
	{"minus alone", `{"a":- }`, CodeNumber, 6, "/a"},
	{"point alone", `{"a":1.}`, CodeNumber, 7, "/a"},
	{"point first", `{"a":.1}`, CodeSyntax, 5, "/a"},
	{"exponent empty", `{"a":1e}`, CodeNumber, 7, "/a"},
	{"exponent sign", `{"a":1e+}`, CodeNumber, 8, "/a"},
	{"plus", `{"a":+1}`, CodeSyntax, 5, "/a"},
	{"hex", `{"a":0x1}`, CodeSyntax, 6, "/a"},
	{"NaN", `{"a":NaN}`, CodeSyntax, 5, "/a"},
	{"control", "{\"a\":\"x\ny\"}", CodeControl, 7, "/a"},
	{"NUL in key", "{\"a\x00\":1}", CodeControl, 3, ""},
	{"escape", `{"a":"\x41"}`, CodeEscape, 7, "/a"},
	{"unit", `{"a":"\u00g0"}`, CodeEscape, 10, "/a"},
	{"unit cut by quote", `{"a":"\u00"}`, CodeEscape, 10, "/a"},
	{"lone continuation", "{\"a\":\"12345678\x80\"}", CodeUTF8, 14, "/a"},
	{"cut sequence", "{\"a\":\"\xE2\x82\"}", CodeUTF8, 6, "/a"},
	{"overlong two", "{\"a\":\"\xC0\x80\"}", CodeUTF8, 6, "/a"},
	{"overlong three", "{\"a\":\"\xE0\x9F\xBF\"}", CodeUTF8, 6, "/a"},
	{"surrogate", "{\"a\":\"\xED\xA0\x80\"}", CodeUTF8, 6, "/a"},
	{"overlong four", "{\"a\":\"\xF0\x8F\xBF\xBF\"}", CodeUTF8, 6, "/a"},
	{"above", "{\"a\":\"\xF4\x90\x80\x80\"}", CodeUTF8, 6, "/a"},
	{"FF", "{\"a\":\"x\xFF\"}", CodeUTF8, 7, "/a"},
	{"outside a string", "{\"a\":é}", CodeSyntax, 5, "/a"},
	{"depth", `{"a":[[[1]]]}`, CodeDepth, 7, "/a/0/0"},
	{"duplicate", `{"model":"a","x":1,"model":"b"}`, CodeDuplicateKey, 19, "/model"},
	{"duplicate disguised", `{"model":"a","\u006dodel":"b"}`, CodeDuplicateKey, 13, "/model"},
	{"duplicate empty", `{"":1,"":2}`, CodeDuplicateKey, 6, "/"},
	{"duplicate special", `{"a/b~c":1,"a\/b~c":2}`, CodeDuplicateKey, 11, "/a~1b~0c"},
	{"duplicate long", `{"é\n":1,"\u00e9\u000a":2}`, CodeDuplicateKey, 10, "/é\n"},
	{"duplicate before worse", `{"model":1,"model" x`, CodeDuplicateKey, 11, "/model"},
	{"deep pointer", `{"x":{"a/b":[1,2,{"c~":tru }]}}`, CodeSyntax, 26, "/x/a~1b/2/c~0"},
}

func TestScanRefuses(t *testing.T) {
	lim := Limits{Depth: 3}
	for _, c := range badDocuments {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "deep pointer" {
				lim.Depth = 4
			}
			_, err := Scan([]byte(c.body), testKeys, lim)
			require.NotNil(t, err)
			require.Equal(t, c.code, err.Code, err)
			require.Equal(t, c.offset, err.Offset, err)
			require.Equal(t, c.pointer, err.Pointer)
			require.Contains(t, err.Error(), c.code)
		})
	}
}

func TestScanFinds(t *testing.T) {
	body := []byte(` {"\u006dodel":"gpt","messages":[{"model":1}], "stream" : true , "x":1,"x":2,"":null,"n":-1.5e3,"é\n":{} }` + "\n")
	d, err := Scan(body, testKeys, Limits{})
	require.Nil(t, err)
	require.Equal(t, 8, d.Members())
	require.Equal(t, bytes.TrimSpace(body), body[d.Object().Start:d.Object().End])
	require.Equal(t, body, d.Body())
	for i, want := range []struct {
		kind       Kind
		raw, whole string
	}{
		{String, `"gpt"`, `"\u006dodel":"gpt"`},
		{Boolean, `true`, `"stream" : true`},
		{Invalid, ``, ``},
		{Null, `null`, `"":null`},
		{Invalid, ``, ``},
		{Object, `{}`, `"é\n":{}`},
	} {
		v, ok := d.Get(i)
		require.Equal(t, want.raw != "", ok)
		require.Equal(t, want.kind, v.Kind)
		require.Equal(t, want.raw, string(d.Raw(i)))
		require.Equal(t, want.raw, string(v.Raw(body)))
		require.Equal(t, want.whole, string(body[v.Member.Start:v.Member.End]))
	}
	_, ok := d.Get(-1)
	require.False(t, ok)
	_, ok = d.Get(MaxKeys)
	require.False(t, ok)
}

func TestScanWithoutKeys(t *testing.T) {
	d, err := Scan([]byte(`{"a":1,"a":2}`), nil, Limits{})
	require.Nil(t, err)
	require.Equal(t, 2, d.Members())
}

func TestScanLimits(t *testing.T) {
	deep := func(n int) []byte {
		return []byte(strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n))
	}
	for _, c := range []struct {
		depth, limit int
		ok           bool
	}{{64, 0, true}, {65, 0, false}, {3, 3, true}, {4, 3, false}, {1024, 5000, true}, {1025, 5000, false}} {
		_, err := Scan(deep(c.depth), nil, Limits{Depth: c.limit})
		require.Equal(t, c.ok, err == nil, c)
		err = Valid(deep(c.depth), Limits{Depth: c.limit})
		require.Equal(t, c.ok, err == nil, c)
	}
	body := []byte(`{"a":1}`)
	_, err := Scan(body, nil, Limits{Bytes: 7})
	require.Nil(t, err)
	_, err = Scan(body, nil, Limits{Bytes: 6})
	require.Equal(t, &Error{Code: CodeTooLarge, Offset: 6}, err)
	require.Equal(t, &Error{Code: CodeTooLarge, Offset: 6}, Valid(body, Limits{Bytes: 6}))
}

func TestPointerIsBounded(t *testing.T) {
	body := []byte(`{"` + strings.Repeat("k", 10000) + `":[x]}`)
	_, err := Scan(body, nil, Limits{})
	require.Len(t, err.Pointer, maxPointer)
}

func TestKeys(t *testing.T) {
	names := make([]string, 70)
	for i := range names {
		names[i] = strings.Repeat("k", i)
	}
	k := NewKeys(names...)
	require.Equal(t, MaxKeys, k.Len())
	for i, name := range names[:MaxKeys] {
		require.Equal(t, i, k.Find([]byte(name)))
		require.Equal(t, name, k.Name(i))
	}
	require.Equal(t, -1, k.Find([]byte(names[64])))
	require.Equal(t, 1, k.Find([]byte(`\u006b`)))
	require.Equal(t, -1, k.Find([]byte(`\u006c`)))
	require.Equal(t, "", k.Name(-1))
	require.Equal(t, "", k.Name(64))
}

func TestValid(t *testing.T) {
	for _, raw := range []string{`1`, ` -0.5E-7 `, `"x"`, `null`, `true`, `false`, `[]`, `[1,[{}]]`, `{"a":1,"a":2}`, `"\ud800"`, `"😀"`} {
		require.Nil(t, Valid([]byte(raw), Limits{}), raw)
	}
	for _, raw := range []string{``, ` `, `-`, `1 2`, `[`, `"`, `nul`, `[1 2]`, `01`, `tru e`} {
		require.NotNil(t, Valid([]byte(raw), Limits{}), raw)
	}
}

func TestKind(t *testing.T) {
	for raw, want := range map[string]Kind{"": Invalid, "x": Invalid, " null": Null, "true": Boolean, "-1": Number, `"`: String, "[": Array, "\n{": Object} {
		require.Equal(t, want, KindOf([]byte(raw)), raw)
	}
	require.Equal(t, "object", Object.String())
	require.Equal(t, "invalid", Kind(99).String())
}

// TestText puts each character at each place of the words that the fast path reads.
func TestText(t *testing.T) {
	good := []string{`\n`, `\"`, `\\`, `\u00e9`, `\ud83d\ude00`, "é", "€", "\U0001F600", "\uD7FF", "\uE000", "\U0010FFFF", "\x7f", "/"}
	bad := []string{`\x`, `\u12 4`, "\x80", "\xC1\x80", "\xE2\x28\xA1", "\xED\xBF\xBF", "\xF5\x80\x80\x80", "\x1f", "\x00", "\xF0\x9F\x98"}
	for before := range 20 {
		for after := range 20 {
			for _, c := range good {
				require.Nil(t, Valid(textAround(before, c, after), Limits{}), "%q", c)
			}
			for _, c := range bad {
				err := Valid(textAround(before, c, after), Limits{})
				require.NotNil(t, err, "%q", c)
				require.GreaterOrEqual(t, err.Offset, before+1)
				require.LessOrEqual(t, err.Offset, before+1+len(c))
			}
		}
	}
}

// TestNumbers puts a wrong byte at each place of the words that the fast path reads.
func TestNumbers(t *testing.T) {
	for n := range 20 {
		for _, c := range []string{":", "/", "\x00", "\xB0", "\xFF", "a", "@", "p"} {
			raw := []byte("1" + strings.Repeat("9", n) + c + "00000000000")
			require.NotNil(t, Valid(raw, Limits{}), "%q", raw)
		}
		require.Nil(t, Valid([]byte("1"+strings.Repeat("9", n)), Limits{}))
	}
}

func textAround(before int, c string, after int) []byte {
	return []byte(`"` + strings.Repeat("a", before) + c + strings.Repeat("é", after/4) + strings.Repeat("z", after) + `"`)
}

// reference says whether body is valid, and which inspected name stands twice, by means of the standard library.
func reference(body []byte, keys *Keys) (valid bool, depth int, duplicate bool) {
	if !json.Valid(body) || !utf8.Valid(body) {
		return false, 0, false
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	seen := map[string]bool{}
	level, key := 0, false
	for {
		tok, err := dec.Token()
		if err != nil {
			return true, depth, duplicate
		}
		if d, ok := tok.(json.Delim); ok {
			if d == '{' || d == '[' {
				level++
				depth = max(depth, level)
			} else {
				level--
			}
			key = level == 1
			continue
		}
		if level != 1 {
			continue
		}
		if name, ok := tok.(string); ok && key {
			duplicate = duplicate || seen[name] && keys.Find(Escape(nil, name)) >= 0
			seen[name] = true
		}
		key = !key
	}
}

func addSeeds(f *testing.F) {
	for _, c := range badDocuments {
		f.Add([]byte(c.body), uint64(1))
	}
	f.Add([]byte(smallBody), uint64(99))
	f.Add(chunkBody, uint64(7))
	f.Add([]byte("{\"é\\n\":[\"\\ud83d\\ude00\",\"日本語テキスト\",-0.0e-10,{\"a\":{}}],\"stream\" : true }"), uint64(3))
}

func FuzzScan(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte, _ uint64) {
		valid, depth, duplicate := reference(body, testKeys)
		if err := Valid(body, Limits{Depth: 100}); valid != (err == nil) {
			require.True(t, err != nil && err.Code == CodeDepth && depth > 100, "%q %v", body, err)
		}
		d, err := Scan(body, testKeys, Limits{Depth: 100})
		if err == nil {
			require.True(t, valid && !duplicate, "%q", body)
			requireMembers(t, &d)
			return
		}
		switch err.Code {
		case CodeNotObject:
			require.NotEqual(t, byte('{'), bytes.TrimSpace(body)[0])
		case CodeDuplicateKey:
			require.True(t, duplicate || !valid, "%q", body)
		case CodeDepth:
			require.True(t, depth > 100 || !valid, "%q", body)
		default:
			require.False(t, valid, "%q %v", body, err)
		}
		require.LessOrEqual(t, err.Offset, len(body))
	})
}

// requireMembers compares what Scan found with the standard library.
func requireMembers(t *testing.T, d *Document) {
	var want map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(d.Body(), &want))
	for i := range testKeys.Len() {
		raw, ok := want[testKeys.Name(i)]
		v, found := d.Get(i)
		require.Equal(t, ok, found)
		if ok {
			require.Equal(t, string(raw), string(v.Raw(d.Body())))
		}
	}
}

func TestDepthOfMembers(t *testing.T) {
	keys := NewKeys("a", "b", "c", "d", "e", "f", "g")
	d, err := Scan([]byte(`{"x":[[[[]]]],"a":1,"b":[],"c":{"a":[{}]},"d":[[],[[]],[]],"e":"[[","f":[1]}`), keys, Limits{})
	require.Nil(t, err)
	for i, want := range []int{0, 1, 3, 3, 0, 1, 0} {
		require.Equal(t, want, d.Depth(i), keys.Name(i))
		require.Equal(t, i < 6, d.Has(i))
	}
	require.Zero(t, d.Depth(-1))
	require.False(t, d.Has(99))
}
