package check_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/postern/internal/check"
)

const head = `version: 1
providers:
  p: {dialect: openai, url: "https://p.test/v1", credentials: ["env:NOT_SET_ANYWHERE"]}
models:
  m: {targets: [{provider: p, model: x}]}
`

// TestText finds what the module would refuse, but for the environment.
func TestText(t *testing.T) {
	for name, c := range map[string]struct{ text, first string }{
		"valid":   {head + "identity: {anonymous: {}}\n", ""},
		"syntax":  {"a: [", "1:1: expected a value"},
		"unknown": {head + "identity: {anonymous: {}}\nextra: 1\n", `7:1: /extra: unknown key "extra"`},
		"key's hash": {head + "identity: {keys: {k: {hash: abc}}}\n",
			"6:29: /identity/keys/k/hash: not the hash of a key: sha256: and 64 hexadecimal digits (make a key and its hash with `postern keys new`)"},
		"dialect": {"version: 1\nproviders: {p: {dialect: telnet, url: \"http://p\"}}\nmodels: {m: {targets: [{provider: p, model: x}]}}\nidentity: {anonymous: {}}\n",
			`2:26: /providers/p/dialect: unknown value "telnet" (one of: openai, anthropic, `},
	} {
		t.Run(name, func(t *testing.T) {
			r := check.Text("postern.yaml", []byte(c.text))
			if c.first == "" {
				require.Empty(t, r.Errors)
				require.NotNil(t, r.Node)
				return
			}
			require.NotEmpty(t, r.Errors)
			require.Contains(t, r.Errors[0].Error(), c.first)
		})
	}
}

// TestCedar finds mistakes in policies where they stand.
func TestCedar(t *testing.T) {
	r := check.Text("postern.yaml", []byte(head+"identity: {anonymous: {}}\npolicy:\n  policies:\n    one:\n      cedar: permit (principal, action, resource)\n"))
	require.Len(t, r.Errors, 1)
	require.Equal(t, 10, r.Errors[0].Line)
	require.Equal(t, "/policy/policies/one/cedar", r.Errors[0].Pointer)
}
