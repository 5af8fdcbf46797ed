package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func digest(t *testing.T, text string) string {
	n, errs := config.ParseJSON([]byte(text))
	require.NoError(t, errs.Err())
	return config.Digest(n)
}

func TestDigest(t *testing.T) {
	want := digest(t, `{"a":[1,0.5,"é"],"b":{"c":true,"d":null}}`)
	require.Len(t, want, 16)
	require.Equal(t, "74234e98afe7498f", config.Digest(nil)) // SHA-256 of "null"
	for _, same := range []string{
		"{\n \"b\": {\"d\": null, \"c\": true}, \"a\": [1, 0.5, \"\\u00e9\"] }",
		`{"a":[1.0,5e-1,"é"],"b":{"c":true,"d":null}}`,
		`{"a":[10E-1,0.50,"é"],"b":{"c":true,"d":null}}`,
	} {
		require.Equal(t, want, digest(t, same), same)
	}
	for _, other := range []string{
		`{"a":[0.5,1,"é"],"b":{"c":true,"d":null}}`,
		`{"a":["1",0.5,"é"],"b":{"c":true,"d":null}}`,
		`{"a":[1,0.5,"é"],"b":{"c":true}}`,
		`{"a":[1,0.5,"é"],"b":{"c":false,"d":null}}`,
	} {
		require.NotEqual(t, want, digest(t, other), other)
	}
	require.Equal(t, digest(t, `[0]`), digest(t, `[-0.0]`))
	require.NotEqual(t, digest(t, `[9007199254740993]`), digest(t, `[9007199254740992]`))
	require.Equal(t, digest(t, `[1e20]`), digest(t, `[1.0e+20]`))
	require.NotEqual(t, digest(t, `[1e999]`), digest(t, `[2e999]`))
}
