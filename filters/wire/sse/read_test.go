package sse

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRead sees the same blocks of a stream with CRLF at every cut.
func TestRead(t *testing.T) {
	stream := []byte("data: a\r\n\r\n: note\r\n\r\ndata: b\r\ndata: c\r\n\r\n\r\ndata: d\n\n")
	blocks := func(chunks ...[]byte) (list []string) {
		f := NewFramer(Limits{Read: true})
		for _, c := range chunks {
			f.Feed(c)
			for ev, ok := f.Next(); ok; ev, ok = f.Next() {
				list = append(list, string(ev.Data))
			}
		}
		return list
	}
	want := blocks(stream)
	require.Equal(t, []string{"a", "", "b\nc", "", "d"}, want)
	for i := range stream {
		require.Equal(t, want, blocks(stream[:i], stream[i:]), i)
	}
	var single [][]byte
	for i := range stream {
		single = append(single, stream[i:i+1])
	}
	require.Equal(t, want, blocks(single...))
}
