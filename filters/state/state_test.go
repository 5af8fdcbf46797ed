package state

import (
	"bytes"
	"encoding/json"

	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/wire/percent"
)

const secret = "0123456789abcdef"

func testKey(t testing.TB) *Key {
	k, err := New(&Config{Key: "env:K"}, func(string) string { return secret + "\n" })
	require.NoError(t, err)
	return k
}

var (
	kinds     = []string{"resp_", "conv_", "msg_", "rs_", "file-", "files/"}
	providers = []string{"one", "two", "three"}
)

func TestConfig(t *testing.T) {
	for ref, ok := range map[string]bool{"env:K": true, "env:": false, "secret": false, "host": false, "callout:http://127.0.0.1/x": false} {
		require.Equal(t, ok, checkKey(ref) == nil, ref)
	}
	k, err := New(&Config{}, nil)
	require.NoError(t, err)
	require.Nil(t, k)
	_, err = New(&Config{Key: "env:K"}, func(string) string { return "short" })
	require.Error(t, err)
	require.Equal(t, "K", (&Config{Key: "env:K"}).Variable())
}

// The mark of one id is fixed: others hold on to it over releases.
func TestMark(t *testing.T) {
	k := testKey(t)
	require.Equal(t, "_pstgb6dyp3bhhoqtwyh", string(k.Mark(nil, "one", []byte("resp_1"))))
	for _, text := range []string{"", "resp_1", "_pstaaaaaaaaaaaaaaaa", "resp_1_pstAAAAAAAAAAAAAAAA", "resp_1_pstaaaaaaaaaaaaaaa1", "resp_1_pstaaaaaaaaaaaaaaa"} {
		_, _, ok := split(text)
		require.False(t, ok, text)
	}
}

// A mark is good for its id, its provider and its key, and for no other.
func TestMarks(t *testing.T) {
	k := testKey(t)
	other, err := New(&Config{Key: "env:K"}, func(string) string { return secret + "x" })
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`resp_[A-Za-z0-9_-]{1,60}`).Draw(t, "id")
		at := rapid.IntRange(0, len(providers)-1).Draw(t, "provider")
		marked := string(k.Mark([]byte(id), providers[at], []byte(id)))
		back, mark, ok := split(marked)
		require.True(t, ok)
		require.Equal(t, id, back)
		for i, p := range providers {
			require.Equal(t, i == at, k.made(p, []byte(id), []byte(mark)))
			require.False(t, other.made(p, []byte(id), []byte(mark)))
			require.False(t, k.made(p, []byte(id+"x"), []byte(mark)))
		}
		i := rapid.IntRange(len(tag), MarkLen-1).Draw(t, "broken")
		broken := []byte(mark)
		broken[i] = alphabet[(strings.IndexByte(alphabet, broken[i])+1)%len(alphabet)]
		require.False(t, k.made(providers[at], []byte(id), broken))
	})
}

const answer = `{"id":"resp_1","object":"response","previous_response_id" : "resp_0","conversation":{"id":"conv_1"},"metadata":{"file_id":"file-9","deep":{"id":"resp_9"}},
 "output":[{"id":"rs_1","type":"reasoning"},{"id":"msg_1","text":"the \"id\":\"resp_8\" \\","call_id":"call_1","name":"file-search"}],
 "tools":[{"vector_store_ids":["vs_1","file-2" , "file-3"],"parameters":{"id":"resp_7"}}],"name":"files/x","input":{"id":"msg_5"},"none_id":null,"id2":"resp_6","user_id":"me","file_id":"file-4"}`

var inAnswer = []string{"resp_1", "resp_0", "conv_1", "rs_1", "msg_1", "file-2", "file-3", "files/x", "file-4"}

func TestMarker(t *testing.T) {
	k := testKey(t)
	want := answer
	for _, id := range inAnswer {
		want = strings.Replace(want, `"`+id+`"`, `"`+string(k.Mark([]byte(id), "one", []byte(id)))+`"`, 1)
	}
	got, found := k.NewMarker("one", kinds).Append(nil, []byte(answer))
	require.True(t, found)
	require.Equal(t, want, string(got))
	for cut := range len(answer) {
		m := k.NewMarker("one", kinds)
		out := cutAppend(m, answer[:cut], answer[cut:])
		require.Equal(t, want, out, cut)
	}
	var refs Refs
	require.Equal(t, answer, string(k.Body(got, kinds, providers, &refs)))
	require.Equal(t, Refs{Home: "one", Firm: true}, refs)
	again, found := k.NewMarker("two", kinds).Append(nil, got)
	require.False(t, found, "what is marked stays")
	require.Empty(t, again)
}

func cutAppend(m *Marker, chunks ...string) string {
	var out []byte
	for _, c := range chunks {
		with, found := m.Append(nil, []byte(c))
		if !found {
			with = []byte(c)
		}
		out = append(out, with...)
	}
	return string(out)
}

// What is no JSON in an event stream does not confuse what follows.
func TestStream(t *testing.T) {
	k := testKey(t)
	in := ": it's \"odd\nevent: x\ndata: {\"id\":\"resp_1\"}\r\n\r\n: \"id\":\"\ndata: {\"item_id\":\"msg_1\",\"delta\":\"resp_2\"}\n\n"
	want := strings.NewReplacer(`"resp_1`, `"resp_1`+string(k.Mark(nil, "one", []byte("resp_1"))), `"msg_1`, `"msg_1`+string(k.Mark(nil, "one", []byte("msg_1")))).Replace(in)
	for cut := range len(in) {
		require.Equal(t, want, cutAppend(k.NewMarker("one", kinds), in[:cut], in[cut:]), cut)
	}
}

func TestBody(t *testing.T) {
	k := testKey(t)
	mark := func(provider, id string) string { return string(k.Mark([]byte(id), provider, []byte(id))) }
	tests := map[string]struct {
		body, want string
		refs       Refs
	}{
		"none":      {`{"model":"m","input":"resp_1"}`, `{"model":"m","input":"resp_1"}`, Refs{}},
		"marked":    {`{"previous_response_id":"` + mark("two", "resp_1") + `"}`, `{"previous_response_id":"resp_1"}`, Refs{Home: "two", Firm: true}},
		"reasoning": {`{"input":[{"id":"` + mark("two", "rs_1") + `"}]}`, `{"input":[{"id":"rs_1"}]}`, Refs{Home: "two", Firm: true}},
		"unknown":   {`{"previous_response_id":"resp_1"}`, `{"previous_response_id":"resp_1"}`, Refs{Unknown: "previous_response_id"}},
		"soft":      {`{"input":[{"id":"msg_1"}]}`, `{"input":[{"id":"msg_1"}]}`, Refs{}},
		"forged":    {`{"file_id":"file-1_pstaaaaaaaaaaaaaaaa"}`, `{"file_id":"file-1_pstaaaaaaaaaaaaaaaa"}`, Refs{Bad: "file_id"}},
		"foreign":   {`{"file_id":"` + mark("gone", "file-1") + `"}`, `{"file_id":"` + mark("gone", "file-1") + `"}`, Refs{Bad: "file_id"}},
		"moved":     {`{"file_id":"file-2` + mark("one", "file-1")[6:] + `"}`, `{"file_id":"file-2` + mark("one", "file-1")[6:] + `"}`, Refs{Bad: "file_id"}},
		"mixed": {`{"a_id":"` + mark("one", "file-1") + `","b_id":"` + mark("two", "file-2") + `"}`,
			`{"a_id":"` + mark("one", "file-1") + `","b_id":"` + mark("two", "file-2") + `"}`, Refs{Home: "one", Firm: true, Mixed: "b_id"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var refs Refs
			require.Equal(t, tt.want, string(k.Body([]byte(tt.body), kinds, providers, &refs)))
			require.Equal(t, tt.refs, refs)
		})
	}
}

func TestPath(t *testing.T) {
	k := testKey(t)
	mark := func(id string) string { return string(k.Mark([]byte(id), "two", []byte(id))) }
	var refs Refs
	got := k.Path("responses/"+mark("resp_1")+"/input_items?after="+mark("msg_1")+"&limit=2", kinds, providers, &refs)
	require.Equal(t, "responses/resp_1/input_items?after=msg_1&limit=2", got)
	require.Equal(t, Refs{Home: "two"}, refs)
	refs = Refs{}
	require.Equal(t, "files/file-1/content", k.Path("files/file-1/content", kinds, providers, &refs))
	require.Equal(t, Refs{Unknown: "path"}, refs)
	refs = Refs{}
	k.Path("files/file-1"+mark("file-2")[6:], kinds, providers, &refs)
	require.Equal(t, Refs{Bad: "path"}, refs)
}

// Of an id of the form kind/id the last part counts: it is told with a host before
// it, in a path behind its kind, and alone.
func TestKinds(t *testing.T) {
	k := testKey(t)
	for name, tt := range map[string]struct {
		kept             []string
		answer, id, path string // the answer holds ID; the path holds it as ID or, escaped, as ESCAPED
	}{
		"file":    {[]string{"files/"}, `{"file":{"name":"ID","displayName":"files/x"}}`, "files/a-1", "v1beta/files/LAST:download?alt=media"},
		"uri":     {[]string{"https://g.test/*/files/"}, `{"uri":"ID"}`, "https://g.test/v1beta/files/a-1", "v1beta/files/LAST"},
		"cache":   {[]string{"projects/*/cachedContents/"}, `{"name":"ID"}`, "projects/p/locations/l/cachedContents/7", "cachedContents/LAST"},
		"any":     {[]string{"", "datasets/"}, `{"dataset":{"id":"ID"}}`, "set-1", "v1/datasets/LAST"},
		"arn":     {[]string{"arn:aws*:async-invoke/"}, `{"invocationArn":"ID"}`, "arn:aws:bedrock:r:1:async-invoke/x1", "async-invoke/ESCAPED"},
		"members": {[]string{"files/"}, `{"fileUri":"ID"}`, "files/b", "files/LAST"},
	} {
		t.Run(name, func(t *testing.T) {
			got, found := k.NewMarker("two", tt.kept).Append(nil, []byte(strings.Replace(tt.answer, "ID", tt.id, 1)))
			require.True(t, found)
			mark := string(k.Mark(nil, "two", []byte(tt.id)))
			require.Equal(t, strings.Replace(tt.answer, "ID", tt.id+mark, 1), string(got))
			last := tt.id[strings.LastIndexByte(tt.id, '/')+1:]
			in := func(mark string) string {
				return strings.NewReplacer("LAST", last+mark, "ESCAPED", string(percent.Append(nil, tt.id))+mark).Replace(tt.path)
			}
			var refs Refs
			require.Equal(t, in(""), k.Path(in(mark), tt.kept, providers, &refs))
			require.Equal(t, Refs{Home: "two"}, refs)
			refs = Refs{}
			require.Equal(t, in(""), k.Path(in(""), tt.kept, providers, &refs))
			require.Equal(t, Refs{Unknown: "path"}, refs)
		})
	}
	var refs Refs
	k.Path("v1/datasets?name=files", []string{"", "datasets/"}, providers, &refs)
	k.Path("guardrail/arn%3Aaws%3Abedrock%3Ar%3A1%3Aguardrail%2Fg/version/1/apply", []string{"arn:aws*:async-invoke/"}, providers, &refs)
	k.Path("broken/%zz", kinds, providers, &refs)
	require.Equal(t, Refs{}, refs)
}

// FuzzMarker holds the marker against decoding: taking the marks off gives the
// answer back, no cut matters, and every value that changed was an id. Of ids
// under their plain names none is missed.
func FuzzMarker(f *testing.F) {
	f.Add([]byte(answer), 7)
	f.Add([]byte(`{"id":"resp_\u0031","id":"resp_2","x":["id","resp_3"],"a_ids":[["file-1"],"file-2",{"id":"conv_1"}]}`), 3)
	k, err := New(&Config{Key: "env:K"}, func(string) string { return secret })
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		got, found := k.NewMarker("one", kinds).Append(nil, body)
		if !found {
			got = body
		}
		cut = max(0, min(cut, len(body)))
		require.Equal(t, string(got), cutAppend(k.NewMarker("one", kinds), string(body[:cut]), string(body[cut:])))
		require.Equal(t, string(unmark(body)), string(unmark(got)))
		if !json.Valid(body) || bytes.ContainsAny(body, "\\\r\n") {
			return
		}
		require.True(t, json.Valid(got))
		var plain map[string]string
		if json.Unmarshal(body, &plain) != nil {
			return
		}
		var marked map[string]string
		require.NoError(t, json.Unmarshal(got, &marked))
		for name, id := range plain {
			_, _, already := split(id)
			holds := strings.HasSuffix(name, "_id") || name == "id"
			if holds && len(name) <= maxName && len(id) <= maxID && !already && prefixed(kinds, id, false) {
				require.Equal(t, id+string(k.Mark(nil, "one", []byte(id))), marked[name])
			} else if marked[name] != id {
				require.Equal(t, id+string(k.Mark(nil, "one", []byte(id))), marked[name])
			}
		}
	})
}

// unmark takes off whatever looks like a mark.
func unmark(b []byte) []byte {
	var out []byte
	for i := 0; i < len(b); {
		if i+MarkLen < len(b) && b[i+MarkLen] == '"' {
			if _, _, ok := split(append([]byte("x"), b[i:i+MarkLen]...)); ok {
				i += MarkLen
				continue
			}
		}
		out = append(out, b[i])
		i++
	}
	return out
}

func BenchmarkMarker(b *testing.B) {
	k := testKey(b)
	event := []byte(`data: {"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_68e2f0","output_index":0,"content_index":0,"delta":" word","logprobs":[]}` + "\n\n")
	m := k.NewMarker("one", kinds)
	var out []byte
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		out, _ = m.Append(out[:0], event)
	}
}
