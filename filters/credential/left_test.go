package credential

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLeft: what the host sets is taken back before the next target. What the
// module sets is noted when it is set.
func TestLeft(t *testing.T) {
	anthropic := &Attempt{Key: func(key string) (string, string) { return "x-api-key", key }}
	for _, tt := range []struct {
		name, config string
		want         []string
	}{
		{"the dialect's header", `{"credentials": ["host"]}`, []string{"x-api-key"}},
		{"another header", `{"credentials": ["host"], "auth": {"key": {"header": "api-key"}}}`, []string{"api-key"}},
		{"a signature", `{"credentials": ["host"], "auth": {"aws": {"region": "r"}}}`,
			[]string{"authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}},
		{"none", `{}`, nil},
		{"the module's key", `{"credentials": ["env:A"]}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := New("p", parse(t, tt.config), newWorld(map[string]string{"A": planted}))
			require.NoError(t, err)
			require.Equal(t, tt.want, s.Left(nil, anthropic))
		})
	}
}
