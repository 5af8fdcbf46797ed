package istio

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issuer signs tokens.
type issuer struct {
	name string
	key  *rsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return &issuer{"https://issuer.test", key}
}

func segment(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(text)
}

// token is signed by the issuer's key (RFC 7515, RS256).
func (i *issuer) token(t *testing.T, user string, expires time.Time) string {
	t.Helper()
	text := segment(t, map[string]string{"alg": "RS256", "kid": "k", "typ": "JWT"}) + "." +
		segment(t, map[string]any{"iss": i.name, "sub": user, "groups": "search", "exp": expires.Unix()})
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// rules make the gateway verify the issuer's tokens.
func (i *issuer) rules(t *testing.T) string {
	t.Helper()
	keys, err := json.Marshal(map[string]any{"keys": []any{map[string]string{"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig",
		"n": base64.RawURLEncoding.EncodeToString(i.key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(i.key.E)).Bytes())}}})
	require.NoError(t, err)
	return fmt.Sprintf(`---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: %s}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules: [{issuer: %q, jwks: %q}]
`, namespace, i.name, keys)
}

// TestClaims: Istio verifies tokens, and their claims are the principal. What a
// client says of claims in any other way gains nothing.
func TestClaims(t *testing.T) {
	issuer := newIssuer(t)
	for _, mode := range []string{"native", "paired"} {
		t.Run(mode, func(t *testing.T) {
			w := setup{
				config: func(text string) string {
					text = strings.Replace(text, "identity: {", "identity: {jwt: {payload: payload, claims: {user: sub, team: groups}}, ", 1)
					return text + "    mallory: {cedar: 'forbid (principal, action, resource) when { principal has user && principal.user == \"mallory\" };'}\n"
				},
				resources: func(text string) string { return text + issuer.rules(t) },
			}.start(t, mode)
			w.claims(t, issuer)
		})
	}
}

func (w *world) claims(t *testing.T, issuer *issuer) {
	later := time.Now().Add(time.Hour)
	alice, mallory := issuer.token(t, "alice", later), issuer.token(t, "mallory", later)
	other := newIssuer(t).token(t, "alice", later)
	payload := strings.Split(alice, ".")[1]
	for _, tt := range []struct {
		name   string
		header [][2]string
		status int
		text   string // of the answer
	}{
		{"a token", bearer(alice), 200, ""},
		{"another user's", bearer(mallory), 403, "policy_denied"},
		{"expired", bearer(issuer.token(t, "alice", time.Now().Add(-time.Hour))), 401, "Jwt is expired"},
		{"another issuer's key", bearer(other), 401, "Jwt verification fails"},
		{"changed", bearer(strings.Replace(mallory, strings.Split(mallory, ".")[1], payload, 1)), 401, "Jwt verification fails"},
		{"none", nil, 401, "missing_api_key"},
		{"claims in headers", [][2]string{{"x-jwt-payload", payload}, {"x-postern-user", "alice"}, {"sub", "alice"}}, 401, "missing_api_key"},
		{"another user's with claims in headers", append(bearer(mallory), [2]string{"x-jwt-payload", payload}), 403, "policy_denied"},
		{"a key", [][2]string{{"x-api-key", w.key}}, 200, ""},
		{"a key where a token is looked for", bearer(w.key), 401, "Jwt is not in the form"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.envoy.URL+"/v1/messages",
				strings.NewReader(`{"model":"gpt","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`))
			require.NoError(t, err)
			req.Header.Set("content-type", "application/json")
			for _, h := range tt.header {
				req.Header.Set(h[0], h[1])
			}
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer res.Body.Close() //nolint:errcheck // it was read
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Equal(t, tt.status, res.StatusCode, "%s", text)
			require.Contains(t, string(text), tt.text)
		})
	}
	for _, r := range w.openai.Requests() {
		require.Equal(t, "Bearer sk-e2e-openai", r.Header.Get("authorization"))
		for name, values := range r.Header {
			require.NotContains(t, strings.Join(values, " "), payload, name)
		}
	}
}

func bearer(token string) [][2]string { return [][2]string{{"authorization", "Bearer " + token}} }
