package jsonx

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	keys := NewKeys("model", "stream", "user")
	body := []byte(` {"model":"gpt","messages":[{"role":"user","content":"hé\n\ud83d\ude00"}], "stream": true , "n":-1.5e3}`)
	d, err := Scan(body, keys, Limits{})
	require.Nil(t, err)
	v, ok := d.Get(0)
	require.True(t, ok)
	require.Equal(t, `"gpt"`, string(v.Raw(body)))
	v, _ = d.Get(1)
	require.Equal(t, Boolean, v.Kind)
	require.Equal(t, `"stream": true`, string(body[v.Member.Start:v.Member.End]))
	var e Edits
	e.SetMember(&d, 0, "model", []byte(`"claude"`))
	e.SetMember(&d, 2, "user", []byte(`"me"`))
	e.RemoveMember(&d, 1)
	out := e.Apply(nil, body)
	require.Equal(t, ` {"model":"claude","messages":[{"role":"user","content":"hé\n\ud83d\ude00"}], "n":-1.5e3,"user":"me"}`, string(out))
	require.Equal(t, len(out)-len(body), e.Len())
	require.True(t, json.Valid(out))
	got, ok := Lookup(body, "messages", "0", "content")
	require.True(t, ok)
	require.Equal(t, "hé\n😀", string(Unescape(nil, Interior(got))))

	_, err = Scan([]byte(`{"model":1,"\u006dodel":2}`), keys, Limits{})
	require.Equal(t, CodeDuplicateKey, err.Code)
	_, err = Scan([]byte(`{"x":{"a/b":[1,2,{"c":tru }]}}`), keys, Limits{})
	require.Equal(t, "/x/a~1b/2/c", err.Pointer)

	tap := NewTap(keys, 100, Limits{})
	for i := range body {
		require.Nil(t, tap.Write(body[i:i+1]))
	}
	require.Nil(t, tap.Close())
	got, ok = tap.Get(0)
	require.True(t, ok)
	require.Equal(t, `"gpt"`, string(got))
	require.Equal(t, len(`"a\u0001\n\ufffd"`), len(Quote(nil, "a\x01\n\xff")))
	n, ok := Int([]byte("1.50e2"))
	require.True(t, ok)
	require.EqualValues(t, 150, n)
}
