package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestURL(t *testing.T) {
	tests := []struct {
		text       string
		want       URL
		host, port string
	}{
		{"https://api.test", URL{true, "api.test", ""}, "api.test", "443"},
		{"http://api.test/", URL{false, "api.test", ""}, "api.test", "80"},
		{"https://api.test:8443//v1/x/", URL{true, "api.test:8443", "/v1/x"}, "api.test", "8443"},
		{"http://[fd00::1]", URL{false, "[fd00::1]", ""}, "fd00::1", "80"},
		{"http://[fd00::1]:81/a", URL{false, "[fd00::1]:81", "/a"}, "fd00::1", "81"},
	}
	for _, tt := range tests {
		got, err := ParseURL(tt.text)
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
		host, port := got.Address()
		require.Equal(t, []string{tt.host, tt.port}, []string{host, port})
	}
	for _, text := range []string{"", "api.test", "ftp://api.test", "https://", "https:///x", "https://user:secret@api.test", "https://a/?q=1", "https://a/#f",
		"https://a b", "https://a/\"", "https://a\r\n", "https://ä.test", `https://a\b`} {
		_, err := ParseURL(text)
		require.Equal(t, err, CheckURL(text))
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "secret")
	}
}
