package meshcheck

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryRule: each rule has a wrong resource, a code of its own, and a place
// in the documentation.
func TestEveryRule(t *testing.T) {
	table, err := os.ReadFile("wrong_test.go")
	require.NoError(t, err)
	docs, err := os.ReadFile("../../docs/validate.md")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, r := range rules {
		code := string(r.code)
		require.False(t, seen[code], code)
		seen[code] = true
		require.True(t, strings.Contains(string(table), `"`+code+`"`), "no wrong resource for %s", code)
		require.True(t, strings.Contains(string(docs), "`"+code+"`"), "%s is not documented", code)
	}
}
