package hosttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHeadersKeepPseudoHeadersFirst(t *testing.T) {
	h := NewHeaders([][2]string{{"b", "1"}, {":path", "/"}, {"A", "2"}})
	h.Set(":method", "GET")
	h.Set(":path", "/y")
	require.Equal(t, [][2]string{{":method", "GET"}, {":path", "/y"}, {"b", "1"}, {"a", "2"}}, h.Pairs())
	require.Equal(t, 21, h.ByteSize())
	c := h.Clone()
	c.Remove("a")
	require.True(t, h.Has("A"))
	var none *Headers
	require.Zero(t, none.Len())
	require.False(t, none.Has("a"))
	require.Nil(t, none.Clone())
}

// TestHeadersAgainstANaiveMap compares with a list that is filtered and appended to.
func TestHeadersAgainstANaiveMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h, naive := &Headers{}, [][2]string(nil)
		names := rapid.SampledFrom([]string{"x-a", "X-B", "x-c"})
		drop := func(name string) {
			naive = slices.DeleteFunc(naive, func(p [2]string) bool { return p[0] == strings.ToLower(name) })
		}
		for range rapid.IntRange(0, 20).Draw(r, "steps") {
			name, value := names.Draw(r, "name"), rapid.StringN(0, 2, 4).Draw(r, "value")
			switch rapid.IntRange(0, 2).Draw(r, "op") {
			case 0:
				h.Add(name, value)
				naive = append(naive, [2]string{strings.ToLower(name), value})
			case 1:
				h.Set(name, value)
				drop(name)
				naive = append(naive, [2]string{strings.ToLower(name), value})
			default:
				h.Remove(name)
				drop(name)
			}
		}
		require.Equal(r, len(naive), h.Len())
		for i, p := range h.Pairs() {
			require.Equal(r, naive[i], p)
		}
	})
}
