package percent_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/wire/percent"
)

func TestEveryByte(t *testing.T) {
	const kept = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for c := range 256 {
		s := string([]byte{byte(c)})
		got := string(percent.Append(nil, s))
		require.Equal(t, strings.Contains(kept, s), got == s, "%q", s)
		back, err := url.PathUnescape(got)
		require.NoError(t, err)
		require.Equal(t, s, back)
	}
}

func TestPath(t *testing.T) {
	require.Equal(t, "x/a%3Ab/%25", string(percent.AppendPath([]byte("x"), "/a:b/%")))
	require.Equal(t, "%2Fa%20b%2B", string(percent.Append(nil, "/a b+")))
}

func TestForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		form, err := url.ParseQuery("k=" + string(percent.Append(nil, s)))
		require.NoError(t, err)
		require.Equal(t, s, form.Get("k"))
	})
}

func TestUnescape(t *testing.T) {
	for _, s := range []string{"%", "%4", "a%4", "%zz", "%4g"} {
		_, ok := percent.Unescape(s)
		require.False(t, ok, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		back, ok := percent.Unescape(string(percent.Append(nil, s)))
		require.True(t, ok)
		require.Equal(t, s, back)
	})
}
