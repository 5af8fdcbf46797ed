package dialect

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOpening: later turns do not count, everything before them does.
func TestOpening(t *testing.T) {
	first := `[{"role":"system","content":"s"},{"role":"user","content":"a"}]`
	one := Opening([]byte(first), nil)
	require.Equal(t, one, Opening([]byte(first[:len(first)-1]+`,{"role":"assistant","content":"b"},{"role":"user","content":"c"}]`), nil))
	for _, other := range []string{
		`[{"role":"system","content":"t"},{"role":"user","content":"a"}]`,
		`[{"role":"system","content":"s"},{"role":"user","content":"b"}]`,
		`[{"role":"user","content":"a"}]`, `[]`, `"a"`, ``,
	} {
		require.NotEqual(t, one, Opening([]byte(other), nil), other)
	}
	require.NotEqual(t, one, Opening([]byte(first), []byte(`"more"`)))
	require.Equal(t, Opening([]byte(`"text"`), nil), Opening([]byte(`"text"`), nil))
	require.NotEqual(t, Opening([]byte(`"text"`), nil), Opening([]byte(`"texts"`), nil))
	require.Equal(t, Opening([]byte(`[{"type":"x"}]`), nil), Opening([]byte(`[{"type":"x"},{"type":"y"}]`), nil), "no role ends it, too")
}
