package sse

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAppend(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"", "x", "data: x\n\n"},
		{"ping", "{}", "event: ping\ndata: {}\n\n"},
		{"", "", "data: \n\n"},
		{"", "a\nb\n", "data: a\ndata: b\ndata: \n\n"},
		{"", "a\r\nb\rc\r", "data: a\ndata: b\ndata: c\ndata: \n\n"},
		{"", " x", "data:  x\n\n"},
		{"a\nb", "x", "event: a\ndata: x\n\n"},
	} {
		require.Equal(t, "pre"+c.want, string(Append([]byte("pre"), c.name, []byte(c.data))))
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("message", "a\r\nb\n\n: c")
	f.Fuzz(func(t *testing.T, name, data string) {
		out := Append(nil, name, []byte(data))
		events, raw := feed(t, new(Framer), out)
		require.Len(t, events, 1)
		require.Equal(t, string(out), string(raw))
		want := strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
		require.Equal(t, "="+want, events[0].data)
		if name == "" {
			require.Equal(t, "-", events[0].name)
		} else {
			require.Equal(t, "="+name[:strings.IndexAny(name+"\n", "\r\n")], events[0].name)
		}
	})
}
