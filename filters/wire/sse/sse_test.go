package sse

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type got struct {
	name, data, id, retry, raw string
	hasData, comment, untermed bool
}

func collect(f *Framer, chunks ...string) (out []got) {
	note := func(ev Event) {
		out = append(out, got{string(ev.Name), string(ev.Data), string(ev.ID), string(ev.Retry), string(ev.Raw), ev.Data != nil, ev.Comment, ev.Unterminated})
	}
	for _, c := range chunks {
		f.Feed([]byte(c))
		for ev, ok := f.Next(); ok; ev, ok = f.Next() {
			note(ev)
		}
	}
	if ev, ok := f.Close(); ok {
		note(ev)
	}
	return out
}

func TestSmoke(t *testing.T) {
	out := collect(new(Framer), "\xEF\xBB\xBFdata: a\n\n: hi\n\nevent: x\r\nda", "ta:1\r\ndata\r\ndata: 2\r\n\r", "\nid: 7\r\r", "data: [DONE]")
	require.Len(t, out, 6)
	require.Equal(t, "a", out[0].data)
	require.True(t, out[1].comment)
	require.Equal(t, "1\n\n2", out[2].data)
	require.Equal(t, "x", out[2].name)
	require.Equal(t, "\n", out[3].raw)
	require.Equal(t, "7", out[4].id)
	require.True(t, out[5].untermed)
	require.Equal(t, "[DONE]", out[5].data)
	require.Equal(t, "event: e\ndata: a\ndata: b\n\n", string(Append(nil, "e", []byte("a\nb"))))
}
