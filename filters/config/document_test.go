package config

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// A configuration that stands as text in an object is read as it is by itself,
// places of errors included.
func TestDocument(t *testing.T) {
	const text = `{"version":1,"nothing":2}`
	quoted, err := json.Marshal(map[string]string{"document": text})
	require.NoError(t, err)
	want, errs := ParsePlugin([]byte(text))
	require.Empty(t, errs)
	got, errs := ParsePlugin(quoted)
	require.Empty(t, errs)
	require.Equal(t, want, got)
	_, errs = ParsePlugin([]byte(`{"document":"{"}`))
	require.NotEmpty(t, errs)
	both, errs := ParsePlugin([]byte(`{"document":"{}","version":1}`))
	require.Empty(t, errs)
	require.Len(t, both.Members, 2, "it is refused as an unknown key")
	_, errs = ParsePlugin([]byte(`[`))
	require.NotEmpty(t, errs)
}
